"""GeoJSON answers from the texts that PostGIS wrote; no geometry is decoded here."""

from __future__ import annotations

import functools
import time
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
    return b"]," + orjson.dumps({**numbers, "timeStamp": _told(int(time.time())), "links": links})[1:]


@functools.lru_cache(maxsize=2)  # telling a second takes as long as everything else here
def _told(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def body(features: Sequence[bytes]) -> bytes:
    """The features of a page, parted by commas."""
    return b",".join(features)


def feature(text: bytes, links: Sequence[object]) -> bytes:
    """One feature with its links."""
    return text[:-1] + b',"links":' + orjson.dumps(links) + b"}"
