"""Both walls over real rows: what a class sees, what its role can't read, that the index stays awake."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import Catalog, load_catalog
from gis_service.db import introspect, rows, select, tilesql
from gis_service.db.paging import Cursor
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.errors import GisError
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering
from tests import sample
from tests.sample import CENTRE, PRINCIPALS, PROVINCE_A


@pytest.fixture(scope="module")
def catalog(root: Path) -> Catalog:
    return load_catalog(root)


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as opened:
        yield opened


def features(
    db: SyncDatabase, catalog: Catalog, who: Principal, layer: str, **query: object
) -> list[dict[str, object]]:
    seen = view(who, catalog.layers[layer])
    found = db.run(select.items(seen, ItemsQuery(limit=100, **query)))  # type: ignore[arg-type]  # named as ItemsQuery's
    return [json.loads(text) for _, text in found]


@pytest.mark.parametrize(
    ("layer", "public", "province", "centre"),
    [
        ("provinces", 2, 2, 2),
        ("protected-areas", 2, 3, 4),  # the closed dataset's: none, the province's own, all
        ("occurrences", 8, 9, 10),  # category 1: none, the province's own, all
        ("plots", 2, 2, 2),
        ("species-ranges", 1, 2, 2),  # the range of category 1 meets province A
    ],
)
def test_each_class_counts_its_own_rows(
    db: SyncDatabase, catalog: Catalog, layer: str, public: int, province: int, centre: int
) -> None:
    for who, expected in zip(PRINCIPALS, (public, province, centre), strict=True):
        assert db.run(select.count(view(who, catalog.layers[layer]), ItemsQuery())) == [(expected,)], who
        assert len(features(db, catalog, who, layer)) == expected, who


def test_the_public_sees_sensitive_species_at_the_centre_of_their_cell(
    db: SyncDatabase, catalog: Catalog
) -> None:
    seen = {
        f["properties"]["scientificName"][-1]: f["geometry"]["coordinates"]  # type: ignore[index]  # GeoJSON
        for f in features(db, catalog, PUBLIC, "occurrences", bbox=BBox(105, 20, 105.5, 20.5))
    }
    assert seen == {
        "0": [105.0512345, 20.0512345],
        "2": [105.05, 20.05],
        "3": [105.055, 20.055],  # 105.0542345 lies in the cell 105.05-105.06
        "4": [105.0555, 20.0515],
    }


def test_a_province_sees_its_own_records_exactly_and_the_neighbour_s_as_the_public_does(
    db: SyncDatabase, catalog: Catalog
) -> None:
    mine = features(db, catalog, PROVINCE_A, "occurrences", bbox=BBox(105, 20, 105.5, 20.5))
    theirs = features(db, catalog, PROVINCE_A, "occurrences", bbox=BBox(106, 20, 106.5, 20.5))
    assert len(mine) == 5
    assert len(theirs) == 4
    assert [f["properties"]["recordedBy"] for f in mine] == [f"Recorder A{n}" for n in range(5)]  # type: ignore[index]  # GeoJSON
    assert {f["properties"]["recordedBy"] for f in theirs} == {rows.WITHHELD}  # type: ignore[index]  # GeoJSON
    assert [105.0532345, 20.0512345] in [f["geometry"]["coordinates"] for f in mine]  # type: ignore[index]  # GeoJSON


def test_a_box_around_the_hidden_place_finds_nothing(db: SyncDatabase, catalog: Catalog) -> None:
    """Category 2 lies at 105.0532345; the public's box around it must stay empty, and so must a tile."""
    box = BBox(105.0531, 20.0511, 105.0533, 20.0513)
    found = features(db, catalog, PUBLIC, "occurrences", bbox=box)
    assert found == []
    assert len(features(db, catalog, CENTRE, "occurrences", bbox=box)) == 1
    tile = Tile(14, *covering(box, 14)[:2])
    public, centre = (
        db.run(tilesql.compose([view(who, catalog.layers["occurrences"])], tile.z).at(tile))[0][0]
        for who in (PUBLIC, CENTRE)
    )
    assert b"category2" not in bytes(public)
    assert b"category2" in bytes(centre)


