"""The value of a property as JSON brings it, read as its type; what the column can't hold is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from gis_service.catalog.layer import Property, PropertyType
from gis_service.changes.faults import Fault, fault

LONGEST_TEXT: Final = 100_000  # characters
LONGEST_LIST: Final = 1000
_BITS: Final[Mapping[str, int]] = {"int2": 15, "int4": 31, "int8": 63}
_LARGEST_SINGLE: Final = 3.4028234e38
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?\d*)?([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)


@dataclass(frozen=True)
class Kind:
    """A column's type as PostgreSQL names it, how many characters it takes, whether it is never empty."""

    type: str
    length: int | None = None
    required: bool = False


class Unfit(ValueError):
    """Why a value can't be taken: a rule and what its sentence tells."""

    def __init__(self, rule: str, **values: object) -> None:
        super().__init__(rule)
        self.rule, self.values = rule, values


def read(pointer: str, prop: Property, kind: Kind, value: object) -> tuple[object, Fault | None]:
    """The value as the draft keeps it, or why it can't be taken; null empties a property."""
    if value is None:
        return None, None
    try:
        made = _READERS[prop.type](value, kind)
        _require_allowed(prop, made)
    except Unfit as err:
        return None, fault(pointer, err.rule, **{"value": _shown(value), **err.values})
    return made, None


def _text(value: object, kind: Kind) -> str:
    if not isinstance(value, str):
        raise Unfit("not-text")
    if "\x00" in value:
        raise Unfit("nul")
    most = min(kind.length or LONGEST_TEXT, LONGEST_TEXT)
    if len(value) > most:
        raise Unfit("too-long", length=len(value), most=most)
    return value


def _integer(value: object, kind: Kind) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise Unfit("not-integer")
    most = 2 ** _BITS.get(kind.type, 63)
    if not -most <= value < most:
        raise Unfit("too-large", least=-most, most=most - 1)
    return int(value)


def _number(value: object, kind: Kind) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unfit("not-number")
    if kind.type in _BITS:
        return _integer(value, kind)
    if kind.type == "float4" and abs(value) > _LARGEST_SINGLE:
        raise Unfit("too-large", least=-_LARGEST_SINGLE, most=_LARGEST_SINGLE)
    return value


def _boolean(value: object, _: Kind) -> bool:
    if not isinstance(value, bool):
        raise Unfit("not-boolean")
    return value


def _date(value: object, _: Kind) -> str:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise Unfit("not-date")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as err:
        raise Unfit("not-date") from err


def _timestamp(value: object, _: Kind) -> str:
    """A moment; one without a zone is of UTC, which is what the service gives out."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise Unfit("not-timestamp")
    try:
        moment = datetime.fromisoformat(value.upper())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as err:
        raise Unfit("not-timestamp") from err


def _list(value: object, kind: Kind) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Unfit("not-list")
    if len(value) > LONGEST_LIST:
        raise Unfit("too-many", most=LONGEST_LIST)
    return [_text(each, kind) for each in value]


def _require_allowed(prop: Property, value: object) -> None:
    known = [str(each) for each in prop.values or ()]
    for each in value if isinstance(value, list) else (value,):
        if known and str(each) not in known:
            raise Unfit("not-allowed", value=_shown(each), known=", ".join(known))


def _shown(value: object) -> str:
    """The beginning of a value, for a sentence; what is nested is only named."""
    if isinstance(value, list):
        return "[…]"
    return "{…}" if isinstance(value, dict) else str(value)[:60].replace("\x00", "�")


_READERS: Final[Mapping[PropertyType, Callable[[object, Kind], object]]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "list": _list,
}
