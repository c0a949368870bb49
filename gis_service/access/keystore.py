"""Principals and their keys in the database: read whole into a KeyRing, made, listed, revoked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from gis_service.access import keys
from gis_service.access.keys import HeldKey, KeyRing
from gis_service.access.policy import jurisdiction_role
from gis_service.access.principal import PUBLIC, TIERS, Grant, Principal, Scope
from gis_service.access.rules import change
from gis_service.db.pool import Row
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound

GRANTS_KEPT = 4096  # the key ring is read every second, its grants are parsed once

# `revoked_at is null` would be taken for rare before an ANALYZE: nested loops, several times slower.
RING = Query(
    """
    select k.sha256, k.expires_at, k.scopes, a.name, a.tier, a.jurisdictions, a.organisation, a.grants::text
      from gis.api_key k join gis.account a using (principal_id)
     where num_nonnulls(k.revoked_at, a.locked_at) < 1
    """
)
EPOCH = Query("select epoch from gis.policy_epoch")
_PRINCIPAL = "select name, tier, jurisdictions, organisation, grants::text from gis.account where name = $1"
_PRINCIPALS = Query(
    """
    select name, tier, jurisdictions, organisation, grants::text
      from gis.account where locked_at is null order by name
    """
)
_ADD_PRINCIPAL = """
    insert into gis.principal (name, tier, jurisdictions) values ($1, $2, $3)
    on conflict (name) do update set tier = excluded.tier, jurisdictions = excluded.jurisdictions
"""
_ADD_KEY = """
    insert into gis.api_key (sha256, principal_id, label, expires_at, scopes)
    select $1, principal_id, $3, $4, $5::text[] from gis.principal where name = $2 returning key_id
"""
_LIST = """
    select k.key_id, k.label, k.created_at, k.expires_at, k.revoked_at, k.scopes,
           a.name, a.tier, a.jurisdictions, a.organisation, a.grants::text
      from gis.api_key k join gis.account a using (principal_id)
     where $1::text is null or a.name = $1
     order by k.key_id
"""
_REVOKE = (
    "update gis.api_key set revoked_at = now() where key_id = $1 and revoked_at is null returning key_id"
)
_NO_PROVINCE = """
    select code from unnest($1::text[]) code
     where not exists (select from gis.admin_unit u where u.level = 'province' and u.code = code.code)
       and not exists (select from gis.organisation o where o.tier = 'site' and o.code = code.code)
"""


@dataclass(frozen=True)
class ListedKey:
    """A key as an operator sees it: never the key itself."""

    number: int
    principal: Principal
    label: str | None
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    scopes: tuple[Scope, ...] = ("read",)


def ring(rows: Iterable[Row]) -> KeyRing:
    """The KeyRing of the rows that RING selects."""
    return KeyRing(
        {
            bytes(sha): HeldKey(replace(principal_of(*account), scopes=frozenset(scopes)), expires)
            for sha, expires, scopes, *account in rows
        }
    )


def principal_of(
    name: str, tier: str, codes: Sequence[str], organisation: str | None, grants: str
) -> Principal:
    """The principal of a row of gis.account, its grants as the text of their JSON."""
    return Principal(name, TIERS[tier], tuple(codes), organisation, _grants(grants))


@lru_cache(maxsize=GRANTS_KEPT)
def _grants(text: str) -> frozenset[Grant]:
    return frozenset(
        Grant(
            each["role"],
            each["organisation"],
            each["group"],
            each["tier"],
            frozenset(each["jurisdictions"]),
            frozenset(each["reach"]),
        )
        for each in json.loads(text)
    )


def principal_named(database: SyncDatabase, name: str) -> Principal:
    """The principal of that name; NotFound where there is none."""
    rows = database.run(Query(_PRINCIPAL, (name,)))
    if not rows:
        raise NotFound(f"principal {name!r}")
    return principal_of(*rows[0])


def one_of_each_class(database: SyncDatabase) -> list[Principal]:
    """The public, and of the principals one for each policy class; equal classes see equal bytes."""
    known = [PUBLIC, *(principal_of(*row) for row in database.run(_PRINCIPALS))]
    return list({each.policy_class: each for each in known}.values())


def ensure_principal(database: SyncDatabase, principal: Principal) -> None:
    """Make the principal, or bring its rights up to date, with the role that it needs.

    RuleBroken where its rights come from memberships.
    """
    values = (principal.name, principal.tier, sorted(principal.jurisdictions))
    if principal.tier == "jurisdiction":
        made = database.run(
            Query("select gis.ensure_jurisdiction_role($1::text[])", (sorted(principal.jurisdictions),))
        )
        assert made[0][0] == jurisdiction_role(principal.jurisdictions), "both sides name roles alike"
    change(database, _ADD_PRINCIPAL + " returning principal_id", *values)


def create(
    database: SyncDatabase,
    principal: str,
    label: str | None = None,
    expires: datetime | None = None,
    scopes: Iterable[Scope] = ("read",),
) -> str:
    """A new key for a principal, to be shown this once; NotFound where there is no such principal."""
    key = keys.new_key()
    values = (keys.hashed(key), principal, label, expires, sorted({"read", *scopes}))
    if not change(database, _ADD_KEY, *values):
        raise NotFound(f"principal {principal!r}")
    return key


def codes_of_no_province(database: SyncDatabase, codes: Sequence[str]) -> list[str]:
    """Those codes that no province has, at any time; provinces may be loaded later, so they are allowed."""
    return [code for (code,) in database.run(Query(_NO_PROVINCE, (list(codes),)))]


def listed(database: SyncDatabase, principal: str | None = None) -> list[ListedKey]:
    """All keys, or those of one principal, in the order of making."""
    rows = database.run(Query(_LIST, (principal,)))
    return [
        ListedKey(number, principal_of(*account), label, created, expires, revoked, tuple(scopes))
        for number, label, created, expires, revoked, scopes, *account in rows
    ]


def revoke(database: SyncDatabase, number: int) -> None:
    """Close a key at once; NotFound where no open key has the number."""
    if not database.run(Query(_REVOKE, (number,))):
        raise NotFound(f"open key {number}")
