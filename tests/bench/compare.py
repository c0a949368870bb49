"""What an answer says, so that two servers' answers can be held against each other: status, count, ids."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from tests.bench.asks import Ask
from tests.bench.client import Answer

TILE_LIMIT = 10_000  # TiPg's most features in a tile


@dataclass(frozen=True)
class Meaning:
    """The comparable part of an answer; documents count as one without ids."""

    status: int
    ids: tuple[str, ...] = ()
    thinned: bool = False  # it says so itself

    @property
    def count(self) -> int:
        return len(self.ids)


# Whether all of these features of a tile are smaller than a pixel of a 512-pixel tile, by the database.
Specks = Callable[[Ask, set[str]], bool]


def no_specks(_ask: Ask, _ids: set[str]) -> bool:
    """Nothing is known of sizes, so a missing feature is missing."""
    return False


@dataclass(frozen=True)
class Verdict:
    """Whether a ratio may stand: `equal`, or a `rule` that explains the difference, or neither."""

    compared: int
    equal: int
    rules: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        return self.compared > 0 and not self.unexplained

    def words(self) -> str:
        """One short sentence for the table."""
        if not self.compared:
            return "not compared"
        if self.unexplained:
            return "UNEQUAL: " + self.unexplained[0]
        return "; ".join(self.rules) if self.rules else "equal"


def plain(answer: Answer) -> bytes:
    """The body without its content coding."""
    return gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body


def meaning(ask: Ask, answer: Answer) -> Meaning:
    """What the answer to a question says."""
    if answer.status != 200:
        # An empty tile is 204 with some servers and an empty 200 with others: the same thing said.
        return Meaning(200 if ask.kind == "tile" and answer.status == 204 else answer.status)
    if ask.kind == "items":
        return Meaning(200, tuple(str(f["id"]) for f in orjson.loads(plain(answer))["features"]))
    if ask.kind == "item":
        return Meaning(200, (str(orjson.loads(plain(answer))["id"]),))
    if ask.kind == "tile":
        thinned = ";rule=thin" in answer.header("tile-reduction")
        return Meaning(200, tuple(sorted(tile_ids(plain(answer)))), thinned)
    return Meaning(200)


def judge(
    asked: Sequence[Ask], ours: Sequence[Meaning], theirs: Sequence[Meaning], specks: Specks = no_specks
) -> Verdict:
    """Hold the answers to the same questions against each other, one by one."""
    equal, rules, faults = 0, dict[str, None](), []
    for ask, mine, other in zip(asked, ours, theirs, strict=True):
        if mine == other:
            equal += 1
            continue
        rule = explained(ask, mine, other, specks)
        if rule:
            rules[rule] = None
        else:
            faults.append(difference(ask, mine, other))
    return Verdict(len(asked), equal, tuple(rules), tuple(faults))


def explained(ask: Ask, mine: Meaning, other: Meaning, specks: Specks) -> str:
    """The declared rule under which two unequal answers may still be compared; empty if there is none."""
    if ask.kind != "tile" or mine.status != 200 or other.status != 200:
        return ""
    if mine.thinned:
        return f"ours thins and says so; the peer draws {other.count:,}, at most {TILE_LIMIT:,}, of all"
    if other.count >= TILE_LIMIT:
        return f"the peer stops at {TILE_LIMIT:,} features, ours draws all"
    # The margin: ours fetches what meets the tile with its buffer, TiPg what meets the bare tile.
    if set(other.ids) <= set(mine.ids):
        return "ours also draws features that only meet the tile's margin"
    if not ask.full and specks(ask, set(other.ids) - set(mine.ids)):
        return "thinned, ours leaves out specks below one pixel of a 512-pixel tile"
    return ""


def difference(ask: Ask, mine: Meaning, other: Meaning) -> str:
    """The first difference in words."""
    place = {"tile": "/".join(map(str, ask.tile)), "item": ask.fid, "items": ask.box()}.get(ask.kind, "")
    what = f"{ask.kind} {ask.layer} {place}".strip()
    if mine.status != other.status:
        return f"{what}: status {mine.status} against {other.status}"
    if mine.count != other.count:
        missing = len(set(other.ids) - set(mine.ids))
        return f"{what}: {mine.count} features against {other.count}, {missing} of theirs not in ours"
    return f"{what}: other ids or another order"


# A vector tile read just far enough for the features' ids: mapbox-vector-tile decodes every vertex.


def tile_ids(data: bytes) -> Iterator[str]:
    """The id of each feature: its own, or its property `gid`."""
    for field, layer in fields(data):
        if field == 3 and isinstance(layer, bytes):
            yield from layer_ids(layer)


def layer_ids(layer: bytes) -> Iterator[str]:
    """The ids of one layer's features."""
    parts = list(fields(layer))
    keys = [bytes(v).decode() for f, v in parts if f == 3 and isinstance(v, bytes)]
    values = [v for f, v in parts if f == 4 and isinstance(v, bytes)]
    gid = keys.index("gid") if "gid" in keys else -1
    for f, feature in parts:
        if f == 2 and isinstance(feature, bytes):
            yield feature_id(feature, gid, values)


def feature_id(feature: bytes, gid: int, values: Sequence[bytes]) -> str:
    """The id of a feature, by its property number `gid` where the tile has no ids."""
    for field, value in fields(feature):
        if field == 1 and gid < 0:
            return str(value)
        if field == 2 and gid >= 0 and isinstance(value, bytes):
            tags = list(varints(value))
            pairs = dict(zip(tags[::2], tags[1::2], strict=True))
            if gid in pairs:
                return str(next(v for _, v in fields(values[pairs[gid]])))
        if field in (3, 4):
            break
    return "?"


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol-buffers message: number and value."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            number, at = varint(data, at)
            yield key >> 3, number
            continue
        size, at = varint(data, at) if kind == 2 else (8 if kind == 1 else 4, at)
        yield key >> 3, data[at : at + size]
        at += size


def varints(data: bytes) -> Iterator[int]:
    """Packed integers."""
    at = 0
    while at < len(data):
        number, at = varint(data, at)
        yield number


def varint(data: bytes, at: int) -> tuple[int, int]:
    """One integer and the place after it."""
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
