"""Areas that no honest client sends: each is refused with a sentence, none is a fault of ours."""

from typing import Any

import pytest

from gis_service.errors import DataRefused, TooLarge
from gis_service.geoprocessing.project import read_project

RING = [[105, 20], [106, 20], [106, 21], [105, 20]]


def polygon(*rings: object, **more: object) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings), **more}


def named(crs: object) -> dict[str, Any]:
    return polygon(RING, crs=crs)


@pytest.mark.parametrize(
    "document",
    [
        None, 5, [], "x", {}, {"type": "Feature", "geometry": None}, {"type": ["Polygon"]},
        {"type": "Polygon"},
        {"type": "FeatureCollection", "features": [None, 1]}, {"type": "FeatureCollection", "features": {}},
        {"type": "GeometryCollection"}, {"type": "GeometryCollection", "geometries": 5},
        {"type": "GeometryCollection", "geometries": []}, {"type": "GeometryCollection", "geometries": [5]},
        named({"properties": None}), named({"properties": "x"}), named([]), named(5), named({}),
        named({"properties": {"name": ["EPSG:4326"]}}),
        named({"properties": {"name": "EPSG:99999999999999"}}),
        named({"properties": {"name": "\ud800"}}),
        polygon(), polygon([]), polygon([], RING), polygon(RING, RING), polygon("abc"), polygon(5),
        polygon(None),
        polygon([[105, 20], [106], [106, 21], [105, 20]]), polygon([[True, None]] * 4), polygon([{}] * 4),
        polygon([[105, 20]] * 4), polygon([[105, 20], [106, 20], [105, 20], [105, 20]]),
        polygon([[20, 105], [20, 106], [21, 106], [20, 105]]),
        polygon([[1e308, 20], [0, 1e308], [1, 1], [0, 0]]),
        polygon([[105, 20], [float("nan"), 20], [106, 21], [105, 20]]),
        polygon([[10**400, 20], [106, 20], [106, 21], [10**400, 20]]),
        {"type": "MultiPolygon", "coordinates": []}, {"type": "MultiPolygon", "coordinates": [[RING], None]},
        {"type": "MultiPolygon", "coordinates": [[[]]]}, {"type": "MultiPolygon", "coordinates": RING},
        {"type": "Point", "coordinates": [105, 20]},
    ],
)  # fmt: skip
def test_what_is_no_area_is_refused(document: object) -> None:
    with pytest.raises((DataRefused, TooLarge)):
        read_project(document)


def test_a_deep_nest_is_refused() -> None:
    document: object = polygon(RING)
    for _ in range(200):
        document = {"type": "GeometryCollection", "geometries": [document]}
    assert read_project(document).vertices == len(RING)  # as deep as the web lets through
    nested: object = 1
    for _ in range(200):
        nested = [nested]
    with pytest.raises(DataRefused):
        read_project({"type": "Polygon", "coordinates": nested})
