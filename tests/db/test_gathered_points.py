"""Tiles of points: what is gathered by cells is what the rows give, after every write, for every reader."""

import itertools
from collections.abc import Iterator
from typing import Any

import mapbox_vector_tile
import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog
from gis_service.db import point_tables, pointsql, tilesql
from gis_service.db.point_tables import Gathering
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering
from gis_service.tiles import gathering
from tests import sample
from tests.conftest import ROOT

SEEN = BBox(105.0, 20.0, 107.0, 21.0)
ZOOMS = (0, 4, 7, 9, 12)
SCATTERED = """
insert into gis.occurrence (source_id, dataset_id, scientific_name, taxon_id, geom)
  select 'many-' || n, d.dataset_id, 'Speciosus category' || n % 5, 'taxon-' || n % 5,
         ST_SetSRID(ST_MakePoint(105 + 2 * ((n * 2654435761) % 10007) / 10007.0,
                                 20 + ((n * 40503) % 10009) / 10009.0), 4326)
    from gis.dataset d, generate_series(1, 600) n
   where d.slug = case when n % 7 = 0 then 'closed' else 'open' end
"""
NEW = """
insert into gis.occurrence (source_id, dataset_id, scientific_name, taxon_id, geom)
  select 'new-' || n, 1, 'Speciosus', 'taxon-' || n % 5, ST_SetSRID(ST_MakePoint(105 + n / 9.0, 20.3), 4326)
    from generate_series(1, 9) n
"""
MOVED = """
update gis.occurrence set geom = ST_Translate(geom, 0.37, -0.11) where gid % 3 = 0 and source_id like 'm%'
"""
WRITES = (
    NEW,
    MOVED,
    "update gis.occurrence set scientific_name = 'Khác' where gid % 5 = 0",
    "update gis.dataset set redistribution = not redistribution",
    "delete from gis.sensitivity where taxon_id = 'taxon-2'",
    "delete from gis.occurrence where gid % 2 = 0",
)


@pytest.fixture(scope="module")
def occurrences() -> Layer:
    return load_catalog(ROOT).layers["occurrences"]


@pytest.fixture(scope="module")
def binned(occurrences: Layer) -> Layer:
    tiles = occurrences.tiles.model_copy(update={"reduce": "bins"})
    return occurrences.model_copy(update={"tiles": tiles})


@pytest.fixture(scope="module")
def db(database: str, occurrences: Layer) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as made:
        made.apply([SCATTERED])
        for each in point_tables.gatherings([occurrences]):
            gathering.build(made, each)
        yield made


def drawn(db: SyncDatabase, layer: Layer, at: Tile, who: Principal, derived: bool = True) -> Any:
    return db.run(tilesql.compose([view(who, layer)], at.z, derived).at(at))[0]


def features(body: bytes, layer: Layer) -> dict[int, dict[str, Any]]:
    decoded = mapbox_vector_tile.decode(bytes(body), default_options={"y_coord_down": True}) if body else {}
    return {each["id"]: each for each in decoded.get(layer.id, {}).get("features", [])}


def tiles_of(zoom: int, box: BBox = SEEN) -> list[Tile]:
    west, north, east, south = covering(box, zoom)
    return [Tile(zoom, x, y) for x, y in itertools.product(range(west, east + 1), range(north, south + 1))]


def all_tiles(db: SyncDatabase, layer: Layer, derived: bool) -> list[Any]:
    return [
        drawn(db, layer, at, who, derived)
        for who in sample.PRINCIPALS
        for zoom in (0, 4, 7, 9)
        for at in tiles_of(zoom)
    ]


def is_ready(db: SyncDatabase) -> bool:
    return "occurrences.public" not in gathering.waiting(db) and "occurrences.full" not in gathering.waiting(
        db
    )


def gathered(db: SyncDatabase, each: Gathering) -> list[Any]:
    columns = "cx, cy, n, gid, ST_AsText(geom)"
    return [
        db.run(Query(f"select {columns} from {each.relation(zoom)} order by cx, cy, gid"))
        for zoom in each.zooms
    ]


def test_what_is_gathered_gives_the_bytes_of_the_rows(db: SyncDatabase, occurrences: Layer) -> None:
    assert is_ready(db)
    assert all_tiles(db, occurrences, True) == all_tiles(db, occurrences, False)


@pytest.mark.parametrize("zoom", ZOOMS)
def test_bins_sum_to_what_the_reader_sees(db: SyncDatabase, binned: Layer, zoom: int) -> None:
    for who in sample.PRINCIPALS:
        found = [drawn(db, binned, at, who) for at in tiles_of(zoom)]
        summed = sum(f["properties"]["count"] for body, _ in found for f in features(body, binned).values())
        seen = view(who, binned)
        ((there,),) = db.run(Query("select count(*) from gis.occurrence", (), seen.role))
        assert summed == there == sum(matched for _, (matched, _) in found)
        if zoom < 10:
            assert found == [drawn(db, binned, at, who, derived=False) for at in tiles_of(zoom)]


def test_what_is_drawn_stays_drawn_at_the_next_zoom(db: SyncDatabase, occurrences: Layer) -> None:
    for who in sample.PRINCIPALS:
        before: set[int] = set()
        for zoom in range(11):
            bodies = [drawn(db, occurrences, at, who)[0] for at in tiles_of(zoom)]
            now = {gid for body in bodies for gid in features(body, occurrences)}
            assert before <= now
            before = now
        seen = view(who, occurrences)
        ((there,),) = db.run(Query("select count(*) from gis.occurrence", (), seen.role))
        assert len(before) == there