@pytest.mark.parametrize("name", ["recordedBy", "locality", "occurrenceID"])
def test_a_masked_property_can_t_be_guessed_by_a_filter(
    db: SyncDatabase, catalog: Catalog, name: str
) -> None:
    values = {"recordedBy": "Recorder B0", "locality": "Hollow B0", "occurrenceID": "SECRET-B0"}
    equals = ((name, values[name]),)
    assert features(db, catalog, PROVINCE_A, "occurrences", equals=equals) == []
    assert len(features(db, catalog, CENTRE, "occurrences", equals=equals)) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "select geom from gis.occurrence",
        "select recorded_by from gis.occurrence",
        "select coordinate_uncertainty_in_meters from gis.occurrence",
        "select information_withheld from gis.occurrence",
        "select observer from gis.plot",
        "select geom from gis.plot",
        "select geom from gis_history.occurrence",
        "select sha256 from gis.api_key",
        "select * from gis.sensitivity",
        "insert into gis.dataset (slug) values ('x')",
        "delete from gis.plot",
    ],
)
def test_the_public_role_can_t_read_or_write_what_is_behind_the_wall(db: SyncDatabase, sql: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        db.run(Query(sql, role="gis_public"))


def test_row_policies_hold_even_for_a_statement_without_conditions(db: SyncDatabase) -> None:
    counted = Query("select count(*) from gis.occurrence")
    roles = ("gis_public", "gis_j_a", "gis_full")
    assert [db.run(dataclasses.replace(counted, role=role))[0][0] for role in roles] == [8, 9, 10]


def test_history_has_the_wall_of_its_table(db: SyncDatabase) -> None:
    """Column by column and policy by policy, for every class's role; beside them `release_to` alone."""
    granted = """
        select table_name, grantee, array_agg(column_name::text order by column_name)
          from information_schema.column_privileges
         where table_schema = $1 and grantee in ('gis_public', 'gis_jurisdiction', 'gis_full')
           and privilege_type = 'SELECT' and column_name <> 'release_to'
           and table_name in (select table_name from gis.feature_table)
         group by 1, 2 order by 1, 2
    """
    policies = """
        select tablename, policyname, roles::text, cmd, qual from pg_policies
         where schemaname = $1 and tablename in (select table_name from gis.feature_table) order by 1, 2
    """
    secured = """
        select c.relname, c.relrowsecurity from pg_class c
         where c.relnamespace = $1::regnamespace and c.relname in (select table_name from gis.feature_table)
         order by 1
    """
    for sql in (granted, policies, secured):
        now, past = (db.run(Query(sql, (schema,))) for schema in ("gis", "gis_history"))
        assert now == past
        assert len(now) >= 8


def test_a_past_release_is_behind_the_same_wall(db: SyncDatabase, catalog: Catalog) -> None:
    seen = view(PUBLIC, catalog.layers["occurrences"]).at_release(1)
    assert db.run(select.count(seen, ItemsQuery())) == [(8,)]
    assert db.run(select.count(dataclasses.replace(seen, release=0), ItemsQuery())) == [(0,)]


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.name)
def test_small_boxes_and_tiles_use_the_spatial_index_below_the_row_policies(
    db: SyncDatabase, catalog: Catalog, who: Principal
) -> None:
    """Over 30,000 more points a plan without the index would scan the whole table."""
    assert introspect.overlaps_is_leakproof(db)
    db.apply([_MANY_POINTS])
    db.apply(["analyze gis.occurrence"])
    seen = view(who, catalog.layers["occurrences"])
    box = BBox(105.5, 20.5, 105.51, 20.51)
    for query in (
        select.items(seen, ItemsQuery(bbox=box)),
        tilesql.compose([seen], 14).at(Tile(14, *covering(box, 14)[:2])),
    ):
        plan = db.run(dataclasses.replace(query, sql="explain " + query.sql))
        text = "\n".join(row[0] for row in plan)
        assert "Seq Scan" not in text, text
        assert "_geom_idx" in text or "_geom_public_idx" in text, text


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.name)
def test_a_past_release_is_read_by_index_below_the_row_policies(
    db: SyncDatabase, catalog: Catalog, who: Principal
) -> None:
    """A third of 30,000 points has left the table since: pages, boxes and features walk an index of both."""
    db.apply([_MANY_POINTS])
    if not sample.scalar(db, "select count(*) from gis_history.occurrence"):
        db.apply(["update gis.occurrence set individual_count = 3 where gid % 3 = 0"])
        db.apply(["analyze gis.occurrence, gis_history.occurrence"])
    past = int(str(sample.scalar(db, "select min(release_to) - 1 from gis_history.occurrence")))
    seen = view(who, catalog.layers["occurrences"]).at_release(past)
    box = BBox(105.5, 20.5, 105.51, 20.51)
    for query in (
        select.items(seen, ItemsQuery()),
        select.items(seen, ItemsQuery(cursor=Cursor((), 20_000))),
        select.items(seen, ItemsQuery(bbox=box)),
        select.item(seen, 20_000),
        tilesql.compose([seen], 14).at(Tile(14, *covering(box, 14)[:2])),
    ):
        plan = db.run(dataclasses.replace(query, sql="explain " + query.sql))
        text = "\n".join(row[0] for row in plan)
        assert "Seq Scan on occurrence" not in text, text
        assert text.count("occurrence_pkey") + text.count("occurrence_geom") >= 2, text


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.name)
def test_pages_and_single_rows_come_by_index_below_the_row_policies(
    db: SyncDatabase, catalog: Catalog, who: Principal
) -> None:
    db.apply([_MANY_POINTS])
    db.apply(["analyze gis.occurrence"])
    seen = view(who, catalog.layers["occurrences"])
    for query, index in (
        (select.item(seen, 7), "occurrence_pkey"),
        (select.items(seen, ItemsQuery(limit=1000)), "occurrence_pkey"),
        (select.items(seen, ItemsQuery(limit=10, cursor=Cursor((), 20_000))), "occurrence_pkey"),
        (select.items(seen, ItemsQuery(limit=10, equals=(("scientificName", "x"),))), "scientific_name"),
    ):
        plan = db.run(dataclasses.replace(query, sql="explain " + query.sql))
        text = "\n".join(row[0] for row in plan)
        assert index in text, text
        assert "Seq Scan on occurrence" not in text, text


