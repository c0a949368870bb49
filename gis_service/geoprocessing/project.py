"""The polygon that a report is about: read from GeoJSON, checked, repaired, and what was changed said."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import affinity
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis_service.errors import DataRefused, GisError, TooLarge
from gis_service.geo.crs import CRS84, srid_of
from gis_service.geoprocessing.measure import Geometries, area, areas_of, polygons_of
from gis_service.texts import say

GeoJSON = Mapping[str, Any]  # what a client sent: nothing about it is known yet

_POLYGONS = ("Polygon", "MultiPolygon")


class ProjectRefused(DataRefused):
    """{detail}"""

    code = "project-refused"


class ProjectTooLarge(TooLarge):
    """{detail}"""

    code = "project-too-large"


@dataclass(frozen=True)
class ProjectLimits:
    """What one report may be asked about."""

    vertices: int = 2_000_000
    area_km2: float = 2_000_000.0


@dataclass(frozen=True)
class Note:
    """Something done to the polygon, as a key of the text catalogue and its values."""

    key: str
    values: tuple[tuple[str, str | int | float], ...] = ()


@dataclass(frozen=True)
class Project:
    """A valid multipolygon in longitude and latitude, between -180 and 180 degrees."""

    geometry: BaseGeometry
    area_m2: float
    vertices: int
    notes: tuple[Note, ...] = ()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        west, south, east, north = self.geometry.bounds
        return (west, south, east, north)

    def place_hash(self) -> str:
        """SHA-256 of the place: normalised, coordinates at 7 decimals (1 cm)."""
        return _sha256(shapely.transform(self.geometry, lambda xy: np.round(xy, 7) + 0.0))

    def exact_hash(self) -> str:
        """SHA-256 of the normalised coordinates as they are: equal hashes give equal numbers."""
        return _sha256(self.geometry)


def _sha256(geometry: BaseGeometry) -> str:
    wkb: bytes = shapely.to_wkb(shapely.normalize(geometry), byte_order=1, output_dimension=2)
    return hashlib.sha256(wkb).hexdigest()


def _refusal(kind: type[GisError], key: str, **values: str | float) -> GisError:
    """The error in English; the web says the same key in the reader's language."""
    return kind(say(key, "en", **values), key=key, **values)


def read_project(document: object, limits: ProjectLimits = ProjectLimits()) -> Project:
    """The project in a GeoJSON geometry, feature or feature collection; ProjectRefused or ProjectTooLarge."""
    members = _geometries(document)
    parts = [_parsed(member) for member in members]
    if (vertices := int(shapely.get_num_coordinates(parts).sum())) > limits.vertices:
        raise _refusal(ProjectTooLarge, "report.refused.vertices", n=vertices, most=limits.vertices)
    notes: list[Note] = []
    whole = _joined([_repaired(_within_world(part, notes), notes) for part in parts], notes)
    size = area(whole)
    if size <= 0:
        raise _refusal(ProjectRefused, "report.refused.no_area")
    if size / 1e6 > limits.area_km2:
        raise _refusal(
            ProjectTooLarge, "report.refused.size", km2=round(size / 1e6), most=round(limits.area_km2)
        )
    return Project(whole, size, vertices, tuple(dict.fromkeys(notes)))


def _geometries(document: object) -> list[GeoJSON]:
    """The polygon geometries of the document, in order."""
    if not isinstance(document, Mapping):
        raise _refusal(ProjectRefused, "report.refused.geojson")
    _check_crs(document)
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list) or not features:
            raise _refusal(ProjectRefused, "report.refused.no_features")
        return [geometry for feature in features for geometry in _geometries(feature)]
    if kind == "Feature":
        return _geometries(document.get("geometry"))
    if kind == "GeometryCollection":
        members = document.get("geometries")
        if not isinstance(members, list) or not members:
            raise _refusal(ProjectRefused, "report.refused.empty")
        return [each for member in members for each in _geometries(member)]
    if kind not in _POLYGONS:
        raise _refusal(ProjectRefused, "report.refused.kind", given=str(kind)[:50])
    return [document]


