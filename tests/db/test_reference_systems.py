"""Systems that the database knows, boxes given in any of them, and the indexes behind sorted pages."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.access.check import check
from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import Catalog, load_catalog
from gis_service.db import boxes, introspect, select, systems
from gis_service.db.paging import Cursor, SortKey
from gis_service.db.query import Binds, Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox, Box
from gis_service.geo.crs import WGS84, Crs, Systems, epsg, is_plane
from tests import sample, trial
from tests.sample import CENTRE

VN2000 = (4756, 3405, 3406, *range(5896, 5900), *range(9205, 9219))
UTM_60N, POLAR, MERCATOR = epsg(32660), epsg(3995), epsg(3857)


@pytest.fixture(scope="module")
def catalog(root: Path) -> Catalog:
    return load_catalog(root)


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as opened:
        yield opened


@pytest.fixture(scope="module")
def known(db: SyncDatabase) -> Systems:
    return Systems(frozenset(srid for (srid,) in db.run(systems.KNOWN)))


def test_all_of_vn_2000_is_known(db: SyncDatabase, known: Systems) -> None:
    for srid in VN2000:
        assert known.resolve(f"EPSG:{srid}").srid == srid
    assert db.run(systems.MISSING) == []


def test_the_check_tells_of_systems_that_are_missing_and_their_owner_can_bring_them(
    fresh_database: str, root: Path
) -> None:
    with SyncDatabase(fresh_database) as opened:
        opened.apply(["delete from spatial_ref_sys where srid in (9205, 9218)"])
        (note,) = check(root, opened).notes
        assert "EPSG:9205, EPSG:9218" in note
        assert "gis.add_vn2000()" in note
        opened.apply(["select gis.add_vn2000()"])
        assert check(root, opened).notes == ()


def test_what_is_refused_has_heights_or_no_plane(db: SyncDatabase, known: Systems) -> None:
    """So all of two dimensions that PostGIS knows is answered."""
    refused = [srid for srid in known.known if not is_plane(srid)]
    flat = db.run(
        Query(
            "select srid from spatial_ref_sys where srid = any($1::int[]) and srtext !~ '^(COMPD_CS|GEOCCS)'"
            " and srtext !~* '3D|ellipsoidal height|AXIS.*up'",
            (refused,),
        )
    )
    assert flat == [(8449,)]  # NAD83(FBN), which EPSG v11.022 gives three axes


@pytest.mark.parametrize("srid", VN2000)
def test_coordinates_are_those_of_another_reckoner(db: SyncDatabase, srid: int) -> None:
    """pyproj has a PROJ and an EPSG dataset of its own; both take `VN-2000 to WGS 84 (2)`, true to 1 m."""
    from pyproj import Transformer

    spots = [(105.8342, 21.0278), (106.6602, 10.7626), (108.2022, 16.0544)]
    theirs = Transformer.from_crs(4326, srid, always_xy=True)
    back = Transformer.from_crs(srid, 4326, always_xy=True)
    for lon, lat in spots:
        x, y = db.run(
            Query(
                "select ST_X(p), ST_Y(p) from"
                " (select ST_Transform(ST_SetSRID(ST_MakePoint($1::float8, $2::float8), 4326), $3::int) p) t",
                (lon, lat, srid),
            )
        )[0]
        tolerance = 1e-8 if srid == 4756 else 0.001  # 1 mm
        assert (x, y) == pytest.approx(theirs.transform(lon, lat), abs=tolerance)
        assert back.transform(x, y) == pytest.approx((lon, lat), abs=1e-8)


def test_the_shift_between_vn_2000_and_wgs_84_is_made(db: SyncDatabase) -> None:
    """At Hà Nội the two lie some 200 m apart: (-191.9, -39.3, -111.5) m in space."""
    metres = sample.scalar(
        db,
        "select ST_Distance(ST_Transform('SRID=4756;POINT(105.8342 21.0278)'::geometry, 4326)::geography,"
        " 'SRID=4326;POINT(105.8342 21.0278)'::geography)",
    )
    assert 150 < float(str(metres)) < 250


def covers(db: SyncDatabase, box: BBox | Box, lon: float, lat: float, srid: int = 4326) -> bool:
    """Whether the shape of a box, made for a layer of the system, holds a place."""
    binds = Binds()
    shape = boxes.shape(box, srid, binds)
    x, y = binds.add(lon), binds.add(lat)
    place = f"ST_Transform(ST_SetSRID(ST_MakePoint({x}::float8, {y}::float8), 4326), {srid:d})"
    found = db.run(
        Query(f"select ST_IsValid({shape}) and ST_Intersects({shape}, {place})", tuple(binds.values))
    )
    return bool(found[0][0])


def corner(db: SyncDatabase, crs: Crs, lon: float, lat: float) -> tuple[float, float]:
    found = db.run(
        Query(
            "select ST_X(p), ST_Y(p) from (select"
            " ST_Transform(ST_SetSRID(ST_MakePoint($1::float8, $2::float8), 4326), $3::int) p) t",
            (lon, lat, crs.srid),
        )
    )
    return found[0][0], found[0][1]


def test_a_box_of_vn_2000_holds_what_lies_between_its_sides(db: SyncDatabase) -> None:
    """100 km around Hà Nội; its lower side, straight in metres, is bent in degrees by some 20 m."""
    crs = epsg(3405)
    x, y = corner(db, crs, 105.8342, 21.0278)
    box = Box(x - 50_000, y - 50_000, x + 50_000, y + 50_000, crs)
    assert covers(db, box, 105.8342, 21.0278)
    for dx, dy, inside in (
        (0, -49_999, True),
        (0, -50_001, False),
        (49_999, 49_999, True),
        (50_001, 0, False),
    ):
        [(lon, lat)] = db.run(
            Query(
                "select ST_X(p), ST_Y(p) from (select"
                " ST_Transform(ST_SetSRID(ST_MakePoint($1::float8, $2::float8), 3405), 4326) p) t",
                (x + dx, y + dy),
            )
        )
        assert covers(db, box, lon, lat) is inside, (dx, dy)


def test_a_box_round_the_north_pole_holds_all_longitudes(db: SyncDatabase) -> None:
    box = Box(-1e6, -1e6, 1e6, 1e6, POLAR)
    for lon in (-180.0, -179.9, -90.0, 0.0, 105.0, 179.9, 180.0):
        assert covers(db, box, lon, 84.0), lon
        assert not covers(db, box, lon, 70.0), lon
    assert covers(db, box, 12.0, 90.0)
    assert not covers(db, box, 12.0, -90.0)


def test_a_box_in_metres_may_cross_the_antimeridian(db: SyncDatabase) -> None:
    west, south = corner(db, UTM_60N, 179.0, 1.0)
    east, north = corner(db, UTM_60N, -179.0, 2.0)
    box = Box(west, south, east, north, UTM_60N)
    for lon, inside in ((179.5, True), (-179.5, True), (178.5, False), (-178.5, False), (0.0, False)):
        assert covers(db, box, lon, 1.5) is inside, lon


@pytest.mark.parametrize("half", [20037508.342789244, 20037508.3428, 40_000_000.0])
def test_the_whole_world_in_web_mercator_is_the_whole_world(db: SyncDatabase, half: float) -> None:
    for lon in (-180.0, -100.0, 0.0, 105.0, 180.0):
        assert covers(db, Box(-half, -2e7, half, 2e7, MERCATOR), lon, 20.0), lon


def test_a_point_and_a_line_are_boxes_too(db: SyncDatabase) -> None:
    assert covers(db, Box(105.5, 20.5, 105.5, 20.5, WGS84), 105.5, 20.5)
    assert covers(db, Box(105.0, 20.5, 106.0, 20.5, WGS84), 105.5, 20.5)
    x, y = corner(db, epsg(3405), 105.5, 20.5)
    assert not covers(db, Box(x + 1, y, x + 1, y, epsg(3405)), 105.5, 20.5)


def test_a_box_in_degrees_is_bent_to_a_layer_in_metres(db: SyncDatabase) -> None:
    """Ten degrees along 20.001° N: its lower side in UTM lies 2 km above the straight line at its middle."""
    box = BBox(100, 20.001, 110, 21)
    assert covers(db, box, 105.0, 20.01, srid=3405)
    assert not covers(db, box, 105.0, 19.99, srid=3405)
    assert not covers(db, box, 110.1, 20.5, srid=3405)


@pytest.mark.parametrize(
    ("box", "found"),
    [
        (BBox(-180, -90, 180, 90), 3),  # the world, which has no place in UTM
        (BBox(104, 19, 106.5, 21), 2),
        (BBox(60, -60, 150, 60), 3),
        (BBox(-180, -90, 0, 90), 0),
        (Box(-2e7, -2e7, 2e7, 2e7, MERCATOR), 3),
        (Box(1.1e7, 2e6, 1.2e7, 2.5e6, MERCATOR), 3),
        (Box(-1e7, 2e6, -9e6, 2.5e6, MERCATOR), 0),
    ],
)
def test_a_layer_in_metres_is_found_by_boxes_of_any_size(
    fresh_database: str, box: BBox | Box, found: int
) -> None:
    with SyncDatabase(fresh_database) as opened:
        trial.fill(opened)
        query = select.count(trial.METRIC, ItemsQuery(bbox=box))
        assert opened.run(dataclasses.replace(query, role=None)) == [(found,)]


def test_a_box_in_metres_still_wakes_the_index(db: SyncDatabase, catalog: Catalog) -> None:
    query = ItemsQuery(bbox=Box(500_000, 2_200_000, 510_000, 2_210_000, epsg(3405)))
    plan = explain(db, select.count(view(PUBLIC, catalog.layers["occurrences"]), query))
    assert "occurrence_geom_public_idx" in plan


def explain(db: SyncDatabase, query: Query) -> str:
    """The plan when whole tables and sorts cost so much that only an absent index leads to them."""
    rows = db.run(
        Query("select set_config('enable_seqscan', 'off', false), set_config('enable_sort', 'off', false)")
    )
    assert rows
    plan = db.run(dataclasses.replace(query, sql="explain " + query.sql))
    return "\n".join(line for (line,) in plan)


def test_every_sortable_has_an_index_that_gives_its_order(db: SyncDatabase, catalog: Catalog) -> None:
    for layer in catalog.layers.values():
        found = introspect.table(db, layer.table)
        assert found is not None
        assert list(introspect.notes(layer, found)) == [], layer.id
        assert any(prop.sort for prop in layer.properties.values()), layer.id


@pytest.mark.parametrize("who", [PUBLIC, CENTRE])
def test_sorted_pages_walk_an_index_and_sort_nothing(
    db: SyncDatabase, catalog: Catalog, who: Principal
) -> None:
    """The first page and the pages beyond a cursor, in both directions, below the row policies too."""
    for layer in catalog.layers.values():
        seen = view(who, layer)
        for name, prop in seen.properties.items():
            if not prop.sort or name in seen.masked:
                continue
            for descending in (False, True):
                sort = (SortKey(name, descending),)
                for cursor in (None, Cursor((_some(prop.type),), 1), Cursor((None,), 1)):
                    query = select.items(seen, ItemsQuery(sort=sort, cursor=cursor))
                    assert "Sort" not in explain(db, query), (layer.id, name, descending, cursor)


def _some(kind: str) -> object:
    from datetime import UTC, date, datetime

    values = {"text": "x", "integer": 1, "number": 1.0, "date": date(2024, 1, 1)}
    return values.get(kind, datetime(2024, 1, 1, tzinfo=UTC))


def test_the_check_tells_of_a_sortable_without_an_index(db: SyncDatabase, catalog: Catalog) -> None:
    layer = catalog.layers["plots"]
    status = layer.properties["status"].model_copy(update={"sort": True})
    changed = layer.model_copy(update={"properties": {**layer.properties, "status": status}})
    found = introspect.table(db, layer.table)
    assert found is not None
    assert [note for note in introspect.notes(changed, found) if "status" in note]
