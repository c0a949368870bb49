"""The HTML pages: pure functions of the documents that the API gives out, in one language."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from gis_service.links import GEOJSON, HTML, Links
from gis_service.texts import LANGUAGES, catalogue, say

Document = Mapping[str, Any]  # a JSON document of the API: its shape is that of the OGC standards

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; connect-src 'self';"
    " img-src 'self' data: blob:; font-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors {frames}"
)
_COLUMNS_OF_A_TABLE = 8
_GROUND = "provinces"  # the layer that lies below the others on a small map
_OVERVIEW = "overview"
_WHOLE_DAY = "T00:00:00+00:00"  # a date that is kept as a moment: records rarely begin at midnight UTC
_NAMES = ("name", "name_eng", "name_en", "sci_name", "scientificName", "code")
_VERBS = frozenset({"get", "post", "put", "patch", "delete"})


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page knows of its request: language, addresses, its own address, whose view it is."""

    lang: str
    links: Links
    here: str  # this page's public address with its query string
    tier: str = "public"


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of pages; a language that the reader chose travels along."""

    frame: Frame

    def page(self, address: str, fragment: str = "", **query: str) -> str:
        chosen = dict(parse_qsl(urlsplit(self.frame.here).query)).get("lang")
        return with_query(address, {**query, **({"lang": chosen} if chosen else {})}, fragment)

    def languages(self) -> list[tuple[str, str]]:
        """This page in each language."""
        return [(lang, with_query(self.frame.here, {"lang": lang})) for lang in LANGUAGES]

    def html(self, address: str) -> str:
        """The HTML form of a page of data."""
        return with_query(self.page(address), {"f": "html"})


@dataclass(frozen=True, slots=True)
class Field:
    """A property as a person reads of it."""

    name: str
    title: str
    type: str
    description: str = ""
    unit: str = ""
    values: tuple[str, ...] = ()


def content_security_policy(embedded: bool = False) -> str:
    """The header for every page; only a map without its panel may stand in a frame of another site."""
    return _POLICY.format(frames="*" if embedded else "'self'")


def with_query(address: str, query: Mapping[str, str], fragment: str = "") -> str:
    """The address with these parameters set in place of equal ones."""
    parts = urlsplit(address)
    text = urlencode({**dict(parse_qsl(parts.query, keep_blank_values=True)), **query}, safe="/:,")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, text, fragment or parts.fragment))


def landing(frame: Frame, doc: Document, collections: Sequence[Document]) -> str:
    view = {
        **_map_settings(frame, _around(collections)),
        "frame": frame.links.tilejson([_GROUND]),  # its box is the country's, where no extents are told
    }
    return _render("landing.html", frame, doc=doc, collections=collections, map=view, formats=_formats(doc))


def collections(frame: Frame, doc: Document) -> str:
    return _render("collections.html", frame, "collections", doc=doc, formats=_formats(doc))


def collection(frame: Frame, doc: Document, schema: Document) -> str:
    """One layer: what it is, where it lies, its fields, and how to use it elsewhere."""
    box = _box(doc)
    return _render(
        "collection.html",
        frame,
        "collections",
        trail=_trail(frame, doc["title"]),
        doc=doc,
        fields=fields(schema, frame.lang),
        bbox=_coordinates(box) if box else "",
        period=_period(doc),
        map={**_map_settings(frame, box), "layers": [_GROUND, doc["id"]]},
        links=_listed(doc),
        formats=_formats(doc),
    )


def items(frame: Frame, doc: Document, collection: Document, schema: Document) -> str:
    """A page of features as a table and on a small map."""
    shown = _columns(fields(schema, frame.lang), doc["features"])
    paging = {rel: Urls(frame).html(href) for rel, href in _hrefs(doc) if rel in ("prev", "next")}
    return _render(
        "items.html",
        frame,
        "collections",
        trail=_trail(frame, say("page.collection.items", frame.lang), collection),
        doc=doc,
        collection=collection,
        fields=shown,
        prev=paging.get("prev"),
        next=paging.get("next"),
        map=_features_settings(frame, doc),
        formats=_formats(doc),
    )


def item(frame: Frame, doc: Document, collection: Document, schema: Document) -> str:
    """One feature: every property that has a value, and its place."""
    name = title_of(doc, frame.lang)
    trail = [*_trail(frame, "", collection)[:-1], *_items_step(frame, collection), (name, "")]
    return _render(
        "item.html",
        frame,
        "collections",
        trail=trail,
        doc=doc,
        name=name,
        collection=collection,
        fields=fields(schema, frame.lang),
        map=_features_settings(frame, doc),
        formats=_formats(doc),
    )


def document(frame: Frame, doc: Document, heading: str, section: str = "", lead: str = "") -> str:
    """Any other document: its parts as a list where they have names, and the whole as JSON."""
    raw = json.dumps(doc, ensure_ascii=False, indent=2)
    return _render(
        "document.html",
        frame,
        section,
        doc=doc,
        heading=heading,
        lead=lead,
        rows=list(_rows(frame, doc)),
        raw=raw,
        links=_listed(doc),
        formats=_formats(doc),
    )


def error(frame: Frame, problem: Document) -> str:
    """A problem document as a page."""
    status = problem.get("status", 500)
    key = f"page.error.{status}"
    heading = say(key if key in catalogue() else "page.error.other", frame.lang)
    return _render("error.html", frame, doc=problem, heading=heading)


def map_page(frame: Frame, panel: bool = True, process: str = "overlap-report") -> str:
    """The full-page map; `panel` false for embedding in another site."""
    settings = {
        **_map_settings(frame, None),
        "execution": frame.links.execution(process),
        "collections": frame.links.collections(),
        "texts": _texts(frame.lang, "map.", "legend.", "page.basis."),
        "panel": panel,
    }
    return _render("map.html", frame, settings=settings, panel=panel)


def title_of(feature: Document, lang: str) -> str:
    """The name that a person would call a feature by, else its id."""
    properties = feature.get("properties") or {}
    english = ("name_eng", "name_en") if lang == "en" else ()
    for key in (*english, "name", "sci_name", "scientificName"):
        if properties.get(key):
            return str(properties[key])
    return str(feature.get("id", ""))


def fields(schema: Document, lang: str) -> list[Field]:
    """The properties of a schema document without the id and the geometry."""
    return [
        _field(name, value, lang)
        for name, value in schema.get("properties", {}).items()
        if not str(value.get("format", "")).startswith("geometry") and value.get("x-ogc-role") != "id"
    ]


def _columns(found: Sequence[Field], features: Sequence[Document]) -> list[Field]:
    """The fields worth a column: names first, the basis always, nothing that is empty on this page."""
    pairs = [pair for each in features for pair in each["properties"].items()]
    held = {name for name, value in pairs if value not in (None, "")}
    rest = [field for field in found if field.name in held and field.name not in (*_NAMES, "basis")]
    names = [field for field in found if field.name in held and field.name in _NAMES]
    basis = [field for field in found if field.name == "basis"]
    return [*[*names, *rest][: _COLUMNS_OF_A_TABLE - len(basis)], *basis]


def _field(name: str, value: Document, lang: str) -> Field:
    kind = f"page.type.{value.get('format') or value.get('type', 'string')}"
    return Field(
        name=name,
        title=str(value.get("title") or name),
        type=say(kind if kind in catalogue() else "page.type.string", lang),
        description=str(value.get("description", "")),
        unit=str(value.get("x-ogc-unit", "")),
        values=tuple(str(each) for each in value.get("enum", ())),
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("gis_service.web", "templates")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _render(template: str, frame: Frame, section: str = "", **values: object) -> str:
    common = {
        "lang": frame.lang,
        "links": frame.links,
        "url": Urls(frame),
        "t": lambda key, **more: say(key, frame.lang, **more),
        "say": say,
        "number": partial(number, lang=frame.lang),
        "shown": partial(_shown, lang=frame.lang),
        "section": section,
        "tier": frame.tier,
        "trail": (),
        "formats": (),
    }
    listed = values.pop("links", None)
    return _environment().get_template(template).render({**common, **values, "listed": listed})


def number(value: float, lang: str) -> str:
    """A number with the separators of the language."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text


