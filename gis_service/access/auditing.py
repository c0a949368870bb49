"""Verification of the audit log: its chain of hashes made anew here, apart from the database's own functions.

Every entry is held against its own hash and against the entry before it; what doesn't fit is named.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gis_service.db.audit import Fields
from gis_service.errors import InvalidParameter

MARK = b"gis.audit 1"
START = bytes(32)  # what the first entry has in the place of a hash before it
NULL = b"\xff\xff\xff\xff"
NEAR = 16  # numbers on either side that an entry is tried with before it is called changed
MOST_TRIES = 300_000  # half a second or so; a number further away is searched where the chain breaks too
MOST_FAULTS = 1_000

Kind = Literal["changed", "removed", "inserted", "moved", "rewritten", "replaced"]
Range = tuple[int, int]


@dataclass(frozen=True)
class Head:
    """The number and the hash of an entry, as somebody noted them outside."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass(frozen=True)
class Fault:
    """Entries that aren't as they were written, by number; `moved` ones had numbers `by` higher."""

    kind: Kind
    first: int
    last: int
    by: int = 0


@dataclass(frozen=True)
class Verdict:
    """How many entries there are, the last of them, and what is wrong; `more` if not all of it is listed."""

    entries: int
    head: Head
    faults: tuple[Fault, ...]
    more: bool = False


def head(text: str) -> Head:
    """The head that `./gis audit head` printed; InvalidParameter where it is none."""
    found = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", text.strip())
    if not found:
        raise InvalidParameter(f"{text!r} is no head: number, colon, 64 hexadecimal digits")
    return Head(int(found[1]), bytes.fromhex(found[2]))


@lru_cache(maxsize=4096)
def _length(number: int) -> bytes:
    return number.to_bytes(4, "big")


def hashed(previous: bytes | None, said: Iterable[bytes | None]) -> bytes:
    """The hash of an entry that says this, after one of that hash."""
    parts = [MARK, previous or b""]
    for value in said:
        parts += (NULL,) if value is None else (_length(len(value)), value)
    return hashlib.sha256(b"".join(parts)).digest()


def verify(entries: Iterable[Fields], noted: Sequence[Head] = ()) -> Verdict:
    """Walk the whole log once, in the order of its numbers, with heads that were noted outside."""
    walk = _Walk({each.seq: each.hash for each in noted})
    for fields in entries:
        walk.step(fields)
    return walk.verdict()


class _Walk:
    """The state between one entry and the next."""

    def __init__(self, noted: dict[int, bytes]) -> None:
        self._noted = noted
        self._seq, self._hash, self._count = 0, START, 0
        self._faults: list[Fault] = []
        self._more = False
        self._shift = 0
        self._tries = MOST_TRIES

    def step(self, fields: Fields) -> None:
        number, previous, stored = fields[0] or b"", fields[11], fields[12] or b""
        seq = int.from_bytes(number, "big", signed=True)
        sound = hashed(previous, fields[:11]) == stored
        follows = previous == self._hash
        if not (sound and follows and seq == self._seq + 1):
            self._examine(fields, seq, sound, follows)
        if seq in self._noted and self._noted[seq] != stored:
            self._add("replaced", 1, seq)
        self._seq, self._hash, self._count = seq, stored, self._count + 1

    def _examine(self, fields: Fields, seq: int, sound: bool, follows: bool) -> None:
        """Name what is wrong with an entry or before it."""
        if seq > self._seq + 1:
            self._add("removed", self._seq + 1, seq - 1)
        elif seq <= self._seq:
            self._add("inserted", seq, seq)
        if sound:
            # After a fault that is named already the next entry hangs in the air, without fault of its own.
            if not follows and seq == self._seq + 1 and not self._named(seq - 1):
                self._add("rewritten", max(seq - 1, 1), seq)
            return
        was = self._number_before(fields, seq, follows)
        self._shift = 0 if was is None else was - seq
        self._add("changed" if was is None else "moved", seq, seq, self._shift)

    def _named(self, seq: int) -> bool:
        return any(fault.first <= seq <= fault.last for fault in self._faults[-3:])

    def _number_before(self, fields: Fields, seq: int, follows: bool) -> int | None:
        """The number that makes an entry's hash right, so that it stood there; None where none does."""
        for number in self._candidates(seq, follows):
            said = (number.to_bytes(8, "big"), *fields[1:11])
            if hashed(fields[11], said) == fields[12]:
                return number
        return None

    def _candidates(self, seq: int, follows: bool) -> Iterator[int]:
        yield max(seq + self._shift, 1)
        for distance in range(1, seq + MOST_TRIES):
            if distance > NEAR:
                if follows or self._tries <= 0:
                    return
                self._tries -= 2
            yield seq + distance
            if seq > distance:
                yield seq - distance

    def _add(self, kind: Kind, first: int, last: int, by: int = 0) -> None:
        """Note a fault, with the one before it where they are one."""
        before = self._faults[-1] if self._faults else None
        if before and (before.kind, before.last, before.by) == (kind, first - 1, by):
            self._faults[-1] = Fault(kind, before.first, last, by)
        elif len(self._faults) < MOST_FAULTS:
            self._faults.append(Fault(kind, first, last, by))
        else:
            self._more = True

    def verdict(self) -> Verdict:
        """All that was found, what is missing at the end and what the moved entries show."""
        last = max(self._noted, default=0)
        if last > self._seq:
            self._add("removed", self._seq + 1, last)
        faults = (*self._faults, *_by_moves(self._faults, self._seq))
        return Verdict(self._count, Head(self._seq, self._hash), faults, self._more)


def _by_moves(faults: Iterable[Fault], last: int) -> list[Fault]:
    """Entries that were taken out or put in where the others were numbered anew behind them.

    Numbers that moved entries had and that others bear now were given to what was put in; numbers that they
    bear now and nobody had are those of entries that are gone.
    """
    moved = [fault for fault in faults if fault.kind == "moved"]
    bears = sorted((each.first, each.last) for each in moved)
    had = sorted((each.first + each.by, each.last + each.by) for each in moved)
    known = sorted((each.first, each.last) for each in faults if each.kind in ("changed", "inserted"))
    highest = max((end for _, end in had), default=0)
    gone = [Fault("removed", a, min(b, highest)) for a, b in _without(bears, had) if a <= highest]
    strange = _without(_without(had, bears), known)
    put_in = [Fault("inserted", a, min(b, last)) for a, b in strange if a <= last]
    return gone + put_in


def _without(ranges: Iterable[Range], others: Sequence[Range]) -> list[Range]:
    """What is left of the ranges where the others, in ascending order, are cut out."""
    left = []
    for first, end in ranges:
        start = first
        for cut_first, cut_end in others:
            if cut_end < start or cut_first > end:
                continue
            if cut_first > start:
                left.append((start, cut_first - 1))
            start = cut_end + 1
        if start <= end:
            left.append((start, end))
    return left
