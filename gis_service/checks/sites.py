"""Rules that hold a protected area against its drawing, the other parcels of its site, and its neighbours."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Final

from gis_service.checks import vocabulary as words
from gis_service.checks.candidate import FAULT, NOTE, WARNING, LonLat
from gis_service.checks.row import Row, folded
from gis_service.checks.rule import MANUAL, NATIONAL, OURS, QA, Hit, Rule
from gis_service.checks.scene import Scene, Shared

HECTARE: Final = 10_000.0
KM2: Final = 1e6
_PARCEL: Final = re.compile(r"\d+(_[A-Za-z0-9]+)?")


def site(row: Row) -> Hashable | None:
    """The site of which the row is a parcel."""
    return row.text("site_id")


def parcels(row: Row, scene: Scene) -> list[Row]:
    """The row and the other parcels of its site."""
    return [row, *scene.alike(row, "site", site)]


def parcel_form(row: Row, _: Scene) -> Iterator[Hit]:
    """The parcel's id isn't the site's, alone or with an underscore and a suffix."""
    pid, number = row.text("site_pid"), row.text("site_id")
    if pid is None or number is None:
        return
    if not _PARCEL.fullmatch(pid) or pid.partition("_")[0] != number:
        yield Hit("site_pid", {"value": pid, "site": number})


def parcel_twice(row: Row, scene: Scene) -> Iterator[Hit]:
    """Another row has the same parcel id."""
    for other in scene.alike(row, "pid", lambda each: each.text("site_pid"))[:1]:
        yield Hit("site_pid", {"value": row.text("site_pid"), "other": other.label})


def parcels_disagree(row: Row, scene: Scene) -> Iterator[Hit]:
    """Parcels of one site don't say the same of the site."""
    others = scene.alike(row, "site", site)
    for column in words.OF_THE_SITE if others else ():
        mine = row.text(column)
        for other in others:
            theirs = other.text(column)
            if mine is not None and theirs is not None and mine != theirs:
                yield Hit(column, {"value": mine, "other": theirs, "site": row.text("site_id")})
                break


def decided(row: Row, scene: Scene) -> Iterator[Hit]:
    """Decided hectares and those drawn, of all parcels together, differ by more than `decided_share`."""
    said, whole = row.figure("decided_area_ha"), _drawn(parcels(row, scene))
    if said and whole and abs(whole / HECTARE - said) > scene.limits.decided_share * said:
        yield Hit("decided_area_ha", _differing(said, whole / HECTARE))


def _drawn(rows: list[Row]) -> float | None:
    """The drawn area of all rows; None where one of them has none."""
    sizes = [each.m2 for each in rows]
    return None if None in sizes else sum(each or 0.0 for each in sizes)


def reported(row: Row, scene: Scene) -> Iterator[Hit]:
    """The reported area and the drawn one differ by more than `reported_share` and `reported_m2`."""
    said, limits = row.figure("rep_area"), scene.limits
    if not said or row.m2 is None or _by_a_hundred(said * KM2, row.m2):
        return
    gap = abs(row.m2 - said * KM2)
    if gap >= limits.reported_m2 and gap > limits.reported_share * said * KM2:
        yield Hit("rep_area", _differing(said, row.m2 / KM2))


def reported_far(row: Row, scene: Scene) -> Iterator[Hit]:
    """The reported area is more than `reported_factor` times the drawn one, or the drawn one that of it."""
    said, limits = row.figure("rep_area"), scene.limits
    if not said or row.m2 is None or _by_a_hundred(said * KM2, row.m2):
        return
    large, small = max(said * KM2, row.m2), min(said * KM2, row.m2)
    near = large - small >= limits.reported_m2  # then `reported` says so
    if not near and large >= limits.reported_least_m2 and large > limits.reported_factor * small:
        yield Hit("rep_area", _differing(said, row.m2 / KM2))


def hectares_for_km2(row: Row, _: Scene) -> Iterator[Hit]:
    """The reported area is a hundred times the drawn one or a hundredth: hectares taken for km²."""
    said = row.figure("rep_area")
    if said and row.m2 is not None and _by_a_hundred(said * KM2, row.m2):
        yield Hit("rep_area", _differing(said, row.m2 / KM2))


def _by_a_hundred(said: float, drawn: float) -> bool:
    return any(abs(said - drawn * factor) <= 0.1 * drawn * factor for factor in (100, 0.01))


def measured(row: Row, scene: Scene) -> Iterator[Hit]:
    """GIS_AREA and the exact drawn area differ by more than `gis_share`."""
    said = row.figure("gis_area")
    if said and row.m2 and abs(row.m2 - said * KM2) > scene.limits.gis_share * row.m2:
        yield Hit("gis_area", _differing(said, row.m2 / KM2))


def tiny(row: Row, scene: Scene) -> Iterator[Hit]:
    """The whole area isn't larger than `tiny_m2`."""
    if row.m2 is not None and row.m2 <= scene.limits.tiny_m2:
        yield Hit(values={"m2": row.m2, "most": scene.limits.tiny_m2}, place=_at(row))


