"""Days and instants as CQL2 writes them, and the looser ones that GDAL writes."""

from __future__ import annotations

import datetime as dt
import re

from gis_service.db.cql2.nodes import At, Date, Timestamp
from gis_service.features.refusal import refuse

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,20})?)([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LOOSE = re.compile(
    r"([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})"
    r"(?:[Tt ](?:([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,20})?))?"
    r"\s*([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?"
)


def date(text: str, at: At) -> Date:
    """A day such as 2024-05-31; 400 where the calendar has none."""
    if _DATE.fullmatch(text) is None:
        raise refuse("filter.bad-date", at=at, value=text[:40])
    try:
        return Date(dt.date.fromisoformat(text), at)
    except ValueError as err:
        raise refuse("filter.bad-date", at=at, value=text[:40]) from err


def timestamp(text: str, at: At) -> Timestamp:
    """An instant such as 2024-05-31T12:00:00Z; 400 where the calendar or the clock has none."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise refuse("filter.bad-timestamp", at=at, value=text[:40])
    zone = found[3].upper().replace("Z", "+00:00")
    return Timestamp(_utc(f"{found[1]}T{found[2]}{zone}", text, at), at)


def instant(text: str, at: At) -> Date | Timestamp:
    """Whichever of both the text is, as in the ends of an interval."""
    return date(text, at) if len(text) <= 10 else timestamp(text, at)


def loose(text: str, at: At) -> Date | Timestamp:
    """A day or an instant as GDAL writes it: `2020-01-05T` is a day, no zone means UTC."""
    found = _LOOSE.fullmatch(text)
    if found is None:
        raise refuse("filter.bad-timestamp", at=at, value=text[:40])
    day = f"{found[1]}-{found[2]}-{found[3]}"
    if found[4] is None:
        return date(day, at)
    zone = (found[7] or "Z").upper().replace("Z", "+00:00")
    return Timestamp(_utc(f"{day}T{found[4]}:{found[5]}:{found[6] or '00'}{zone}", text, at), at)


def _utc(written: str, text: str, at: At) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(written).astimezone(dt.UTC)
    except (ValueError, OverflowError) as err:
        raise refuse("filter.bad-timestamp", at=at, value=text[:40]) from err
