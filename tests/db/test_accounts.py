"""Organisations, accounts and roles: what they let somebody see, and which changes the database refuses."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gis_service.access import accounts, groups, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.groups import Group
from gis_service.access.organisations import Organisation
from gis_service.access.policy import jurisdiction_role
from gis_service.access.principal import Grant, Principal, Role
from gis_service.access.rights import may_administer, may_edit
from gis_service.catalog.layer import OrganisationTier
from gis_service.catalog.registry import load_catalog
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound, RuleBroken, Unauthorized
from tests.conftest import ROOT
from tests.sample import scalar

TREE: list[tuple[str, OrganisationTier, str | None, tuple[str, ...]]] = [
    ("centre", "central", None, ()),
    ("dept-a", "province", "centre", ("A",)),
    ("dept-bc", "province", "centre", ("B", "C")),
    ("board", "site", "dept-a", ()),
    ("institute", "partner", "centre", ()),
    ("club", "registered", None, ()),
]


@pytest.fixture
def db(fresh_database: str) -> Iterator[SyncDatabase]:
    """A tree of six organisations and an account without rights."""
    with SyncDatabase(fresh_database) as opened:
        for code, tier, parent, codes in TREE:
            organisations.create(opened, Organisation(code, f"Tổ chức {code}", None, tier, parent, codes))
        accounts.create(opened, NewAccount("lan", email="Lan@example.vn"))
        groups.create(opened, Group("G-VIPERS", "Rắn lục"))
        yield opened


def seen(db: SyncDatabase, name: str = "lan") -> str:
    return keystore.principal_named(db, name).policy_class


def opens(db: SyncDatabase, key: str) -> Principal | None:
    """Who comes with the key now, as a web process reads it."""
    try:
        return keystore.ring(db.run(keystore.RING)).principal(key, datetime.now(UTC))
    except Unauthorized:
        return None


def broken(rule: str) -> "pytest.RaisesExc[RuleBroken]":
    return pytest.RaisesExc(RuleBroken, check=lambda err: err.values["constraint"] == rule)


SIGHTS: list[tuple[str, Role, str]] = [
    ("centre", "reader", "full"),
    ("centre", "auditor", "public"),  # the log, and no content
    ("dept-a", "editor", "jurisdiction:A"),
    ("dept-bc", "reviewer", "jurisdiction:B,C"),
    ("board", "editor", "jurisdiction:board"),
    ("institute", "reader", "public"),
    ("club", "reader", "public"),
]


def test_a_membership_gives_the_organisation_s_sight(db: SyncDatabase) -> None:
    for organisation, role, sees in SIGHTS:
        assert seen(db) == "public"
        accounts.grant(db, "lan", organisation, role)
        assert seen(db) == sees
        accounts.revoke(db, "lan", organisation, role)
    accounts.grant(db, "lan", "centre", "administrator")
    assert seen(db) == "full"


def test_rights_of_several_memberships_add_up_and_end_one_by_one(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "dept-a", "reader")
    accounts.grant(db, "lan", "dept-bc", "reader")
    assert seen(db) == "jurisdiction:A,B,C"
    accounts.grant(db, "lan", "centre", "reader")
    assert seen(db) == "full"
    accounts.revoke(db, "lan", "centre", "reader")
    accounts.revoke(db, "lan", "dept-a", "reader")
    assert seen(db) == "jurisdiction:B,C"


def test_the_database_role_of_a_sight_exists_before_and_after_part_of_it_ends(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "dept-bc", "reader")
    accounts.grant(db, "lan", "centre", "reader", until=datetime.now(UTC) + timedelta(days=1))
    accounts.grant(db, "lan", "dept-a", "reader", until=datetime.now(UTC) + timedelta(days=2))
    roles = {row[0] for row in db.run(Query("select rolname::text from pg_roles"))}
    for codes in (["A", "B", "C"], ["B", "C"]):  # after one day, after two
        assert jurisdiction_role(codes) in roles


def test_time_ends_a_membership_by_itself(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "centre", "reader", until=datetime.now(UTC) + timedelta(seconds=0.4))
    key = keystore.create(db, "lan")
    held = opens(db, key)
    assert held is not None
    assert held.policy_class == "full"
    assert held.roles
    time.sleep(0.5)
    held = opens(db, key)
    assert held is not None
    assert (held.policy_class, held.roles) == ("public", frozenset())


def test_a_key_from_before_keeps_its_rights_until_the_account_gets_its_first_role(db: SyncDatabase) -> None:
    keystore.ensure_principal(db, Principal("old", "full"))
    assert seen(db, "old") == "full"
    accounts.grant(db, "old", "dept-a", "reader")
    assert seen(db, "old") == "jurisdiction:A"
    accounts.revoke(db, "old", "dept-a", "reader")
    assert seen(db, "old") == "public"
    with broken("principal_has_memberships"):
        keystore.ensure_principal(db, Principal("old", "full"))


def test_rights_follow_the_organisation_s_jurisdictions_and_raise_the_epoch(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "dept-a", "editor")
    before = scalar(db, "select epoch from gis.policy_epoch")
    organisations.set_jurisdictions(db, "dept-a", ["D", "A", "D"])
    assert seen(db) == "jurisdiction:A,D"
    assert scalar(db, "select epoch from gis.policy_epoch") != before
    assert scalar(db, "select count(*) from pg_roles where rolname = 'gis_j_a_d'") == 1
    organisations.set_jurisdictions(db, "dept-a", [])
    assert seen(db) == "public"


def test_a_principal_carries_its_grants_and_its_key_s_scopes(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "dept-a", "editor")
    accounts.grant(db, "lan", "dept-bc", "reader")
    accounts.grant(db, "lan", "dept-a", "administrator")
    accounts.grant(db, "lan", "institute", "steward", "G-VIPERS")
    reading, editing = keystore.create(db, "lan"), keystore.create(db, "lan", scopes=["edit"])
    held = opens(db, editing)
    assert held is not None
    own = frozenset({"A"})
    assert held.organisation == "dept-a"
    assert held.scopes == {"read", "edit"}
    assert held.roles == {
        Grant("editor", "dept-a", None, "province", own),
        Grant("reader", "dept-bc", None, "province", frozenset({"B", "C"})),
        Grant("administrator", "dept-a", None, "province", own, frozenset({"dept-a", "board"})),
        Grant("steward", "institute", "G-VIPERS", "partner"),
    }
    plots = load_catalog(ROOT).layers["plots"]
    assert may_edit(held, plots, ["A"])
    assert not may_edit(held, plots, ["B"])
    assert not may_administer(held, "board")  # its key may not
    reader = opens(db, reading)
    assert reader is not None
    assert not may_edit(reader, plots, ["A"])


def test_a_locked_account_s_keys_are_refused(db: SyncDatabase) -> None:
    key = keystore.create(db, "lan")
    accounts.lock(db, "lan")
    assert opens(db, key) is None
    with pytest.raises(NotFound):
        accounts.lock(db, "lan")
    accounts.unlock(db, "lan")
    assert opens(db, key) is not None


def test_a_key_has_scopes_that_exist_and_always_reads(db: SyncDatabase) -> None:
    keystore.create(db, "lan")
    assert keystore.listed(db)[0].scopes == ("read",)
    with broken("api_key_scopes_check"):
        keystore.create(db, "lan", scopes=["everything"])  # type: ignore[list-item]  # no such scope
    with broken("api_key_scopes_check"):
        db.run(Query("update gis.api_key set scopes = '{edit}' returning key_id"))


def test_an_organisation_never_stands_below_itself(db: SyncDatabase) -> None:
    for code, parent in (("centre", "board"), ("centre", "centre"), ("dept-a", "board")):
        with broken("tree"):
            organisations.move(db, code, parent)


def test_two_moves_at_once_close_no_circle(db: SyncDatabase, fresh_database: str) -> None:
    refused = together(
        fresh_database,
        lambda one: organisations.move(one, "dept-a", "dept-bc"),
        lambda one: organisations.move(one, "dept-bc", "dept-a"),
    )
    assert refused == ["tree"]


def test_a_tree_is_listed_with_what_is_below(db: SyncDatabase) -> None:
    organisations.move(db, "board", "club")
    lines = [(depth, each.code) for depth, each in organisations.tree(organisations.listed(db))]
    assert lines == [
        (0, "centre"), (1, "dept-a"), (1, "dept-bc"), (1, "institute"), (0, "club"), (1, "board")
    ]  # fmt: skip


def test_an_organisation_with_members_or_others_below_can_t_be_deleted(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "club", "reader")
    accounts.revoke(db, "lan", "club", "reader")  # who was what stays known
    for code, rule in (
        ("club", "membership_organisation_id_fkey"),
        ("dept-a", "organisation_parent_id_fkey"),
    ):
        with broken(rule):
            db.run(Query("delete from gis.organisation where code = $1 returning code", (code,)))


def test_code_and_tier_of_an_organisation_stay(db: SyncDatabase) -> None:
    for column in ("code = 'x'", "tier = 'central'"):
        with pytest.raises(RuleBroken, match="can't change"):
            db.run(Query(f"update gis.organisation set {column} where code = 'club' returning code"))


REFUSED = [
    (Organisation("centre", "Again", None, "central"), "organisation_code_key"),
    (Organisation("a b", "Blank", None, "partner"), "organisation_code_check"),
    (Organisation("x" * 41, "Long", None, "partner"), "organisation_code_check"),
    (Organisation("nameless", " ", None, "partner"), "organisation_name_check"),
    (Organisation("orphan", "Orphan", None, "partner", "nowhere"), "unknown_organisation"),
    (Organisation("greedy", "Greedy", None, "partner", None, ("A",)), "organisation_jurisdictions_check"),
    (Organisation("odd", "Odd", None, "province", None, ("A B",)), "organisation_jurisdictions_check"),
    (Organisation("odd", "Odd", None, "province", None, ("",)), "organisation_jurisdictions_check"),
]


def test_an_organisation_that_breaks_a_rule_is_refused_by_its_name(db: SyncDatabase) -> None:
    for new, rule in REFUSED:
        with broken(rule):
            organisations.create(db, new)


def test_the_last_administrator_stays(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "centre", "administrator")
    soon = datetime.now(UTC) + timedelta(days=1)
    with broken("last_administrator"):
        accounts.revoke(db, "lan", "centre", "administrator")
    with broken("last_administrator"):
        accounts.lock(db, "lan")
    with broken("last_administrator"):
        accounts.grant(db, "lan", "centre", "administrator", until=soon)
    accounts.create(db, NewAccount("minh"))
    accounts.grant(db, "minh", "centre", "administrator", until=soon)  # who leaves tomorrow doesn't count
    accounts.grant(db, "minh", "dept-a", "administrator")  # nor does a department's
    with broken("last_administrator"):
        accounts.lock(db, "lan")
    accounts.grant(db, "minh", "centre", "administrator")
    accounts.lock(db, "lan")
    with broken("last_administrator"):
        accounts.revoke(db, "minh", "centre", "administrator")


def test_of_the_last_two_administrators_who_go_at_once_one_stays(
    db: SyncDatabase, fresh_database: str
) -> None:
    accounts.create(db, NewAccount("minh"))
    for name in ("lan", "minh"):
        accounts.grant(db, name, "centre", "administrator")
    refused = together(
        fresh_database, lambda one: accounts.lock(one, "lan"), lambda one: accounts.lock(one, "minh")
    )
    assert refused == ["last_administrator"]


def test_two_grants_at_once_make_one_membership(db: SyncDatabase, fresh_database: str) -> None:
    def grant(one: SyncDatabase) -> None:
        accounts.grant(one, "lan", "dept-a", "editor")

    assert together(fresh_database, grant, grant) == []
    assert [(held.organisation, held.until) for held in accounts.memberships(db, "lan")] == [("dept-a", None)]


def test_memberships_are_ended_and_never_rewritten(db: SyncDatabase) -> None:
    accounts.grant(db, "lan", "dept-a", "reader")
    accounts.revoke(db, "lan", "dept-a", "reader")
    with pytest.raises(NotFound):
        accounts.revoke(db, "lan", "dept-a", "reader")
    for sql in (
        "delete from gis.membership returning role",
        "update gis.membership set until = null returning role",
        "update gis.membership set role = 'administrator' returning role",
        "update gis.membership set since = '2000-01-01' returning role",
    ):
        with pytest.raises(RuleBroken):
            db.run(Query(sql))
    accounts.grant(db, "lan", "dept-a", "reader")
    ended, again = accounts.memberships(db, "lan")
    assert ended.until is not None
    assert again.until is None


def test_a_grant_that_breaks_a_rule_is_refused(db: SyncDatabase) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for role, group, until, rule in (
        ("steward", None, None, "membership_group_check"),
        ("reader", "vipers", None, "membership_group_check"),
        ("steward", "", None, "membership_species_group_check"),
        ("king", None, None, "membership_role_check"),
        ("reader", None, past, "membership_until_check"),
    ):
        with broken(rule):
            accounts.grant(db, "lan", "dept-a", role, group, until)  # type: ignore[arg-type]  # no such role


NAMES = ["O'Brien; drop table gis.principal --", 'Nguyễn "Bé" Thị Ánh', "名前", "a\\b\tc", "😀", "%s $1 {x}"]


def test_names_are_kept_as_they_are(db: SyncDatabase) -> None:
    organisations.create(db, Organisation("odd", "Odd", None, "partner", "centre"))
    for name in NAMES:
        accounts.create(db, NewAccount(name, display_name=name))
        organisations.rename(db, "odd", name, name)
        assert (accounts.named(db, name).display_name, organisations.named(db, "odd").name) == (name, name)


def test_two_ways_to_type_an_accent_are_one_name_and_addresses_know_no_case(db: SyncDatabase) -> None:
    accounts.create(db, NewAccount("A\u0301nh"))  # A and a combining acute
    assert accounts.named(db, "\u00c1nh").principal.name == "\u00c1nh"
    with broken("principal_name_key"):
        accounts.create(db, NewAccount("\u00c1nh"))
    with broken("principal_email_key"):
        accounts.create(db, NewAccount("other", email="lan@EXAMPLE.vn"))
    with broken("principal_email_check"):
        accounts.create(db, NewAccount("other", email="nobody"))


def test_restricted_roles_read_none_of_it(db: SyncDatabase) -> None:
    for relation in ("principal", "membership", "organisation", "invitation", "account", "grant_now"):
        for role in ("gis_public", "gis_jurisdiction", "gis_full"):
            with pytest.raises(Exception, match="permission denied"):
                db.run(Query(f"select from gis.{relation}", role=role))


def test_a_hundred_organisations_with_a_thousand_users(db: SyncDatabase) -> None:
    began = time.perf_counter()
    for number in range(100):
        code = f"unit-{number}"
        organisations.create(
            db, Organisation(code, f"Sở {number}", None, "province", "centre", (f"U{number}",))
        )
    for number in range(1000):
        name = f"user-{number}"
        accounts.create(db, NewAccount(name, email=f"{name}@example.vn"))
        accounts.grant(db, name, f"unit-{number % 100}", "editor")
        keystore.create(db, name)
    made = time.perf_counter()
    ring = keystore.ring(db.run(keystore.RING))
    read = time.perf_counter()
    keystore.ring(db.run(keystore.RING))
    again = time.perf_counter()
    print(f"made in {made - began:.1f} s, ring read in {read - made:.3f} s, again in {again - read:.3f} s")
    assert len(ring.keys) == 1000
    assert len({held.principal.policy_class for held in ring.keys.values()}) == 100


def together(dsn: str, *actions: Callable[[SyncDatabase], None]) -> list[str]:
    """Do all at once, each on a connection of its own; the rules by which some were refused."""
    refused: list[str] = []
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[SyncDatabase], None]) -> None:
        with SyncDatabase(dsn) as one:
            barrier.wait()
            try:
                action(one)
            except RuleBroken as err:
                refused.append(str(err.values["constraint"]))

    threads = [threading.Thread(target=act, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused
