"""Stewards of a species group see its records and ranges whole, wherever they lie, and nothing else more.

Of the sample's records A1 and B1 are of taxon-1, as is range-1; each province has five, of taxa 0 to 4.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gis_service.access import accounts, groups, invitations, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.groups import Group
from gis_service.access.organisations import Organisation
from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.access.rights import may_edit, may_edit_layer, may_review
from gis_service.catalog.registry import load_catalog
from gis_service.db import change_sql, select
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.errors import RuleBroken
from tests import sample
from tests.conftest import ROOT
from tests.sample import CENTRE, PROVINCE_A, scalar

LAYERS = load_catalog(ROOT).layers
GROUP = "G-TURTLES"
OTHERS = (PUBLIC, PROVINCE_A, CENTRE)


@pytest.fixture(scope="module")
def world(database: str) -> Iterator[tuple[SyncDatabase, dict[str, Any]]]:
    """The sample, a steward of taxon-1, a colleague who reads; and what others saw before."""
    sample.fill(database)
    with SyncDatabase(database) as opened:
        before = {who.name: everything(opened, who) for who in OTHERS}
        organisations.create(opened, Organisation("institute", "Viện", None, "partner"))
        groups.create(opened, Group(GROUP, "Rùa", "Turtles", ("taxon-1",)))
        for name in ("steward", "colleague"):
            accounts.create(opened, NewAccount(name))
        accounts.grant(opened, "steward", "institute", "steward", GROUP)
        accounts.grant(opened, "colleague", "institute", "reader")
        yield opened, before


@pytest.fixture
def db(world: tuple[SyncDatabase, dict[str, Any]]) -> SyncDatabase:
    return world[0]


def steward(db: SyncDatabase) -> Principal:
    return keystore.principal_named(db, "steward")


def features(db: SyncDatabase, layer: str, who: Principal) -> dict[str, Any]:
    """What somebody reads of a layer, by feature id, as his database role reads it."""
    read = db.run(select.items(view(who, LAYERS[layer]), ItemsQuery(limit=100)))
    return {str(feature["id"]): feature for feature in (json.loads(text) for _, text in read)}


def everything(db: SyncDatabase, who: Principal) -> dict[str, Any]:
    return {name: features(db, name, who) for name in ("occurrences", "species-ranges", "protected-areas")}


def exact(db: SyncDatabase, who: Principal) -> set[str]:
    """The records that somebody sees whole: of others he isn't told the recorder."""
    told = {each["properties"].get("recordedBy") for each in features(db, "occurrences", who).values()}
    known = {f"Recorder {name}": name for (name,) in db.run(Query("select source_id from gis.occurrence"))}
    return {known[name] for name in told if name in known}


def codes(db: SyncDatabase, source_id: str, schema: str = "gis") -> list[str]:
    sql = f"select jurisdiction from {schema}.occurrence where source_id = $1 order by release_from"
    return list(db.run(Query(sql, (source_id,)))[0][0])


def broken(rule: str) -> "pytest.RaisesExc[RuleBroken]":
    return pytest.RaisesExc(RuleBroken, check=lambda err: err.values["constraint"] == rule)


def record(
    db: SyncDatabase, name: str, taxon: str | None, scientific_name: str = "Unknown", x: float = 106.5
) -> None:
    sql = (
        "insert into gis.occurrence (source_id, dataset_id, scientific_name, taxon_id, recorded_by, geom)"
        " select $1, dataset_id, $3, $2, 'Recorder ' || $1, ST_Point($4, 20.5, 4326)"
        " from gis.dataset where slug = 'open' returning gid"
    )
    db.run(Query(sql, (name, taxon, scientific_name, x)))


def forget(db: SyncDatabase, *names: str) -> None:
    db.run(Query("delete from gis.occurrence where source_id = any($1) returning gid", (list(names),)))


def test_a_steward_sees_the_records_of_its_group_in_both_provinces_and_no_other(db: SyncDatabase) -> None:
    who = steward(db)
    assert who.policy_class == f"jurisdiction:{GROUP}"
    assert exact(db, PUBLIC) == set()
    assert exact(db, who) == {"A1", "B1"}
    found = {each["properties"]["recordedBy"]: each for each in features(db, "occurrences", who).values()}
    assert found["Recorder B1"]["geometry"]["coordinates"] == [106.0522345, 20.0512345]
    assert "range-1" in features(db, "species-ranges", who)
    assert "range-1" not in features(db, "species-ranges", PUBLIC)


