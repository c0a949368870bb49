"""What every feature row carries: a permanent id, a revision, releases, history, and its past states."""

import threading
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg

from tests.db.schema import Connection, ask, connected, dataset, insert, one, province, square, viper

PAST = "select source_id, gid, rev, locality from gis.occurrence_as_of(%s) order by source_id"


@pytest.fixture
def db(fresh_database: str) -> Any:
    """A connection to a database with one dataset, number 1."""
    with connected(fresh_database) as connection:
        dataset(connection)
        yield connection


def test_a_past_release_reads_exactly_as_it_was(db: Connection) -> None:
    with db.transaction():
        first = one(db, "select gis.open_release('first load')")
        a, b = viper(db, "a", 1.5), viper(db, "b", 2.5)
    with db.transaction():
        second = one(db, "select gis.open_release('second load')")
        db.execute("update gis.occurrence set locality = 'ridge' where source_id = 'a'")
        db.execute("delete from gis.occurrence where source_id = 'b'")
        c = viper(db, "c", 3.5)
    assert second == first + 1
    assert ask(db, PAST, first) == [("a", a, 1, None), ("b", b, 1, None)]
    assert ask(db, PAST, second) == [("a", a, 2, "ridge"), ("c", c, 1, None)]
    assert ask(db, PAST, first - 1) == []


def test_a_feature_that_returns_keeps_its_id_and_counts_on(db: Connection) -> None:
    gid = viper(db, "a", 1.5)
    db.execute("update gis.occurrence set locality = 'ridge'")
    gone = one(db, "select max(release) + 1 from gis.release")
    db.execute("delete from gis.occurrence")
    assert viper(db, "a", 1.5) == gid
    assert one(db, "select rev from gis.occurrence") == 3
    assert ask(db, PAST, gone) == []
    assert ask(db, PAST, gone + 1) == [("a", gid, 3, None)]


def test_the_old_position_stays_in_history(db: Connection) -> None:
    viper(db, "a", 1.5)
    first = one(db, "select max(release) from gis.release")
    db.execute("update gis.occurrence set geom = ST_Point(2.5, 5.5, 4326)")
    past = "select ST_AsText(geom), ST_AsText(geom_public) from gis.occurrence_as_of(%s)"
    assert ask(db, past, first) == [("POINT(1.5 5.5)", "POINT(1.5 5.5)")]
    assert ask(db, past, first + 1) == [("POINT(2.5 5.5)", "POINT(2.5 5.5)")]


def test_an_update_that_changes_nothing_is_no_new_revision(db: Connection) -> None:
    viper(db, "a", 1.5, extra={"flag": "noLand"})
    before = ask(db, "select rev, release_from from gis.occurrence")
    db.execute("update gis.occurrence set locality = locality, rev = 99, release_from = 99")
    assert ask(db, "select rev, release_from from gis.occurrence") == before
    assert ask(db, "select from gis_history.occurrence") == []


def test_changes_of_one_transaction_are_one_revision(db: Connection) -> None:
    viper(db, "a", 1.5)
    with db.transaction():
        db.execute("update gis.occurrence set locality = 'ridge'")
        db.execute("update gis.occurrence set locality = 'valley'")
    assert one(db, "select rev from gis.occurrence") == 2
    assert ask(db, "select locality from gis_history.occurrence") == [(None,)]


def test_a_row_written_and_removed_in_one_transaction_was_never_there(db: Connection) -> None:
    with db.transaction():
        viper(db, "a", 1.5)
        db.execute("delete from gis.occurrence")
    assert ask(db, "select from gis_history.occurrence") == []


def test_a_transaction_has_one_release_and_a_rolled_back_one_none(db: Connection) -> None:
    with db.transaction():
        first = one(db, "select gis.open_release('load')")
        assert one(db, "select gis.open_release()") == first
    with db.transaction(force_rollback=True):
        assert one(db, "select gis.open_release()") == first + 1
    assert one(db, "select gis.open_release()") == first + 1
    assert ask(db, "select release, note from gis.release order by 1") == [(first, "load"), (first + 1, None)]


def test_a_release_of_another_transaction_cant_be_claimed(db: Connection) -> None:
    one(db, "select gis.open_release()")
    db.execute("set gis.release = '1'")
    assert one(db, "select gis.open_release()") == 2


def test_releases_commit_in_the_order_of_their_numbers(db: Connection, fresh_database: str) -> None:
    seen: list[int] = []
    with db.transaction():
        first = one(db, "select gis.open_release()")
        other = threading.Thread(target=lambda: seen.append(_release(fresh_database)))
        other.start()
        other.join(0.3)
        assert other.is_alive()
    other.join()
    assert seen == [first + 1]


