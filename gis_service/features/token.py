"""The opaque token of the next page: the last key, bound to the layer, the class and the query."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct

from gis_service.db.select import ItemsQuery
from gis_service.features.refusal import refuse

_MARK = 8  # bytes of the binding that travel with the key


def binding(digest: str, release: int | None, query: ItemsQuery) -> str:
    """A hash of what a token may be used with; the page size may change on the way."""
    return hashlib.sha256(f"{digest}|{release}|{query!r}".encode()).hexdigest()


def seal(key: int, bound: str) -> str:
    """The token of the page that begins after this key."""
    packed = struct.pack(">q", key) + bytes.fromhex(bound)[:_MARK]
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def open_sealed(text: str, bound: str) -> int:
    """The key in the token; 400 where it is garbage or was made for another query."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        key, mark = struct.unpack(f">q{_MARK}s", packed)
    except (binascii.Error, ValueError, struct.error) as err:
        raise refuse("web.bad-token") from err
    if not hmac.compare_digest(mark, bytes.fromhex(bound)[:_MARK]):
        raise refuse("web.foreign-token")
    return int(key)
