"""Spatial filters on a real database, and what a filter may not find out of what a class doesn't see."""

import asyncio
import functools
from collections.abc import Iterator

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import Catalog, load_catalog
from gis_service.db import rows
from gis_service.db.cql2.compile import condition
from gis_service.db.pool import Database
from gis_service.db.query import Binds, Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Unprojectable
from gis_service.features import filters
from gis_service.geo.crs import WGS84, epsg
from tests import sample, trial
from tests.conftest import ROOT

ALL = [1, 2, 3, 4, 6]  # of the rows that have a place


@functools.cache
def catalog() -> Catalog:
    return load_catalog(ROOT)


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as connection:
        trial.fill(connection)
        yield connection


POINTS = [
    ("S_INTERSECTS(geometry, BBOX(104, 19, 106, 21))", [1, 2]),
    ("S_INTERSECTS(geom, BBOX(104, 19, -5, 106, 21, 5))", [1, 2]),
    ("S_INTERSECTS(geom, POINT(105 20))", [1]),
    ("S_INTERSECTS(POINT Z(105 20 7), geom)", [1]),
    ("S_INTERSECTS(geom, BBOX(105, 20, 105, 20))", [1]),
    ("S_INTERSECTS(geom, BBOX(105, 20, 107, 20))", [1, 2, 3]),
    ("S_INTERSECTS(geom, BBOX(179, -20, -179, 0))", [4, 6]),
    ("S_INTERSECTS(geom, BBOX(-180, -90, 180, 90))", ALL),
    ("S_INTERSECTS(geom, BBOX(-180.00000000000003, -90, 180.00000000000003, 90))", ALL),
    ("S_DISJOINT(geom, BBOX(179, -20, -179, 0))", [1, 2, 3]),
    ("S_WITHIN(geom, BBOX(179, -20, -179, 0))", [4, 6]),
    ("S_EQUALS(geom, POINT(106 20))", [2]),
    ("S_WITHIN(geom, POLYGON((104 19, 105.5 19, 105.5 21, 104 21, 104 19)))", [1]),
    ("S_CONTAINS(POLYGON((104 19, 105.5 19, 105.5 21, 104 21, 104 19)), geom)", [1]),
    ("S_INTERSECTS(geom, MULTIPOINT((105 20), (107 20)))", [1, 3]),
    ("S_INTERSECTS(geom, MULTIPOINT(105 20, 107 20))", [1, 3]),
    ("S_INTERSECTS(geom, LINESTRING(100 20, 106.5 20))", [1, 2]),
    ("S_TOUCHES(geom, LINESTRING(105 20, 106.5 20))", [1]),
    ("S_INTERSECTS(geom, MULTILINESTRING((105 20, 105 21), (107 20, 107 21)))", [1, 3]),
    ("S_INTERSECTS(geom, GEOMETRYCOLLECTION(POINT(107 20), LINESTRING(105 20, 105 21)))", [1, 3]),
    ("S_WITHIN(geom, GEOMETRYCOLLECTION(POINT(107 20), LINESTRING(105 19, 105 21)))", [1, 3]),
    ("S_EQUALS(geometry, geometry)", ALL),
    ("not S_INTERSECTS(geom, POINT(105 20))", [2, 3, 4, 6]),
    ("S_INTERSECTS(POINT(1 1), POINT(1 1)) and n = 1", [1]),
]


@pytest.mark.parametrize(("text", "expected"), POINTS)
def test_spatial_functions_of_points(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text) == expected


SQUARES = [
    ("S_INTERSECTS(geom, BBOX(2, 0, 2, 0))", [1, 3]),
    ("S_TOUCHES(geom, POLYGON((2 0, 4 0, 4 2, 2 2, 2 0)))", [1]),
    ("S_EQUALS(geom, POLYGON((2 2, 2 0, 0 0, 0 2, 2 2)))", [1]),
    ("S_OVERLAPS(geom, POLYGON((0 0, 2 0, 2 2, 0 2, 0 0)))", [2]),
    ("S_WITHIN(geom, POLYGON((0 0, 2 0, 2 2, 0 2, 0 0)))", [1, 4]),
    ("S_CONTAINS(geom, POLYGON((0.6 0.6, 0.7 0.6, 0.7 0.7, 0.6 0.6)))", [1, 4]),
    ("S_CROSSES(geom, LINESTRING(-1 0.2, 5 0.2))", [1, 3]),
    ("S_DISJOINT(geom, POINT(0.2 0.2))", [2, 3, 4]),
    ("S_CONTAINS(geom, GEOMETRYCOLLECTION(POINT(0.2 0.2), LINESTRING(1.2 1.2, 1.4 1.4)))", [1]),
    ("S_EQUALS(geom, GEOMETRYCOLLECTION(POINT(1 1), POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))))", [1]),
    (
        "S_OVERLAPS(geom, GEOMETRYCOLLECTION(POINT(9 9), POLYGON((-1 -1, 1 -1, 1 1.9, -1 1.9, -1 -1))))",
        [1],
    ),
    ("S_TOUCHES(geom, GEOMETRYCOLLECTION(POINT(0 1), LINESTRING(2 0, 2 2)))", [1, 3]),
    ("S_CROSSES(geom, GEOMETRYCOLLECTION(POINT(9 9), LINESTRING(-1 0.2, 5 0.2)))", [1, 3]),
    (
        "S_WITHIN(geom, GEOMETRYCOLLECTION(POLYGON((0 0,1 0,1 2,0 2,0 0)), POLYGON((1 0,2 0,2 2,1 2,1 0))))",
        [1, 4],
    ),
]


