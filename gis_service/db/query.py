"""A query is a value: text with $1 placeholders, its parameters, the role that runs it, its deadline."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from psycopg import sql

NAMES_KEPT = 4096  # quoting the names of a feature anew costs as much as fetching it


@dataclass(frozen=True)
class Query:
    """One statement for PostgreSQL; values are in `params` alone, never in the text."""

    sql: str
    params: tuple[object, ...] = ()
    role: str | None = None
    timeout_ms: int | None = None


@dataclass
class Binds:
    """Collects parameters while a statement is composed: `add(5)` returns `$1`."""

    values: list[object] = field(default_factory=list)

    def add(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def shared(self, value: object) -> str:
        """Like `add`, but a value that a statement names many times is bound once."""
        for number, held in enumerate(self.values, 1):
            if type(held) is type(value) and held == value:
                return f"${number}"
        return self.add(value)


@lru_cache(maxsize=NAMES_KEPT)
def ident(*names: str) -> str:
    """A quoted identifier; names come from a Layer, never from a request."""
    return sql.Identifier(*names).as_string(None)


@lru_cache(maxsize=NAMES_KEPT)
def literal(text: str) -> str:
    """A quoted constant for text that the catalogue holds, such as a property's name."""
    return sql.Literal(text).as_string(None)
