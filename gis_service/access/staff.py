"""What an administrator may do with accounts: see them, grant and end roles, lock, deal with keys, invite.

It sees who has or had a role in an organisation within its reach, and of those accounts the roles there. An
account is wholly its own if all roles that it holds are there: only such a one it locks and sees the keys of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from gis_service.access import accounts, administration, invitations, keystore, sessions
from gis_service.access.accounts import Account, Membership, NewAccount
from gis_service.access.administration import Administrator, forbidden
from gis_service.access.keystore import ListedKey
from gis_service.access.principal import Role, Scope
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound

State = Literal["locked", "ending"]
STATES: tuple[State, ...] = ("locked", "ending")
LONGEST_INVITATION_DAYS = 30
KEY_OF_A_PERSON = timedelta(days=1)  # long enough to sign in and make one that nobody else has seen

_LIST = """
    select p.name, p.kind, p.display_name, p.email, p.locked_at,
           array(select concat_ws(' ', g.role, g.code, g.species_group) from gis.grant_now g
                  where g.principal_id = p.principal_id and ($1::text[] is null or g.code = any ($1))
                  order by g.code, g.role, g.species_group)
      from gis.principal p
     where ($1::text[] is null or exists (
             select from gis.membership m join gis.organisation o using (organisation_id)
              where m.principal_id = p.principal_id and o.code = any ($1)))
       and ($2::text is null or position(gis.unaccented(lower($2)) in
             gis.unaccented(lower(concat_ws(' ', p.name, p.display_name, p.email)))) > 0)
       and ($3::text is null or exists (
             select from gis.grant_now g where g.principal_id = p.principal_id and g.code = $3))
       and ($4::text is null or p.name > $4)
       and ($6::text is distinct from 'locked' or p.locked_at is not null)
       and ($6::text is distinct from 'ending' or exists (
             select from gis.grant_now g
              where g.principal_id = p.principal_id and ($1::text[] is null or g.code = any ($1))
                and g.until < clock_timestamp() + interval '30 days'))
     order by p.name limit $5
"""
_COUNTS = """
    select count(*), count(*) filter (where locked_at is not null)
      from gis.principal p
     where $1::text[] is null or exists (
             select from gis.membership m join gis.organisation o using (organisation_id)
              where m.principal_id = p.principal_id and o.code = any ($1))
"""
_ENDING = """
    select count(*) from gis.grant_now g
     where ($1::text[] is null or g.code = any ($1)) and g.until < clock_timestamp() + interval '30 days'
"""
_OPEN = """
    select count(*) from gis.invitation i join gis.organisation o using (organisation_id)
     where ($1::text[] is null or o.code = any ($1))
       and i.accepted_at is null and i.expires_at > clock_timestamp()
"""


@dataclass(frozen=True)
class Counts:
    """How many accounts there are, locked ones, roles that end within 30 days, invitations that are open."""

    accounts: int
    locked: int
    ending: int
    invitations: int


@dataclass(frozen=True)
class Listed:
    """An account in the list; `roles` are those that it holds within reach now, as `role code group`."""

    name: str
    kind: str
    display_name: str | None
    email: str | None
    locked: datetime | None
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Sought:
    """Which accounts to list: by words of their names, of an organisation, locked or with an ending role."""

    words: str | None = None
    organisation: str | None = None
    state: State | None = None


@dataclass(frozen=True)
class Person:
    """An account with its roles within reach, now and before; its keys where it's wholly the reader's."""

    account: Account
    memberships: tuple[Membership, ...]
    whole: bool
    keys: tuple[ListedKey, ...] = ()


@dataclass(frozen=True)
class Granted:
    """A role to give or to end."""

    organisation: str
    role: Role
    group: str | None = None
    until: datetime | None = None


def counts(database: SyncDatabase, who: Administrator) -> Counts:
    whole, locked = database.run(Query(_COUNTS, (who.codes,)))[0]
    ending, opened = (database.run(Query(sql, (who.codes,)))[0][0] for sql in (_ENDING, _OPEN))
    return Counts(whole, locked, ending, opened)


def listed(
    database: SyncDatabase,
    who: Administrator,
    sought: Sought,
    after: str | None = None,
    limit: int = 50,
) -> list[Listed]:
    """Accounts by name, from behind one on."""
    if sought.organisation is not None:
        administration.organisation(database, who, sought.organisation)
    values = (who.codes, sought.words, sought.organisation, after, limit, sought.state)
    rows = database.run(Query(_LIST, values))
    return [
        Listed(name, kind, title, email, locked, tuple(roles))
        for name, kind, title, email, locked, roles in rows
    ]


def person(database: SyncDatabase, who: Administrator, name: str) -> Person:
    """An account within reach; NotFound alike for one that isn't and for none."""
    account = accounts.named(database, name)
    held = accounts.memberships(database, account.principal.name)
    near = tuple(each for each in held if who.reaches(each.organisation))
    if not who.central and not near:
        raise NotFound(f"account {name!r}")
    now = datetime.now(UTC)
    counting = [each for each in held if each.until is None or each.until > now] or held
    whole = who.central or all(who.reaches(each.organisation) for each in counting)
    found = tuple(keystore.listed(database, account.principal.name)) if whole else ()
    return Person(account, near, whole, found)


