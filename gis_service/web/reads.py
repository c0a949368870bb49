"""Who reads exact rows of sensitivity category 1 or 2, for the audit log (docs/audit.md).

What leaves as a whole (exports, files, reports, single features) is told before it's answered, and isn't
answered where it can't be told. Pages and tiles are told together once a second. The public never reads such
rows: its requests only pass one comparison.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gis_service.catalog.layer import Layer
from gis_service.db import reads_sql
from gis_service.db.pool import Database
from gis_service.errors import GisError
from gis_service.observe import Log
from gis_service.web.message import Request, Response
from gis_service.web.writer import Writer

EVERY_SECONDS: Final = 0.8  # with the writing itself within a second
MOST_HELD: Final = (
    200_000  # keys and tiles of a second; beyond them it's told that there were more, uncounted
)
DIGESTS: Final = 8
AT_ONCE: Mapping[str, str] = {
    "item": "item", "history": "item", "export": "export", "file": "file", "template": "file",
}  # fmt: skip
TOGETHER: Mapping[str, str] = {"items": "pages", "tile": "tiles"}
Tile = tuple[int, int, int]
"""Zoom, column and row of WebMercatorQuad."""
REPORT: Final = "execution"
_log = Log("gis.web")

_Key = tuple[str, str, str, str, str]  # actor, client, layer, access, class


@dataclass
class _Held:
    """What one principal read of a layer in a second."""

    table: str
    codes: Sequence[str] | None
    requests: int = 0
    uncounted: bool = False
    keys: set[int] = field(default_factory=set)  # once each: the same page is often asked for again
    tiles: list[Tile] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)


class Reads:
    """Tells reads; one for each web process."""

    def __init__(self, writer: Writer, database: Database, layers: Mapping[str, Layer]) -> None:
        self._writer, self._database = writer, database
        self._layers = {name: layer for name, layer in layers.items() if layer.sensitive and layer.managed}
        self._held: dict[_Key, _Held] = {}
        self._telling: asyncio.Task[None] | None = None
        self._sealed = 0  # the minute when those before it were sealed

    async def tell(self, request: Request, route: str, taken: Sequence[str], made: Response) -> None:
        """Note what the answer shows; it may leave when this is done."""
        if (
            request.principal.tier == "public"
            or request.method == "HEAD"
            or made.status not in (200, 201, 206)
            or made.keys == ()
        ):
            return
        if route in TOGETHER:
            tiles = None if route != "tile" else [_tile(taken)]
            self._hold(request, TOGETHER[route], taken[0].split(","), made, tiles)
        elif route == REPORT and request.method == "POST":
            told = [layer for name in self._layers if (layer := self._seen(request, name)) is not None]
            await self._note([self._one(request, layer, "report", None) for layer in told])
        elif (
            route in AT_ONCE
            and request.method == "GET"
            and (seen := self._seen(request, taken[0])) is not None
        ):
            await self._note([self._one(request, seen, AT_ONCE[route], made.keys)])

    def drawn(self, request: Request, layers: Sequence[str], made: Response, tiles: Sequence[Tile]) -> None:
        """Note a tile of another address or grid by the tiles of WebMercatorQuad that it lies in."""
        if request.principal.tier != "public" and request.method != "HEAD" and made.status == 200:
            self._hold(request, TOGETHER["tile"], layers, made, tiles)

    async def shown(self, request: Request, layer: str, access: str, keys: Sequence[int] | None) -> None:
        """Note rows that stand in an answer about something else, before it leaves; None if uncounted."""
        if (
            keys != []
            and request.principal.tier != "public"
            and (seen := self._seen(request, layer)) is not None
        ):
            await self._note([self._one(request, seen, access, keys)])

    async def close(self) -> None:
        """Tell what is still held."""
        if self._telling is not None:
            self._telling.cancel()
        await self._flush()

    def _seen(self, request: Request, name: str) -> Layer | None:
        """The layer, if its rows may be sensitive and the caller's class sees some of them exactly."""
        layer, principal = self._layers.get(name), request.principal
        if layer is None or principal.tier == "full":
            return layer
        return layer if principal.jurisdictions and layer.access.jurisdiction is not None else None

    def _one(
        self, request: Request, layer: Layer, access: str, keys: Sequence[int] | None
    ) -> Mapping[str, object]:
        named = _named(self._key(request, layer, access), layer.table_name, _codes(request))
        counted = {} if keys is None else {"keys": keys}
        return {**named, "requests": 1, "asked": [_digest(request)], **counted}

    def _hold(
        self,
        request: Request,
        access: str,
        layers: Sequence[str],
        made: Response,
        tiles: Sequence[Tile] | None,
    ) -> None:
        for name in layers:
            if (layer := self._seen(request, name)) is not None:
                key = self._key(request, layer, access)
                held = self._held.setdefault(key, _Held(layer.table_name, _codes(request)))
                _add(held, request, made, tiles)
        if self._held and self._telling is None:
            self._telling = asyncio.create_task(self._tell_soon())

    def _key(self, request: Request, layer: Layer, access: str) -> _Key:
        client = self._writer.actor(request, "reader").client
        return request.principal.name, client, layer.id, access, request.principal.policy_class

    async def _tell_soon(self) -> None:
        """Tell what was held for a second, again and again while there is any."""
        while self._held:
            await asyncio.sleep(EVERY_SECONDS)
            await self._flush()
        self._telling = None

    async def _flush(self) -> None:
        held, self._held = self._held, {}
        try:
            await self._note([_told(key, each) for key, each in held.items()])
        except GisError as err:  # kept for the next second
            _log.error("reads aren't told", cause=err, kinds=len(held))
            for key, each in self._held.items():
                _join(held.setdefault(key, _Held(each.table, each.codes)), each)
            self._held = held

    async def _note(self, reads: Sequence[Mapping[str, object]]) -> None:
        if reads:
            await self._database.run(reads_sql.note(reads))
        minute = int(time.time()) // 60
        if minute > self._sealed:
            await self._database.run(reads_sql.SEAL)
            self._sealed = minute