@pytest.mark.parametrize(("text", "expected"), SQUARES)
def test_spatial_functions_of_areas(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text, viewed=trial.SQUARES) == expected


LINES = [
    ("S_CROSSES(geom, LINESTRING(1 -1, 1 3))", [1, 2]),
    ("S_OVERLAPS(geom, LINESTRING(-1 0, 1 0))", [1]),
    ("S_WITHIN(geom, BBOX(-1, -1, 5, 3))", [1, 2]),
    ("S_CROSSES(geom, GEOMETRYCOLLECTION(POINT(9 9), LINESTRING(1 -1, 1 3)))", [1, 2]),
    ("S_OVERLAPS(geom, GEOMETRYCOLLECTION(POINT(9 9), LINESTRING(-1 0, 1 0)))", [1]),
]


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_spatial_functions_of_lines(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text, viewed=trial.LINES) == expected


def test_q5_literals_are_in_the_axis_order_of_the_filter_s_system(db: SyncDatabase) -> None:
    def found(text: str, srid: int) -> list[int]:
        return trial.ids(db, text, crs=epsg(srid))

    assert found("S_INTERSECTS(geom, BBOX(19, 104, 21, 105.5))", 4326) == [1]
    assert found("S_INTERSECTS(geom, POINT(20 106))", 4326) == [2]
    # On the central meridian of UTM zone 48 (105 E), 500 km east; 2,211,481.7 m is 20 N.
    assert found("S_INTERSECTS(geom, BBOX(499000, 2210000, 501000, 2213000))", 32648) == [1]
    # EPSG:3405 (VN-2000) has the same plane; its authority writes easting first, EPSG:5897 northing first.
    assert found("S_INTERSECTS(geom, BBOX(499000, 2210000, 501000, 2213000))", 3405) == [1]


def test_a_literal_is_brought_to_the_system_of_the_layer(db: SyncDatabase) -> None:
    assert trial.ids(db, "S_INTERSECTS(geom, BBOX(104.9, 19.9, 105.1, 20.1))", viewed=trial.METRIC) == [1]
    assert trial.ids(db, "S_WITHIN(geom, BBOX(104.9, 19.9, 106.1, 20.1))", viewed=trial.METRIC) == [1, 2]


def test_a_literal_that_its_system_has_no_place_for_is_the_client_s_mistake(
    db: SyncDatabase, database: str
) -> None:
    far = trial.query(trial.THINGS, "S_INTERSECTS(geom, POINT(99999999 99999999))", crs=epsg(3405))

    async def ask() -> None:
        pool = Database(database)
        try:
            await pool.run(far)
        finally:
            await pool.close()

    with pytest.raises(Unprojectable):
        asyncio.run(ask())


def occurrences(db: SyncDatabase, principal: Principal, text: str, release: int | None = None) -> list[str]:
    """The sample's occurrences that a principal finds, each as its province's letter and its category."""
    viewed = view(principal, catalog().layers["occurrences"])
    if release is not None:
        viewed = viewed.at_release(release)
    binds = Binds()
    source = rows.relation(viewed, binds)
    where = [
        *rows.visible(viewed, binds),
        condition(viewed, filters.parse(viewed, text, "cql2-text", WGS84), binds),
    ]
    sql = f"select t.gid from {source} where {' and '.join(where)}"
    found = [row[0] for row in db.run(Query(sql, tuple(binds.values), viewed.role))]
    names = db.run(
        Query("select source_id from gis.occurrence where gid = any($1::int8[]) order by 1", (found,))
    )
    return [str(name) for (name,) in names]


def test_a_masked_value_is_for_a_filter_what_it_is_in_an_answer(db: SyncDatabase) -> None:
    """Province A sees who recorded its own rows alone; the public hides the property altogether."""
    secret = "recordedBy like 'Recorder %0'"
    assert occurrences(db, sample.CENTRE, secret) == ["A0", "B0"]
    assert occurrences(db, sample.PROVINCE_A, secret) == ["A0"]
    theirs = ["B0", "B2", "B3", "B4"]
    assert occurrences(db, sample.PROVINCE_A, f"recordedBy = '{rows.WITHHELD}'") == theirs
    assert occurrences(db, sample.PROVINCE_A, "recordedBy <> 'Recorder B0' and recordedBy > 'S'") == theirs
    assert occurrences(db, sample.PROVINCE_A, "recordedBy is null") == []


def test_a_past_release_is_filtered_as_the_present(db: SyncDatabase) -> None:
    where = "scientificName like '%0' and S_WITHIN(geometry, BBOX(105, 20, 106, 21))"
    for principal in sample.PRINCIPALS:
        assert occurrences(db, principal, where, release=1) == ["A0"]
        assert occurrences(db, principal, where) == ["A0"]


def test_a_hidden_exact_position_answers_no_spatial_filter(db: SyncDatabase) -> None:
    """The rows of category 3 lie at their own places for their province alone."""
    exact = "S_INTERSECTS(geometry, BBOX(105.0542344, 20.0512344, 105.0542346, 20.0512346))"
    other = "S_INTERSECTS(geometry, BBOX(106.0542344, 20.0512344, 106.0542346, 20.0512346))"
    assert occurrences(db, sample.CENTRE, exact) == ["A3"]
    assert occurrences(db, sample.CENTRE, other) == ["B3"]
    assert occurrences(db, sample.PROVINCE_A, exact) == ["A3"]
    assert occurrences(db, sample.PROVINCE_A, other) == []
    assert occurrences(db, PUBLIC, exact) == []
