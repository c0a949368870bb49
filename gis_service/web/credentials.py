"""The API key or the session of a request and the principal behind it, looked up in memory."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from gis_service.access import keystore, sessions
from gis_service.access.keys import EMPTY, KeyRing, hashed
from gis_service.access.principal import PUBLIC, Principal
from gis_service.access.sessions import Session, SessionRing
from gis_service.db.pool import Database
from gis_service.errors import Unauthorized
from gis_service.web import cookies
from gis_service.web.snapshot import Snapshot

HEADERS = ("x-api-key", "authorization")


class Sent(Protocol):
    """The headers of a request: a mapping, or what the server has in its place."""

    def __contains__(self, name: object, /) -> bool: ...
    def get(self, name: str, default: str, /) -> str: ...


def has_key(headers: Sent) -> bool:
    """Whether something was sent as a key, whatever it opens."""
    return any(name in headers for name in HEADERS)


def has_any(headers: Sent) -> bool:
    """Whether a key or a session's cookie was sent, whatever it opens."""
    return has_key(headers) or cookies.SESSION in headers.get("cookie", "")


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key in X-API-Key, Bearer or Basic (any user, the key as password: QGIS offers Basic)."""
    if (given := headers.get("x-api-key")) is not None:
        return given
    if (authorization := headers.get("authorization")) is None:
        return None
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        return _password(value.strip())
    raise Unauthorized


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError) as err:
        raise Unauthorized from err


class Access:
    """Keys with the policy epoch, and sessions: each is read when requests need it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: Snapshot[tuple[int, KeyRing]] = Snapshot(self._read_keys, (0, EMPTY))
        self._sessions: Snapshot[SessionRing] = Snapshot(self._read_sessions, {})

    async def principal(self, headers: Mapping[str, str], anew: Callable[[], bool]) -> Principal:
        """Who asks; Unauthorized for a wrong key, DatabaseDown where keys can't be read.

        A key that isn't known may have been made a moment ago: then they are read anew, if `anew` allows.
        """
        key = key_of(headers)
        if key is None:
            return PUBLIC
        asked = time.monotonic()
        _, ring = await self._keys.fresh()
        if hashed(key) not in ring.keys and anew():
            _, ring = await self._keys.since(asked)
        return ring.principal(key, datetime.now(UTC))

    async def session(self, headers: Mapping[str, str]) -> Session | None:
        """The open session of the cookie; None without one, or where it's unknown, ended or over."""
        token = cookies.value(headers, cookies.SESSION)
        if token is None:
            return None
        asked, sha = time.monotonic(), hashed(token)
        held = (await self._sessions.fresh()).get(sha)
        if held is None:  # another worker may have opened it a moment ago
            held = (await self._sessions.since(asked)).get(sha)
        if held is None:
            return None
        if sessions.is_due(held, datetime.now(UTC)):
            await self._database.run(sessions.seen(held.number))
        return sessions.opened(held, token)

    async def epoch(self) -> int:
        """The policy epoch, which rises when rights or sensitivity change."""
        return (await self._keys.fresh())[0]

    async def _read_keys(self) -> tuple[int, KeyRing]:
        epoch = await self._database.run(keystore.EPOCH)
        return int(epoch[0][0]), keystore.ring(await self._database.run(keystore.RING))

    async def _read_sessions(self) -> SessionRing:
        return sessions.ring(await self._database.run(sessions.RING))