def test_the_rows_of_a_jurisdiction_come_by_index(db: SyncDatabase) -> None:
    db.apply([_MANY_POINTS])
    db.apply(["analyze gis.occurrence"])
    plan = db.run(Query("explain select gid from gis.occurrence where jurisdiction && array['X']"))
    assert "occurrence_jurisdiction_idx" in "\n".join(row[0] for row in plan), plan


_MANY_POINTS = """
with point as (
  select 'many-' || i as source_id,
         ST_SetSRID(ST_MakePoint(105 + (i % 173) / 87.0, 20 + (i % 179) / 180.0), 4326) as geom
    from generate_series(1, 30000) i
   where not exists (select from gis.occurrence where source_id = 'many-1')
), key as materialized (
  select * from gis.claim_gids('occurrence', 'open', array(select source_id from point))
)
insert into gis.occurrence (gid, source_id, dataset_id, scientific_name, geom)
  select key.gid, source_id, d.dataset_id, 'Multus', geom
    from point join key using (source_id) join gis.dataset d on d.slug = 'open'
"""


def test_an_unknown_release_is_no_fault_of_the_statement(db: SyncDatabase, catalog: Catalog) -> None:
    seen = view(CENTRE, catalog.layers["plots"]).at_release(10**6)
    assert db.run(select.count(seen, ItemsQuery())) == [(2,)]


def test_a_deadline_ends_a_statement_with_a_clear_error(db: SyncDatabase) -> None:
    with pytest.raises(GisError, match="took longer"):
        db.run(Query("select pg_sleep(5)", timeout_ms=50))
