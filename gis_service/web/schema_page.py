"""Queryables, sortables and schema as tables that a person reads."""

from __future__ import annotations

from gis_service.catalog.view import ViewedLayer
from gis_service.web import field
from gis_service.web.frame import Document, Frame, formats, rendered, trail

QUERYABLES, SORTABLES, SCHEMA = "queryables", "sortables", "schema"


def page(frame: Frame, view: ViewedLayer, doc: Document, kind: str) -> str:
    """One of the three documents; each tells of a property all that the others tell too."""
    title = view.title.say(frame.lang)
    every = field.fields(view, frame.lang)
    kept = {QUERYABLES: [f for f in every if f.filterable], SORTABLES: [f for f in every if f.sortable]}
    return rendered(
        "schema.html",
        frame,
        "collections",
        trail=trail(frame, frame.say(f"page.{kind}"), (title, frame.links.collection(view.id))),
        title=title,
        id=view.id,
        heading=frame.say(f"page.{kind}.heading", layer=title),
        lead=frame.say(f"page.{kind}.lead"),
        example=_example(frame, view, kind),
        fields=kept.get(kind, every),
        geometry=frame.say(f"page.geometry.{view.geometry_type.lower()}") if kind != SORTABLES else "",
        formats=formats({"links": [_itself(frame, doc)]}),
    )


def _itself(frame: Frame, doc: Document) -> Document:
    """A JSON Schema has no links: its `$id` is its address."""
    address = str(doc.get("$id", frame.here))
    return {
        "href": f"{address}?f=json", "rel": "alternate", "type": "application/schema+json",
        "title": frame.say("web.as-json"),
    }  # fmt: skip


def _example(frame: Frame, view: ViewedLayer, kind: str) -> str:
    """An address that does what the page tells of, with a property of this very layer."""
    links = frame.links
    if kind == SORTABLES:
        name = next((f.name for f in field.fields(view, frame.lang) if f.sortable), None)
        return links.items(view.id, {"sortby": f"-{name}"}) if name else ""
    if kind == QUERYABLES:
        found = next((f for f in field.fields(view, frame.lang) if f.filterable and f.values), None)
        return links.items(view.id, {found.name: next(iter(found.values))}) if found else ""
    return ""
