"""The API key or the session of a request and the principal behind it, looked up in memory."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from gis_service.access import keystore, sessions
from gis_service.access.keys import EMPTY, KeyRing, hashed
from gis_service.access.principal import PUBLIC, Principal
from gis_service.access.sessions import Session, SessionRing
from gis_service.db.pool import Database
from gis_service.errors import Unauthorized
from gis_service.web import cookies

HEADERS = ("x-api-key", "authorization")
REFRESH_SECONDS = 0.9  # a revoked key is refused within 1 s
SOONEST_SECONDS = 0.1  # between readings for the sake of sessions that aren't known yet


def has_any(headers: Mapping[str, str]) -> bool:
    """Whether a key or a session's cookie was sent, whatever it opens."""
    return any(name in headers for name in HEADERS) or cookies.SESSION in headers.get("cookie", "")


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
    """Keys, sessions and the policy epoch of the database, read anew when older than REFRESH_SECONDS."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ring: KeyRing = EMPTY
        self._sessions: SessionRing = {}
        self._epoch = 0
        self._read_at = -1e9
        self._reading: asyncio.Task[None] | None = None

    async def principal(self, headers: Mapping[str, str], anew: Callable[[], bool]) -> Principal:
        """Who asks; Unauthorized for a wrong key, DatabaseDown where keys can't be read.

        A key that isn't known may have been made a moment ago: then they are read anew, if `anew` allows.
        """
        key = key_of(headers)
        if key is None:
            return PUBLIC
        asked = time.monotonic()
        await self._fresh()
        if hashed(key) not in self._ring.keys and anew():
            await self._read_since(asked)
        return self._ring.principal(key, datetime.now(UTC))

    async def session(self, headers: Mapping[str, str]) -> Session | None:
        """The open session of the cookie; None without one, or where it's unknown, ended or over."""
        token = cookies.value(headers, cookies.SESSION)
        if token is None:
            return None
        asked, sha = time.monotonic(), hashed(token)
        await self._fresh()
        if sha not in self._sessions:
            await self._read_since(asked)  # another worker may have opened it a moment ago
        held = self._sessions.get(sha)
        if held is None:
            return None
        if sessions.is_due(held, datetime.now(UTC)):
            await self._database.run(sessions.seen(held.number))
        return sessions.opened(held, token)

    async def epoch(self) -> int:
        """The policy epoch, which rises when rights or sensitivity change."""
        await self._fresh()
        return self._epoch

    async def _fresh(self) -> None:
        if time.monotonic() - self._read_at >= REFRESH_SECONDS:
            await self._read_once()

    async def _read_since(self, moment: float) -> None:
        """Read again if that wasn't done since; all who wait share it, so unknown cookies cost little."""
        while self._read_at < moment:
            await asyncio.sleep(max(0.0, self._read_at + SOONEST_SECONDS - time.monotonic()))
            if self._read_at < moment:
                await self._read_once()

    async def _read_once(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._read_done)
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        began = time.monotonic()  # before the query: what it reads is never older than this
        epoch = await self._database.run(keystore.EPOCH)
        ring = keystore.ring(await self._database.run(keystore.RING))
        self._sessions = sessions.ring(await self._database.run(sessions.RING))
        self._ring = ring
        self._epoch = int(epoch[0][0])
        self._read_at = began

    def _read_done(self, task: asyncio.Task[None]) -> None:
        self._reading = None
        if not task.cancelled():
            task.exception()  # the waiters have it; without them it's asked for again by the next request
