"""One range of bytes of a file (RFC 9110, section 14)."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from gis_service.errors import GisError
from gis_service.features.refusal import refusal
from gis_service.web.message import Request

_ONE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII | re.IGNORECASE)


class BehindTheEnd(GisError):
    """The range lies behind the file's end: {detail}"""

    status, code, exit_code = 416, "behind-the-end", 2


def asked(request: Request, length: int, tag: str, modified: datetime) -> tuple[int, int] | None:
    """First byte and the one behind the last; None where the whole file is to be sent.

    A header that isn't a range, and one with several, may be ignored; one that was meant for another state of
    the file must be (If-Range).
    """
    found = _ONE.fullmatch((request.header("range") or "").strip())
    if found is None or found.group(0).endswith("=-") or not _still(request, tag, modified):
        return None
    first, last = found.groups()
    if not first:
        begin, end = max(0, length - int(last)), length
    else:
        begin, end = int(first), min(int(last) + 1, length) if last else length
        if last and int(last) < int(first):
            return None
    if begin >= end:
        raise refusal(BehindTheEnd, "files.range", length=length)
    return begin, end


def http_date(when: datetime) -> str:
    return format_datetime(when, usegmt=True)


def unchanged(request: Request, modified: datetime) -> bool:
    """Whether If-Modified-Since, where it counts, names this state or a later one."""
    if "if-none-match" in request.headers:
        return False
    since = _date(request.header("if-modified-since"))
    return since is not None and modified <= since


def _still(request: Request, tag: str, modified: datetime) -> bool:
    """Whether If-Range, where it stands, names this very state: by its strong ETag or its exact date."""
    condition = request.header("if-range")
    return condition is None or condition == tag or _date(condition) == modified


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
