"""The pages of documents: pure functions of what the API gives out, in one language."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from gis_service.catalog.view import ViewedLayer
from gis_service.features.formats import EXPORTS
from gis_service.texts import catalogue
from gis_service.web import field
from gis_service.web.frame import (
    Document,
    Frame,
    Urls,
    formats,
    listed,
    map_settings,
    rendered,
    texts,
    trail,
)

_GROUND = "provinces"  # the layer that lies below the others on a small map
_VERBS = frozenset({"get", "post", "put", "patch", "delete"})
_MEGABYTE = 1_000_000
_TOLD = ("items", "enclosure")  # links of a layer that its page tells of elsewhere
_BAD_BASES = ("indicative", "simulated")


def landing(frame: Frame, doc: Document, collections: Sequence[Document]) -> str:
    view = map_settings(
        frame,
        bbox=_around(collections),
        country=frame.links.tilejson([_GROUND]),  # its box is the country's, where no extents are told
    )
    return rendered("landing.html", frame, doc=doc, collections=collections, map=view, formats=formats(doc))


def collections(frame: Frame, doc: Document) -> str:
    rows = [{**each, "bases": _bases(each), "period": _period(each)} for each in doc["collections"]]
    return rendered("collections.html", frame, "collections", rows=rows, formats=formats(doc))


def collection(frame: Frame, doc: Document, view: ViewedLayer) -> str:
    """One layer: what it is, where it lies, its fields, and how to use it elsewhere."""
    box, past = _box(doc), view.past
    return rendered(
        "collection.html",
        frame,
        "collections",
        trail=trail(frame, doc["title"]),
        doc=doc,
        fields=field.fields(view, frame.lang),
        geometry=frame.say(f"page.geometry.{view.geometry_type.lower()}"),
        bases=_bases(doc),
        bbox=_coordinates(box) if box else "",
        period=_period(doc),
        map=map_settings(
            frame,
            past=past,
            bbox=list(box) if box else None,
            layers=[_GROUND, doc["id"]],
            least=view.tiles.zoom[0],
        ),
        past=past,
        today=Urls(frame).page(frame.links.collection(doc["id"])),
        files=_files(frame, doc),
        exports=[
            (f"page.format.{each.name}", frame.links.export(doc["id"], {"f": each.name, **past}))
            for each in EXPORTS
        ],
        listed=[each for each in listed(doc) if each["rel"] not in _TOLD],
        formats=formats(doc),
    )


def raster(frame: Frame, doc: Document, picture: str | None) -> str:
    """A raster layer: a picture of it, its legend, and how to use it elsewhere."""
    box, links = _box(doc), frame.links
    return rendered(
        "raster.html",
        frame,
        "collections",
        trail=trail(frame, doc["title"]),
        doc=doc,
        bases=_bases(doc),
        bbox=_coordinates(box) if box else "",
        picture=picture,
        map=map_settings(
            frame,
            bbox=list(box) if box else None,
            layers=[_GROUND],
            raster={
                "id": doc["id"],
                "tilejson": links.tilejson([doc["id"]]),
                "resampling": "nearest" if "classes" in doc["raster"] else "linear",
            },
        ),
        light=links.map_legend(doc["id"], "legend.svg", {"lang": frame.lang}),
        dark=links.map_legend(doc["id"], "legend.svg", {"lang": frame.lang, "theme": "dark"}),
        listed=listed(doc),
        formats=formats(doc),
    )


def _files(frame: Frame, doc: Document) -> list[tuple[str, str, str]]:
    """The bulk files of a layer: title, address, size."""
    return [
        (each["title"], each["href"], _size(each["length"], frame.lang))
        for each in doc.get("links", ())
        if each["rel"] == "enclosure"
    ]


def _size(length: int, lang: str) -> str:
    if length < _MEGABYTE:
        return f"{field.number(max(1, round(length / 1000)), lang)} kB"
    return f"{field.number(round(length / _MEGABYTE, 1), lang)} MB"


def document(frame: Frame, doc: Document, heading: str, section: str = "", lead: str = "") -> str:
    """Any other document: its parts as a list where they have names, and the whole as JSON."""
    return rendered(
        "document.html",
        frame,
        section,
        doc=doc,
        heading=heading,
        lead=lead,
        rows=list(_rows(frame, doc)),
        raw=json.dumps(doc, ensure_ascii=False, indent=2),
        listed=listed(doc),
        formats=formats(doc),
    )


def error(frame: Frame, problem: Document) -> str:
    """A problem document as a page: what was wrong, and what to do."""
    status = problem.get("status", 500)
    heading, advice = (_of_status(f"page.{part}.{status}", part) for part in ("error", "advice"))
    return rendered("error.html", frame, doc=problem, heading=frame.say(heading), advice=frame.say(advice))


def _of_status(key: str, part: str) -> str:
    return key if key in catalogue() else f"page.{part}.other"


def map_page(frame: Frame, panel: bool = True, process: str = "overlap-report") -> str:
    """The full-page map; `panel` false for embedding in another site."""
    settings = map_settings(
        frame,
        execution=frame.links.execution(process),
        collections=frame.links.collections(),
        texts=texts(frame.lang, "map.", "legend.", "page.basis."),
        panel=panel,
    )
    return rendered("map.html", frame, settings=settings, panel=panel)


def _bases(doc: Document) -> list[str]:
    """What a reader could take for more than it is, of the datasets behind a layer."""
    found = {each.get("basis") for each in doc.get("datasets", ())}
    return [basis for basis in _BAD_BASES if basis in found]


def _rows(frame: Frame, doc: Document) -> Iterable[dict[str, str]]:
    """The named parts of a document: processes, jobs, styles, paths of the API."""
    links = frame.links
    for key, address in (("processes", links.process), ("jobs", links.job), ("styles", links.style)):
        for part in doc.get(key, ()):
            yield _part(frame, part, address)
    for path, methods in doc.get("paths", {}).items():
        href = "" if "{" in path else Urls(frame).page(links.base + path)
        yield {"name": path, "href": href, "text": " · ".join(_operations(methods))}


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
