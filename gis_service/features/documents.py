"""The JSON documents of OGC API Features: pure functions of viewed layers, links and a language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.db.published import PublishedFile
from gis_service.features.conformance import CLASSES
from gis_service.features.enclosures import enclosures
from gis_service.features.formats import EXPORTS, JSON
from gis_service.geo.crs import CRS84, WGS84, epsg_uri
from gis_service.links import OGC_REL, Links, link
from gis_service.texts import say

GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
GRID = "WebMercatorQuad"
NO_FILES: Mapping[str, Sequence[PublishedFile]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Dataset:
    """Where some rows of a layer come from, and under which licence."""

    title: str
    title_vi: str | None
    licence: str
    citation: str
    basis: str
    source_url: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """What the rows of a viewed layer say of themselves: how many, where, when and from where."""

    count: int
    bbox: tuple[float, float, float, float] | None
    interval: tuple[date | None, date | None] | None = None
    datasets: tuple[Dataset, ...] = ()


def formats(address: str, data: str, lang: str, as_html: bool = False) -> list[dict[str, object]]:
    """The `self` and `alternate` links of a document that has both forms (row C5)."""
    html = link(
        with_format(address, "html"), "self" if as_html else "alternate", media.HTML, say("web.as-html", lang)
    )
    json = link(
        with_format(address, "json"), "alternate" if as_html else "self", data, say("web.as-json", lang)
    )
    return [html, json] if as_html else [json, html]


def with_format(address: str, name: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}f={name}"


def landing(links: Links, lang: str) -> dict[str, object]:
    """The landing page with the links that clients look for (rows Q1, C1)."""

    def to(href: str, rel: str, kind: str, key: str) -> dict[str, object]:
        return link(href, rel, kind, say(key, lang))

    return {
        "title": say("web.title", lang),
        "description": say("web.description", lang),
        "links": [
            *formats(links.landing(), media.JSON, lang),
            to(links.api(), "service-desc", media.OPENAPI, "web.api"),
            to(with_format(links.api(), "html"), "service-doc", media.HTML, "web.api-html"),
            to(links.conformance(), "conformance", media.JSON, "web.conformance"),
            to(links.collections(), "data", media.JSON, "web.collections"),
            to(links.dataset_tilesets(), OGC_REL + "tilesets-vector", media.JSON, "web.tiles"),
            to(links.grids(), OGC_REL + "tiling-schemes", media.JSON, "web.grids"),
            to(links.styles(), OGC_REL + "styles", media.JSON, "web.styles"),
            to(links.processes(), OGC_REL + "processes", media.JSON, "web.processes"),
            to(links.jobs(), OGC_REL + "job-list", media.JSON, "web.jobs"),
            to(links.releases(), "related", media.JSON, "releases.title"),
            to(links.map(), "related", media.HTML, "web.map"),
        ],
    }


def conformance(links: Links, lang: str) -> dict[str, object]:
    return {"conformsTo": list(CLASSES), "links": formats(links.conformance(), media.JSON, lang)}


def collections(
    views: Iterable[ViewedLayer],
    stats: Mapping[str, Stats],
    links: Links,
    lang: str,
    crs: Sequence[str] = (CRS84,),
    files: Mapping[str, Sequence[PublishedFile]] = NO_FILES,
    more: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """All collections that the caller may know of; what they have in common of `crs` stands here once.

    `more` are those that hold no features.
    """
    return {
        "links": formats(links.collections(), media.JSON, lang),
        "crs": list(crs),
        "collections": [
            {
                **collection(view, stats.get(view.id), links, lang, files=files.get(view.id, ())),
                "crs": ["#/crs", *_own_crs(view, crs)],
            }
            for view in views
        ]
        + [dict(each) for each in more],
    }


def collection(
    view: ViewedLayer,
    stats: Stats | None,
    links: Links,
    lang: str,
    crs: Sequence[str] = (CRS84,),
    files: Sequence[PublishedFile] = (),
) -> dict[str, object]:
    """One collection; extent and item count are of the rows that the caller sees (row Q14).

    `crs` begins with the default and holds the system that the layer is stored in (rows Q4, C7).
    """
    made: dict[str, object] = {
        "id": view.id,
        "title": view.title.say(lang),
        "description": view.description.say(lang),
        "keywords": list(view.layer.keywords),
        "itemType": "feature",
        "dataType": "vector",
        "crs": [*crs, *_own_crs(view, crs)],
        "storageCrs": _storage_crs(view),
        "attribution": attribution(view, stats, lang),
        "links": [*_collection_links(view, links, lang), *enclosures(view, files, links, lang)],
    }
    if view.release is not None:
        made["release"] = view.release
    if stats is not None:
        made["itemCount"] = stats.count
        made["datasets"] = [_dataset(each, lang) for each in stats.datasets]
        if len(licences := {each.licence for each in stats.datasets}) == 1:
            made["license"] = licences.pop()
        if extent := _extent(stats):
            made["extent"] = extent
    return made


def _storage_crs(view: ViewedLayer) -> str:
    """Degrees are kept as longitude, latitude, so that clients that ask for them so get what is stored."""
    return CRS84 if view.srid == WGS84.srid else epsg_uri(view.srid)


def _own_crs(view: ViewedLayer, crs: Sequence[str]) -> list[str]:
    """The layer's own system where it isn't among those of all layers."""
    return [uri for uri in (_storage_crs(view),) if uri not in crs]


def attribution(view: ViewedLayer, stats: Stats | None, lang: str) -> str:
    """Citation, licence and basis of every dataset in one line, else the layer's own source."""
    if stats is not None and stats.datasets:
        return "; ".join(dict.fromkeys(_credit(each, lang) for each in stats.datasets))
    source = view.layer.source
    parts = (source.citation or source.title.say(lang), source.licence)
    return ", ".join(part for part in parts if part)