def _check_crs(document: GeoJSON) -> None:
    """GeoJSON of 2008 may name another system; here it must be longitude and latitude (RFC 7946, 4)."""
    crs = document.get("crs")
    if crs is None:
        return
    named = crs.get("properties") if isinstance(crs, Mapping) else None
    name = named.get("name") if isinstance(named, Mapping) else None
    try:
        known = isinstance(name, str) and srid_of(name) == 4326
    except ValueError:
        known = False
    if not known:
        raise _refusal(ProjectRefused, "report.refused.crs", crs=CRS84, name=str(name)[:100])


def _parsed(geometry: GeoJSON) -> BaseGeometry:
    try:
        with np.errstate(invalid="ignore"):  # NaN has its own sentence below
            parsed = shapely.force_2d(shape(dict(geometry)))
    except (ShapelyError, ValueError, TypeError, LookupError, AttributeError, OverflowError) as err:
        raise _refusal(ProjectRefused, "report.refused.coordinates", reason=str(err)[:200]) from err
    if parsed.is_empty:
        raise _refusal(ProjectRefused, "report.refused.empty")
    coords = shapely.get_coordinates(parsed)
    if not np.isfinite(coords).all():
        raise _refusal(ProjectRefused, "report.refused.finite")
    # 360 and not 180: a polygon over the antimeridian may be written 179 … 181 (RFC 7946 says split it).
    if np.abs(coords[:, 0]).max() > 360 or np.abs(coords[:, 1]).max() > 90:
        raise _refusal(ProjectRefused, "report.refused.outside")
    return parsed


def _within_world(geometry: BaseGeometry, notes: list[Note]) -> BaseGeometry:
    """The geometry between -180 and 180 degrees, cut at the antimeridian where it crosses it."""
    parts = [_cut_part(part, notes) for part in shapely.get_parts(geometry)]
    return parts[0] if len(parts) == 1 else _multi(shapely.get_parts(parts))


def _cut_part(part: BaseGeometry, notes: list[Note]) -> BaseGeometry:
    west, _, east, _ = part.bounds
    if east - west > 180 and east - west != 360:
        # Wider than half the world means that it was written across the antimeridian: 179, -179.
        part = shapely.transform(part, lambda xy: xy + np.where(xy[:, :1] < 0, (360.0, 0.0), 0.0))
        west, _, east, _ = part.bounds
        if east - west > 180:
            raise _refusal(ProjectRefused, "report.refused.wide")
    if west >= -180 and east <= 180:
        return part
    notes.append(Note("report.note.antimeridian"))
    valid = _made_valid(part) if not part.is_valid else part
    slices = [(-540, -180, 360.0), (-180, 180, 0.0), (180, 540, -360.0)]
    found = [
        affinity.translate(piece, shift)
        for low, high, shift in slices
        if not (piece := shapely.intersection(valid, shapely.box(low, -90, high, 90))).is_empty
    ]
    return _multi([each for piece in found for each in shapely.get_parts(_polygonal(piece))])


def _repaired(geometry: BaseGeometry, notes: list[Note]) -> BaseGeometry:
    if shapely.is_valid(geometry):
        return geometry
    reason = str(shapely.is_valid_reason(geometry)).split("[", 1)[0]
    before = float(np.abs(areas_of([geometry])[0]))
    fixed = _made_valid(geometry)
    change = area(fixed) - before
    notes.append(Note("report.note.repaired", (("reason", reason), ("change_m2", round(change, 1)))))
    return fixed


def _made_valid(geometry: BaseGeometry) -> BaseGeometry:
    """The structure method: shells stay shells, so overlapping parts don't turn into holes."""
    fixed = _polygonal(shapely.make_valid(geometry, method="structure", keep_collapsed=False))
    if fixed.is_empty:
        raise _refusal(ProjectRefused, "report.refused.nothing_left")
    return fixed


def _polygonal(geometry: BaseGeometry) -> BaseGeometry:
    found: BaseGeometry = polygons_of(np.array([geometry], dtype=object))[0]
    return found


def _multi(parts: Sequence[BaseGeometry] | Geometries) -> BaseGeometry:
    return shapely.multipolygons(np.asarray(parts, dtype=object))  # type: ignore[return-value]  # one, as no indices are given


def _joined(parts: list[BaseGeometry], notes: list[Note]) -> BaseGeometry:
    if len(parts) == 1:
        whole = parts[0]
    else:
        whole = _polygonal(shapely.union_all(parts))
        notes.append(Note("report.note.joined", (("n", len(parts)),)))
    return _multi(shapely.get_parts(whole))
