"""Migrations: each file once, one start at a time, changed or unknown files refused, nothing half-applied."""

import re
import shutil
import threading
from pathlib import Path

import psycopg
import pytest

from gis_service.db.cluster import Cluster
from gis_service.db.migrate import (
    FOLDER,
    MigrationChanged,
    MigrationFailed,
    MigrationsMisnamed,
    MigrationUnknown,
    RolesForbidden,
    migrate,
    read_migrations,
)
from gis_service.errors import DatabaseDown, PostgisMissing
from tests.db.schema import ask, connected, one

NAMES = [migration.name for migration in read_migrations(FOLDER)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations to change."""
    return Path(shutil.copytree(FOLDER, tmp_path / "migrations"))


def test_an_empty_database_gets_every_migration_and_then_none(bare_database: str) -> None:
    assert migrate(bare_database) == NAMES
    assert migrate(bare_database) == []


def test_starts_at_the_same_moment_apply_each_migration_once(bare_database: str) -> None:
    applied: list[str] = []
    starts = [threading.Thread(target=lambda: applied.extend(migrate(bare_database))) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert applied == NAMES


def test_databases_of_one_cluster_migrate_at_the_same_moment(cluster: Cluster) -> None:
    names = ["twin_a", "twin_b"]
    for name in names:
        cluster.create_database(name)
    applied: dict[str, list[str]] = {}

    def start(name: str) -> None:
        applied[name] = migrate(cluster.dsn(name))

    starts = [threading.Thread(target=start, args=(name,)) for name in names]
    for each in starts:
        each.start()
    for each in starts:
        each.join()
    for name in names:
        cluster.drop_database(name)
    assert applied == {"twin_a": NAMES, "twin_b": NAMES}


def test_an_applied_file_that_changed_is_refused_by_name(bare_database: str, folder: Path) -> None:
    migrate(bare_database, folder)
    with (folder / NAMES[2]).open("a") as file:
        file.write("-- more\n")
    with pytest.raises(MigrationChanged, match=NAMES[2]):
        migrate(bare_database, folder)


def test_a_database_of_newer_code_is_refused(bare_database: str, folder: Path) -> None:
    future = f"{len(NAMES) + 1:04d}_future.sql"
    (folder / future).write_text("create table gis.future ();")
    assert migrate(bare_database, folder) == [*NAMES, future]
    with pytest.raises(MigrationUnknown, match=future):
        migrate(bare_database)


def test_a_file_that_fails_leaves_nothing_and_is_tried_again(bare_database: str, folder: Path) -> None:
    broken = folder / f"{len(NAMES) + 1:04d}_broken.sql"
    broken.write_text("create table gis.half (); select 1 / 0;")
    with pytest.raises(MigrationFailed, match=f"{broken.name}.*division by zero"):
        migrate(bare_database, folder)
    with connected(bare_database) as db:
        assert one(db, "select to_regclass('gis.half')") is None
    broken.write_text("create table gis.half ();")
    assert migrate(bare_database, folder) == [broken.name]


@pytest.mark.parametrize("name", ["0009_gap.sql", "ten.sql", "0001_twice.sql"])
def test_files_out_of_order_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("select 1;")
    with pytest.raises(MigrationsMisnamed):
        read_migrations(folder)


def test_a_database_that_is_down_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseDown):
        migrate(f"postgresql:///gis?host={tmp_path}")


def _as_owner(cluster: Cluster, dsn: str, role: str, attributes: str) -> str:
    """The address of the database as seen by a new owner who is no superuser."""
    with connected(dsn) as db:
        db.execute(f"create role {role} login {attributes}".encode())
        db.execute(f"grant create, connect on database {db.info.dbname} to {role}".encode())
    return psycopg.conninfo.make_conninfo(dsn, user=role)


def _drop_role(dsn: str, role: str) -> None:
    with connected(dsn) as db:
        db.execute(f"drop owned by {role} cascade; drop role {role}".encode())


def test_an_owner_without_postgis_is_told_what_to_do(cluster: Cluster, bare_database: str) -> None:
    dsn = _as_owner(cluster, bare_database, "owner_bare", "")
    with pytest.raises(PostgisMissing, match="CREATE EXTENSION postgis"):
        migrate(dsn)
    _drop_role(bare_database, "owner_bare")


def test_an_owner_who_may_make_roles_migrates_a_foreign_postgis(cluster: Cluster, bare_database: str) -> None:
    with connected(bare_database) as db:
        db.execute("create extension postgis")
    dsn = _as_owner(cluster, bare_database, "owner_roles", "createrole")
    assert migrate(dsn) == NAMES
    with connected(dsn) as db:
        assert one(db, "select gis.mark_overlaps_leakproof()") is False
        db.execute("grant usage on schema gis to gis_jurisdiction")
        assert one(db, "select gis.ensure_jurisdiction_role('P-1')") == "gis_j_p_1"
        db.execute("set role gis_j_p_1")
        assert one(db, "select gis.my_jurisdictions()") == ["P-1"]
    _drop_role(bare_database, "gis_j_p_1")
    _drop_role(bare_database, "owner_roles")


def test_an_owner_who_may_not_use_the_roles_is_told_what_to_ask(cluster: Cluster, bare_database: str) -> None:
    with connected(bare_database) as db:
        db.execute("create extension postgis")
    dsn = _as_owner(cluster, bare_database, "owner_plain", "")
    with pytest.raises(RolesForbidden, match=r"Ask the database's administrator to run: .*gis_public"):
        migrate(dsn)
    with connected(bare_database) as db:
        db.execute("grant gis_public, gis_full, gis_jurisdiction to owner_plain")
    assert migrate(dsn) == NAMES[1:]
    _drop_role(bare_database, "owner_plain")


def test_the_superusers_database_marks_box_overlap_leakproof(bare_database: str) -> None:
    migrate(bare_database)
    with connected(bare_database) as db:
        assert one(db, "select proleakproof from pg_proc where proname = 'geometry_overlaps'")
        db.execute("alter function geometry_overlaps(geometry, geometry) not leakproof")
        migrate(bare_database)
        assert one(db, "select proleakproof from pg_proc where proname = 'geometry_overlaps'")


def test_history_has_the_columns_of_every_feature_table(database: str) -> None:
    columns = (
        "select table_name, column_name, data_type, udt_name, is_generated from information_schema.columns"
        " where table_schema = %s and column_name <> 'release_to' and table_name in"
        " (select table_name from gis.feature_table) order by 1, 2"
    )
    with connected(database) as db:
        assert ask(db, columns, "gis") == ask(db, columns, "gis_history")
        assert len(ask(db, "select from gis.feature_table")) == 8


def test_restricted_roles_may_call_few_functions_that_read_and_else_pure_ones(database: str) -> None:
    """Immutable and run with the caller's own rights: they know nothing but their arguments.

    Those of drafts give nothing to who doesn't hold a draft's key. PostgreSQL itself refuses to call the
    function of a trigger.
    """
    with connected(database) as db:
        callable_ = ask(
            db,
            "select distinct p.proname from pg_proc p,"
            " unnest(array['gis_public', 'gis_full', 'gis_jurisdiction']) r"
            " where p.pronamespace = 'gis'::regnamespace and has_function_privilege(r, p.oid, 'execute')"
            " and not (p.provolatile = 'i' and not p.prosecdef) and p.prorettype <> 'trigger'::regtype",
        )
        drafts = [f"draft_rows_{name}" for (name,) in ask(db, "select table_name from gis.feature_table")]
    assert sorted(name for (name,) in callable_) == sorted([*drafts, "drafted_gids", "my_jurisdictions"])


def test_the_data_model_page_names_every_table(database: str, root: Path) -> None:
    page = (root / "docs" / "data-model.md").read_text(encoding="utf-8")
    with connected(database) as db:
        tables = {row[0] for row in ask(db, "select tablename from pg_tables where schemaname = 'gis'")}
    assert tables - set(re.findall(r"`(\w+)`", page)) == set()
