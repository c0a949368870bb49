"""QGIS 3.44 to 4.0 as a client of OGC API Features: its requests in its order and spelling, its conclusions.

Debian's QGIS is older than filters, reference systems and schemas, so what the newer ones are known to do
(rows Q1 to Q17) is replayed here. A conclusion that costs the user something is an attribute to assert on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
GEOJSON = "application/geo+json"
_SPEC = "http://www.opengis.net/spec/"
_UNENCODED = "!$'()*+,;=:@/?"  # QUrlQuery leaves the plus alone, and knows no `+` for a space
_FIELDS = {"integer": "LongLong", "number": "Double", "boolean": "Bool", "object": "Map", "array": "List"}
_NOT_SIMPLE = {"crs", "bbox", "bbox-crs", "filter", "filter-lang", "filter-crs", "datetime", "limit"}

Json = dict[str, Any]


@dataclass(frozen=True)
class PushDown:
    """Which parts of a filter QGIS lets the server answer, by the declared conformance classes (row Q6)."""

    cql2: bool
    like_between_in: bool
    case_insensitive: bool
    spatial: bool


@dataclass(frozen=True)
class Layer:
    """An opened layer: what QGIS has learnt of it."""

    requests: tuple[str, ...]
    items_url: str
    media: str
    page_size: int
    crs: str
    offered_crs: tuple[str, ...]
    push_down: PushDown
    queryables: Mapping[str, str]  # name → type/format, or `geometry`
    simple_queryables: frozenset[str]
    fields: Mapping[str, str]
    read_only: bool
    geometry_type: str | None
    item_count: int | None
    number_matched: int | None
    editing: frozenset[str]
    formats: Mapping[str, str]
    bulk: Sequence[Json]


class Qgis:
    """One session; `requests` holds what was asked, in order."""

    def __init__(self, client: httpx.Client, service: str) -> None:
        self._client = client
        self._service = service
        self.requests: list[str] = []

    def open(self, name: str, crs: str | None = None, media: str = "") -> Layer:
        """The chain of serial requests before the first feature is drawn."""
        landing = self._json(f"{self._service}/")
        api = self._json(_link(landing["links"], "service-desc", OPENAPI))
        data = _link(landing["links"], "data", "application/json").split("?")[0]
        collection = self._json(f"{data}/{name}")
        declared = set(self._json(_link(landing["links"], "conformance"))["conformsTo"])
        push_down = _push_down(declared)
        url = f"{data}/{name}"
        queryables = self._queryables(url) if push_down.cql2 else {}
        chosen = _crs(collection, declared, crs)
        formats = _formats(collection)
        items = formats.get(media, f"{url}/items") if media else f"{url}/items"
        first = self.get(_with(items, "limit=10" + (f"&crs={chosen}" if chosen != CRS84 else "")), media)
        editing = self._options(items)
        fields, geometry, read_only = self._schema(collection, declared)
        return Layer(
            requests=tuple(self.requests),
            items_url=items,
            media=media,
            page_size=_page_size(api),
            crs=chosen,
            offered_crs=tuple(collection.get("crs", ())),
            push_down=push_down,
            queryables=queryables,
            simple_queryables=_simple(api, name),
            fields=fields,
            read_only=read_only,
            geometry_type=geometry,
            item_count=collection.get("itemCount"),
            number_matched=_matched(first, media),
            editing=editing,
            formats=formats,
            bulk=[link for link in collection["links"] if link["rel"] == "enclosure"],
        )

    def pages(
        self, layer: Layer, *filters: str, box: Sequence[float] = (), limit: int | None = None
    ) -> Iterator[httpx.Response]:
        """Every page of a download; one filter as it is, two of them in raw brackets with a raw AND."""
        url = _with(layer.items_url, f"limit={limit or layer.page_size}")
        if filters:
            url += "&filter=" + _joined(filters) + "&filter-lang=cql2-text"
            if layer.crs != CRS84 and any("S_INTERSECTS" in text for text in filters):
                url += f"&filter-crs={layer.crs}"
        if box:
            url += "&bbox=" + ",".join(repr(number) for number in box)
            url += f"&bbox-crs={layer.crs}" if layer.crs != CRS84 else ""
        url += f"&crs={layer.crs}" if layer.crs != CRS84 else ""
        while url:
            page = self.get(url, layer.media)
            yield page
            url = _next(page, layer.media)

    def features(self, layer: Layer, *filters: str, **asked: Any) -> list[Json]:
        """The features of all GeoJSON pages; QGIS stops at an empty page or where there's no `next`."""
        found: list[Json] = []
        for page in self.pages(layer, *filters, **asked):
            features = page.json()["features"]
            if not features:
                break
            found += features
        return found

    def get(self, url: str, media: str = "") -> httpx.Response:
        answer = self._ask("GET", url, media or f"{GEOJSON}, application/json")
        assert answer.status_code == 200, f"{url}: {answer.text}"
        return answer

    def _json(self, url: str) -> Json:
        answer = self._ask("GET", url, OPENAPI if url.endswith("/api") else "application/json")
        assert answer.status_code == 200, f"{url}: {answer.text}"
        made: Json = answer.json()
        return made

    def _ask(self, method: str, url: str, accept: str) -> httpx.Response:
        self.requests.append(f"{method} {url.removeprefix(self._service)}")
        return self._client.request(method, url, headers={"Accept": accept})

    def _queryables(self, url: str) -> Mapping[str, str]:
        answer = self._ask("GET", f"{url}/queryables", "application/schema+json")
        return {
            name: made for name, about in answer.json()["properties"].items() if (made := _queryable(about))
        }

    def _options(self, url: str) -> frozenset[str]:
        answer = self._ask("OPTIONS", url, "*/*")
        return frozenset(method.strip() for method in answer.headers["allow"].split(","))

    def _schema(self, collection: Json, declared: set[str]) -> tuple[Mapping[str, str], str | None, bool]:
        """Fields in the order of x-ogc-propertySeq, the geometry's type, whether nothing may be written."""
        if _SPEC + "ogcapi-features-5/1.0/conf/schemas" not in declared:
            return {}, None, False
        url = _link(collection["links"], SCHEMA_REL, "application/schema+json")
        answer = self._ask("GET", url, "application/schema+json")
        properties: dict[str, Json] = answer.json()["properties"]
        typed = {name: about for name, about in properties.items() if "type" in about}
        places = [about["x-ogc-propertySeq"] for about in typed.values()]
        assert len(set(places)) == len(places), "QGIS gives up the order when two places are one"
        ordered = sorted(typed, key=lambda name: typed[name]["x-ogc-propertySeq"])
        shapes = [
            each["format"] for each in properties.values() if each.get("x-ogc-role") == "primary-geometry"
        ]
        read_only = all(about.get("readOnly") for about in typed.values())
        return {name: _field(typed[name]) for name in ordered}, *shapes, read_only


