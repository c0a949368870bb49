"""Derived tile tables give the tiles that the table itself gives, and never an older state."""

import math
import threading
from collections.abc import Iterator
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest
import shapely
from mapbox_vector_tile.Mapbox import vector_tile_pb2
from shapely import affinity
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog
from gis_service.db import tile_tables, tilesql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.db.tile_tables import Surface
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering
from gis_service.tiles import deriving
from tests import sample
from tests.conftest import ROOT

HALF = math.pi * 6378137  # metres of Web Mercator from the origin to its edge
CENTRE = Principal("centre", "full")
CLOSE = 7  # the command that ends a ring
SPOT = BBox(105.45, 20.45, 105.46, 20.46)  # within the area of province A
WAVY = """
    update gis.protected_area
       set geom = ST_Multi(ST_Buffer(ST_Segmentize(geom::geography, 50)::geometry, 0.0001))
     where public_id = 'open-A'
"""


@pytest.fixture(scope="module")
def areas() -> Layer:
    return load_catalog(ROOT).layers["protected-areas"]


@pytest.fixture(scope="module")
def surface(areas: Layer) -> Surface:
    (found,) = tile_tables.surfaces([areas])
    return found


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as made:
        yield made


@pytest.fixture
def built(db: SyncDatabase, surface: Surface) -> SyncDatabase:
    deriving.begin(db, surface, anew=True)
    deriving.build(db, surface)
    return db


def tile(
    db: SyncDatabase, layer: Layer, at: Tile, who: Principal = PUBLIC, derived: bool = True
) -> dict[int, tuple[dict[str, Any], BaseGeometry]]:
    """The properties and shapes of a tile by gid."""
    statement = tilesql.compose([view(who, layer)], at.z, derived)
    body = bytes(db.run(statement.at(at))[0][0])
    decoded = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True}) if body else {}
    features = decoded.get(layer.id, {}).get("features", [])
    return {each["id"]: (each["properties"], shape(each["geometry"])) for each in features}


def at(zoom: int, box: BBox = SPOT) -> Tile:
    x, y, *_ = covering(box, zoom)
    return Tile(zoom, x, y)


@pytest.mark.parametrize("zoom", range(15))
def test_derived_shapes_are_those_of_the_table(built: SyncDatabase, areas: Layer, zoom: int) -> None:
    for who in (PUBLIC, CENTRE):
        derived = tile(built, areas, at(zoom), who)
        direct = tile(built, areas, at(zoom), who, derived=False)
        large = {gid for gid, (_, drawn) in direct.items() if drawn.area > 100}  # units: more than a pixel
        assert large <= derived.keys() <= direct.keys()
        for gid, (properties, drawn) in derived.items():
            assert properties == direct[gid][0]
            assert shapely.hausdorff_distance(drawn, direct[gid][1]) < 8  # a pixel, for both are simplified


def test_an_area_that_only_its_box_brings_to_a_tile_isn_t_in_it(
    built: SyncDatabase, areas: Layer, surface: Surface
) -> None:
    """An L about the tile: its box covers the tile, its arms stay a tile's width away."""
    spot = at(10)
    west, south, east, north = spot.lonlat().as_tuple()
    wide, high = east - west, north - south
    outer = shapely.box(west - 2 * wide, south - 2 * high, east + 2 * wide, north + 2 * high)
    bent = outer - shapely.box(west - wide, south - high, east + 3 * wide, north + 3 * high)
    assert outer.contains(shapely.box(west, south, east, north))
    (stood,) = built.run(Query("select geom from gis.protected_area where public_id = 'open-A'", ()))[0]
    drawn = (
        "update gis.protected_area set geom = ST_Multi($1::geometry) where public_id = 'open-A' returning gid"
    )
    try:
        ((gid,),) = built.run(Query(drawn, (shapely.to_wkt(bent),)))
        for derived in (False, True):
            assert gid not in tile(built, areas, spot, derived=derived)
        while deriving.refresh(built, surface):
            pass
        assert gid not in tile(built, areas, spot)
    finally:
        built.run(Query(drawn, (stood,)))


def test_what_a_class_may_not_see_is_in_none_of_its_tiles(built: SyncDatabase, areas: Layer) -> None:
    seen = {who.name: len(tile(built, areas, at(6), who)) for who in (PUBLIC, sample.PROVINCE_A, CENTRE)}
    assert seen == {"public": 2, "province-a": 3, "centre": 4}


def test_the_bytes_don_t_tell_whether_a_row_was_written(
    built: SyncDatabase, areas: Layer, surface: Surface
) -> None:
    """What is made on the spot is what is derived, so a write of a hidden value shows in no tile."""
    tiles = [tilesql.compose([view(PUBLIC, areas)], zoom).at(at(zoom)) for zoom in range(15)]
    before = [built.run(each) for each in tiles]
    built.apply(["update gis.protected_area set extra = '{}'"])
    assert surface.name in deriving.waiting(built)
    assert [built.run(each) for each in tiles] == before
    while deriving.refresh(built, surface):
        pass
    assert [built.run(each) for each in tiles] == before


