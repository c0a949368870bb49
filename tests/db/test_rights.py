"""Sensitivity, licences and jurisdictions: what derives from other rows follows them, in history too."""

import threading
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg

from gis_service.access.policy import jurisdiction_role
from tests.db.schema import Connection, ask, connected, dataset, insert, one, province, square, viper

STATE = "select source_id, sensitivity, ST_AsText(geom_public) from gis.occurrence order by 1"


@pytest.fixture
def db(fresh_database: str) -> Any:
    """A connection to a database with one dataset, two provinces and two taxa, one a synonym of the other."""
    with connected(fresh_database) as connection:
        dataset(connection)
        province(connection, "P-1", 105)
        province(connection, "P-2", 106)
        connection.execute(
            "insert into gis.taxon (taxon_id, scientific_name, accepted_name_usage_id, taxon_rank)"
            " values ('azf', 'Azemiops feae', null, 'species'), ('old', 'Azemiops vetus', 'azf', 'species'),"
            " ('az', 'Azemiops', null, 'genus')"
        )
        yield connection


def listed(db: Connection, category: int, jurisdiction: str | None = None, taxon: str = "azf") -> None:
    """Put a taxon on the list of sensitive ones."""
    db.execute(
        "insert into gis.sensitivity (taxon_id, jurisdiction, category, reason, review_date)"
        " values (%s, %s, %s, 'collecting', '2030-01-01')",
        (taxon, jurisdiction, category),
    )


@pytest.mark.parametrize(
    ("category", "position"),
    [(1, None), (2, "POINT(105.85 20.95)"), (3, "POINT(105.835 20.975)"), (4, "POINT(105.8345 20.9785)")],
)
def test_the_public_position_is_the_centre_of_the_categorys_cell(
    db: Connection, category: int, position: str | None
) -> None:
    listed(db, category)
    viper(db, "a", 105.8342, 20.9781)
    assert ask(db, STATE) == [("a", category, position)]


def test_an_unlisted_species_keeps_its_position(db: Connection) -> None:
    viper(db, "a", 105.8342, 20.9781)
    assert ask(db, STATE) == [("a", 0, "POINT(105.8342 20.9781)")]


def test_the_last_cell_of_the_world_stays_in_it(db: Connection) -> None:
    insert(db, "plot", source_id="corner", dataset_id=1, geom="POINT(180 90)")
    insert(db, "plot", source_id="south", dataset_id=1, geom="POINT(-180 -90)")
    centres = ask(db, "select ST_AsText(geom_public) from gis.plot order by source_id")
    assert centres == [("POINT(179.95 89.95)",), ("POINT(-179.95 -89.95)",)]


@pytest.mark.parametrize(
    "name",
    [
        "Azemiops feae",
        "azemiops  feae Boulenger, 1888",
        "Azemiops feae (Boulenger)",
        "Azemiops cf. feae",
        "Azemiops vetus",
    ],
)
def test_every_way_to_write_a_listed_name_is_found(db: Connection, name: str) -> None:
    listed(db, 1)
    viper(db, "a", 105.5, scientific_name=name)
    assert one(db, "select sensitivity from gis.occurrence") == 1


def test_a_listed_genus_covers_its_species_and_a_taxon_id_is_enough(db: Connection) -> None:
    listed(db, 3, taxon="az")
    listed(db, 2)
    viper(db, "genus", 105.5, scientific_name="Azemiops kharini")
    viper(db, "id", 105.5, scientific_name="rắn lục đầu bạc", taxon_id="azf")
    viper(db, "other", 105.5, scientific_name="Naja atra")
    state = ask(db, "select source_id, sensitivity from gis.occurrence order by 1")
    assert state == [("genus", 3), ("id", 2), ("other", 0)]


def test_the_source_cant_lower_the_lists_category(db: Connection) -> None:
    listed(db, 1)
    viper(db, "a", 105.5, sensitivity=0)
    db.execute("update gis.occurrence set sensitivity = 0")
    assert ask(db, STATE) == [("a", 1, None)]
    with pytest.raises(pg.GeneratedAlways):
        db.execute("update gis.occurrence set geom_public = geom")


def test_a_category_holds_where_it_was_decided(db: Connection) -> None:
    listed(db, 2, "P-1")
    viper(db, "in", 105.5)
    viper(db, "out", 106.5)
    insert(db, "species_range", source_id="r", dataset_id=1, sci_name="Azemiops feae", geom=square(105.5, 3))
    assert ask(db, "select source_id, sensitivity from gis.occurrence order by 1") == [("in", 2), ("out", 0)]
    assert one(db, "select sensitivity from gis.species_range") == 2


def test_rows_and_history_follow_the_list_without_a_new_revision(db: Connection) -> None:
    viper(db, "a", 105.8342, 20.9781)
    db.execute("update gis.occurrence set locality = 'ridge'")
    listed(db, 1)
    hidden = [(2, 1, None)], [(1, 1, None)]
    state = "select rev, sensitivity, geom_public from {}.occurrence"
    assert tuple(ask(db, state.format(schema)) for schema in ("gis", "gis_history")) == hidden
    db.execute("delete from gis.sensitivity")
    assert ask(db, "select rev, sensitivity from gis.occurrence") == [(2, 0)]
    assert ask(db, "select rev, sensitivity from gis_history.occurrence") == [(1, 0)]


