"""A place in CQL2 text: the word that stands there, how deep it lies, what was counted so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from gis_service.db.cql2.nodes import Node
from gis_service.features.cql2 import limits
from gis_service.features.cql2.tokens import Kind, Token, tokens
from gis_service.features.refusal import refuse

N = TypeVar("N", bound=Node)


class Cursor:
    """Reads words one after the other; `now` is the next one."""

    def __init__(self, source: str, *, loose: bool) -> None:
        self._tokens = tokens(source, loose=loose)
        self.loose = loose
        self.now = next(self._tokens)
        self.meter = limits.Meter()
        self._depth = 0

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level further in for as long as the block lasts."""
        self._depth += 1
        limits.check_depth(self._depth, self.now.at)
        yield
        self._depth -= 1

    def take(self) -> Token:
        """The word that stands here; the cursor goes on to the next."""
        token = self.now
        if token.kind != "end":
            self.now = next(self._tokens)
        return token

    def at(self, sign: str) -> bool:
        return self.now.kind == "sign" and self.now.text == sign

    def at_word(self, word: str) -> bool:
        return self.now.word == word

    def skip(self, sign: str) -> bool:
        """Take the sign if it stands here."""
        found = self.at(sign)
        if found:
            self.take()
        return found

    def skip_word(self, word: str) -> bool:
        found = self.at_word(word)
        if found:
            self.take()
        return found

    def require(self, sign: str) -> None:
        if not self.skip(sign):
            raise self.unexpected(sign)

    def require_word(self, word: str) -> None:
        if not self.skip_word(word):
            raise self.unexpected(word)

    def require_kind(self, kind: Kind) -> Token:
        if self.now.kind != kind:
            raise self.unexpected("'…'" if kind == "text" else "1")
        return self.take()

    def counted(self, node: N) -> N:
        self.meter.node(node.at)
        return node

    def unexpected(self, expected: str = "", token: Token | None = None) -> Exception:
        """The refusal of the word here; without `expected` a value was."""
        token = token or self.now
        key = "filter.ends" if token.kind == "end" else "filter.unexpected"
        if not expected:
            key += "-value"
        return refuse(key, at=token.at, found=token.text[:40], expected=expected)