def test_what_isn_t_of_the_group_is_shown_to_its_steward_as_to_the_public(db: SyncDatabase) -> None:
    public, mine = everything(db, PUBLIC), everything(db, steward(db))
    for layer, seen in public.items():
        for identity, feature in seen.items():
            there = mine[layer][identity]
            assert there["geometry"] == feature["geometry"]
            shown = feature["properties"]
            assert {name: there["properties"][name] for name in shown} == shown
    assert len(mine["occurrences"]) - len(public["occurrences"]) == 2
    assert mine["protected-areas"].keys() == public["protected-areas"].keys()


def test_who_isn_t_steward_notices_nothing(world: tuple[SyncDatabase, dict[str, Any]]) -> None:
    db, before = world
    for who in OTHERS:
        assert everything(db, who) == before[who.name]
    colleague = keystore.principal_named(db, "colleague")
    assert (colleague.policy_class, colleague.jurisdictions) == ("public", ())
    assert exact(db, colleague) == set()


def test_versions_of_others_stand_still_when_a_group_changes(db: SyncDatabase) -> None:
    state = "select class, version from gis.class_version where table_name = 'occurrence'"
    before: dict[str, int] = dict(db.run(Query(state)))
    groups.set_taxa(db, GROUP, ["taxon-1", "taxon-2"])
    groups.set_taxa(db, GROUP, ["taxon-1"])
    after: dict[str, int] = dict(db.run(Query(state)))
    assert {name for name in after if after[name] != before.get(name)} == {f"j:{GROUP}"}


def test_an_editor_isn_t_told_of_groups_by_the_row_it_edits(db: SyncDatabase) -> None:
    identity = scalar(db, "select public_id from gis.occurrence where source_id = 'A1'")
    seen = db.run(change_sql.standing(view(PROVINCE_A, LAYERS["occurrences"]), [str(identity)]))
    assert codes(db, "A1") == ["A", GROUP]
    assert seen[0][3] == ["A"]


def test_a_steward_neither_edits_nor_reviews(db: SyncDatabase) -> None:
    who = steward(db)
    assert [grant.jurisdictions for grant in who.roles] == [frozenset()]
    layer = LAYERS["occurrences"]
    assert not may_edit_layer(who, layer)
    assert not may_edit(who, layer, ["A", GROUP])
    assert not may_review(who, "province", ["A", GROUP])
    accounts.grant(db, "steward", "institute", "editor")
    try:
        assert not may_edit(steward(db), layer, ["A", GROUP])
    finally:
        accounts.revoke(db, "steward", "institute", "editor")


def test_rows_are_stamped_as_they_are_written_and_as_they_change(db: SyncDatabase) -> None:
    record(db, "new", "taxon-1")
    record(db, "other", "taxon-2", "Speciosus category1")  # its taxon is ours, so its name counts nothing
    record(db, "named", None, "Speciosus category1 Linnaeus, 1758")
    assert [codes(db, name) for name in ("new", "other", "named")] == [["B", GROUP], ["B"], ["B", GROUP]]
    moved = "update gis.occurrence set geom = ST_Point(105.5, 20.5, 4326) where source_id = 'new' returning 1"
    db.run(Query(moved))
    assert codes(db, "new") == ["A", GROUP]
    db.run(Query("update gis.occurrence set taxon_id = 'taxon-2' where source_id = 'new' returning 1"))
    assert codes(db, "new") == ["A"]
    assert codes(db, "new", "gis_history") == ["B", GROUP]
    forget(db, "new", "other", "named")


def test_a_taxon_that_leaves_the_group_is_unstamped_in_history_too(db: SyncDatabase) -> None:
    record(db, "gone", "taxon-1")
    forget(db, "gone")
    assert codes(db, "gone", "gis_history") == ["B", GROUP]
    groups.set_taxa(db, GROUP, ["taxon-2"])
    assert (codes(db, "A1"), codes(db, "A2")) == (["A"], ["A", GROUP])
    assert codes(db, "gone", "gis_history") == ["B"]
    assert exact(db, steward(db)) == {"A2", "B2"}
    groups.set_taxa(db, GROUP, ["taxon-1"])
    assert exact(db, steward(db)) == {"A1", "B1"}