def test_a_row_that_was_written_is_shown_as_it_stands_at_once(
    built: SyncDatabase, areas: Layer, surface: Surface
) -> None:
    gid, (_, before) = next(iter(tile(built, areas, at(10)).items()))
    move = "update gis.protected_area set geom = ST_Translate(geom, {}, 0), name = 'Khu mới' where gid = {}"
    built.apply([move.format(0.01, gid)])
    shown = tile(built, areas, at(10))[gid]
    assert shown[0]["name"] == "Khu mới"
    shift = 0.01 / 360 * 1024 * 4096
    assert shown[1].bounds[0] - before.bounds[0] == pytest.approx(shift, abs=1.1)
    assert deriving.waiting(built) >= {surface.name}
    assert deriving.refresh(built, surface) == 1
    derived = tile(built, areas, at(10))[gid]
    assert shapely.hausdorff_distance(derived[1], shown[1]) < 8
    assert surface.name not in deriving.waiting(built)
    built.apply([move.format(-0.01, gid)])


def test_a_row_that_is_gone_is_gone_from_tiles_at_once(
    built: SyncDatabase, areas: Layer, surface: Surface
) -> None:
    gids = set(tile(built, areas, at(6), CENTRE))
    ((gone,),) = built.run(Query("select gid from gis.protected_area where public_id = 'closed-B'"))
    built.apply([f"delete from gis.protected_area where gid = {gone}"])
    assert set(tile(built, areas, at(6), CENTRE)) == gids - {gone}
    deriving.refresh(built, surface)
    assert set(tile(built, areas, at(6), CENTRE)) == gids - {gone}


def test_a_row_that_is_written_during_a_refresh_keeps_its_mark(
    built: SyncDatabase, surface: Surface, database: str
) -> None:
    """The refresh waits for a writer whom it couldn't see, and leaves the mark that he has renewed."""
    gid = built.run(Query("select min(gid) from gis.protected_area"))[0][0]
    rename = "update gis.protected_area set name = %s where gid = %s"
    built.apply([f"update gis.protected_area set name = 'Một' where gid = {gid}"])
    with psycopg.connect(database) as writer:
        writer.execute(rename, ("Hai", gid))
        refreshing = threading.Thread(target=deriving.refresh, args=(built, surface))
        refreshing.start()
        while not writer.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock'").fetchall():
            pass
        writer.commit()
        refreshing.join()
    assert surface.name in deriving.waiting(built)
    deriving.refresh(built, surface)
    names = built.run(Query(f"select distinct name from {surface.relation(10)} where gid = {gid}"))
    assert names == [("Hai",)]
    assert surface.name not in deriving.waiting(built)


def test_a_build_goes_on_where_it_was_broken_off(
    db: SyncDatabase, surface: Surface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deriving, "PORTION", 1)
    deriving.begin(db, surface, anew=True)
    count = db.run(Query("select count(*)::int from gis.protected_area"))[0][0]
    told: list[tuple[int, int]] = []

    def broken(done: int, of: int) -> None:
        told.append((done, of))
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deriving.build(db, surface, broken)
    assert surface.name in deriving.waiting(db)
    deriving.begin(db, surface)
    deriving.build(db, surface, lambda done, of: told.append((done, of)))
    assert told == [(number, count) for number in range(1, count + 1)]
    assert surface.name not in deriving.waiting(db)
    assert db.run(Query(f"select count(*)::int from {surface.relation(14)}"))[0][0] >= count


BROKEN = "SRID=4326;MULTIPOLYGON(((105.4 20.4, 105.6 NaN, 105.6 20.6, 105.4 20.6, 105.4 20.4)))"


def test_a_broken_shape_among_good_ones_is_told_and_all_others_are_drawn(
    fresh_database: str, areas: Layer, surface: Surface, caplog: pytest.LogCaptureFixture
) -> None:
    """The table refuses such a shape; here it lies in one that somebody filled before the rule."""
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as db:
        checks = "select conname from pg_constraint where conrelid = 'gis.protected_area'::regclass"
        for (name,) in db.run(Query(f"{checks} and contype = 'c' and conname like '%geom%'")):
            db.apply([f'alter table gis.protected_area drop constraint "{name}"'])
        (broken,) = db.run(Query("select gid from gis.protected_area where public_id = 'open-A'"))[0]
        good = tile(db, areas, at(4), CENTRE).keys() - {broken}
        assert good
        db.run(
            Query("update gis.protected_area set geom = $1 where gid = $2 returning gid", (BROKEN, broken))
        )
        deriving.begin(db, surface, anew=True)
        deriving.build(db, surface)
        assert f"gid={broken}" in caplog.text
        assert tile(db, areas, at(4), CENTRE).keys() == good
        caplog.clear()
        db.run(Query("update gis.protected_area set name = name || '.' returning gid"))
        assert deriving.refresh(db, surface) == len(good) + 1
        assert f"gid={broken}" in caplog.text
        assert tile(db, areas, at(4), CENTRE).keys() == good
        assert deriving.refresh(db, surface) == 0, "it's tried again once it's written again"


