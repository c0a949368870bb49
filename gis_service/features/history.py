"""What releases did to one feature, as the reader sees it: equal states in a row are one version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.features.documents import formats
from gis_service.features.releases import moment
from gis_service.links import Links, link
from gis_service.texts import say

Event = Literal["added", "changed", "withdrawn"]
MOST = 100  # rows of a feature; older ones are read as of their releases
Named = Mapping[int, tuple[datetime, str | None, str | None]]
"""When the releases that the reader knows were made, and their names."""


@dataclass(frozen=True, slots=True)
class Version:
    """A state of the feature from one release on until before another, None where it stands."""

    begins: int
    ends: int | None
    properties: Mapping[str, Any]  # of a GeoJSON feature
    shape: bytes  # a hash of the geometry that the reader sees

    def same(self, other: Version) -> bool:
        return self.properties == other.properties and self.shape == other.shape


@dataclass(frozen=True, slots=True)
class Step:
    """What one release did; differences are (property, before, after)."""

    release: int
    event: Event
    differences: tuple[tuple[str, Any, Any], ...] = ()
    moved: bool = False
    before: int | None = None  # the release since which the state before had stood


def versions(rows: Sequence[tuple[int, int | None, bytes, bytes]]) -> list[Version]:
    """Rows of the database, the newest first, as versions, the oldest first.

    Rows that differ only in what the reader doesn't see are the same version to it.
    """
    made: list[Version] = []
    for begins, ends, text, shape in reversed(rows):
        one = Version(begins, ends, json.loads(text)["properties"], shape)
        last = made[-1] if made else None
        if last is not None and last.ends == begins and last.same(one):
            made[-1] = Version(last.begins, ends, last.properties, last.shape)
        else:
            made.append(one)
    return made


def steps(found: Sequence[Version]) -> list[Step]:
    """What happened to the feature, the newest first."""
    made: list[Step] = []
    last: Version | None = None
    for each in found:
        if last is not None and last.ends == each.begins:
            made.append(_changed(last, each))
        else:
            made.append(Step(each.begins, "added", before=last.begins if last else None))
        if each.ends is not None and not any(other.begins == each.ends for other in found):
            made.append(Step(each.ends, "withdrawn", before=each.begins))
        last = each
    return made[::-1]


def _changed(old: Version, new: Version) -> Step:
    pairs = ((name, old.properties.get(name), value) for name, value in new.properties.items())
    differences = tuple(pair for pair in pairs if pair[1] != pair[2])
    return Step(new.begins, "changed", differences, old.shape != new.shape, old.begins)


def document(
    view: ViewedLayer,
    feature: str,
    found: Sequence[Step],
    named: Named,
    whole: bool,
    links: Links,
    lang: str,
) -> dict[str, object]:
    """The history of a feature with the relations of RFC 5829; `whole` unless older rows were left out."""
    address = links.history(view.id, feature)
    return {
        "title": say("history.of", lang, id=feature),
        "collection": view.id,
        "id": feature,
        "versions": [_version(view, feature, each, named, links, lang) for each in found],
        "complete": whole,
        "links": [
            *formats(address, media.JSON, lang),
            link(links.item(view.id, feature), "latest-version", media.GEOJSON, say("history.latest", lang)),
            link(links.collection(view.id), "collection", media.JSON, view.title.say(lang)),
        ],
    }


def _version(
    view: ViewedLayer, feature: str, step: Step, named: Named, links: Links, lang: str
) -> dict[str, object]:
    made: dict[str, object] = {"release": step.release, "event": step.event}
    if (known := named.get(step.release)) is not None:
        made["made"] = moment(known[0])
        if name := (known[2] or known[1] if lang == "en" else known[1] or known[2]):
            made["name"] = name
    if step.event == "changed":
        made["differences"] = [
            {
                "property": name,
                "title": view.properties[name].title.say(lang),
                "before": before,
                "after": after,
            }
            for name, before, after in step.differences
        ]
        made["moved"] = step.moved
    made["links"] = _links(view, feature, step, known is not None, links, lang)
    return made


def _links(
    view: ViewedLayer, feature: str, step: Step, known: bool, links: Links, lang: str
) -> list[dict[str, object]]:
    def at(release: int, rel: str) -> dict[str, object]:
        href = links.item(view.id, feature, {"release": str(release)})
        return link(href, rel, media.GEOJSON, say("history.at", lang, release=release))

    made = [] if step.event == "withdrawn" else [at(step.release, "item")]
    if step.before is not None:
        made.append(at(step.before, "predecessor-version"))
    if known:
        title = say("releases.number", lang, number=step.release)
        made.append(link(links.release(step.release), "related", media.JSON, title))
    return made