def test_new_boundaries_leave_the_groups_of_rows(db: SyncDatabase) -> None:
    drawn = (
        "update gis.admin_unit set geom = ST_Multi(ST_MakeEnvelope(105, 20, $1, 21, 4326))"
        " where code = 'A' returning gid"
    )
    record(db, "east", "taxon-1", x=105.95)
    assert codes(db, "east") == ["A", GROUP]
    db.run(Query(drawn, (105.9,)))
    assert (codes(db, "A1"), codes(db, "east")) == (["A", GROUP], [GROUP])
    again = "select gis.refresh_jurisdictions('occurrence') + gis.refresh_groups('occurrence')"
    assert scalar(db, again) == 0
    db.run(Query(drawn, (106,)))
    forget(db, "east")


def test_a_taxon_stands_for_all_that_is_below_it_and_for_its_synonyms(db: SyncDatabase) -> None:
    taxa = (
        ("family-f", "Fictidae", "family", None, None, None),
        ("genus-f", "Fictus", "genus", "Fictidae", "Fictus", None),
        ("species-f", "Fictus unus", "species", "Fictidae", "Fictus", None),
        ("old-f", "Vetus unus", "species", None, "Vetus", "species-f"),
        ("species-g", "Gravis unus", "species", "Gravidae", "Gravis", None),
    )
    for taxon in taxa:
        db.run(
            Query(
                "insert into gis.taxon (taxon_id, scientific_name, taxon_rank, family, genus,"
                " accepted_name_usage_id) values ($1, $2, $3, $4, $5, $6) returning 1",
                taxon,
            )
        )
    groups.create(db, Group("G-FICTI", "Nhóm giả", None, ("family-f",)))
    listed = db.run(Query("select taxon_id from gis.group_name where code = 'G-FICTI' order by 1"))
    assert [row[0] for row in listed] == ["family-f", "genus-f", "old-f", "species-f"]
    for name, told in (("Fictus sp.", ["G-FICTI"]), ("Vetus unus", ["G-FICTI"]), ("Gravis unus", [])):
        assert db.run(Query("select gis.groups_of(null, $1)", (name,)))[0][0] == told
    db.run(Query("update gis.taxon set family = 'Fictidae' where taxon_id = 'species-g' returning 1"))
    assert db.run(Query("select gis.groups_of('species-g', 'x')"))[0][0] == ["G-FICTI"]
    groups.set_taxa(db, "G-FICTI", [])
    assert groups.named(db, "G-FICTI").covered == 0


def test_no_place_takes_the_code_of_a_group_nor_a_group_that_of_a_place(db: SyncDatabase) -> None:
    for odd in (
        Organisation("g-turtles", "Ban", None, "site"),
        Organisation("dept", "Sở", None, "province", jurisdictions=("G_TURTLES",)),
    ):
        with broken("group_code"):
            organisations.create(db, odd)
    with broken("group_code"):
        db.run(Query("update gis.admin_unit set code = 'G-X' where code = 'B' returning gid"))
    with broken("group_code"):
        db.run(Query("update gis.sensitivity set jurisdiction = 'G-X' where category = 4 returning 1"))
    for code in ("TURTLES", "G-", "G-A-B", "g-turtles"):
        with broken("species_group_code_check"):
            groups.create(db, Group(code, "Nhóm"))
    with broken("species_group_pkey"):
        groups.create(db, Group(GROUP, "Nhóm"))
    with broken("unknown_taxon"):
        groups.create(db, Group("G-NONE", "Nhóm", None, ("no-taxon",)))
    assert [each.code for each in groups.listed(db)].count("G-NONE") == 0


def test_a_steward_is_one_of_a_group_that_exists(db: SyncDatabase) -> None:
    ends = datetime.now(UTC) + timedelta(days=1)
    with broken("unknown_group"):
        accounts.grant(db, "colleague", "institute", "steward", "vipers")
    with broken("unknown_group"):
        invitations.invite(db, "hoa@example.vn", "institute", "steward", ends, "vipers")


def test_a_word_from_before_there_were_groups_gives_nothing_until_one_has_it_as_its_code(
    db: SyncDatabase,
) -> None:
    accounts.create(db, NewAccount("old"))
    db.apply(["alter table gis.membership disable trigger check_steward"])
    accounts.grant(db, "old", "institute", "steward", "G-LATER")
    db.apply(["alter table gis.membership enable trigger check_steward"])
    assert keystore.principal_named(db, "old").policy_class == "public"
    groups.create(db, Group("G-LATER", "Nhóm", None, ("taxon-3",)))
    assert exact(db, keystore.principal_named(db, "old")) == {"A3", "B3"}
    accounts.revoke(db, "old", "institute", "steward")
    assert keystore.principal_named(db, "old").policy_class == "public"
