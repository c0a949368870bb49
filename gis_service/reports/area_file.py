"""The area of a report from a file: GeoJSON as it is, any other vector file that GDAL reads transformed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataSourceError
from shapely.errors import ShapelyError
from shapely.geometry import mapping

from gis_service.errors import DataRefused, Usage
from gis_service.exchange import densify, gdal, projecting
from gis_service.texts import say

_GEOJSON = (".geojson", ".json")
_POLYGONS = (3, 6)
_TOLERANCE_M = 0.001  # what an edge may stray: areas are told to a millionth


class AreaRefused(DataRefused):
    """{detail}"""

    code = "area-refused"


def read_area(path: Path) -> Mapping[str, Any]:
    """The polygons of the file as GeoJSON; Usage where it can't be opened, AreaRefused where it has none."""
    if not path.is_file():
        raise Usage(say("report.file.missing", "en", file=path))
    if path.suffix.lower() in _GEOJSON:
        return _geojson(path)
    gdal.forget_referring_formats()
    try:
        meta, _, wkb, _ = pyogrio.raw.read(path, columns=[], force_2d=True)
        shapes = shapely.from_wkb(wkb)
    except (DataSourceError, ShapelyError, ValueError) as err:
        raise AreaRefused(say("report.file.unreadable", "en", file=path.name, reason=str(err)[:300])) from err
    shapes = np.array([shape for shape in shapes if shape is not None], dtype=object)
    if not len(shapes) or not np.isin(shapely.get_type_id(shapes), _POLYGONS).all():
        raise AreaRefused(say("report.file.no_polygons", "en", file=path.name))
    if not meta["crs"]:
        raise AreaRefused(say("report.file.no_crs", "en", file=path.name))
    members = [mapping(shape) for shape in _in_degrees(shapes, str(meta["crs"]))]
    return {"type": "GeometryCollection", "geometries": members}


def _geojson(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as err:
        raise AreaRefused(say("report.file.unreadable", "en", file=path.name, reason=str(err)[:300])) from err
    if not isinstance(document, dict):
        raise AreaRefused(say("report.refused.geojson", "en"))
    return document


def _in_degrees(shapes: densify.Geometries, crs: str) -> densify.Geometries:
    """Longitude and latitude; long edges are cut first, for straight in metres isn't straight in degrees."""
    system = projecting.parse(crs)
    if projecting.is_wgs84(system):
        return shapes
    west, south, east, north = shapely.total_bounds(shapes)
    operation = projecting.operation(system, (float(west), float(south), float(east), float(north)))
    return densify.transformed(shapes, operation.apply, _TOLERANCE_M)
