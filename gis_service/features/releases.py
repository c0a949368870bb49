"""Releases as documents: what each class may know of them, as pure functions of what was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.features.documents import formats
from gis_service.links import Links, link
from gis_service.texts import say

Document = dict[str, object]
Row = tuple[object, ...]
LEVELS = ("fault", "warning", "note")


@dataclass(frozen=True, slots=True)
class Known:
    """A release as its reader's class knows it; `tables` are those in which it sees a change."""

    number: int
    made: datetime
    name: str | None
    name_en: str | None
    undoes: int | None = None
    undone_by: int | None = None
    tables: tuple[str, ...] = ()

    def called(self, lang: str) -> str | None:
        """Its name in that language, or in the other."""
        return (self.name_en or self.name) if lang == "en" else (self.name or self.name_en)

    def shows(self, view: ViewedLayer) -> bool:
        return view.layer.managed and view.layer.table_name in self.tables


@dataclass(frozen=True, slots=True)
class Counts:
    """How many features of a layer a release changed, of those that the reader sees."""

    inserted: int
    changed: int
    withdrawn: int

    @property
    def any(self) -> bool:
        return bool(self.inserted or self.changed or self.withdrawn)


@dataclass(frozen=True)
class Told:
    """What a release's document tells; `tables` for the full tier, `decided` for those who may know."""

    known: Known
    counts: Sequence[tuple[ViewedLayer, Counts | None]]
    loads: Sequence[Document] = ()
    tables: Sequence[Row] | None = None
    decided: Row | None = None  # the note, and by whom
    proposals: Sequence[Document] | None = None
    may_undo: bool = field(default=False)


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def listing(
    found: Sequence[Known],
    more: Mapping[str, str] | None,
    views: Iterable[ViewedLayer],
    links: Links,
    lang: str,
) -> Document:
    """A page of releases, the newest first; `more` are the parameters of the next page."""
    seen = list(views)
    made = [*formats(links.releases(), media.JSON, lang)]
    if more is not None:
        made.append(link(links.releases(more), "next", media.JSON, say("web.next", lang)))
    return {
        "title": say("releases.title", lang),
        "releases": [
            {
                **_head(each, lang),
                "collections": [view.id for view in seen if each.shows(view)],
                "links": [link(links.release(each.number), "item", media.JSON, _title(each, lang))],
            }
            for each in found
        ],
        "numberReturned": len(found),
        "links": made,
    }


def release(told: Told, links: Links, lang: str) -> Document:
    """One release with its manifest."""
    known = told.known
    made = _head(known, lang)
    made["collections"] = [_collection(known, view, counts, links, lang) for view, counts in told.counts]
    made["loads"] = [_load(each, lang) for each in told.loads]
    if told.tables is not None:
        names = ("table", "inserted", "changed", "withdrawn", "sha256")
        made["tables"] = [dict(zip(names, row, strict=True)) for row in told.tables]
    if told.decided is not None:
        made["note"], made["madeBy"] = told.decided
    if told.proposals is not None:
        made["proposals"] = [
            {**each, "links": [link(links.proposal(int(str(each["number"]))), "item", media.JSON)]}
            for each in told.proposals
        ]
    made["links"] = _links(told, links, lang)
    return made


def _head(known: Known, lang: str) -> Document:
    made: Document = {"release": known.number, "title": _title(known, lang), "made": moment(known.made)}
    if (name := known.called(lang)) is not None:
        made["name"] = name
    if known.undoes is not None:
        made["undoes"] = known.undoes
    if known.undone_by is not None:
        made["undoneBy"] = known.undone_by
    return made


def _title(known: Known, lang: str) -> str:
    return say("releases.number", lang, number=known.number)


def _collection(known: Known, view: ViewedLayer, counts: Counts | None, links: Links, lang: str) -> Document:
    """Numbers are left out where there are too many rows to compare within the deadline."""
    here = {"release": str(known.number)}
    made: Document = {"id": view.id, "title": view.title.say(lang)}
    if counts is not None:
        made |= {"inserted": counts.inserted, "changed": counts.changed, "withdrawn": counts.withdrawn}
    made["links"] = [
        link(links.items(view.id, here), "items", media.GEOJSON, say("web.items", lang)),
        link(links.collection(view.id, here), "collection", media.JSON, view.title.say(lang)),
    ]
    return made


def _load(load: Document, lang: str) -> Document:
    """A load's title in one language."""
    title_vi = load.get("title_vi")
    kept = {name: value for name, value in load.items() if name != "title_vi"}
    return {**kept, "title": title_vi if lang == "vi" and title_vi else load["title"]}


def _links(told: Told, links: Links, lang: str) -> list[Document]:
    known = told.known
    made = [
        *formats(links.release(known.number), media.JSON, lang),
        link(links.releases(), "collection", media.JSON, say("releases.title", lang)),
    ]
    for number, rel in ((known.undoes, "predecessor-version"), (known.undone_by, "successor-version")):
        if number is not None:
            title = say("releases.number", lang, number=number)
            made.append(link(links.release(number), rel, media.JSON, title))
    return made


def proposals(heads: Sequence[Row], verdicts: Sequence[Row]) -> list[Document]:
    """The proposals of a release, each with what the checks said of its changes, by level and by rule."""
    rules: dict[object, dict[str, dict[str, int]]] = defaultdict(lambda: {level: {} for level in LEVELS})
    for number, level, rule, times in verdicts:
        rules[number].setdefault(str(level), {})[str(rule)] = int(str(times))
    names = ("number", "title", "layer", "author", "organisation", "taken", "leftOut")
    return [
        {
            **dict(zip(names, head, strict=True)),
            "checks": {level: sum(rules[head[0]][level].values()) for level in LEVELS},
            "rules": {level: rules[head[0]][level] for level in LEVELS if rules[head[0]][level]},
        }
        for head in heads
    ]