def _credit(dataset: Dataset, lang: str) -> str:
    """Simulated and indicative data say so wherever they are shown."""
    basis = "" if dataset.basis == "published" else f" ({say('web.basis.' + dataset.basis, lang)})"
    return f"{dataset.citation}, {dataset.licence}{basis}"


def _dataset(dataset: Dataset, lang: str) -> dict[str, object]:
    title = dataset.title_vi if lang == "vi" and dataset.title_vi else dataset.title
    made = {"title": title, "license": dataset.licence, "citation": dataset.citation, "basis": dataset.basis}
    return {**made, "source": dataset.source_url} if dataset.source_url else dict(made)


def _collection_links(view: ViewedLayer, links: Links, lang: str) -> list[dict[str, object]]:
    items, past = links.items(view.id, view.past), view.past
    made = [
        *formats(links.collection(view.id, past), media.JSON, lang),
        link(items, "items", media.GEOJSON, say("web.items", lang)),
        link(with_format(items, "html"), "items", media.HTML, say("web.items-html", lang)),
        *(
            link(with_format(items, each.name), "items", each.media, say(f"page.format.{each.name}", lang))
            for each in EXPORTS
            if each is not JSON
        ),
        link(links.queryables(view.id), OGC_REL + "queryables", media.SCHEMA, say("web.queryables", lang)),
        link(links.sortables(view.id), OGC_REL + "sortables", media.SCHEMA, say("web.sortables", lang)),
        link(links.schema(view.id), OGC_REL + "schema", media.SCHEMA, say("web.schema", lang)),
        link(links.feature_schema(view.id), "describedby", media.SCHEMA, say("web.feature-schema", lang)),
        link(links.tilesets(view.id, past), OGC_REL + "tilesets-vector", media.JSON, say("web.tiles", lang)),
        link(links.tilejson([view.id], past), "related", media.JSON, say("web.tilejson", lang)),
        link(links.collections(), "parent", media.JSON, say("web.collections", lang)),
    ]
    if past:
        made.append(link(links.collection(view.id), "latest-version", media.JSON, view.title.say(lang)))
    if view.layer.style:
        made += [
            link(links.style(view.layer.style), OGC_REL + "style", media.STYLE, say("web.style", lang)),
            link(
                links.legend(view.layer.style, "legend.svg"),
                OGC_REL + "legend",
                media.SVG,
                say("legend", lang),
            ),
        ]
    if view.layer.source.url:
        made.append(link(view.layer.source.url, "via", media.HTML, view.layer.source.title.say(lang)))
    return made


def _extent(stats: Stats) -> dict[str, object]:
    extent: dict[str, object] = {}
    if stats.bbox is not None:
        extent["spatial"] = {"bbox": [list(stats.bbox)], "crs": CRS84}
    if stats.interval is not None and stats.interval != (None, None):
        extent["temporal"] = {"interval": [[_moment(end) for end in stats.interval]], "trs": GREGORIAN}
    return extent


def _moment(day: date | None) -> str | None:
    if isinstance(day, datetime):
        return day.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return None if day is None else f"{day.isoformat()}T00:00:00Z"


def items_links(
    view: ViewedLayer,
    given: Mapping[str, str],
    before: Mapping[str, str] | None,
    after: Mapping[str, str] | None,
    kind: str,
    links: Links,
    lang: str,
) -> Sequence[dict[str, object]]:
    """The links of a page: self, other forms, the collection, and next until the last page (row Q11)."""
    here = {name: value for name, value in given.items() if name != "f"}
    made = [
        link(links.items(view.id, given), "self", kind, say("web.as-json", lang)),
        link(links.items(view.id, {**here, "f": "html"}), "alternate", media.HTML, say("web.as-html", lang)),
        link(links.collection(view.id, view.past), "collection", media.JSON, view.title.say(lang)),
    ]
    if before is not None:
        made.append(link(links.items(view.id, before), "prev", kind, say("web.previous", lang)))
    if after is not None:
        made.append(link(links.items(view.id, after), "next", kind, say("web.next", lang)))
    return made


def item_links(
    view: ViewedLayer, feature: str, given: Mapping[str, str], links: Links, lang: str
) -> Sequence[dict[str, object]]:
    here = {name: value for name, value in given.items() if name != "f"}
    html = links.item(view.id, feature, {**here, "f": "html"})
    return [
        link(links.item(view.id, feature, given), "self", media.GEOJSON, say("web.as-json", lang)),
        link(html, "alternate", media.HTML, say("web.as-html", lang)),
        link(links.collection(view.id, view.past), "collection", media.JSON, view.title.say(lang)),
        *_versions(view, feature, links, lang),
    ]


def _versions(view: ViewedLayer, feature: str, links: Links, lang: str) -> Sequence[dict[str, object]]:
    """The relations of RFC 5829; an id that holds a slash has no address below its own."""
    if not view.layer.managed or "/" in feature:
        return ()
    made = [link(links.history(view.id, feature), "version-history", media.JSON, say("history.title", lang))]
    if view.release is not None:
        latest = links.item(view.id, feature)
        made.append(link(latest, "latest-version", media.GEOJSON, say("history.latest", lang)))
    return made