def test_counts_tell_what_is_left_out(db: SyncDatabase, occurrences: Layer) -> None:
    for who in sample.PRINCIPALS:
        body, (matched, returned) = drawn(db, occurrences, Tile(0, 0, 0), who)
        ((there,),) = db.run(Query("select count(*) from gis.occurrence", (), view(who, occurrences).role))
        assert matched == there
        assert returned == len(features(body, occurrences)) < there


def test_neighbours_agree_on_what_they_keep(db: SyncDatabase, occurrences: Layer) -> None:
    """What lies in the margin of a tile is what the tile beside it shows there, and nothing else."""
    for who, left in itertools.product(sample.PRINCIPALS, tiles_of(9)):
        right = Tile(9, left.x + 1, left.y)
        one, two = (features(drawn(db, occurrences, at, who)[0], occurrences) for at in (left, right))
        shared = {
            gid: (x - 4096, y)
            for gid, each in one.items()
            for x, y in [each["geometry"]["coordinates"]]
            if x >= 4096
        }
        there = {gid: tuple(each["geometry"]["coordinates"]) for gid, each in two.items()}
        assert shared == {gid: at for gid, at in there.items() if 0 <= at[0] < 64}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_leaves_what_gathering_anew_would_make(
    db: SyncDatabase, occurrences: Layer, write: str
) -> None:
    found = point_tables.gatherings([occurrences])
    before = [gathered(db, each) for each in found]
    db.apply([write])
    assert is_ready(db)
    kept = [gathered(db, each) for each in found]
    assert kept != before or "scientific_name" in write
    assert all_tiles(db, occurrences, True) == all_tiles(db, occurrences, False)
    for each in found:
        gathering.build(db, each)
    assert [gathered(db, each) for each in found] == kept


def test_hidden_rows_choose_nothing_that_the_public_sees(db: SyncDatabase, occurrences: Layer) -> None:
    """Rows of category 1 or of a closed dataset may come, move and go: the public's tables stay the same."""
    public = point_tables.gathering(occurrences, "public")
    tiles = [at for zoom in ZOOMS for at in tiles_of(zoom)]
    before = (gathered(db, public), [drawn(db, occurrences, at, PUBLIC) for at in tiles])
    hidden = "(restricted or sensitivity = 1)"
    for write in (
        f"update gis.occurrence set geom = ST_Translate(geom, 0.01, 0.02) where {hidden}",
        # Within its cell of 0.1 degrees.
        "update gis.occurrence set geom = ST_Translate(geom, 0.00001, 0) where sensitivity = 2",
        f"delete from gis.occurrence where {hidden} and gid % 2 = 1",
    ):
        db.apply([write])
        assert (gathered(db, public), [drawn(db, occurrences, at, PUBLIC) for at in tiles]) == before


def test_a_write_of_what_tiles_don_t_show_gathers_nothing(db: SyncDatabase, occurrences: Layer) -> None:
    tables = [each.relation(zoom) for each in point_tables.gatherings([occurrences]) for zoom in each.zooms]
    pages = Query(" union all ".join(f"select max(xmin::text::bigint) from {table}" for table in tables))
    before = db.run(pages)
    db.apply(["update gis.occurrence set locality = 'Hang khác'"])
    assert db.run(pages) == before


def test_many_rows_at_once_are_gathered_anew(
    db: SyncDatabase, occurrences: Layer, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    found = point_tables.gatherings([occurrences])
    monkeypatch.setattr(point_tables, "MOST_ROWS", 50)
    db.apply(point_tables.statements(found))
    db.apply([SCATTERED.replace("'many-'", "'more-'").replace("600", "60")])
    assert not is_ready(db)
    before = all_tiles(db, occurrences, True)
    assert before == all_tiles(db, occurrences, False)
    gathering.keep_up(database, found)
    assert is_ready(db)
    assert all_tiles(db, occurrences, True) == before


def test_the_public_can_t_read_what_was_gathered_of_all(db: SyncDatabase, occurrences: Layer) -> None:
    full, public = (point_tables.gathering(occurrences, kind) for kind in ("full", "public"))
    asked = Query(
        "select has_any_column_privilege($1, $2, 'select'), has_any_column_privilege($1, $3, 'select')",
        ("gis_public", full.relation(4), public.relation(4)),
    )
    assert db.run(asked) == [(False, True)]


def test_too_many_points_are_cut_by_rank(
    db: SyncDatabase, occurrences: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Tile(10, *covering(BBox(105.2, 20.2, 105.2, 20.2), 10)[:2])
    body, (matched, returned) = drawn(db, occurrences, at, sample.CENTRE)
    monkeypatch.setattr(pointsql, "MOST_FEATURES", 3)
    less, counts = drawn(db, occurrences, at, sample.CENTRE)
    assert (counts, matched, returned > 3) == ([matched, 3], returned, True)
    all_of_them = features(body, occurrences)
    by_rank = sorted(all_of_them, key=lambda gid: (gid & 2147483647) * 2654435761 & 2147483647)
    assert features(less, occurrences).keys() == set(by_rank[:3])