def grant(database: SyncDatabase, who: Administrator, name: str, role: Granted) -> None:
    """Give an account within reach a role, or another end to one that it holds."""
    known = person(database, who, name).account.principal.name
    _may_give(database, who, role)
    if known == who.principal.name and not who.central:
        raise forbidden("admin.own-role")
    accounts.grant(database, known, role.organisation, role.role, role.group, role.until)


def revoke(database: SyncDatabase, who: Administrator, name: str, role: Granted) -> None:
    """End a role within reach at once."""
    known = person(database, who, name).account.principal.name
    administration.organisation(database, who, role.organisation)
    accounts.revoke(database, known, role.organisation, role.role, role.group)


def lock(database: SyncDatabase, who: Administrator, name: str) -> None:
    accounts.lock(database, _own(database, who, name).account.principal.name)


def unlock(database: SyncDatabase, who: Administrator, name: str) -> None:
    accounts.unlock(database, _own(database, who, name).account.principal.name)


def end_sessions(database: SyncDatabase, who: Administrator, name: str) -> None:
    """Sign the account out everywhere."""
    sessions.end_all(database, _own(database, who, name).account.principal.name)


def revoke_key(database: SyncDatabase, who: Administrator, name: str, number: int) -> None:
    if number not in {each.number for each in _own(database, who, name).keys}:
        raise NotFound(f"open key {number}")
    keystore.revoke(database, number)


def make_key(
    database: SyncDatabase,
    who: Administrator,
    name: str,
    label: str | None,
    until: datetime | None,
    scopes: Sequence[Scope],
) -> str:
    """A key for a service; of a person one for a day, since somebody else has seen it."""
    account = _own(database, who, name).account
    if account.kind == "person":
        latest = datetime.now(UTC) + KEY_OF_A_PERSON
        until = latest if until is None else min(until, latest)
    return keystore.create(database, account.principal.name, label, until, scopes)


def make_service(database: SyncDatabase, who: Administrator, new: NewAccount, role: Granted) -> None:
    """An account for a program with its first role; persons are invited."""
    _may_give(database, who, role)
    accounts.create(database, new)
    accounts.grant(database, new.name, role.organisation, role.role, role.group, role.until)


def invite(database: SyncDatabase, who: Administrator, email: str, role: Granted, expires: datetime) -> str:
    """The token to hand over; only its hash is kept."""
    _may_give(database, who, role)
    own = accounts.named(database, who.principal.name).email
    if not who.central and own is not None and own.lower() == accounts.plain(email).lower():
        raise forbidden("admin.own-role")
    return invitations.invite(database, email, role.organisation, role.role, expires, role.group)


def _may_give(database: SyncDatabase, who: Administrator, role: Granted) -> None:
    """Stewards see the records of their group in every province, so only the centre makes them."""
    administration.organisation(database, who, role.organisation)
    if role.role == "steward" and not who.central:
        raise forbidden("admin.steward")


def _own(database: SyncDatabase, who: Administrator, name: str) -> Person:
    """An account that is wholly within reach; Forbidden for another that is seen."""
    found = person(database, who, name)
    if not found.whole:
        raise forbidden("admin.not-whole")
    return found