def test_a_statement_that_writes_very_many_rows_has_all_derived_anew(
    built: SyncDatabase, areas: Layer, surface: Surface
) -> None:
    built.apply(
        ["create or replace function gis_tiles.many() returns bigint language sql immutable return 1"]
    )
    built.apply(["update gis.protected_area set name = name || '!'"])
    assert built.run(Query("select count(*)::int from gis_tiles.dirty"))[0][0] == 0
    assert surface.name in deriving.waiting(built)
    assert all(properties["name"].endswith("!") for properties, _ in tile(built, areas, at(8)).values())
    built.apply(
        ["create or replace function gis_tiles.many() returns bigint language sql immutable return 50000"]
    )


def test_a_shape_is_drawn_within_the_bound_at_every_zoom(
    built: SyncDatabase, areas: Layer, surface: Surface
) -> None:
    """A pixel of a 512-pixel tile is 8 units: no point of a derived outline is further off than 0.4 of it."""
    built.apply([WAVY])
    deriving.refresh(built, surface)
    gid, exact = built.run(
        Query(
            "select gid, ST_AsBinary(ST_Transform(geom, 3857)) from gis.protected_area"
            " where public_id = 'open-A'"
        )
    )[0]
    for zoom in tile_tables.ZOOMS:
        k = 2048 * 2**zoom / HALF
        truth = affinity.affine_transform(shapely.from_wkb(bytes(exact)), [k, 0, 0, -k, k * HALF, k * HALF])
        rows = built.run(Query(f"select ST_AsBinary(geom) from {surface.relation(zoom)} where gid = {gid}"))
        if zoom >= 3:  # before that it fits into a pixel
            drawn = shapely.union_all([shapely.from_wkb(bytes(wkb)) for (wkb,) in rows])
            assert shapely.hausdorff_distance(drawn, truth) <= 3.2


def test_an_area_wider_than_a_pixel_is_drawn_however_its_outline_is_simplified(
    fresh_database: str, areas: Layer, surface: Surface
) -> None:
    """A comb of 1.07 pixels of zoom 8, with teeth thinner than what simplifying moves; one of 0.9 isn't."""
    pixel = 360 / 2**8 / 512
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as db:
        for name, wide in (("open-A", 1.07), ("open-B", 0.9)):
            tooth = shapely.box(0, 0, 0.1, 1)
            teeth = [affinity.translate(tooth, xoff=x) for x in (0, 0.3, 0.6, 0.9)]
            comb = shapely.unary_union([*teeth, shapely.box(0, 0, 1, 0.2)])
            drawn = affinity.scale(comb, wide * pixel, 0.9 * pixel, origin=(0, 0))
            put = affinity.translate(drawn, 105.5, 20.5)
            text = f"SRID=4326;{shapely.to_wkt(shapely.multipolygons([put]))}"
            update = "update gis.protected_area set geom = $1 where public_id = $2 returning gid"
            db.run(Query(update, (text, name)))
        deriving.begin(db, surface, anew=True)
        deriving.build(db, surface)
        found = tile(db, areas, Tile(8, *covering(BBox(105.5, 20.5, 105.5, 20.5), 8)[:2]))
        (drawn_gid,) = db.run(Query("select gid from gis.protected_area where public_id = 'open-A'"))[0]
        (speck,) = db.run(Query("select gid from gis.protected_area where public_id = 'open-B'"))[0]
        assert (drawn_gid in found, speck in found) == (True, False)


def outer_rings(body: bytes) -> Iterator[float]:
    """Twice the area of the first ring of each feature, as section 4.3.4.4 of the specification counts it."""
    read = vector_tile_pb2.tile()
    read.ParseFromString(body)
    for feature in (each for layer in read.layers for each in layer.features):
        moves, at, x, y, ring = list(feature.geometry), 0, 0, 0, list[tuple[int, int]]()
        while moves[at] & 7 != CLOSE:
            count, at = moves[at] >> 3, at + 1
            for dx, dy in zip(
                moves[at : at + 2 * count : 2], moves[at + 1 : at + 2 * count : 2], strict=True
            ):
                x, y = x + ((dx >> 1) ^ -(dx & 1)), y + ((dy >> 1) ^ -(dy & 1))
                ring.append((x, y))
            at += 2 * count
        yield sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))


@pytest.mark.parametrize("zoom", [4, 6, 8, 11, 13, 14, 16])
@pytest.mark.parametrize("derived", [True, False])
def test_outer_rings_go_clockwise_on_the_screen(
    zoom: int, derived: bool, built: SyncDatabase, areas: Layer
) -> None:
    """QGIS draws no others."""
    corner = BBox(105.4, 20.4, 105.4, 20.4)  # of an area, so that high zooms clip
    statement = tilesql.compose([view(PUBLIC, areas)], zoom, derived)
    body = bytes(built.run(statement.at(at(zoom, corner)))[0][0])
    turns = list(outer_rings(body))
    assert turns
    assert min(turns) > 0
