"""The value of an equality parameter, read as the type of its property."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from gis_service.catalog.layer import Property, PropertyType
from gis_service.db.select import Value
from gis_service.features.refusal import refuse
from gis_service.texts import Sentence

MAX_INTEGER = 2**63 - 1
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def parse(name: str, prop: Property, text: str) -> Value:
    """The value that the column is compared with; 400 where the text isn't of the property's type."""
    try:
        return _READERS[prop.type](text)
    except ValueError as err:
        raise refuse("web.bad-value", name=name, type=prop.type, value=text[:200]) from err


def integer(text: str) -> int:
    """A whole number of 64 bits; ValueError otherwise."""
    if not _INTEGER.fullmatch(text) or abs(int(text)) > MAX_INTEGER:
        raise ValueError(text)
    return int(text)


def number(text: str) -> float:
    """A finite number; ValueError otherwise."""
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(Sentence("geo.no-number", text=text[:40]))
    return float(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _date(text: str) -> date:
    return date.fromisoformat(text)


def _timestamp(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as err:
        raise ValueError(text) from err


_READERS: Mapping[PropertyType, Callable[[str], Value]] = {
    "text": str,
    "list": str,
    "integer": integer,
    "number": number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
