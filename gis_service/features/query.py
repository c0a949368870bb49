"""The query string of `items` as a frozen value; whatever doesn't fit is refused by name."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gis_service.catalog.layer import Property, Text
from gis_service.catalog.view import ViewedLayer
from gis_service.db.cql2 import Filter
from gis_service.db.cql2.kinds import ID
from gis_service.db.feature_text import Form
from gis_service.db.paging import Cursor, SortKey
from gis_service.db.select import ItemsQuery
from gis_service.features import filters, token, values
from gis_service.features.refusal import refuse
from gis_service.geo import temporal
from gis_service.geo.bbox import BBox, Box, northing_last
from gis_service.geo.crs import WGS84, Crs, Systems
from gis_service.settings import Limits
from gis_service.texts import say

RESERVED = (
    "limit", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs", "sortby",
    "properties", "skipGeometry", "zoom-level", "offset", "after", "release", "f", "lang",
)  # fmt: skip
ITEM_PARAMETERS = ("crs", "release", "f", "lang")
MAX_OFFSET = 100_000  # 0.1 s of skipped rows; beyond it `next` goes on at any depth in 0.2 ms
MAX_SORT_KEYS = 8
MAX_ZOOM = 22
_DIGITS = re.compile(r"[0-9]{1,40}")
_DRAFT = re.compile(r"draft-[0-9]{1,18}-[0-9]{1,9}")  # the id of a new feature until it is published


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request is read by: the service's limits, the known reference systems, the key of tokens."""

    limits: Limits
    systems: Systems
    signing_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ItemsRequest:
    """What a client asks of `items`: a layer as of some release, a query, links to other pages."""

    view: ViewedLayer
    query: ItemsQuery
    parameters: Mapping[str, str]  # as given, without `after` and `offset`: the base of other pages' links
    terms: Terms

    def page_parameters(self, cursor: Cursor) -> dict[str, str]:
        """The query string of the page beyond the cursor."""
        bound = token.binding(self.view, self.query)
        return {**self.parameters, "after": token.seal(cursor, bound, self.terms.signing_key)}


def parse_items(view: ViewedLayer, given: Mapping[str, str], terms: Terms) -> ItemsRequest:
    """The request for a page; 400 names the first parameter that can't be answered."""
    filterable = equatable(view)
    for name in given:
        if name not in RESERVED and name not in filterable:
            raise refuse("web.unknown-parameter", name=name)
    release = parse_release(view, given)
    view = view if release is None else view.at_release(release)
    query = ItemsQuery(
        limit=_limit(given, terms.limits),
        bbox=_bbox(given, terms.systems),
        datetime=_datetime(given),
        equals=tuple(
            (name, values.parse(name, filterable[name], given[name])) for name in given if name in filterable
        ),
        filter=_filter(view, given, terms.systems),
        sort=_sort(view, given),
        offset=_offset(given),
        form=_form(view, given, terms.systems),
    )
    if "after" in given:
        bound = token.binding(view, query)
        query = replace(query, cursor=token.unseal(given["after"], view, query, bound, terms.signing_key))
    parameters = {name: value for name, value in given.items() if name not in ("after", "offset")}
    return ItemsRequest(view, query, parameters, terms)


def parse_item(view: ViewedLayer, given: Mapping[str, str], systems: Systems) -> tuple[ViewedLayer, Form]:
    """The layer as of the release that one feature is asked of, and the form to write it in."""
    for name in given:
        if name not in ITEM_PARAMETERS:
            raise refuse("web.unknown-parameter", name=name)
    release = parse_release(view, given)
    form = Form(crs=_crs(given, "crs", systems))
    return (view if release is None else view.at_release(release)), form


def queryables(view: ViewedLayer) -> dict[str, Property]:
    """The properties that a client may filter by."""
    return {name: prop for name, prop in view.properties.items() if prop.filter and name not in RESERVED}


def equatable(view: ViewedLayer) -> dict[str, Property]:
    """What a client may ask for by a parameter of that name: the queryables, the feature's id among them."""
    own = {} if ID in view.properties else {ID: _ids()[view.layer.id_type]}
    return {**own, **queryables(view)}


