"""The project against many polygons: which meet it, what part of each lies inside, both measured exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.measure import Geometries, areas_of, polygons_of

BATCH_BYTES = 16 * 1024 * 1024  # stored bytes of geometry at a time; a few times that in memory
BATCH_ROWS = 2000
_RETRY_GRID = 1e-9  # degrees; only where the floating overlay finds no answer


@dataclass(frozen=True)
class Piece:
    """One feature that shares area with the project."""

    key: int
    feature_id: str
    basis: str
    dataset_id: int
    values: Mapping[str, Any]  # properties by name, as PostgreSQL gives them
    overlap: BaseGeometry
    overlap_m2: float
    area_m2: float


def pieces(
    db: SyncDatabase, view: ViewedLayer, names: Sequence[str], project: BaseGeometry, budget: Budget
) -> Iterator[Piece]:
    """The features of a polygon layer that share area with the project, in the order of their keys."""
    shapely.prepare(project)
    seen = [name for name in names if name in view.properties]
    for keys in batches(db, view, box_of(project)):
        budget.check()
        rows = db.run(report_sql.by_key(view, seen, keys))
        shapes = shapely.from_wkb([row[4] for row in rows])
        yield from _measured(rows, shapes, seen, project, budget)


def box_of(geometry: BaseGeometry) -> BBox:
    """The bounding box of a geometry that lies between -180 and 180 degrees."""
    return BBox(*(float(v) for v in geometry.bounds))


def batches(db: SyncDatabase, view: ViewedLayer, box: BBox) -> Iterator[list[int]]:
    """Keys of the candidates in groups whose geometry fits in memory together."""
    yield from grouped(db.run(report_sql.sizes(view, box)))


def grouped(sizes: Iterable[tuple[Any, ...]]) -> Iterator[list[int]]:
    """Cut rows (key, bytes) into groups of at most BATCH_BYTES and BATCH_ROWS, never empty."""
    keys: list[int] = []
    held = 0
    for key, size in sizes:
        if keys and (held + size > BATCH_BYTES or len(keys) >= BATCH_ROWS):
            yield keys
            keys, held = [], 0
        keys.append(key)
        held += size
    if keys:
        yield keys


def _measured(
    rows: Sequence[tuple[Any, ...]],
    shapes: Geometries,
    names: Sequence[str],
    project: BaseGeometry,
    budget: Budget,
) -> Iterator[Piece]:
    meets = np.flatnonzero(shapely.intersects(project, shapes)).tolist()
    shapes = shapes[meets]
    inside = clipped(project, shapes, budget)
    for at, part, part_m2, whole_m2 in zip(meets, inside, areas_of(inside), areas_of(shapes), strict=True):
        if part_m2 > 0:
            key, feature_id, basis, dataset_id, _, *values = rows[at]
            properties = dict(zip(names, values, strict=True))
            yield Piece(
                key, str(feature_id), basis, dataset_id, properties, part, float(part_m2), float(whole_m2)
            )


def clipped(project: BaseGeometry, shapes: Geometries, budget: Budget) -> Geometries:
    """The polygonal part of each shape inside the project; shapes wholly inside come back as they are."""
    parts = shapes.copy()
    crossing = np.flatnonzero(~shapely.contains_properly(project, shapes))
    for at in crossing:
        budget.check()
        parts[at] = intersection(project, shapes[at])
    return polygons_of(parts)


def intersection(one: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    """GEOS' floating overlay; the fixed grid of 0.1 mm only where that one fails."""
    try:
        return shapely.intersection(one, other)
    except GEOSException:
        return shapely.intersection(one, other, grid_size=_RETRY_GRID)


def union_area(shapes: Sequence[BaseGeometry]) -> float:
    """The area in m² that the shapes cover together, each place counted once."""
    return float(areas_of([union(shapes)])[0])


def union(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """The union; those far apart aren't put through the overlay (guide: Part 3, 1.2)."""
    if len(shapes) == 1:
        return shapes[0]
    try:
        return shapely.disjoint_subset_union_all(list(shapes))
    except GEOSException:
        return shapely.union_all(list(shapes), grid_size=_RETRY_GRID)
