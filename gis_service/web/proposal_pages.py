"""The pages of proposals: the queue, one with its changes and the steps that its reader may take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gis_service.catalog.layer import Layer
from gis_service.changes.reading import Shown, Told
from gis_service.changes.store import Manifest
from gis_service.changes.values import State
from gis_service.texts import catalogue, say
from gis_service.web import field, proposal_documents
from gis_service.web.called import Called
from gis_service.web.field import Field
from gis_service.web.forms import Fields
from gis_service.web.frame import Document, Frame, Urls, formats, map_settings, rendered, texts
from gis_service.web.release_pages import when

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from gis_service.changes.sketch import Sketch

    Drawn = list[tuple[Shown, Sketch | None]]

_SECTION = "review"
_STATES: tuple[State, ...] = (
    "draft", "submitted", "province_review", "central_approval", "published", "superseded", "rejected",
    "withdrawn",
)  # fmt: skip
_CONTEXT = ("provinces", "protected-areas")  # layers below the shapes of a review, beside its own
_ROUND = 0.02  # degrees round a shape at least, so that a point is seen where it lies
_DECIDING = ("accept", "approve")  # steps at which single changes may be left out
_FORWARD = ("submit", *_DECIDING)
_NEEDS_REASON = ("return", "reject")


def listing(
    frame: Frame,
    doc: Document,
    waiting: Sequence[Document],
    given: Mapping[str, str],
    layers: Mapping[str, Layer],
    called: Called,
) -> str:
    """What waits for the reader, then all that it may read."""
    following = next((each["href"] for each in doc["links"] if each["rel"] == "next"), "")
    return rendered(
        "proposals.html",
        frame,
        _SECTION,
        trail=[(frame.say("proposals.title"), "")],
        waiting=[_row(frame, each, called) for each in waiting],
        rows=[_row(frame, each, called) for each in doc["proposals"]],
        given=given,
        layers=[(name, layer.title.say(frame.lang)) for name, layer in layers.items() if layer.managed],
        states=[(name, frame.say(f"change.state.{name}")) for name in _STATES],
        narrowed=any(given.get(name) for name in ("state", "layer", "mine", "before")),
        next=following,
        formats=formats(doc),
    )


def _row(frame: Frame, head: Document, called: Called) -> Document:
    return {
        **head,
        **_by(head, called),
        "href": Urls(frame).page(frame.links.proposal(head["number"])),
        "when": _minute(head["changed"]),
    }


def _by(head: Document, called: Called) -> Document:
    """Who proposes, in whose name."""
    organisation = called.organisation(head["organisation"]) if head["organisation"] else ""
    return {"author": called.person(head["author"]), "organisation": organisation}


def one(
    frame: Frame,
    doc: Document,
    told: Told,
    layer: Layer,
    drawn: Drawn,
    paged: tuple[int, bool],
    called: Called,
) -> str:
    """A proposal: where it stands, what it changes on the ground and in words, what may be done."""
    page, more = paged
    urls, number = Urls(frame), told.proposal.number
    of = {each.name: each for each in _fields(layer, frame.lang)}
    steps = [each for each in doc["may"] if each != "publish"]
    return rendered(
        "proposal.html",
        frame,
        _SECTION,
        trail=[(frame.say("proposals.title"), frame.links.proposals()), (told.proposal.title, "")],
        doc={**doc, **_by(doc, called)},
        layer_href=urls.page(frame.links.collection(layer.id)),
        release_href=urls.page(frame.links.release(told.proposal.release)) if told.proposal.release else "",
        created=_minute(doc["created"]),
        events=[_event(frame, each, called) for each in doc["events"]],
        turn=_turn(frame, told, called),
        own="submit" in steps,
        replace_href=urls.page(frame.links.contribute_to(layer.id, {"replaces": str(number)})),
        changes=[_change(frame, shown, sketch, layer, of) for shown, sketch in drawn],
        map=_map(frame, layer, drawn),
        steps=steps,
        forward=_FORWARD,
        needs_reason=[each for each in steps if each in _NEEDS_REASON],
        may_publish="publish" in doc["may"],
        may_leave_out=any(each in _DECIDING for each in steps),
        action=urls.page(frame.links.proposal_steps(number)),
        before=urls.page(frame.links.proposal(number, {"page": str(page - 1)})) if page else "",
        after=urls.page(frame.links.proposal(number, {"page": str(page + 1)})) if more else "",
        formats=formats(doc),
    )


def published(frame: Frame, numbers: Sequence[int], made: Manifest, dry: bool, fields: Fields) -> str:
    """What a release would be, or why proposals weren't in it."""
    urls = Urls(frame)
    return rendered(
        "proposal_publish.html",
        frame,
        _SECTION,
        trail=[(frame.say("proposals.title"), frame.links.proposals()), (frame.say("proposals.publish"), "")],
        numbers=numbers,
        tables=made.tables,
        refused=[
            frame.say(
                f"change.refused.{each.reason}",
                number=each.proposal,
                gids=", ".join(str(gid) for gid in each.gids[:20]),
            )
            for each in made.refused
        ],
        release=made.release,
        release_href=urls.page(frame.links.release(made.release)) if made.release and not dry else "",
        dry=dry,
        given={name: fields.text(name) for name in ("name", "name_en", "comment")},
        action=urls.page(frame.links.proposals()),
        back=urls.page(frame.links.proposal(numbers[0])),
    )


