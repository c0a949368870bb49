"""The query string of `items` as a frozen value; whatever doesn't fit is refused by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.db.select import ItemsQuery
from gis_service.features import token
from gis_service.features.refusal import refuse
from gis_service.geo import temporal
from gis_service.geo.bbox import BBox
from gis_service.geo.crs import is_crs84, srid_of
from gis_service.settings import Limits

RESERVED = ("limit", "bbox", "bbox-crs", "datetime", "crs", "offset", "after", "release", "f", "lang")
ITEM_PARAMETERS = ("crs", "release", "f", "lang")
MAX_OFFSET = 100_000  # 0.1 s of skipped rows; beyond it `next` goes on at any depth in 0.2 ms
MAX_INTEGER = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,40}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True)
class ItemsRequest:
    """What a client asks of `items`: the query and the release it is asked of."""

    query: ItemsQuery
    release: int | None
    binding: str
    parameters: Mapping[str, str]  # as given, without `after` and `offset`: the base of the next link

    def next_parameters(self, last_key: int) -> dict[str, str]:
        """The query string of the page after the one that ends with this key."""
        return {**self.parameters, "after": token.seal(last_key, self.binding)}


def parse_items(view: ViewedLayer, given: Mapping[str, str], limits: Limits) -> ItemsRequest:
    """The request for a page; 400 names the first parameter that can't be answered."""
    filterable = queryables(view)
    for name in given:
        if name not in RESERVED and name not in filterable:
            raise refuse("web.unknown-parameter", name=name)
    _check_crs(given)
    release = parse_release(view, given)
    parameters = {name: value for name, value in given.items() if name not in ("after", "offset")}
    query = ItemsQuery(
        limit=_limit(given, limits),
        bbox=_bbox(given),
        datetime=_datetime(given),
        equals=tuple(
            (name, _value(name, filterable[name], given[name])) for name in given if name in filterable
        ),
        offset=_offset(given),
    )
    binding = token.binding(view.digest, release, replace(query, limit=0, offset=0))
    if "after" in given:
        query = replace(query, after=token.open_sealed(given["after"], binding))
    return ItemsRequest(query, release, binding, parameters)


def parse_item(view: ViewedLayer, given: Mapping[str, str]) -> int | None:
    """The release that one feature is asked of."""
    for name in given:
        if name not in ITEM_PARAMETERS:
            raise refuse("web.unknown-parameter", name=name)
    _check_crs(given)
    return parse_release(view, given)


def queryables(view: ViewedLayer) -> dict[str, Property]:
    """The properties that a client may filter by."""
    return {name: prop for name, prop in view.properties.items() if prop.filter and name not in RESERVED}


def feature_id(view: ViewedLayer, text: str) -> str | int | None:
    """The id as its column holds it; None where no such id can exist."""
    if view.layer.id_type == "text":
        return text
    return int(text) if _INTEGER.fullmatch(text) and abs(int(text)) <= MAX_INTEGER else None


def parse_release(view: ViewedLayer, given: Mapping[str, str]) -> int | None:
    """The number of a past release, None for the present."""
    text = given.get("release")
    if text is None:
        return None
    if not view.layer.managed:
        raise refuse("web.no-releases", layer=view.id)
    if not _DIGITS.fullmatch(text) or not 0 < int(text) < 2**31:
        raise refuse("web.bad-release", value=text[:40])
    return int(text)


def _limit(given: Mapping[str, str], limits: Limits) -> int:
    text = given.get("limit")
    if text is None:
        return limits.default_items
    if not _DIGITS.fullmatch(text) or int(text) == 0:
        raise refuse("web.bad-limit", value=text[:40], maximum=limits.max_items)
    return min(int(text), limits.max_items)  # Features 1.0.1, 7.15.2: above the maximum means the maximum


def _offset(given: Mapping[str, str]) -> int:
    text = given.get("offset", "0")
    beside_after = "after" in given and "offset" in given
    if beside_after or not _DIGITS.fullmatch(text) or int(text) > MAX_OFFSET:
        raise refuse("web.bad-offset", value=text[:40], maximum=MAX_OFFSET)
    return int(text)


def _check_crs(given: Mapping[str, str]) -> None:
    if "crs" in given and not is_crs84(given["crs"]):
        raise refuse("web.unknown-crs", name="crs", value=given["crs"][:200])


def _bbox(given: Mapping[str, str]) -> BBox | None:
    latitude_first = _latitude_first(given)
    if "bbox" not in given:
        return None
    text = given["bbox"]
    try:
        parts = [part.strip() for part in text.split(",", 7)]
        if not all(_NUMBER.fullmatch(part) for part in parts):
            raise ValueError("numbers parted by commas are expected")
        numbers = [float(part) for part in parts]
        return BBox.from_numbers(_swapped(numbers) if latitude_first else numbers)
    except ValueError as err:
        raise refuse("web.bad-bbox", value=text[:200], reason=str(err)) from err


def _latitude_first(given: Mapping[str, str]) -> bool:
    """Whether `bbox-crs` writes latitude before longitude, as EPSG:4326 does (row Q5)."""
    name = given.get("bbox-crs")
    if name is None or is_crs84(name):
        return False
    try:
        if srid_of(name) == 4326:
            return True
    except ValueError:
        pass  # no name of a system at all: refused like an unknown one
    raise refuse("web.unknown-crs", name="bbox-crs", value=name[:200])


def _swapped(numbers: list[float]) -> list[float]:
    half = len(numbers) // 2
    first, second = numbers[:half], numbers[half:]
    return [*reversed(first[:2]), *first[2:], *reversed(second[:2]), *second[2:]]


def _datetime(given: Mapping[str, str]) -> temporal.Interval | None:
    text = given.get("datetime")
    if text is None:
        return None
    try:
        return temporal.parse(text)
    except ValueError as err:
        raise refuse("web.bad-datetime", value=text[:200], reason=str(err)) from err


def _value(name: str, prop: Property, text: str) -> Any:  # the type that the column compares with
    try:
        return _READERS[prop.type](text)
    except ValueError as err:
        raise refuse("web.bad-value", name=name, type=prop.type, value=text[:200]) from err


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or abs(int(text)) > MAX_INTEGER:
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(text)
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


_READERS: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "list": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
