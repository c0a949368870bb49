"""API keys: 256 random bits given out once, held as SHA-256, looked up in memory."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gis_service.access.principal import PUBLIC, Principal
from gis_service.errors import Unauthorized

PREFIX = "gis_"


def new_key() -> str:
    """A key to show once; only its hash is kept."""
    return new_secret(PREFIX)


def new_secret(prefix: str) -> str:
    """256 random bits in letters that a URL and a shell take as they are."""
    return prefix + secrets.token_urlsafe(32)


def hashed(key: str) -> bytes:
    """What the database holds of a key. A random key of 256 bits needs no slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True)
class HeldKey:
    principal: Principal
    expires: datetime | None


@dataclass(frozen=True)
class KeyRing:
    """Every valid key by hash: an immutable snapshot that is swapped whole."""

    keys: Mapping[bytes, HeldKey]

    def principal(self, key: str | None, now: datetime) -> Principal:
        """Whose key it is; the public without a key; Unauthorized for a wrong or expired one."""
        if key is None:
            return PUBLIC
        held = self.keys.get(hashed(key))
        if held is None or (held.expires is not None and held.expires <= now):
            raise Unauthorized
        return held.principal


EMPTY = KeyRing({})
