"""Turn what a file holds into what a column takes; ValueError where it can't be understood."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import Final

import orjson

Value = object
Convert = Callable[[object], Value]

_NO_VALUE: Final = frozenset({"", "na", "n/a", "null", "none", "nan", "-"})
_YES: Final = frozenset({"true", "t", "yes", "y", "1", "có", "x"})
_NO: Final = frozenset({"false", "f", "no", "n", "0", "không"})
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
# As sheets write days; no interval, whose end is a year or a whole day.
_YEAR_FIRST: Final = re.compile(r"(\d{4})/(\d{1,2})(?:/(\d{1,2}))?((?:[ T]\d.*)?)")
_COARSE: Final = re.compile(r"\d{4}(-\d\d)?")
_INT_BITS: Final = {"int2": 16, "int4": 32, "int8": 64}


def text(value: object) -> str:
    """Text without surrounding blanks; a whole number in a decimal field loses its `.0`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    said = str(value).strip()
    if "\0" in said:
        raise ValueError("holds a NUL character")
    if not said.isascii():
        said.encode()  # half of a surrogate pair is no text
    return said


def number(value: object) -> float:
    """A finite number, from text too."""
    found = float(value) if isinstance(value, int | float) else float(text(value))
    if not math.isfinite(found):
        raise ValueError("isn't a finite number")
    return found


def whole(value: object) -> int:
    """A whole number; 12.0 is one, 12.5 isn't."""
    if isinstance(value, int):
        return int(value)
    said = text(value)
    if re.fullmatch(r"[+-]?\d+", said):
        return int(said)
    found = number(said)
    if not found.is_integer():
        raise ValueError("isn't a whole number")
    return int(found)


def sized(kind: str) -> Convert:
    """A whole number that fits PostgreSQL's int2, int4 or int8."""
    limit = 1 << (_INT_BITS[kind] - 1)

    def convert(value: object) -> int:
        found = whole(value)
        if not -limit <= found < limit:
            raise ValueError("is too large")
        return found

    return convert


def boolean(value: object) -> bool:
    """Yes or no, in figures, English or Vietnamese."""
    said = text(value).lower()
    if said in _YES or said in _NO:
        return said in _YES
    raise ValueError("is neither true nor false")


def date(value: object) -> dt.date:
    """A day: ISO 8601 or day/month/year as in Viet Nam; the first day of a month, year or interval."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    return (value if isinstance(value, dt.datetime) else _first_moment(text(value))).date()


def moment(value: object) -> dt.datetime:
    """A moment, the first of a day, month, year or interval; one without a zone is taken as UTC."""
    if isinstance(value, dt.datetime):
        found = value
    elif isinstance(value, dt.date):
        found = dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    else:
        found = _first_moment(text(value))
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _first_moment(said: str) -> dt.datetime:
    if found := _DAY_FIRST.fullmatch(said):
        day, month, year = map(int, found.groups())
        return dt.datetime(year, month, day, tzinfo=dt.UTC)
    if found := _YEAR_FIRST.fullmatch(said):
        year_said, month_said, day_said, rest = found.groups()
        said = f"{year_said}-{month_said:0>2}-{day_said or '1':0>2}{rest}"
    start = said.partition("/")[0].strip()
    missing_parts = {4: "-01-01", 7: "-01"} if _COARSE.fullmatch(start) else {}
    return dt.datetime.fromisoformat(start + missing_parts.get(len(start), ""))


def texts(value: object) -> list[str]:
    """A list of texts; one text is split at semicolons, as WDPA's ISO3 is."""
    parts = value if isinstance(value, list | tuple) else text(value).split(";")
    return [said for part in parts if part is not None and (said := text(part))]


def document(value: object) -> str:
    """JSON text; what is text already must be JSON."""
    if isinstance(value, str):
        orjson.loads(value)
        return value
    return json(value)


def json(value: object) -> str:
    """Any value of a file as JSON text; what JSON doesn't know becomes a string, NaN null."""
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


CONVERT: Final[Mapping[str, Convert]] = {
    "text": text,
    "varchar": text,
    "bpchar": text,
    "int2": sized("int2"),
    "int4": sized("int4"),
    "int8": sized("int8"),
    "float4": number,
    "float8": number,
    "bool": boolean,
    "date": date,
    "timestamptz": moment,
    "_text": texts,
    "jsonb": document,
}


def missing(value: object, kind: str) -> bool:
    """Whether a value stands for none: empty text anywhere; words such as NA where the column isn't text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    if not isinstance(value, str):
        return False
    said = value.strip().lower()
    return said == "" or (kind not in ("text", "varchar", "_text") and said in _NO_VALUE)
