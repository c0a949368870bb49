"""The project polygon: what is accepted, what is repaired, what is refused and why."""

from typing import Any

import pytest
import shapely
from shapely.geometry import mapping

from gis_service.geo import areas
from gis_service.geoprocessing.measure import area
from gis_service.geoprocessing.project import ProjectLimits, ProjectRefused, ProjectTooLarge, read_project

SQUARE: dict[str, Any] = mapping(shapely.box(105, 10, 106, 11))


def ring(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(p) for p in points]]}


def test_a_polygon_a_feature_and_a_collection_of_one_are_the_same_project() -> None:
    feature = {"type": "Feature", "properties": None, "geometry": SQUARE}
    collection = {"type": "FeatureCollection", "features": [feature]}
    projects = [read_project(each) for each in (SQUARE, feature, collection)]
    assert len({project.place_hash() for project in projects}) == 1
    assert projects[0].area_m2 == pytest.approx(areas.box(105, 10, 106, 11))
    assert projects[0].notes == ()


def test_overlapping_polygons_count_their_common_part_once_and_say_so() -> None:
    two = {"type": "GeometryCollection", "geometries": [SQUARE, mapping(shapely.box(105.5, 10, 106.5, 11))]}
    project = read_project(two)
    assert project.area_m2 == pytest.approx(areas.box(105, 10, 106.5, 11))
    assert [note.key for note in project.notes] == ["report.note.joined"]


def test_a_bowtie_is_repaired_and_its_change_told() -> None:
    project = read_project(ring((105, 10), (106, 11), (106, 10), (105, 11), (105, 10)))
    (note,) = project.notes
    assert note.key == "report.note.repaired"
    assert dict(note.values)["reason"] == "Self-intersection"
    assert dict(note.values)["change_m2"] == pytest.approx(project.area_m2, rel=0.01)


def test_overlapping_parts_of_a_multipolygon_do_not_become_a_hole() -> None:
    parts = [shapely.box(105, 10, 106, 11), shapely.box(105.5, 10, 106.5, 11)]
    document = {"type": "MultiPolygon", "coordinates": [mapping(part)["coordinates"] for part in parts]}
    assert read_project(document).area_m2 == pytest.approx(areas.box(105, 10, 106.5, 11))


@pytest.mark.parametrize("east", [-179.0, 181.0])
def test_a_box_over_the_antimeridian_is_cut_there(east: float) -> None:
    project = read_project(ring((179, 10), (east, 10), (east, 12), (179, 12), (179, 10)))
    assert project.area_m2 == pytest.approx(areas.box(179, 10, 181, 12))
    assert project.bounds == (-180, 10, 180, 12)
    assert [note.key for note in project.notes] == ["report.note.antimeridian"]


def test_the_whole_world_is_not_taken_for_a_box_over_the_antimeridian() -> None:
    world = mapping(shapely.box(-180, -90, 180, 90))
    assert area(read_project(world, ProjectLimits(area_km2=1e9)).geometry) == pytest.approx(
        5.1006562e14, rel=1e-7
    )


def test_heights_are_left_out() -> None:
    flat = read_project(SQUARE)
    high = {"type": "Polygon", "coordinates": [[[x, y, 7.0] for x, y in SQUARE["coordinates"][0]]]}
    assert read_project(high).exact_hash() == flat.exact_hash()


def test_the_place_hash_knows_neither_the_first_vertex_nor_the_millimetre() -> None:
    turned = ring((106, 11), (105, 11), (105, 10.000000001), (106, 10), (106, 11))
    assert read_project(turned).place_hash() == read_project(SQUARE).place_hash()
    assert read_project(turned).exact_hash() != read_project(SQUARE).exact_hash()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("text", "must be GeoJSON"),
        ({"type": "Point", "coordinates": [105, 10]}, "Point"),
        ({"type": "LineString", "coordinates": [[105, 10], [106, 11]]}, "LineString"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon", "coordinates": [[[105, 10], [106, 10]]]}, "can't be read"),
        ({"type": "Polygon", "coordinates": [[["a", 1], [2, 3], [4, 5]]]}, "can't be read"),
        ({"type": "Polygon"}, "can't be read"),
        ({"type": "Feature", "geometry": None}, "must be GeoJSON"),
        ({"type": "FeatureCollection", "features": []}, "no features"),
        (ring((0, 0), (0, float("nan")), (1, 1), (0, 0)), "finite"),
        (ring((551000, 1200000), (552000, 1200000), (552000, 1201000), (551000, 1200000)), "metres"),
        (ring((105, 10), (106, 11), (105, 10), (105, 10)), "Nothing with an area"),
        ({**SQUARE, "crs": {"type": "name", "properties": {"name": "EPSG:3405"}}}, "EPSG:3405"),
        ({**SQUARE, "crs": {"type": "name", "properties": {"name": "local"}}}, "local"),
    ],
)
def test_what_is_no_polygon_in_degrees_is_refused_with_its_reason(document: object, says: str) -> None:
    with pytest.raises(ProjectRefused, match=says):
        read_project(document)


def test_the_old_crs_member_may_name_longitude_and_latitude() -> None:
    named = {**SQUARE, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}}
    assert read_project(named).vertices == 5


def test_too_many_vertices_and_too_large_an_area_are_refused() -> None:
    with pytest.raises(ProjectTooLarge, match="5 vertices, one report takes at most 4"):
        read_project(SQUARE, ProjectLimits(vertices=4))
    with pytest.raises(ProjectTooLarge, match="at most 100 km²"):
        read_project(SQUARE, ProjectLimits(area_km2=100))