def _differing(said: float, drawn: float) -> dict[str, float]:
    return {"said": said, "drawn": drawn, "percent": 100 * (drawn - said) / said}


def overlap(row: Row, scene: Scene) -> Iterator[Hit]:
    """It shares more than `overlap_m2` with another area of the same designation."""
    limits = scene.limits
    for other, found in _sharing(row, scene):
        if found.share_of_both >= limits.same_shape_share:
            continue
        if found.m2 >= limits.overlap_m2 and found.width_m >= limits.overlap_width_m:
            yield Hit(values={"other": other.label, "hectares": found.m2 / HECTARE}, place=found.place)


def thin_overlap(row: Row, scene: Scene) -> Iterator[Hit]:
    """It shares a strip thinner than `overlap_width_m` with another area of the same designation."""
    limits = scene.limits
    for other, found in _sharing(row, scene):
        if found.m2 >= limits.tiny_m2 and found.width_m < limits.overlap_width_m:
            values = {"other": other.label, "hectares": found.m2 / HECTARE, "width": found.width_m}
            yield Hit(values=values, place=found.place)


def same_again(row: Row, scene: Scene) -> Iterator[Hit]:
    """Another area of the same name or designation covers nearly the same ground (`same_shape_share`)."""
    for other in _neighbours(row, scene):
        if not (_same_designation(row, other) or _same_name(row, other)) or not _as_large(row, other, scene):
            continue
        found = scene.shared(row, other)
        if found and found.share_of_both >= scene.limits.same_shape_share:
            yield Hit(values={"other": other.label, "percent": 100 * found.share_of_both}, place=found.place)


def same_name(row: Row, scene: Scene) -> Iterator[Hit]:
    """Another area bears the same name and designation and doesn't lie on the same ground."""
    for other in scene.alike(row, "named", _named):
        apart = row.sound is None or other.sound is None or not row.sound.intersects(other.sound)
        if apart and (row.text("site_id") is None or row.text("site_id") != other.text("site_id")):
            yield Hit("name", {"value": row.text("name"), "designation": row.text("desig") or "–"})
            return


def _named(row: Row) -> Hashable | None:
    return (folded(row.text("name")), _designation(row)) if row.given("name") and _designation(row) else None


def _sharing(row: Row, scene: Scene) -> Iterator[tuple[Row, Shared]]:
    """Neighbours of the same designation and what the row shares with each."""
    for other in _neighbours(row, scene):
        if _same_designation(row, other) and (found := scene.shared(row, other)):
            yield other, found


def _neighbours(row: Row, scene: Scene) -> Iterator[Row]:
    """Rows whose boxes meet and that aren't parcels of the same site."""
    mine = row.text("site_id")
    return (each for each in scene.near(row) if mine is None or each.text("site_id") != mine)


def _designation(row: Row) -> str:
    return folded(row.text("desig") or row.text("desig_eng"))


def _same_designation(row: Row, other: Row) -> bool:
    return bool(_designation(row)) and _designation(row) == _designation(other)


def _same_name(row: Row, other: Row) -> bool:
    return row.given("name") and folded(row.text("name")) == folded(other.text("name"))


def _as_large(row: Row, other: Row, scene: Scene) -> bool:
    """Shapes of very different sizes can't be nearly the same; this spares the overlay."""
    small, large = sorted((row.m2 or 0.0, other.m2 or 0.0))
    return small >= scene.limits.same_shape_share * large > 0


def _at(row: Row) -> LonLat | None:
    return None if row.sound is None else (row.sound.bounds[0], row.sound.bounds[1])


def official(row: Row, scene: Scene) -> Iterator[Hit]:
    """The official area of an administrative unit and the drawn one differ by more than `official_share`."""
    said = row.figure("area_km2")
    if said and row.m2 and abs(row.m2 - said * KM2) > scene.limits.official_share * said * KM2:
        yield Hit("area_km2", _differing(said, row.m2 / KM2))


RULES: Final = (
    Rule("site-parcel-id", WARNING, MANUAL, parcel_form),
    Rule("site-parcel-twice", FAULT, QA.format("4.1"), parcel_twice),
    Rule("site-parcels-disagree", FAULT, QA.format("4.2"), parcels_disagree),
    Rule("site-decided-area", WARNING, NATIONAL, decided),
    Rule("site-reported-area", WARNING, QA.format("4.5.b, c"), reported),
    Rule("site-reported-far", WARNING, OURS, reported_far),
    Rule("site-hectares", WARNING, OURS, hectares_for_km2),
    Rule("site-gis-area", WARNING, OURS, measured),
    Rule("site-tiny", WARNING, QA.format("4.5.f"), tiny),
    Rule("site-overlap", WARNING, OURS, overlap),
    Rule("site-thin-overlap", NOTE, OURS, thin_overlap),
    Rule("site-same-again", WARNING, OURS, same_again),
    Rule("site-same-name", WARNING, OURS, same_name),
)
UNIT_RULES: Final = (Rule("unit-official-area", WARNING, OURS, official),)
