"""Make the geometry of a batch of rows fit the table: WGS 84, 2D, valid, split at 180°, one type.

A row that can't be brought there gets its reason; nothing here stops for a single bad row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from shapely import MultiPolygon
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from gis_service.exchange import dateline, densify
from gis_service.exchange.projecting import Operation
from gis_service.exchange.reasons import Reason, reason
from gis_service.geo import areas

Geometries = npt.NDArray[np.object_]
Mask = npt.NDArray[np.bool_]

_POINT, _POLYGON, _MULTIPOINT, _MULTIPOLYGON, _COLLECTION = 0, 3, 4, 6, 7


@dataclass(frozen=True)
class Aim:
    """What the table wants, and how to get there from the file's coordinates."""

    points: bool
    operation: Operation | None = None
    points_from_polygons: bool = False


@dataclass(frozen=True)
class Repair:
    """One repaired geometry: what was wrong, and its area (m²) as drawn and as repaired."""

    row: int
    fault: str
    before_m2: float
    after_m2: float


@dataclass
class Cleaned:
    """A batch on its way: `geometries[i]` is None exactly where `faults[i]` says why."""

    geometries: Geometries
    faults: list[Reason | None]
    changed: Mask
    repairs: list[Repair] = field(default_factory=list)

    def fault(self, where: Mask, why: Reason) -> None:
        """Set rows aside, unless they already are."""
        for row in np.flatnonzero(where & self.present()):
            self.faults[row] = why
            self.geometries[row] = None

    def present(self) -> Mask:
        return ~shapely.is_missing(self.geometries)

    def of_type(self, *kinds: int) -> Mask:
        return np.isin(shapely.get_type_id(self.geometries), kinds)


def clean(wkb: Sequence[bytes | None], aim: Aim) -> Cleaned:
    """Clean a batch of geometries; as many come out as went in, in the same order."""
    batch = _read(wkb)
    _drop_heights(batch)
    _refuse_endless(batch, reason("not_finite"))
    _unwrap_collections(batch)
    if aim.points:
        _points(batch, aim)
    else:
        batch.fault(~batch.of_type(_POLYGON, _MULTIPOLYGON), reason("not_polygon"))
        _polygons(batch, aim.operation)
    return batch


def bounds(wkb: Sequence[bytes | None]) -> tuple[float, float, float, float]:
    """The box around the geometries, in their own system; infinite or NaN where there are none."""
    west, south, east, north = shapely.total_bounds(decoded(wkb))
    return float(west), float(south), float(east), float(north)


def _read(wkb: Sequence[bytes | None]) -> Cleaned:
    geometries = decoded(wkb)
    faults: list[Reason | None] = [
        reason("no_geometry") if raw is None else reason("unreadable_geometry") if shape is None else None
        for raw, shape in zip(wkb, geometries, strict=True)
    ]
    batch = Cleaned(geometries, faults, np.zeros(len(geometries), bool))
    batch.fault(shapely.is_empty(geometries), reason("empty_geometry"))
    return batch


def decoded(wkb: Sequence[bytes | None]) -> Geometries:
    """Geometries, with None where the bytes hold none that can be worked with (curves, open rings)."""
    data = np.empty(len(wkb), object)
    data[:] = wkb
    with np.errstate(invalid="ignore"):  # NaN coordinates are told from the rest later on
        try:
            return np.asarray(shapely.from_wkb(data, on_invalid="ignore"), object)
        except NotImplementedError:  # a curve stops the whole array
            return np.array([_decoded_alone(each) for each in wkb], object)


def _decoded_alone(wkb: bytes | None) -> BaseGeometry | None:
    try:
        return shapely.from_wkb(wkb, on_invalid="ignore")
    except NotImplementedError:
        return None


def _drop_heights(batch: Cleaned) -> None:
    high = batch.present() & (shapely.has_z(batch.geometries) | shapely.has_m(batch.geometries))
    batch.geometries[high] = shapely.force_2d(batch.geometries[high])
    batch.changed |= high


def _refuse_endless(batch: Cleaned, why: Reason) -> None:
    coords, row = shapely.get_coordinates(batch.geometries, return_index=True)
    bad = np.zeros(len(batch.geometries), bool)
    bad[row[~np.isfinite(coords).all(axis=1)]] = True
    batch.fault(bad, why)


def _unwrap_collections(batch: Cleaned) -> None:
    """Take the polygons out of collections that hold any, and the point out of a multipoint of one."""
    for row in np.flatnonzero(batch.of_type(_COLLECTION)):
        if not (polygons := polygonal(batch.geometries[row])).is_empty:
            batch.geometries[row] = polygons
            batch.changed[row] = True
    for row in np.flatnonzero(batch.of_type(_MULTIPOINT)):
        if shapely.get_num_geometries(batch.geometries[row]) == 1:
            batch.geometries[row] = shapely.get_geometry(batch.geometries[row], 0)


