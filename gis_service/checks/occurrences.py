"""Rules for records of species."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from gis_service.checks import shapes
from gis_service.checks.candidate import FAULT, NOTE, WARNING
from gis_service.checks.row import Row, day, folded
from gis_service.checks.rule import DARWIN_CORE, OURS, Hit, Rule
from gis_service.checks.scene import Scene, name_key


def future(row: Row, scene: Scene) -> Iterator[Hit]:
    """The record is dated in the future."""
    seen, today = row.day("event_date"), scene.context.today
    if seen and seen > today:
        yield Hit("event_date", {"value": seen, "today": today})


def ancient(row: Row, scene: Scene) -> Iterator[Hit]:
    """The record is dated before `first_record`."""
    seen = row.day("event_date")
    if seen and seen.year < scene.limits.first_record:
        yield Hit("event_date", {"value": seen, "first": scene.limits.first_record})


def undated(row: Row, _: Scene) -> Iterator[Hit]:
    """The record has no date."""
    if not row.given("event_date"):
        yield Hit("event_date")


def backwards(row: Row, _: Scene) -> Iterator[Hit]:
    """The span of days ends before it begins."""
    said = row.text("verbatim_event_date") or row.text("event_date") or ""
    start, slash, end = said.partition("/")
    first, last = day(start), day(end)
    if slash and first and last and last < first:
        column = "verbatim_event_date" if row.given("verbatim_event_date") else "event_date"
        yield Hit(column, {"start": first, "end": last})


def centre(row: Row, scene: Scene) -> Iterator[Hit]:
    """The point lies within `centroid_m` of the centre of a country or province."""
    if row.spot is None:
        return
    for spot in scene.context.spots:
        if abs(spot.place[1] - row.spot[1]) > 1:
            continue
        if (away := shapes.distance_m(row.spot, spot.place)) <= scene.limits.centroid_m:
            yield Hit(values={"name": spot.name, "metres": away}, place=row.spot)
            return


def on_land(row: Row, scene: Scene) -> Iterator[Hit]:
    """A species of the sea lies on land."""
    found = scene.taxon(row.text("scientific_name"))
    if found and row.spot and found.sea and found.land is False and scene.ground(row.spot) == "land":
        yield Hit(values={"name": found.name}, place=row.spot)


def at_sea(row: Row, scene: Scene) -> Iterator[Hit]:
    """A species of the land lies at sea, further than `coast_m` from any land."""
    found = scene.taxon(row.text("scientific_name"))
    if found and row.spot and found.land and found.sea is False and scene.ground(row.spot) == "sea":
        yield Hit(values={"name": found.name}, place=row.spot)


def absent_with_count(row: Row, _: Scene) -> Iterator[Hit]:
    """A species is absent and yet counted, or present with a count of 0."""
    status, count = row.text("occurrence_status"), row.figure("individual_count")
    if count is not None and ((status == "absent" and count > 0) or (status == "present" and count == 0)):
        yield Hit("individual_count", {"value": int(count), "status": status})


def exact(row: Row, _: Scene) -> Iterator[Hit]:
    """The uncertainty is 0, which Darwin Core doesn't allow."""
    if row.figure("coordinate_uncertainty_in_meters") == 0:
        yield Hit("coordinate_uncertainty_in_meters")


def uncertain(row: Row, scene: Scene) -> Iterator[Hit]:
    """The uncertainty is larger than `uncertainty_m`."""
    metres = row.figure("coordinate_uncertainty_in_meters")
    if metres is not None and metres > scene.limits.uncertainty_m:
        yield Hit("coordinate_uncertainty_in_meters", {"value": metres, "most": scene.limits.uncertainty_m})


def same_again(row: Row, scene: Scene) -> Iterator[Hit]:
    """The same taxon was recorded by the same person on the same day within `same_place_degrees`."""
    step = scene.limits.same_place_degrees
    for other in scene.alike(row, "recorded", _recorded)[:50]:
        if other.spot and row.spot and _near(row.spot, other.spot, step):
            yield Hit(values={"other": other.text("occurrence_id") or other.label}, place=row.spot)
            return


def _recorded(row: Row) -> Hashable | None:
    name, seen = row.text("scientific_name"), row.day("event_date")
    if not name or seen is None or row.spot is None:
        return None
    # Rows of one place come together by hundredths of a degree; `_near` looks closer.
    cell = round(row.spot[0], 2), round(row.spot[1], 2)
    return name_key(name), seen, folded(row.text("recorded_by")), cell


def _near(one: tuple[float, float], other: tuple[float, float], step: float) -> bool:
    return abs(one[0] - other[0]) <= step and abs(one[1] - other[1]) <= step


RULES: Final = (
    Rule("record-future", FAULT, DARWIN_CORE, future),
    Rule("record-ancient", FAULT, OURS, ancient),
    Rule("record-undated", NOTE, DARWIN_CORE, undated),
    Rule("record-span", FAULT, DARWIN_CORE, backwards),
    Rule("record-centre", WARNING, OURS, centre),
    Rule("record-on-land", WARNING, OURS, on_land),
    Rule("record-at-sea", WARNING, OURS, at_sea),
    Rule("record-count", WARNING, DARWIN_CORE, absent_with_count),
    Rule("record-exact", WARNING, DARWIN_CORE, exact),
    Rule("record-uncertain", WARNING, OURS, uncertain),
    Rule("record-same-again", WARNING, OURS, same_again),
)
