"""Invitations: opened once, by one address, in time."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gis_service.access import accounts, groups, invitations, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.groups import Group
from gis_service.access.organisations import Organisation
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from tests.db.test_accounts import broken, together
from tests.sample import scalar


@pytest.fixture
def db(fresh_database: str) -> Iterator[SyncDatabase]:
    """A department, an institute, and an account that has an address."""
    with SyncDatabase(fresh_database) as opened:
        organisations.create(opened, Organisation("dept-a", "Sở", None, "province", None, ("A",)))
        organisations.create(opened, Organisation("institute", "Viện", None, "partner"))
        accounts.create(opened, NewAccount("lan", email="Lan@example.vn"))
        groups.create(opened, Group("G-VIPERS", "Rắn lục"))
        yield opened


def test_an_invitation_makes_the_account_once(db: SyncDatabase) -> None:
    expires = datetime.now(UTC) + timedelta(days=1)
    token = invitations.invite(db, "Hoa@Example.vn", "dept-a", "editor", expires)
    assert scalar(db, "select count(*) from gis.invitation where sha256 = sha256('" + token + "')") == 1
    assert invitations.accept(db, token, "Hoa Nguyễn", "vi") == "hoa@example.vn"
    made = accounts.named(db, "hoa@example.vn")
    assert (made.kind, made.display_name, made.principal.policy_class) == (
        "person",
        "Hoa Nguyễn",
        "jurisdiction:A",
    )
    for wrong in (token, "gisinv_wrong", ""):
        with broken("invitation_open"):
            invitations.accept(db, wrong)


def test_an_invitation_joins_the_account_that_has_the_address(db: SyncDatabase) -> None:
    expires = datetime.now(UTC) + timedelta(days=1)
    first = invitations.invite(db, "LAN@example.vn", "dept-a", "reader", expires)
    second = invitations.invite(db, "lan@example.vn", "institute", "steward", expires, "G-VIPERS")
    assert invitations.accept(db, first) == "lan"
    accounts.lock(db, "lan")
    with broken("account_locked"):
        invitations.accept(db, second)
    accounts.unlock(db, "lan")
    assert invitations.accept(db, second) == "lan"
    assert {grant.role for grant in keystore.principal_named(db, "lan").roles} == {"reader", "steward"}


def test_who_holds_a_token_doesn_t_come_into_an_account_that_is_there(db: SyncDatabase) -> None:
    """Whoever invites sees the token; by the address of another it mustn't open that one's account."""
    expires = datetime.now(UTC) + timedelta(days=1)
    token = invitations.invite(db, "LAN@example.vn", "institute", "reader", expires)
    with broken("invitation_known"):
        invitations.invited(db, token)
    new = invitations.invite(db, "Hoa@example.vn", "institute", "reader", expires)
    assert invitations.invited(db, new) == "hoa@example.vn"


def test_an_invitation_that_is_withdrawn_opens_nothing(db: SyncDatabase) -> None:
    expires = datetime.now(UTC) + timedelta(days=1)
    token = invitations.invite(db, "hoa@example.vn", "institute", "reader", expires)
    (listed,) = invitations.listed(db, ["institute"])
    assert (listed.email, listed.role, listed.accepted) == ("hoa@example.vn", "reader", None)
    for elsewhere in (["dept-a"], []):
        assert invitations.listed(db, elsewhere) == []
        with pytest.raises(NotFound):
            invitations.withdraw(db, listed.number, elsewhere)
    invitations.withdraw(db, listed.number, None)
    with broken("invitation_open"):
        invitations.accept(db, token)
    assert invitations.listed(db, None, only_open=True) == []


def test_an_invitation_that_has_expired_opens_nothing(db: SyncDatabase) -> None:
    token = invitations.invite(
        db, "hoa@example.vn", "dept-a", "reader", datetime.now(UTC) + timedelta(seconds=0.3)
    )
    time.sleep(0.4)
    with broken("invitation_open"):
        invitations.accept(db, token)
    with broken("invitation_expires_check"):
        invitations.invite(db, "hoa@example.vn", "dept-a", "reader", datetime.now(UTC) - timedelta(days=1))


def test_of_two_who_accept_at_once_one_is_refused(db: SyncDatabase, fresh_database: str) -> None:
    token = invitations.invite(
        db, "hoa@example.vn", "dept-a", "reader", datetime.now(UTC) + timedelta(days=1)
    )

    def accept(one: SyncDatabase) -> None:
        invitations.accept(one, token)

    assert together(fresh_database, accept, accept) == ["invitation_open"]
    assert len(accounts.memberships(db, "hoa@example.vn")) == 1