def encoded(text: str) -> str:
    """A value as QUrlQuery writes it."""
    return quote(text, safe=_UNENCODED)


def _joined(filters: Sequence[str]) -> str:
    """Qt encodes the raw spaces around AND last of all."""
    if len(filters) == 1:
        return encoded(filters[0])
    return "(" + ")%20AND%20(".join(encoded(text) for text in filters) + ")"


def _with(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _link(links: Sequence[Json], rel: str, *types: str) -> str:
    """The first link of the relation with a type that QGIS prefers, else of any type."""
    fitting = [link for link in links if link["rel"] == rel]
    assert fitting, f"no link with rel={rel}"
    chosen: str = min(fitting, key=lambda link: link.get("type") not in types)["href"]
    return chosen


def _push_down(declared: set[str]) -> PushDown:
    def has(name: str) -> bool:
        return _SPEC + name in declared

    needed = (
        "ogcapi-features-3/1.0/conf/filter", "ogcapi-features-3/1.0/conf/features-filter",
        "cql2/1.0/conf/cql2-text", "cql2/1.0/conf/basic-cql2",
    )  # fmt: skip
    return PushDown(
        cql2=all(has(name) for name in needed),
        like_between_in=has("cql2/1.0/conf/advanced-comparison-operators"),
        case_insensitive=has("cql2/1.0/conf/case-insensitive-comparison"),
        spatial=has("cql2/1.0/conf/basic-spatial-functions"),
    )


def _page_size(api: Json) -> int:
    limit = api["components"]["parameters"]["limit"]["schema"]
    return int(min(max(1000, limit["default"]), limit["maximum"]))


def _simple(api: Json, layer: str) -> frozenset[str]:
    """The parameters that QGIS would use as equality filters; one key missing and it doesn't see them."""
    found = set()
    for each in api["paths"][f"/collections/{layer}/items"]["get"]["parameters"]:
        about = api
        for step in each["$ref"].removeprefix("#/").split("/") if "$ref" in each else ():
            about = about[step]
        about = about if "$ref" in each else each
        form = about.get("in") == "query" and about.get("style") == "form" and about.get("explode") is False
        if form and isinstance(about["schema"].get("type"), str) and about["name"] not in _NOT_SIMPLE:
            found.add(about["name"])
    return frozenset(found)


def _queryable(about: Json) -> str | None:
    if isinstance(about.get("type"), str):
        return f"{about['type']}/{about['format']}" if "format" in about else str(about["type"])
    return "geometry" if about.get("$ref", "").startswith("https://geojson.org/schema/") else None


def _crs(collection: Json, declared: set[str], wanted: str | None) -> str:
    if _SPEC + "ogcapi-features-2/1.0/conf/crs" not in declared:
        return CRS84
    return wanted or str(collection.get("storageCrs") or collection["crs"][0])


def _formats(collection: Json) -> dict[str, str]:
    known = (GEOJSON, "application/flatgeobuf", "application/fg+json")
    return {
        link["type"]: link["href"]
        for link in collection["links"]
        if link["rel"] == "items" and link["type"] in known
    }


def _field(about: Json) -> str:
    if about["type"] == "string":
        return {"date": "Date", "date-time": "DateTime"}.get(about.get("format", ""), "String")
    return _FIELDS[about["type"]]


def _matched(page: httpx.Response, media: str) -> int | None:
    if media in ("", GEOJSON):
        matched = page.json().get("numberMatched")
        return None if matched is None else int(matched)
    header = page.headers.get("ogc-numbermatched")
    return None if header is None else int(header)


def _next(page: httpx.Response, media: str) -> str:
    """The next page by the links of GeoJSON, else by the Link header whose type is the page's own."""
    if media in ("", GEOJSON):
        links = [link for link in page.json()["links"] if link["rel"] == "next"]
        return _link(links, "next", GEOJSON) if links else ""
    for address, rest in re.findall(r"<([^>]*)>((?:;[^,<]*)*)", page.headers.get("link", "")):
        if 'rel="next"' in rest and f'type="{media}"' in rest:
            return str(address)
    return ""