def _release(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select gis.open_release()").fetchone()
        assert row is not None
        return int(row[0])


def test_gids_are_claimed_once_for_each_source(db: Connection) -> None:
    claim = "select source_id, gid from gis.claim_gids('plot', %s, array['x', 'y', 'x']) order by 1"
    first = ask(db, claim, "survey")
    assert [row[0] for row in first] == ["x", "y"]
    assert ask(db, claim, "survey") == first
    assert not {row[1] for row in ask(db, claim, "other")} & {row[1] for row in first}


def test_a_gid_of_another_feature_is_refused(db: Connection) -> None:
    gid = viper(db, "a", 1.5)
    with pytest.raises(pg.ForeignKeyViolation, match=f"gid {gid} isn't that of occurrence b"):
        viper(db, "b", 1.5, gid=gid)


@pytest.mark.parametrize(
    "statement",
    [
        "update gis.occurrence set source_id = 'z'",
        "update gis.occurrence set gid = 99",
        "truncate gis.occurrence",
        "delete from gis.feature_key",
        "delete from gis.release",
        "update gis.dataset set slug = 'other'",
    ],
)
def test_ids_and_history_cant_be_lost(db: Connection, statement: str) -> None:
    viper(db, "a", 1.5)
    with pytest.raises(pg.IntegrityConstraintViolation):
        db.execute(statement.encode())


def test_a_row_needs_a_dataset(db: Connection) -> None:
    with pytest.raises(pg.ForeignKeyViolation, match="dataset_id 7"):
        viper(db, "a", 1.5, dataset_id=7)


def test_each_writing_transaction_raises_the_layers_version_and_tells_it_once(db: Connection) -> None:
    db.execute("listen gis_layer")
    version = "select version from gis.layer_version where table_name = 'occurrence'"
    before = one(db, version)
    with db.transaction():
        viper(db, "a", 1.5)
        viper(db, "b", 1.5)
        db.execute("update gis.occurrence set locality = 'ridge'")
    assert one(db, version) > before
    assert [n.payload for n in db.notifies(timeout=1, stop_after=2)] == ["occurrence"]


def test_rows_take_their_provinces_from_where_they_lie(db: Connection) -> None:
    province(db, "P-1", 1)
    province(db, "P-2", 2)
    viper(db, "inside", 1.5)
    viper(db, "outside", 9)
    insert(db, "protected_area", source_id="both", dataset_id=1, name="Both", geom=square(1.5, 3))
    assert ask(db, "select source_id, jurisdiction from gis.occurrence order by 1") == [
        ("inside", ["P-1"]),
        ("outside", []),
    ]
    assert one(db, "select jurisdiction from gis.protected_area") == ["P-1", "P-2"]
    db.execute("update gis.occurrence set geom = ST_Point(2.5, 5, 4326) where source_id = 'inside'")
    assert one(db, "select jurisdiction from gis.occurrence where source_id = 'inside'") == ["P-2"]


def test_units_belong_to_their_own_province_and_not_to_its_neighbours(db: Connection) -> None:
    province(db, "P-1", 1)
    province(db, "P-2", 2)
    insert(
        db,
        "admin_unit",
        source_id="c",
        dataset_id=1,
        level="commune",
        code="c",
        parent_code="P-2",
        name="C",
        geom=square(2, 1),
    )
    units = ask(db, "select code, jurisdiction from gis.admin_unit order by 1")
    assert units == [("P-1", ["P-1"]), ("P-2", ["P-2"]), ("c", ["P-2"])]


def test_rows_and_history_follow_when_provinces_merge(db: Connection) -> None:
    province(db, "P-1", 1)
    province(db, "P-2", 2)
    viper(db, "a", 2.5)
    db.execute("update gis.occurrence set locality = 'ridge'")
    with db.transaction():
        db.execute("update gis.admin_unit set valid_to = current_date where code = 'P-2'")
        db.execute(
            "update gis.admin_unit set geom = ST_Multi(ST_MakeEnvelope(1, 0, 3, 10, 4326)) where code = 'P-1'"
        )
    assert ask(db, "select rev, jurisdiction from gis.occurrence") == [(2, ["P-1"])]
    assert ask(db, "select rev, jurisdiction from gis_history.occurrence") == [(1, ["P-1"])]
    assert one(db, "select epoch from gis.policy_epoch") > 1


def test_geometry_must_be_sound(db: Connection) -> None:
    refused = {
        "protected_area_geom_valid": "MULTIPOLYGON(((0 0, 1 1, 1 0, 0 1, 0 0)))",
        "protected_area_geom_not_empty": "MULTIPOLYGON EMPTY",
        "protected_area_geom_within_bounds": square(179.5, 0),
    }
    for constraint, shape in refused.items():
        with pytest.raises(pg.CheckViolation, match=constraint):
            insert(db, "protected_area", source_id="x", dataset_id=1, name="X", geom=shape)
    with pytest.raises(pg.DataError, match="Z dimension"):
        insert(db, "plot", source_id="x", dataset_id=1, geom="POINT Z (1 2 3)")
    with pytest.raises(pg.DataError, match="does not match column type"):
        insert(db, "plot", source_id="x", dataset_id=1, geom=square(0, 0))
    with pytest.raises(pg.CheckViolation):
        db.execute(
            "insert into gis.plot (source_id, dataset_id, geom)"
            " values ('x', 1, ST_SetSRID(ST_MakePoint('NaN', 1), 4326))"
        )


def test_a_row_finds_its_id_by_index_however_many_features_there_are(db: Connection) -> None:
    """A trigger names its table by a `name`, whose collation no index of texts has."""
    db.execute("""
        insert into gis.feature_key (table_name, source, source_id)
        select 'occurrence', slug, 'other-' || n from gis.dataset, generate_series(1, 20000) n
    """)
    db.execute("analyze gis.feature_key")
    scans = "select seq_scan from pg_stat_xact_user_tables where relid = 'gis.feature_key'::regclass"
    with db.transaction():
        before = one(db, scans)
        viper(db, "a", 1.5)
        assert one(db, scans) == before
