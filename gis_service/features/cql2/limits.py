"""How much one filter may ask for; checked while it is read, before work is done."""

from __future__ import annotations

from dataclasses import dataclass

from gis_service.db.cql2.nodes import At
from gis_service.features.refusal import refuse

MAX_BYTES = 16_384  # as much as a whole query string may hold
MAX_DEPTH = 100  # clients nest every AND of a chain anew: ((a AND b) AND c) AND d
MAX_NODES = 2_000
MAX_MEMBERS = 1_000  # of one IN or array
MAX_VERTICES = 10_000


@dataclass
class Meter:
    """Counts what a reader has made of one filter so far."""

    nodes: int = 0
    vertices: int = 0

    def node(self, at: At) -> None:
        """Count an operator, a name or a literal."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise refuse("filter.too-many-nodes", at=at, maximum=MAX_NODES)

    def vertex(self, at: At) -> None:
        self.vertices += 1
        if self.vertices > MAX_VERTICES:
            raise refuse("filter.too-many-vertices", at=at, maximum=MAX_VERTICES)


def check_size(text: str) -> None:
    """400 for a filter that is too long, or that no database could hold."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise refuse("filter.too-long", maximum=MAX_BYTES)
    check_characters(text, 1)


def check_characters(text: str, at: At) -> None:
    """400 for a NUL or half of a surrogate pair, which PostgreSQL can't hold."""
    if "\x00" in text or (not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)):
        raise refuse("filter.bad-character", at=at)


def check_depth(depth: int, at: At) -> None:
    if depth > MAX_DEPTH:
        raise refuse("filter.too-deep", at=at, maximum=MAX_DEPTH)


def check_members(count: int, at: At) -> None:
    if count > MAX_MEMBERS:
        raise refuse("filter.too-many-members", at=at, maximum=MAX_MEMBERS)