def _shown(value: object, field: Field, lang: str) -> str:
    """A property's value for the eye; years and codes stay as they are, measures get separators and unit."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("page.yes" if value else "page.no", lang)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, float) or (isinstance(value, int) and field.unit):
        return f"{number(value, lang)} {field.unit}".strip()
    text = str(value).removesuffix(_WHOLE_DAY)
    basis = f"page.basis.{text}"
    return say(basis, lang) if field.name == "basis" and basis in catalogue() else text


def _trail(frame: Frame, last: str, collection: Document | None = None) -> list[tuple[str, str]]:
    steps = [(say("page.nav.collections", frame.lang), frame.links.collections())]
    if collection is not None:
        steps.append((collection["title"], frame.links.collection(collection["id"])))
    return [*steps, (last, "")]


def _items_step(frame: Frame, collection: Document) -> list[tuple[str, str]]:
    return [(say("page.collection.items", frame.lang), frame.links.items(collection["id"]))]


def _hrefs(doc: Document) -> Iterable[tuple[str, str]]:
    return ((each["rel"], each["href"]) for each in doc.get("links", ()))


def _formats(doc: Document) -> list[dict[str, str]]:
    """The other forms of this page: whatever the document calls self or alternate and isn't HTML."""
    return [
        _labelled({**each, "href": _as_data(each["href"])})
        for each in doc.get("links", ())
        if each["rel"] in ("self", "alternate") and each.get("type") != HTML
    ]


