"""The `datetime` parameter of OGC API Features as an interval that PostgreSQL can hold.

Q10: QGIS writes open ends as year 0000 and year 9999; Python's datetime and PostgreSQL know no year 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gis_service.texts import Sentence

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)([Zz]|[+-]\d{2}:\d{2})?")


@dataclass(frozen=True)
class Interval:
    """A closed interval in UTC; None is an open end."""

    start: datetime | None
    end: datetime | None


def parse(text: str) -> Interval:
    """The interval of an RFC 3339 date, date-time or `a/b` with `..` or nothing for an open end."""
    sides = text.split("/")
    if len(sides) == 1:
        return Interval(_instant(text, last=False), _instant(text, last=True))
    if len(sides) != 2:
        raise ValueError(Sentence("geo.interval-ends"))
    start, end = _end(sides[0], last=False), _end(sides[1], last=True)
    if start is not None and end is not None and start > end:
        raise ValueError(Sentence("geo.interval-order"))
    return Interval(start, end)


def _end(text: str, last: bool) -> datetime | None:
    if text in ("", "..") or text.startswith(("0000-", "9999-12-31")):
        return None
    return _instant(text, last)


def _instant(text: str, last: bool) -> datetime:
    """An instant; a bare date means its whole day, so its first or last moment."""
    if (found := _DATE.fullmatch(text)) is not None:
        day = _day(found)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return _last_moment(start) if last else start
    if (found := _TIME.fullmatch(text)) is None:
        raise ValueError(Sentence("geo.no-time", text=text))
    try:
        zone = (found.group(3) or "Z").upper().replace("Z", "+00:00")
        return datetime.fromisoformat(f"{found.group(1)}T{found.group(2)}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise ValueError(Sentence("geo.not-of-calendar", text=text)) from err


def _day(found: re.Match[str]) -> date:
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError as err:
        raise ValueError(Sentence("geo.not-of-calendar", text=found.group())) from err


def _last_moment(start: datetime) -> datetime:
    if start.date() == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return start + timedelta(days=1) - timedelta(microseconds=1)
