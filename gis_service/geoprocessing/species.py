"""Species by range, which may be there, and by record, which were seen there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import clip
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.clip import Piece
from gis_service.geoprocessing.measure import area
from gis_service.geoprocessing.overlap import Group, whole_area

RANGE_NAMES = ("sci_name", "category", "presence", "origin", "seasonal")
RECORD_NAMES = ("scientificName", "eventDate", "occurrenceStatus")
_POINTS = 20_000

# Extant or probably extant; native or reintroduced; resident, breeding or non-breeding (domain guide, 2.6).
KEPT_CODES: Mapping[str, frozenset[int]] = {
    "presence": frozenset({1, 2}),
    "origin": frozenset({1, 2}),
    "seasonal": frozenset({1, 2, 3}),
}


@dataclass(frozen=True)
class Range:
    """The ranges of one species against the project, all their rows together."""

    scientific_name: str
    first: Piece
    overlap_m2: float
    area_m2: float


@dataclass
class Recorded:
    """The records of one species inside, gathered while they stream by."""

    scientific_name: str
    values: Mapping[str, Any]
    basis: str
    n: int = 0
    last: date | None = None
    generalised: bool = False
    datasets: set[int] = field(default_factory=set)


def ranges(
    db: SyncDatabase, view: ViewedLayer, project: BaseGeometry, budget: Budget
) -> tuple[tuple[Range, ...], int]:
    """Species whose range shares area with the project by name, and how many rows their codes left out."""
    by_name: dict[Group, list[Piece]] = defaultdict(list)
    left_out = 0
    for piece in clip.pieces(db, view, RANGE_NAMES, project, budget):
        if kept(piece.values):
            by_name[piece.dataset_id, str(piece.values.get("sci_name") or piece.feature_id)].append(piece)
        else:
            left_out += 1
    whole = _whole_areas(db, view, by_name, budget)
    found = [_range(group[1], rows, whole.get(group)) for group, rows in by_name.items()]
    return tuple(sorted(found, key=lambda r: (r.scientific_name, r.first.dataset_id))), left_out


def kept(values: Mapping[str, Any]) -> bool:
    """Whether a range row's codes are among those counted; an empty code counts."""
    return all(values.get(name) is None or values[name] in codes for name, codes in KEPT_CODES.items())


def _range(name: str, rows: Sequence[Piece], whole_m2: float | None) -> Range:
    overlap = rows[0].overlap_m2 if len(rows) == 1 else area(clip.union([row.overlap for row in rows]))
    return Range(name, rows[0], overlap, whole_m2 if whole_m2 is not None else rows[0].area_m2)


def _whole_areas(
    db: SyncDatabase, view: ViewedLayer, by_name: Mapping[Group, Sequence[Piece]], budget: Budget
) -> Mapping[Group, float]:
    """Areas of the ranges drawn in several rows, the rows away from the project included."""
    if not by_name or "sci_name" not in view.properties:
        return {}
    keys: dict[Group, list[int]] = defaultdict(list)
    names = sorted({name for _, name in by_name})
    for key, dataset_id, name in db.run(report_sql.sharing(view, "sci_name", names, "text")):
        keys[dataset_id, name].append(key)
    several = {group: found for group, found in keys.items() if group in by_name and len(found) > 1}
    codes = [name for name in KEPT_CODES if name in view.properties]
    counted = {group: _counted(db, view, found, codes) for group, found in several.items()}
    return {group: whole_area(db, view, found, budget) for group, found in counted.items()}


def _counted(db: SyncDatabase, view: ViewedLayer, keys: Sequence[int], codes: Sequence[str]) -> list[int]:
    rows = db.run(report_sql.attributes(view, codes, keys))
    return [row[0] for row in rows if kept(dict(zip(codes, row[1:], strict=True)))]


def recorded(
    db: SyncDatabase, view: ViewedLayer, project: BaseGeometry, budget: Budget
) -> tuple[Recorded, ...]:
    """Species with records whose position, as the reader sees it, lies in the project, by name."""
    found: dict[tuple[str, str], Recorded] = {}
    for row, values in inside(db, view, RECORD_NAMES, project, budget):
        if values.get("occurrenceStatus") == "absent":
            continue
        _, basis, dataset_id, _, _, generalised = row[:6]
        name = str(values.get("scientificName") or "?")
        entry = found.setdefault((name, basis), Recorded(name, values, basis))
        entry.n += 1
        entry.last = latest(entry.last, values.get("eventDate"))
        entry.generalised |= bool(generalised)
        entry.datasets.add(dataset_id)
    return tuple(found[key] for key in sorted(found))


def inside(
    db: SyncDatabase, view: ViewedLayer, names: Sequence[str], project: BaseGeometry, budget: Budget
) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    """Point rows within the project or on its edge, streamed, with their properties by name."""
    shapely.prepare(project)
    seen = [name for name in names if name in view.properties]
    held: list[tuple[Any, ...]] = []
    query = report_sql.points(view, seen, clip.box_of(project))
    for row in db.stream(query, _POINTS):
        held.append(row)
        if len(held) == _POINTS:
            yield from _within(held, seen, project, budget)
            held = []
    yield from _within(held, seen, project, budget)


def _within(
    rows: Sequence[tuple[Any, ...]], names: Sequence[str], project: BaseGeometry, budget: Budget
) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    budget.check()
    if not rows:
        return
    places = np.array([(row[3], row[4]) for row in rows], float)
    for at in np.flatnonzero(shapely.intersects_xy(project, places)).tolist():
        yield rows[at], dict(zip(names, rows[at][6:], strict=True))


def latest(one: date | None, other: object) -> date | None:
    """The later of two days; what isn't a day or a moment (a free text date) counts as unknown."""
    day = other.date() if isinstance(other, datetime) else other
    if not isinstance(day, date):
        return one
    return day if one is None or day > one else one
