"""Polygons as edges: each from west to east, with a sign that says on which side the polygon lies.

A polygon is the sum, over its edges, of the sign times all that is south of the edge between its ends. So
holes, parts and their order need no care, and edges that run along a meridian vanish.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from gis_service.geoprocessing.engine import grid
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.measure import Geometries, polygons_of


@dataclass(frozen=True)
class Edges:
    """Ends in columns and rows of leaves, x1 < x2; `starts` is where each feature's begin, and their end."""

    x1: Floats
    y1: Floats
    x2: Floats
    y2: Floats
    sign: npt.NDArray[np.int8]
    starts: Integers


def edges_of(geometries: Geometries) -> Edges:
    """The edges of valid polygons in degrees, none beyond ±180 and ±90; what isn't an area has none."""
    polygons, features = shapely.get_parts(polygons_of(geometries), return_index=True)
    oriented = shapely.orient_polygons(polygons)
    rings, owners = shapely.get_rings(oriented, return_index=True)
    coords, of_ring = shapely.get_coordinates(rings, return_index=True)
    x, y = grid.columns_of(coords[:, 0]), grid.rows_of(coords[:, 1])
    begins = np.flatnonzero((of_ring[1:] == of_ring[:-1]) & (x[1:] != x[:-1]))
    # A shell runs with its inside on the left: what runs west has it south of the edge.
    west = x[begins + 1] < x[begins]
    first, second = begins + west, begins + ~west
    of_feature = features[owners[of_ring[begins]]]
    return Edges(
        x[first], y[first], x[second], y[second],
        np.where(west, 1, -1).astype(np.int8),
        np.searchsorted(of_feature, np.arange(len(geometries) + 1)).astype(np.int64),
    )  # fmt: skip
