"""The pages of releases: the list, one with its manifest, and what undoing it would do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gis_service.catalog.view import ViewedLayer
from gis_service.changes.store import Manifest
from gis_service.features.releases import LEVELS, Known, Told
from gis_service.web.called import Called
from gis_service.web.frame import Document, Frame, Urls, formats, rendered

Trail = list[tuple[str, str]]


def listing(frame: Frame, doc: Document, found: Sequence[Known], views: Sequence[ViewedLayer]) -> str:
    """The releases, the newest first."""
    urls = Urls(frame)
    rows = [
        {
            "title": frame.say("releases.number", number=each.number),
            "href": urls.page(frame.links.release(each.number)),
            "made": when(each.made),
            "name": each.called(frame.lang) or "",
            "layers": [view.title.say(frame.lang) for view in views if each.shows(view)],
            "marks": _marks(frame, each),
        }
        for each in found
    ]
    following = next((each["href"] for each in doc["links"] if each["rel"] == "next"), "")
    return rendered(
        "releases.html",
        frame,
        "releases",
        trail=[(frame.say("releases.title"), "")],
        rows=rows,
        next=following,
        formats=formats(doc),
    )


def release(frame: Frame, doc: Document, told: Told, called: Called) -> str:
    """One release: what it changed of what the reader sees, and what else the reader may know."""
    known, urls = told.known, Urls(frame)
    heading = known.called(frame.lang) or doc["title"]
    return rendered(
        "release.html",
        frame,
        "releases",
        trail=_trail(frame, doc["title"]),
        doc=doc,
        known=known,
        heading=heading,
        made=when(known.made),
        marks=_marks(frame, known),
        counts=[
            (view.title.say(frame.lang), _items(frame, view, known.number), counts)
            for view, counts in told.counts
        ],
        decided=(told.decided[0], called.person(str(told.decided[1] or ""))) if told.decided else None,
        proposals=[
            {
                **each,
                "href": urls.page(frame.links.proposal(int(str(each["number"])))),
                "author": called.person(str(each["author"])),
                "organisation": called.organisation(str(each["organisation"] or "")),
            }
            for each in told.proposals or ()
        ],
        levels=LEVELS,
        undo=urls.page(frame.links.rollback(known.number)) if told.may_undo else "",
        formats=formats(doc),
    )


def dry_run(frame: Frame, number: int, note: str, made: Manifest) -> str:
    """What undoing a release would do, with the way to do it."""
    urls = Urls(frame)
    return rendered(
        "release_undo.html",
        frame,
        "releases",
        trail=_trail(frame, frame.say("releases.undo", number=number), number),
        number_=number,
        note=note,
        tables=made.tables,
        back=urls.page(frame.links.release(number)),
        undo=urls.page(frame.links.rollback(number)),
    )


def when(at: datetime) -> str:
    """The moment in UTC, to the minute."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _items(frame: Frame, view: ViewedLayer, number: int) -> str:
    """The layer's features as of the release, as a page."""
    return Urls(frame).page(frame.links.items(view.id, {"release": str(number)}))


def _marks(frame: Frame, known: Known) -> list[tuple[str, str]]:
    """What it undoes and by what it was undone, with addresses."""
    urls = Urls(frame)
    pairs = (("undoes", known.undoes), ("undone-by", known.undone_by))
    return [
        (frame.say(f"releases.{key}", number=number), urls.page(frame.links.release(number)))
        for key, number in pairs
        if number is not None
    ]


def _trail(frame: Frame, last: str, number: int | None = None) -> Trail:
    steps: Trail = [(frame.say("releases.title"), frame.links.releases())]
    if number is not None:
        steps.append((frame.say("releases.number", number=number), frame.links.release(number)))
    return [*steps, (last, "")]