def test_rows_of_a_load_under_way_follow_the_list_too(db: Connection, fresh_database: str) -> None:
    def decide() -> None:
        with connected(fresh_database) as other:
            listed(other, 1)

    with db.transaction():
        viper(db, "a", 105.5)
        decision = threading.Thread(target=decide)
        decision.start()
        decision.join(0.5)
        assert decision.is_alive()
    decision.join()
    assert one(db, "select sensitivity from gis.occurrence") == 1


def test_rows_of_a_load_under_way_follow_the_licence_too(db: Connection, fresh_database: str) -> None:
    def close() -> None:
        with connected(fresh_database) as other:
            other.execute("update gis.dataset set redistribution = false")

    with db.transaction():
        insert(db, "plot", source_id="a", dataset_id=1, geom="POINT(105.5 5)")
        closing = threading.Thread(target=close)
        closing.start()
        closing.join(0.5)
        assert closing.is_alive()
    closing.join()
    assert one(db, "select restricted from gis.plot")


def test_a_new_synonym_of_a_listed_taxon_is_sensitive_at_once(db: Connection) -> None:
    listed(db, 1)
    viper(db, "a", 105.5, scientific_name="Vipera feae")
    assert one(db, "select sensitivity from gis.occurrence") == 0
    db.execute(
        "insert into gis.taxon (taxon_id, scientific_name, accepted_name_usage_id)"
        " values ('v', 'Vipera feae', 'azf')"
    )
    assert one(db, "select sensitivity from gis.occurrence") == 1


def test_rows_and_history_follow_the_licence(db: Connection) -> None:
    closed = dataset(db, "closed", redistribution=False)
    viper(db, "a", 105.5, dataset_id=closed)
    db.execute("update gis.occurrence set locality = 'ridge'")
    assert one(db, "select restricted from gis.occurrence")
    epoch = one(db, "select epoch from gis.policy_epoch")
    db.execute("update gis.dataset set redistribution = true where slug = 'closed'")
    assert ask(db, "select rev, restricted from gis.occurrence") == [(2, False)]
    assert ask(db, "select rev, restricted from gis_history.occurrence") == [(1, False)]
    assert one(db, "select epoch from gis.policy_epoch") == epoch + 1


def test_a_role_stands_for_its_jurisdictions(db: Connection) -> None:
    role = one(db, "select gis.ensure_jurisdiction_role('T-1')")
    both = one(db, "select gis.ensure_jurisdiction_role(array['T-2', 'T-1', 'T-2'])")
    assert (role, both) == ("gis_j_t_1", "gis_j_t_1_t_2")
    assert one(db, "select gis.ensure_jurisdiction_role('T-1')") == role
    for name, codes in ((role, ["T-1"]), (both, ["T-1", "T-2"]), ("gis_public", [])):
        db.execute(f"set role {name}".encode())
        assert one(db, "select gis.my_jurisdictions()") == codes
        with pytest.raises(pg.InsufficientPrivilege):
            db.execute("select from gis.role_jurisdiction")
    db.execute("reset role")
    with pytest.raises(pg.DuplicateObject, match="stands for"):
        db.execute("select gis.ensure_jurisdiction_role('T_1')")
    many = [f"province-{number}" for number in range(1, 10)]
    hashed = one(db, "select gis.ensure_jurisdiction_role(%s::text[])", many)
    assert hashed == jurisdiction_role(many)
    assert len(hashed) <= 63
    # In the order of what they are called in the role's name: '-' comes before '0', '_' after it.
    mixed = one(db, "select gis.ensure_jurisdiction_role(array['a-b', 'a0'])")
    assert mixed == jurisdiction_role(["a0", "a-b"]) == "gis_j_a0_a_b"
    for name in (role, both, hashed, mixed):
        db.execute(f"drop role {name}".encode())


def test_keys_and_principals_are_told_of_at_once(db: Connection) -> None:
    db.execute("listen gis_access")
    db.execute("insert into gis.principal (name, tier) values ('centre', 'full')")
    db.execute("insert into gis.api_key (sha256, principal_id) values (sha256('key'), 1)")
    db.execute("update gis.api_key set revoked_at = now()")
    told = [notice.payload for notice in db.notifies(timeout=2, stop_after=3)]
    assert told == ["principal", "api_key", "api_key"]


@pytest.mark.parametrize(("tier", "jurisdictions"), [("jurisdiction", []), ("full", ["P-1"]), ("centre", [])])
def test_a_principals_tier_and_jurisdictions_must_agree(
    db: psycopg.Connection[Any], tier: str, jurisdictions: list[str]
) -> None:
    with pytest.raises(pg.CheckViolation):
        db.execute(
            "insert into gis.principal (name, tier, jurisdictions) values ('x', %s, %s)",
            (tier, jurisdictions),
        )


def test_organisations_are_a_tree(db: Connection) -> None:
    add = "insert into gis.organisation (code, name, tier, parent_id) values (%s, %s, %s, %s)"
    db.execute(add, ("a", "A", "central", None))
    db.execute(add, ("b", "B", "province", 1))
    with pytest.raises(pg.CheckViolation, match="below itself"):
        db.execute("update gis.organisation set parent_id = 2 where code = 'a'")
    with pytest.raises(pg.ForeignKeyViolation):
        db.execute(add, ("c", "C", "ministry", 1))
