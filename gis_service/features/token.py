"""The opaque token of another page: where it begins, bound to the layer, the class and the query, signed.

A token is `mark` (of what it may be used with) + payload (JSON: backwards, key, sort values) + `seal`. The
key of the seal is shared by all workers through the database, so any of them opens what another made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from gis_service.catalog.layer import PropertyType
from gis_service.catalog.view import ViewedLayer
from gis_service.db.feature_text import Form
from gis_service.db.paging import Cursor
from gis_service.db.select import ItemsQuery
from gis_service.features.refusal import refuse

_MARK = 8  # bytes
_SEAL = 16  # bytes of HMAC-SHA-256: 128 bits
_LONGEST = 8_000  # characters; sort values are the only part that grows


def binding(view: ViewedLayer, query: ItemsQuery) -> bytes:
    """A hash of what a token may be used with; page size and detail of the features may change on the way."""
    asked = replace(query, limit=0, offset=0, cursor=None, among=None, form=Form(crs=query.form.crs))
    return hashlib.sha256(f"{view.digest}|{asked!r}".encode()).digest()[:_MARK]


def seal(cursor: Cursor, bound: bytes, key: bytes) -> str:
    """The token of the page beyond the cursor."""
    values = [_written(value) for value in cursor.values]
    told = bound + orjson.dumps([cursor.backwards, cursor.key, values])
    return base64.urlsafe_b64encode(told + _mac(told, key)).decode().rstrip("=")


def unseal(text: str, view: ViewedLayer, query: ItemsQuery, bound: bytes, key: bytes) -> Cursor:
    """The cursor in a token; 400 where it is garbage, forged, or was made for another query."""
    try:
        held = base64.b64decode(text[:_LONGEST] + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as err:
        raise refuse("web.bad-token") from err
    told, mac = held[:-_SEAL], held[-_SEAL:]
    if len(told) <= _MARK or not hmac.compare_digest(mac, _mac(told, key)):
        raise refuse("web.bad-token")
    if told[:_MARK] != bound:
        raise refuse("web.foreign-token")
    backwards, last, values = orjson.loads(told[_MARK:])  # ours, for the seal holds
    kinds = [view.properties[each.name].type for each in query.sort]
    return Cursor(_values(kinds, values), last, backwards)


def _mac(told: bytes, key: bytes) -> bytes:
    return hmac.digest(key, told, "sha256")[:_SEAL]


def _written(value: object) -> object:
    """A sort value as JSON can hold it without loss."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, float | Decimal) else value


def _values(kinds: Sequence[PropertyType], values: Sequence[Any]) -> tuple[object, ...]:
    return tuple(
        None if value is None else _READ.get(kind, _same)(value)
        for kind, value in zip(kinds, values, strict=True)
    )


def _same(value: object) -> object:
    return value


_READ: Mapping[PropertyType, Callable[[Any], object]] = {
    "number": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
}
