"""What drawn polygons share with the features of a layer, each pair exactly; rings around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from pyproj import Proj
from shapely.geometry.base import BaseGeometry

from gis_service.geoprocessing.engine.index import Index, of_labels, shared
from gis_service.geoprocessing.groups import Together
from gis_service.geoprocessing.measure import polygons_of

TOUCHING_M2: Final = 0.01  # what rounding leaves of neighbours that only touch
STEP_DEGREES: Final = 0.01  # between corners of what is projected: straight edges stay so within centimetres
QUARTERS: Final = 64  # segments of a quarter of a circle: a ring's area is 1e-4 of itself too small


@dataclass(frozen=True)
class Hit:
    """What a polygon shares with one feature, or with a group of rows: their places, m² shared, m² of all."""

    rows: tuple[int, ...]
    overlap_m2: float
    whole_m2: float


def hits(projects: Index, groups: Together) -> list[list[Hit]]:
    """For each polygon the groups that it shares area with, the largest share first."""
    each = np.arange(projects.labels, dtype=np.int32)
    found = shared(of_labels(projects, each), groups.layers, (projects.labels, len(groups)))
    return [
        [
            Hit(groups.rows[place], float(row[place]), float(groups.areas[place]))
            for place in np.argsort(-row, kind="stable").tolist()
            if row[place] > TOUCHING_M2
        ]
        for row in found
    ]


def rings(shape: BaseGeometry, metres: Sequence[float]) -> list[BaseGeometry]:
    """The shape and all that is within so many metres of it, for each distance.

    In an azimuthal equidistant projection around its middle: distances are right to 1e-4 within 150 km of
    it, to 1e-3 within 500 km.
    """
    middle = shapely.centroid(shape)
    local = Proj(f"+proj=aeqd +lat_0={middle.y!r} +lon_0={middle.x!r} +ellps=WGS84")
    dense = shapely.segmentize(shape, STEP_DEGREES)
    flat = shapely.transform(dense, lambda xy: np.column_stack(local(*xy.T)))
    found = []
    for distance in metres:
        wide = shapely.buffer(flat, distance, quad_segs=QUARTERS)
        back = shapely.transform(wide, lambda xy: np.column_stack(local(xy[:, 0], xy[:, 1], inverse=True)))
        valid = shapely.make_valid(back, method="structure", keep_collapsed=False)
        found.append(shapely.union_all([polygons_of(np.array([valid], object))[0], shape]))
    return found