def polygonal(geometry: BaseGeometry) -> BaseGeometry:
    """The polygons within any geometry as one multipolygon, empty where there are none."""
    parts = shapely.get_parts(geometry)
    if any(part.geom_type in ("GeometryCollection", "MultiPolygon") for part in parts):
        parts = np.concatenate([shapely.get_parts(polygonal(part)) for part in parts])
    return MultiPolygon([part for part in parts if part.geom_type == "Polygon" and not part.is_empty])


def _points(batch: Cleaned, aim: Aim) -> None:
    shapes = batch.of_type(_POLYGON, _MULTIPOLYGON)
    if not aim.points_from_polygons:
        batch.fault(shapes, reason("polygon_among_points"))
    batch.fault(~batch.of_type(_POINT, _POLYGON, _MULTIPOLYGON), reason("not_point"))
    _polygons(batch, aim.operation)
    shapes &= batch.present()
    batch.geometries[shapes] = shapely.point_on_surface(batch.geometries[shapes])
    batch.changed |= shapes
    if aim.operation:
        points = batch.of_type(_POINT) & ~shapes
        lonlat = aim.operation.apply(shapely.get_coordinates(batch.geometries[points]))
        batch.geometries[points] = shapely.points(lonlat)
        batch.changed |= points
        _refuse_endless(batch, reason("outside_crs"))
    _refuse_points_off_the_globe(batch)


def _refuse_points_off_the_globe(batch: Cleaned) -> None:
    lon, lat = shapely.get_x(batch.geometries), shapely.get_y(batch.geometries)
    batch.fault((np.abs(lon) > 180) | (np.abs(lat) > 90), reason("off_the_globe"))
    batch.fault((lon == 0) & (lat == 0), reason("null_island"))


def _polygons(batch: Cleaned, operation: Operation | None) -> None:
    """Transform, check, split and repair the polygons of a batch, and make each a multipolygon."""
    if operation:
        shapes = batch.of_type(_POLYGON, _MULTIPOLYGON)
        batch.geometries[shapes] = densify.transformed(batch.geometries[shapes], operation.apply)
        batch.changed |= shapes
        _refuse_endless(batch, reason("outside_crs"))
    shapes = batch.of_type(_POLYGON, _MULTIPOLYGON)
    west, south, east, north = shapely.bounds(batch.geometries).T
    off = (west < -180) | (east > 540) | (south < -90) | (north > 90)
    batch.fault(shapes & off, reason("off_the_globe"))
    _split(batch)
    _repair(batch)
    single = np.flatnonzero(batch.of_type(_POLYGON))
    batch.geometries[single] = shapely.multipolygons(batch.geometries[single], indices=np.arange(len(single)))


def _split(batch: Cleaned) -> None:
    shapes = batch.of_type(_POLYGON, _MULTIPOLYGON)
    for row in np.flatnonzero(shapes & dateline.crosses(batch.geometries)):
        try:
            whole = dateline.split(batch.geometries[row])
        except GEOSException:
            whole = None
        if whole is None or whole.is_empty:
            batch.faults[row], batch.geometries[row] = reason("half_the_globe"), None
        elif not shapely.equals_exact(whole, _multi(batch.geometries[row])):
            batch.geometries[row] = whole
            batch.changed[row] = True


def _multi(shape: BaseGeometry) -> BaseGeometry:
    return MultiPolygon(list(shapely.get_parts(shape)))


def _repair(batch: Cleaned) -> None:
    """Repair invalid polygons by the structure method: shells stay, holes stay, overlaps count once."""
    shapes = batch.of_type(_POLYGON, _MULTIPOLYGON)
    for row in np.flatnonzero(shapes & ~shapely.is_valid(batch.geometries)):
        drawn = batch.geometries[row]
        try:
            valid = polygonal(shapely.make_valid(drawn, method="structure", keep_collapsed=False))
        except GEOSException:
            valid = None
        if valid is None or valid.is_empty or not valid.is_valid:
            batch.faults[row], batch.geometries[row] = reason("beyond_repair", fault=_fault(drawn)), None
            continue
        batch.geometries[row] = valid
        batch.changed[row] = True
        batch.repairs.append(Repair(int(row), _fault(drawn), area(drawn), area(valid)))


def _fault(shape: BaseGeometry) -> str:
    return str(shapely.is_valid_reason(shape))


def area(shape: BaseGeometry) -> float:
    """Ellipsoidal area (m²) of a polygon or multipolygon as it is drawn, valid or not."""
    _, coords, offsets = shapely.to_ragged_array(np.array([_multi(shape)], object))
    return float(areas.areas(coords, *(np.asarray(each, np.int64) for each in offsets))[0])
