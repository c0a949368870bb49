"""Sessions of persons at pages: opened by a key, an issuer or an invitation; listed, ended."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from gis_service.access import keys, keystore
from gis_service.access.principal import Principal
from gis_service.db.audit import Actor, as_actor
from gis_service.db.pool import Row
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound, Unauthorized

Method = Literal["key", "oidc", "invitation"]

PREFIX = "gisses_"
LONGEST_TOKEN = 100
SEEN_EVERY = timedelta(minutes=1)

RING = Query(
    """
    select sha256, session_id, seen_at, display_name, scopes,
           name, tier, jurisdictions, organisation, grants::text
      from gis.session_now
    """
)
_SEEN = """
    update gis.session set seen_at = clock_timestamp()
     where session_id = $1 and seen_at < clock_timestamp() - $2::interval returning session_id
"""
_BY_KEY = """
    insert into gis.session (sha256, principal_id, method, key_id, client, idle, expires_at)
    select $1, k.principal_id, 'key', k.key_id, $3, $4::interval,
           least(clock_timestamp() + $5::interval, k.expires_at)
      from gis.api_key k join gis.principal p using (principal_id)
     where k.sha256 = $2 and num_nonnulls(k.revoked_at, p.locked_at) = 0
       and (k.expires_at is null or k.expires_at > clock_timestamp())
    returning session_id
"""
_BY_NAME = """
    insert into gis.session (sha256, principal_id, method, client, idle, expires_at)
    select $1, p.principal_id, $2, $4, $5::interval, clock_timestamp() + $6::interval
      from gis.principal p where p.name = $3 and p.locked_at is null
    returning session_id
"""
_OWNER = """
    select p.name from gis.api_key k join gis.principal p using (principal_id)
     where k.sha256 = $1 and num_nonnulls(k.revoked_at, p.locked_at) = 0
       and (k.expires_at is null or k.expires_at > clock_timestamp())
"""
_LIST = """
    select session_id, method, client, created_at, seen_at, expires_at
      from gis.session_now where name = $1 order by seen_at desc, session_id desc
"""
_END = """
    update gis.session s set ended_at = clock_timestamp()
      from gis.principal p
     where p.principal_id = s.principal_id and p.name = $1 and s.ended_at is null
       and ($2::bigint is null or s.session_id = $2) and s.session_id is distinct from $3::bigint
    returning s.session_id
"""

_FORGET = """
    delete from gis.session
     where coalesce(ended_at, least(expires_at, seen_at + idle))
           < clock_timestamp() - make_interval(days => $1::int)
    returning session_id
"""


@dataclass(frozen=True, slots=True)
class Session:
    """Who has signed in, as the request's cookie shows; `csrf` is what its forms send back."""

    number: int
    principal: Principal
    display_name: str
    csrf: str


@dataclass(frozen=True, slots=True)
class HeldSession:
    number: int
    seen: datetime
    display_name: str | None
    principal: Principal


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session lasts, and how long unused."""

    whole: timedelta
    idle: timedelta


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its owner sees it."""

    number: int
    method: Method
    client: str
    created: datetime
    seen: datetime
    expires: datetime


SessionRing = Mapping[bytes, HeldSession]


def ring(rows: Iterable[Row]) -> SessionRing:
    """Every open session by the hash of its token, of the rows that RING selects."""
    return {
        bytes(sha): HeldSession(
            number,
            seen,
            display_name,
            replace(keystore.principal_of(*account), scopes=frozenset(scopes)),
        )
        for sha, number, seen, display_name, scopes, *account in rows
    }


def opened(held: HeldSession, token: str) -> Session:
    return Session(held.number, held.principal, held.display_name or held.principal.name, csrf_of(token))


def csrf_of(token: str) -> str:
    """A session's token for forms: follows from its own, and not the other way, nor from what is stored."""
    digest = hashlib.sha256(b"gis.csrf 1 " + token.encode("utf-8", "surrogateescape")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_due(held: HeldSession, now: datetime) -> bool:
    """Whether it's time to note that the session is in use."""
    return now - held.seen > SEEN_EVERY


def seen(number: int) -> Query:
    """Note that the session is in use."""
    return Query(_SEEN, (number, SEEN_EVERY))


def owner(key: str) -> Query:
    """The name of the account whose open key it is: asked of the database, for it may be a moment old."""
    return Query(_OWNER, (keys.hashed(key),))


def open_by_key(database: SyncDatabase, key: str, client: str, lasting: Lasting) -> str:
    """The token of a session that does what the key may do and ends with it; Unauthorized for a wrong key."""
    token = keys.new_secret(PREFIX)
    values = (keys.hashed(token), keys.hashed(key), client, lasting.idle, lasting.whole)
    if not database.run(Query(_BY_KEY, values)):
        raise Unauthorized
    return token


def open_by_name(database: SyncDatabase, method: Method, name: str, client: str, lasting: Lasting) -> str:
    """The token of a session of an account that proved itself otherwise; Unauthorized where it's locked."""
    token = keys.new_secret(PREFIX)
    values = (keys.hashed(token), method, name, client, lasting.idle, lasting.whole)
    if not database.run(Query(_BY_NAME, values)):
        raise Unauthorized
    return token


def listing(name: str) -> Query:
    """The open sessions of an account, the last used first: each row is a ListedSession."""
    return Query(_LIST, (name,))


def end(database: SyncDatabase, name: str, number: int) -> None:
    """End one of an account's sessions; NotFound where it has no open one of that number."""
    if not database.run(Query(_END, (name, number, None))):
        raise NotFound(f"session {number}")


def end_all(database: SyncDatabase, name: str, but: int | None = None) -> int:
    """End an account's sessions, but for one; how many they were."""
    return len(database.run(Query(_END, (name, None, but))))


def forget(database: SyncDatabase, days: int) -> int:
    """Remove the sessions that have been over for so many days, which the log keeps; how many they were."""
    with database.transaction():
        database.run(as_actor(Actor("worker", "operator", "worker", "limits.session_days")))
        return len(database.run(Query(_FORGET, (days,))))
