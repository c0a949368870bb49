"""What the report's map shows: shapes made light for a screen, apart from the numbers and never measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geoprocessing import clip
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.measure import polygons_of
from gis_service.geoprocessing.nearest import Near
from gis_service.geoprocessing.overlap import Site, name_of
from gis_service.geoprocessing.plots import Plot
from gis_service.geoprocessing.project import Project

GeoJSON = Mapping[str, Any]  # written for the map, never read back
MARGIN = 0.2  # of the project's size, on each side
MOST_SHAPES = 200
STEPS = 1500  # a shape is drawn to this part of the frame: about half a pixel
_CONTEXT = ("provinces",)


@dataclass(frozen=True)
class Shape:
    """A shape with the words that its tooltip says."""

    geometry: GeoJSON
    name: str
    basis: str = "published"


@dataclass(frozen=True)
class Drawing:
    """The layers of the map from below to above, and its frame in degrees."""

    frame: tuple[float, float, float, float]
    context: tuple[Shape, ...]
    areas: tuple[Shape, ...]
    project: GeoJSON
    overlaps: tuple[Shape, ...]
    ways: tuple[Shape, ...]
    plots: tuple[Shape, ...]


def draw(
    db: SyncDatabase,
    views: Mapping[str, ViewedLayer],
    project: Project,
    sites: Sequence[Site],
    near: Sequence[Near],
    plots: Sequence[Plot],
    budget: Budget,
) -> Drawing:
    """Gather and thin what lies in the frame around the project."""
    frame = _frame(project.bounds)
    step = max(frame.east - frame.west, frame.north - frame.south) / STEPS
    first = next((each for each in near if each.gap.distance_m > 0), None) if not sites else None
    if first:
        frame = _around(frame, first.gap.end)
    return Drawing(
        frame=frame.as_tuple(),
        context=tuple(_layer(db, views, _CONTEXT, frame, step, budget)),
        areas=tuple(_layer(db, views, ("protected-areas",), frame, step, budget)),
        project=light(project.geometry, step / 4),
        overlaps=tuple(
            Shape(light(site.overlap, step / 4), name_of(site.first), site.first.basis)
            for site in sites[:MOST_SHAPES]
        ),
        ways=(_way(first),) if first else (),
        plots=tuple(
            Shape({"type": "Point", "coordinates": list(plot.place)}, _plot_name(plot), plot.basis)
            for plot in plots[:MOST_SHAPES]
        ),
    )


def light(geometry: BaseGeometry, step: float) -> GeoJSON:
    """The geometry thinned to a step in degrees, its coordinates at 6 decimals."""
    thin = shapely.simplify(geometry, step, preserve_topology=True)
    text = shapely.to_geojson(shapely.transform(thin, lambda xy: xy.round(6)))
    written: GeoJSON = json.loads(text)
    return written


def _plot_name(plot: Plot) -> str:
    return str(plot.values.get("name") or plot.values.get("location_id") or plot.feature_id)


def _way(near: Near) -> Shape:
    line = {"type": "LineString", "coordinates": [list(near.gap.start), list(near.gap.end)]}
    return Shape(line, name_of(near.piece), near.piece.basis)


def _frame(bounds: tuple[float, float, float, float]) -> BBox:
    west, south, east, north = bounds
    margin = max(east - west, north - south) * MARGIN
    return BBox(
        max(west - margin, -180), max(south - margin, -90), min(east + margin, 180), min(north + margin, 90)
    )


def _around(frame: BBox, place: tuple[float, float]) -> BBox:
    lon, lat = place
    return BBox(min(frame.west, lon), min(frame.south, lat), max(frame.east, lon), max(frame.north, lat))


def _layer(
    db: SyncDatabase,
    views: Mapping[str, ViewedLayer],
    names: Sequence[str],
    frame: BBox,
    step: float,
    budget: Budget,
) -> list[Shape]:
    """The largest shapes of the layers in the frame, cut to it."""
    found: list[Shape] = []
    for view in (views[name] for name in names if name in views):
        sizes = sorted(db.run(report_sql.sizes(view, frame)), key=lambda row: -int(row[1]))[:MOST_SHAPES]
        shown = [name for name in ("name", "name_eng") if name in view.properties]
        for keys in clip.grouped(sizes):
            budget.check()
            rows = db.run(report_sql.by_key(view, shown, keys))
            shapes = shapely.from_wkb([row[4] for row in rows])
            thin = shapely.simplify(shapes, step)
            cut = polygons_of(shapely.clip_by_rect(thin, *_wider(frame)))
            found += [
                Shape(light(shape, 0), next((str(each) for each in row[5:] if each), str(row[1])), row[2])
                for row, shape in zip(rows, cut, strict=True)
                if not shape.is_empty
            ]
    return found


def _wider(frame: BBox) -> tuple[float, float, float, float]:
    """A frame so much larger that the cut edges stay out of sight."""
    margin = max(frame.east - frame.west, frame.north - frame.south)
    return frame.west - margin, frame.south - margin, frame.east + margin, frame.north + margin