@functools.cache
def _ids() -> Mapping[str, Property]:
    title = Text(en=say("schema.id", "en"), vi=say("schema.id", "vi"))
    return {kind: Property(title=title, type=kind) for kind in ("text", "integer")}


def sortables(view: ViewedLayer) -> dict[str, Property]:
    """The properties that a client may sort by: those that the layer says have an index for it."""
    return {name: prop for name, prop in view.properties.items() if prop.sort}


def feature_id(view: ViewedLayer, text: str) -> str | int | None:
    """The id as its column holds it; None where no such id can exist."""
    if view.layer.id_type == "text" or (view.draft_keys and _DRAFT.fullmatch(text)):
        return text
    try:
        return values.integer(text)
    except ValueError:
        return None


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


def _crs(given: Mapping[str, str], name: str, systems: Systems) -> Crs:
    text = given.get(name)
    if text is None:
        return WGS84
    try:
        return systems.resolve(text)
    except ValueError as err:
        raise refuse("web.unknown-crs", name=name, value=text[:200]) from err


def _bbox(given: Mapping[str, str], systems: Systems) -> BBox | Box | None:
    crs = _crs(given, "bbox-crs", systems)
    text = given.get("bbox")
    if text is None:
        return None
    try:
        numbers = [values.number(part.strip()) for part in text.split(",", 7)]
        if crs.srid != WGS84.srid:
            return Box.from_numbers(numbers, crs)
        return BBox.from_numbers(northing_last(numbers) if crs.northing_first else numbers)
    except ValueError as err:
        raise refuse("web.bad-bbox", value=text[:200], reason=err.args[0]) from err


def _filter(view: ViewedLayer, given: Mapping[str, str], systems: Systems) -> Filter | None:
    language = given.get("filter-lang", filters.LANGUAGES[0])
    if language not in filters.LANGUAGES:
        known = ", ".join(filters.LANGUAGES)
        raise refuse("web.unknown-filter-lang", value=language[:100], known=known)
    crs = _crs(given, "filter-crs", systems)
    text = given.get("filter")
    return None if text is None else filters.parse(view, text, language, crs)


def _sort(view: ViewedLayer, given: Mapping[str, str]) -> tuple[SortKey, ...]:
    """`+name` upwards, `-name` downwards; a plus that wasn't encoded arrives as a space."""
    text = given.get("sortby")
    if text is None:
        return ()
    known = sortables(view)
    keys: list[SortKey] = []
    for part in text.split(",", MAX_SORT_KEYS + 1):
        name = part[1:] if part[:1] in ("+", "-", " ") else part
        if name not in known or len(keys) == MAX_SORT_KEYS or any(key.name == name for key in keys):
            raise refuse("web.bad-sortby", value=part[:100], known=", ".join(known), maximum=MAX_SORT_KEYS)
        keys.append(SortKey(name, part.startswith("-")))
    return tuple(keys)


def _form(view: ViewedLayer, given: Mapping[str, str], systems: Systems) -> Form:
    return Form(
        properties=_properties(view, given),
        geometry=not _flag(given, "skipGeometry"),
        crs=_crs(given, "crs", systems),
        zoom_level=_zoom_level(given),
    )


def _properties(view: ViewedLayer, given: Mapping[str, str]) -> tuple[str, ...] | None:
    text = given.get("properties")
    if text is None:
        return None
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in view.properties:
            raise refuse("web.unknown-property", name=name[:100], known=", ".join(view.properties))
    return tuple(name for name in view.properties if name in names)


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false")
    if text not in ("true", "false"):
        raise refuse("web.bad-flag", name=name, value=text[:100])
    return text == "true"


def _zoom_level(given: Mapping[str, str]) -> int | None:
    text = given.get("zoom-level")
    if text is None:
        return None
    if not _DIGITS.fullmatch(text) or int(text) > MAX_ZOOM:
        raise refuse("web.bad-zoom-level", value=text[:40], maximum=MAX_ZOOM)
    return int(text)


def _datetime(given: Mapping[str, str]) -> temporal.Interval | None:
    text = given.get("datetime")
    if text is None:
        return None
    try:
        return temporal.parse(text)
    except ValueError as err:
        raise refuse("web.bad-datetime", value=text[:200], reason=err.args[0]) from err
