"""The keys that people make for themselves while signed in: never more than their session may do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from gis_service.access import keystore
from gis_service.access.keystore import ListedKey
from gis_service.access.principal import Scope
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound, RuleBroken, Unauthorized
from gis_service.texts import say

MOST_OPEN: Final = 50
# Whoever locks the account or makes another key of it waits for this row, so that counts and rights hold.
_HOLD = "select principal_id from gis.principal where name = $1 and locked_at is null for update"
_SCOPES = "select scopes from gis.session_now where session_id = $1 and name = $2"
_OPEN = """
    select count(*) from gis.api_key k join gis.principal p using (principal_id)
     where p.name = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
"""
_REVOKE = """
    update gis.api_key k set revoked_at = now() from gis.principal p
     where p.principal_id = k.principal_id and p.name = $1 and k.key_id = $2 and k.revoked_at is null
    returning k.key_id
"""


def listed(database: SyncDatabase, name: str) -> list[ListedKey]:
    """The keys of an account, the newest first."""
    return keystore.listed(database, name)[::-1]


def create(
    database: SyncDatabase,
    name: str,
    session: int,
    label: str | None,
    until: datetime | None,
    scopes: Collection[Scope],
) -> str:
    """A key of the session's account, to be shown this once; Unauthorized where the session is over.

    It may do no more than the session. It may outlast the key that opened the session: an administrator's key
    for a day is there to be followed by an own one, and the log tells of each.
    """
    with database.transaction():
        held = database.run(Query(_HOLD, (name,))) and database.run(Query(_SCOPES, (session, name)))
        if not held:
            raise Unauthorized
        if not set(scopes) <= set(held[0][0]):
            raise _broken("rule.own_key_scopes")
        if until is not None and until <= datetime.now(UTC):
            raise _broken("rule.own_key_past")
        if int(database.run(Query(_OPEN, (name,)))[0][0]) >= MOST_OPEN:
            raise _broken("rule.own_keys")
        return keystore.create(database, name, label, until, scopes)


def revoke(database: SyncDatabase, name: str, number: int) -> None:
    """Close one of an account's keys at once; NotFound where none of them is open by that number."""
    if not database.run(Query(_REVOKE, (name, number))):
        raise NotFound(f"open key {number}")


def _broken(key: str) -> RuleBroken:
    return RuleBroken(say(key, "en"), key=key)
