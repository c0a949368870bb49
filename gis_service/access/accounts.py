"""Accounts of persons and services, and the roles that they hold in organisations."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gis_service.access import keystore
from gis_service.access.principal import Principal, Role
from gis_service.access.rules import change
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound

Kind = Literal["person", "service"]
Language = Literal["vi", "en"]

_LIST = """
    select name, kind, display_name, email, language, created_at, locked_at,
           tier, jurisdictions, organisation, grants::text
      from gis.account
     where ($1::text is null or name = $1)
       and ($2::text is null or exists (
             select from gis.grant_now g where g.principal_id = account.principal_id and g.code = $2))
     order by name
"""
_CREATE = """
    insert into gis.principal (name, tier, kind, display_name, email, language)
    values ($1, 'public', $2, $3, $4, $5) returning name
"""
_DESCRIBE = """
    update gis.principal
       set display_name = case when $2::text is null then display_name else nullif($2, '') end,
           email = case when $3::text is null then email else nullif($3, '') end,
           language = coalesce($4, language)
     where name = $1 returning name
"""
_MEMBERSHIPS = """
    select o.code, m.role, m.species_group, m.granted_by, m.since, m.until
      from gis.membership m
      join gis.organisation o using (organisation_id)
      join gis.principal p using (principal_id)
     where p.name = $1 order by m.membership_id
"""
_LOCK = """
    update gis.principal set locked_at = clock_timestamp()
     where name = $1 and locked_at is null returning name
"""
_UNLOCK = """
    update gis.principal set locked_at = null where name = $1 and locked_at is not null returning name
"""


@dataclass(frozen=True)
class Account:
    """A person or a service, with the rights that it has now."""

    principal: Principal
    kind: Kind
    display_name: str | None
    email: str | None
    language: Language
    created: datetime
    locked: datetime | None


@dataclass(frozen=True)
class Membership:
    """A role in an organisation, held or ended: who could do what, and when."""

    organisation: str
    role: Role
    group: str | None
    granted_by: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class NewAccount:
    """What an account is made of; rights come with memberships."""

    name: str
    kind: Kind = "person"
    display_name: str | None = None
    email: str | None = None
    language: Language = "vi"


def plain(text: str) -> str:
    """A name as it is kept: composed, so that two ways to type an accent are one, without outer blanks."""
    return unicodedata.normalize("NFC", text).strip()


def create(database: SyncDatabase, new: NewAccount) -> None:
    """Make an account without rights; RuleBroken where the name or the address is taken."""
    display_name = plain(new.display_name) if new.display_name else None
    email = plain(new.email) if new.email else None
    change(database, _CREATE, plain(new.name), new.kind, display_name, email, new.language)


def listed(database: SyncDatabase, organisation: str | None = None) -> list[Account]:
    """All accounts, or those that hold a role in an organisation now."""
    return _accounts(database, None, organisation)


def named(database: SyncDatabase, name: str) -> Account:
    """The account of that name; NotFound where there is none."""
    found = _accounts(database, plain(name), None)
    if not found:
        raise NotFound(f"account {name!r}")
    return found[0]


def _accounts(database: SyncDatabase, name: str | None, organisation: str | None) -> list[Account]:
    return [
        Account(keystore.principal_of(row[0], *row[7:11]), *row[1:7])
        for row in database.run(Query(_LIST, (name, organisation)))
    ]


def memberships(database: SyncDatabase, name: str) -> list[Membership]:
    """Every membership that the account has or had, in the order of granting."""
    return [Membership(*row) for row in database.run(Query(_MEMBERSHIPS, (plain(name),)))]


def grant(
    database: SyncDatabase,
    name: str,
    organisation: str,
    role: Role,
    group: str | None = None,
    until: datetime | None = None,
) -> None:
    """Give a role, or another end to one that is held."""
    values = (plain(name), organisation, role, group, until)
    change(database, "select gis.grant_role($1, $2, $3, $4, $5::timestamptz)", *values)


def revoke(
    database: SyncDatabase, name: str, organisation: str, role: Role, group: str | None = None
) -> None:
    """End a role at once; NotFound where it isn't held."""
    values = (plain(name), organisation, role, group)
    if not change(database, "select gis.revoke_role($1, $2, $3, $4)", *values)[0][0]:
        raise NotFound(f"role {role} of {name!r} in {organisation}")


def describe(
    database: SyncDatabase, name: str, display_name: str | None, email: str | None, language: str | None
) -> None:
    """Change what an account is called, where it gets mail, in which language; None leaves, "" empties."""
    told = (plain(each) if each else each for each in (display_name, email))
    _found(name, change(database, _DESCRIBE, plain(name), *told, language))


def lock(database: SyncDatabase, name: str) -> None:
    """Refuse all keys of the account until it is unlocked; NotFound where there is none that is open."""
    _found(name, change(database, _LOCK, plain(name)))


def unlock(database: SyncDatabase, name: str) -> None:
    """Let its keys open again; NotFound where no locked account has the name."""
    _found(name, change(database, _UNLOCK, plain(name)))


def _found(name: str, rows: Sequence[object]) -> None:
    if not rows:
        raise NotFound(f"account {name!r}")
