"""Areas, distances and bearings of shapely geometries on WGS 84."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.geo import areas

Geometries = npt.NDArray[np.object_]
_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7


def area(geometry: BaseGeometry) -> float:
    """The area in m² (see gis_service.geo.areas)."""
    return float(areas_of([geometry])[0])


def areas_of(geometries: Sequence[BaseGeometry] | Geometries) -> areas.Floats:
    """Areas in m², one per geometry; lines and points in a collection count nothing."""
    array = np.asarray(geometries, dtype=object)
    if not len(array):
        return np.zeros(0)
    # A multipolygon at the end makes the ragged form the same for every mixture of polygons.
    padded = np.empty(len(array) + 1, dtype=object)
    padded[:-1], padded[-1] = polygons_of(array), _FORM
    _, coords, offsets = shapely.to_ragged_array(padded)
    return areas.areas(coords, *(each.astype(np.int64) for each in offsets))[:-1]


_FORM = shapely.from_wkt("MULTIPOLYGON EMPTY")


def polygons_of(geometries: Geometries) -> Geometries:
    """The polygonal part of each geometry: overlays also return the lines and points where things touch."""
    kinds = shapely.get_type_id(geometries)
    if np.isin(kinds, (_POLYGON, _MULTIPOLYGON)).all():
        return geometries
    result = geometries.copy()
    for at in np.flatnonzero(~np.isin(kinds, (_POLYGON, _MULTIPOLYGON))):
        result[at] = _polygonal(geometries[at])
    return result


def _polygonal(geometry: BaseGeometry | None) -> BaseGeometry:
    if geometry is None:
        return _FORM
    parts = shapely.get_parts(geometry)
    kinds = shapely.get_type_id(parts)
    whole = [part for part, kind in zip(parts, kinds, strict=True) if kind == _POLYGON]
    nested = [part for part, kind in zip(parts, kinds, strict=True) if kind in (_MULTIPOLYGON, _COLLECTION)]
    for part in nested:
        whole += [each for each in shapely.get_parts(_polygonal(part)) if not each.is_empty]
    return shapely.multipolygons(whole) if whole else _FORM
