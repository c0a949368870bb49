"""GeoJSON answers from the texts that PostGIS wrote; no geometry is decoded here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

HEAD = b'{"type":"FeatureCollection","features":['


def tail(returned: int, matched: int | None, links: Sequence[object]) -> bytes:
    """What follows the features; `numberMatched` only where it is exact (row C4)."""
    numbers = (
        {"numberReturned": returned}
        if matched is None
        else {"numberMatched": matched, "numberReturned": returned}
    )
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return b"]," + orjson.dumps({**numbers, "timeStamp": stamp, "links": links})[1:]


def body(features: Sequence[str]) -> bytes:
    """The features of a page, parted by commas."""
    return ",".join(features).encode()


def feature(text: str, links: Sequence[object]) -> bytes:
    """One feature with its links."""
    return text[:-1].encode() + b',"links":' + orjson.dumps(links) + b"}"


def without_geometry(text: str) -> str:
    """The same feature with a null geometry; no text in it holds the marks, for its quotes are escaped."""
    start, end = text.index(',"geometry":'), text.index(',"properties":{')
    return f'{text[:start]},"geometry":null{text[end:]}'