def _turn(frame: Frame, told: Told, called: Called) -> str:
    """Whose turn it is, as a sentence."""
    if told.next is None:
        return ""
    if told.proposal.state == "draft":
        if "submit" in told.may:
            return frame.say("proposals.turn.own")
        return frame.say("proposals.turn.author", name=called.person(told.proposal.author))
    places = ", ".join(called.reviewing(told.codes)) or frame.say("proposals.no-place")
    return frame.say(f"proposals.turn.{told.next}", places=places)


def _event(frame: Frame, event: Document, called: Called) -> Document:
    return {
        **event,
        "at": _minute(event["at"]),
        "who": called.person(event["who"]),
        "did": _did(frame, event),
    }


def _did(frame: Frame, event: Document) -> str:
    key = f"proposals.did.{event['action']}"
    return frame.say(key) if key in catalogue() else str(event["action"])


def _fields(layer: Layer, lang: str) -> list[Field]:
    return [
        Field(
            name=name,
            title=prop.title.say(lang),
            type=prop.type,
            unit=prop.unit or "",
            values=field.titles(prop, lang),
        )
        for name, prop in layer.properties.items()
    ]


def _change(
    frame: Frame, shown: Shown, sketch: Sketch | None, layer: Layer, of: Mapping[str, Field]
) -> Mapping[str, Any]:
    """A change in words; findings stand beside the cell that they are about, the others below."""
    columns = {layer.column_of(name): name for name in layer.properties}
    cells = [
        {
            "title": of[cell.property].title,
            "before": field.shown(cell.before, of[cell.property], frame.lang),
            "after": field.shown(cell.after, of[cell.property], frame.lang),
            "findings": [
                _finding(frame, each)
                for each in shown.findings
                if columns.get(each.column or "") == cell.property
            ],
        }
        for cell in shown.cells
    ]
    named = {cell.property for cell in shown.cells}
    rest = [_finding(frame, each) for each in shown.findings if columns.get(each.column or "") not in named]
    return {
        "number": shown.number,
        "operation": frame.say(f"change.operation.{shown.operation}"),
        "id": shown.id,
        "href": Urls(frame).page(frame.links.item(layer.id, shown.id)) if shown.id else "",
        "sees": shown.sees,
        "cells": cells,
        "findings": rest,
        "sketch": sketch,
        "left_out": shown.decision == "rejected",
        "reason": _reason(frame, shown),
    }


def _reason(frame: Frame, shown: Shown) -> str:
    """Why a change was left out; the checks name the rules that stand beside it."""
    rules = {each.rule for each in shown.findings if each.level == "fault"}
    if shown.reason and rules.issuperset(shown.reason.split(", ")):
        return frame.say("proposals.left-out.by-checks")
    return shown.reason or ""


def _finding(frame: Frame, finding: Any) -> Mapping[str, str]:
    return {
        "level": finding.level,
        "word": say(f"check.level.{finding.level}", frame.lang),
        "rule": finding.rule,
        "text": finding.say(frame.lang),
    }


def _drawn_parts(sketch: Sketch) -> Iterator[tuple[str, BaseGeometry | None]]:
    """Shapes of a change by their part; all of a new area comes, and all of one that is withdrawn goes."""
    yield "before", sketch.before
    yield "after", sketch.after
    yield "removed", sketch.before if sketch.after is None else sketch.removed
    yield "added", sketch.after if sketch.before is None else sketch.added


def _map(frame: Frame, layer: Layer, drawn: Drawn) -> Mapping[str, Any] | None:
    """What the map draws: the shapes of this page's changes, each with its part."""
    parts = [
        {
            "type": "Feature",
            "geometry": proposal_documents.geometry(shape),
            "properties": {"part": part, "number": shown.number},
        }
        for shown, sketch in drawn
        if sketch is not None
        for part, shape in _drawn_parts(sketch)
        if shape is not None and not shape.is_empty
    ]
    if not parts:
        return None
    boxes = [
        shape.bounds
        for _, sketch in drawn
        if sketch
        for shape in (sketch.before, sketch.after)
        if shape is not None
    ]
    west, south, east, north = zip(*boxes, strict=True)
    box = [min(west), min(south), max(east), max(north)]
    margin = max((box[2] - box[0]) * 0.15, (box[3] - box[1]) * 0.15, _ROUND)
    return map_settings(
        frame,
        layers=list(dict.fromkeys((*_CONTEXT, layer.id))),
        bbox=[box[0] - margin, max(box[1] - margin, -85), box[2] + margin, min(box[3] + margin, 85)],
        texts=texts(frame.lang, "map.control.", "page.map."),
        review={"type": "FeatureCollection", "features": parts},
    )


def _minute(at: str | None) -> str:
    """A moment of a document, to the minute."""
    return when(datetime.fromisoformat(at)) if at else ""
