"""The history of one feature as a page, and in short beside the feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.features.history import Step
from gis_service.web import field as words
from gis_service.web.frame import Document, Frame, Urls, formats, rendered, trail

NEWEST = 3  # told beside a feature


@dataclass(frozen=True, slots=True)
class Line:
    """One release of a feature's history in words."""

    release: int
    text: str
    href: str  # the feature as of that release; empty where it was withdrawn


def page(frame: Frame, doc: Document, view: ViewedLayer) -> str:
    """The whole history."""
    layer, name = view.title.say(frame.lang), str(doc["id"])
    steps = (
        (layer, frame.links.collection(view.id)),
        (frame.say("page.collection.items"), frame.links.items(view.id)),
        (name, frame.links.item(view.id, name)),
    )
    return rendered(
        "history.html",
        frame,
        "collections",
        trail=trail(frame, frame.say("history.title"), *steps),
        name=name,
        layer=layer,
        rows=[_row(frame, each, view) for each in doc["versions"]],
        complete=doc["complete"],
        formats=formats(doc),
    )


def short(frame: Frame, view: ViewedLayer, feature: str, found: Sequence[Step]) -> list[Line]:
    """The newest steps for the page of the feature."""
    return [
        Line(each.release, _event(frame, each.event, each.release), _at(frame, view, feature, each))
        for each in found[:NEWEST]
    ]


def _at(frame: Frame, view: ViewedLayer, feature: str, step: Step) -> str:
    if step.event == "withdrawn":
        return ""
    return Urls(frame).page(frame.links.item(view.id, feature, {"release": str(step.release)}))


def _event(frame: Frame, event: str, release: int) -> str:
    return frame.say(f"history.{event}", release=release)


def _row(frame: Frame, doc: Document, view: ViewedLayer) -> Document:
    """One version with its differences in words."""
    urls, release = Urls(frame), doc["release"]
    hrefs = {each["rel"]: urls.page(each["href"]) for each in doc["links"]}
    known = {each.name: each for each in words.fields(view, frame.lang)}
    differences = [
        (each["title"], *(_value(each[end], known[each["property"]], frame) for end in ("before", "after")))
        for each in doc.get("differences", ())
    ]
    return {
        "what": _event(frame, doc["event"], release),
        "made": str(doc.get("made", ""))[:16].replace("T", " "),
        "name": doc.get("name", ""),
        "item": hrefs.get("item", ""),
        "release": hrefs.get("related", ""),
        "number": release,
        "differences": differences,
        "moved": doc.get("moved", False),
    }


def _value(value: object, of: words.Field, frame: Frame) -> str:
    return words.shown(value, of, frame.lang) or "–"