def _as_data(address: str) -> str:
    """A page asked for by `f=html` calls itself so; its data are the same address as JSON."""
    return with_query(address, {"f": "json"}) if "f=html" in address else address


def _listed(doc: Document) -> list[dict[str, str]]:
    """The links of a document by title, each address once."""
    found = {
        each["href"]: _labelled(each)
        for each in doc.get("links", ())
        if each["rel"] not in ("self", "alternate") and not each.get("templated")
    }
    return list(found.values())


def _labelled(link: Document) -> dict[str, str]:
    return {"href": link["href"], "type": link.get("type", ""), "label": link.get("title") or link["href"]}


def _rows(frame: Frame, doc: Document) -> Iterable[dict[str, str]]:
    """The named parts of a document: processes, jobs, styles, paths of the API, conformance classes."""
    links = frame.links
    for key, address in (("processes", links.process), ("jobs", links.job), ("styles", links.style)):
        for part in doc.get(key, ()):
            yield _part(frame, part, address)
    for path, methods in doc.get("paths", {}).items():
        href = "" if "{" in path else Urls(frame).page(links.base + path)
        yield {"name": path, "href": href, "text": " · ".join(_operations(methods))}
    for name in doc.get("conformsTo", ()):
        yield {"name": name.rsplit("/spec/", 1)[-1], "href": "", "text": name}


def _operations(methods: Document) -> Iterable[str]:
    return (f"{verb.upper()} {about.get('summary', '')}" for verb, about in methods.items() if verb in _VERBS)


def _part(frame: Frame, part: Document, address: Callable[[str], str]) -> dict[str, str]:
    name = str(part.get("id") or part.get("jobID") or part.get("title", ""))
    about = part.get("description") or part.get("title") or part.get("message") or part.get("status") or ""
    return {"name": name, "href": Urls(frame).page(address(name)), "text": str(about)}


def _box(doc: Document) -> Sequence[float] | None:
    boxes = doc.get("extent", {}).get("spatial", {}).get("bbox") or [None]
    return boxes[0]  # type: ignore[no-any-return]  # JSON: four numbers by OGC API Common


def _around(collections: Iterable[Document]) -> list[float] | None:
    boxes = [box for box in map(_box, collections) if box]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _coordinates(box: Sequence[float]) -> str:
    west, south, east, north = box
    return f"{west:.2f}, {south:.2f} – {east:.2f}, {north:.2f}"


def _period(doc: Document) -> str:
    intervals = doc.get("extent", {}).get("temporal", {}).get("interval") or [[None, None]]
    ends = [str(end)[:10] if end else "…" for end in intervals[0]]
    return "" if ends == ["…", "…"] else " – ".join(ends)


def _map_settings(frame: Frame, box: Sequence[float] | None) -> dict[str, Any]:
    """What the map's script is told; it asks for nothing outside these addresses."""
    return {
        "lang": frame.lang,
        "base": frame.links.base,
        "style": frame.links.style(_OVERVIEW),
        "bbox": list(box) if box else None,
        "texts": _texts(frame.lang, "map.control."),
    }


def _features_settings(frame: Frame, doc: Document) -> dict[str, Any]:
    """A small map that fetches the very features of this page, as data, and draws them over the provinces."""
    data = next(
        (_as_data(each["href"]) for each in doc.get("links", ()) if each.get("type") == GEOJSON), None
    )
    return {**_map_settings(frame, None), "layers": [_GROUND], "features": data}


def _texts(lang: str, *prefixes: str) -> dict[str, str]:
    return {key: say(key, lang) for key in catalogue() if key.startswith(prefixes)}