def _add(held: _Held, request: Request, made: Response, tiles: Sequence[Tile] | None) -> None:
    held.requests += 1
    if len(held.asked) < DIGESTS:
        held.asked.add(_digest(request))
    if tiles is not None:
        held.tiles += tiles
    elif made.keys is None or len(held.keys) + len(made.keys) > MOST_HELD:
        held.uncounted = True
    else:
        held.keys.update(made.keys)


def _join(held: _Held, more: _Held) -> None:
    held.requests += more.requests
    held.uncounted = held.uncounted or more.uncounted or len(held.keys) > MOST_HELD
    held.keys |= more.keys
    held.tiles += more.tiles
    held.asked |= more.asked


def _told(key: _Key, held: _Held) -> Mapping[str, object]:
    counted: Mapping[str, object] = {"tiles": held.tiles} if held.tiles else {"keys": sorted(held.keys)}
    more = {} if held.uncounted else counted
    return {
        **_named(key, held.table, held.codes),
        "requests": held.requests,
        "asked": sorted(held.asked),
        **more,
    }


def _named(key: _Key, table: str, codes: Sequence[str] | None) -> Mapping[str, object]:
    actor, client, layer, access, policy_class = key
    named = {"actor": actor, "role": "reader", "client": client, "layer": layer, "access": access}
    return {**named, "class": policy_class, "table": table, "codes": codes}


def _codes(request: Request) -> Sequence[str] | None:
    """Where the caller sees exact rows; None is everywhere."""
    return None if request.principal.tier == "full" else sorted(request.principal.jurisdictions)


def _digest(request: Request) -> str:
    """What was asked, without its words: they may name what nobody should read in a log."""
    return hashlib.sha256(f"{request.path}?{request.query}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _tile(taken: Sequence[str]) -> Tile:
    """The tile was answered, so these are numbers."""
    z, x, y = taken[1:4]
    return int(z), int(x), int(y)
