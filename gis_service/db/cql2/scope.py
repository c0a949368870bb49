"""What every piece of a filter's SQL is composed with: the viewed layer and the parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.cql2 import kinds
from gis_service.db.cql2.nodes import Node
from gis_service.db.query import Binds, ident

_CASTS = {"text": "::text", "list": "::text[]"}


@dataclass(frozen=True)
class Scope:
    """A viewed layer and the parameters of the statement; a literal of a client only ever becomes one."""

    view: ViewedLayer
    binds: Binds
    condition: Callable[[Scope, Node], str]  # compiles a condition that stands where a value may

    def bind(self, value: object, type_name: str) -> str:
        """The place of a parameter, with the type that PostgreSQL is to read it as."""
        return f"{self.binds.add(value)}::{type_name}"

    def column(self, name: str) -> str:
        """A property as the caller sees it: the bare column, so that an index answers, where it can."""
        if kinds.is_id(self.view, name):
            return f"t.{ident(self.view.id_column)}{self._cast(self.view.layer.id_type)}"
        value = rows.column(self.view, name, self.binds)
        if rows.elsewhere(self.view, name) is not None:
            return f"({value})"
        return value + self._cast(self.view.properties[name].type)

    def _cast(self, kind: str) -> str:
        """In tables of others a text may be a varchar or a uuid, which has no comparison with text."""
        return "" if self.view.layer.managed else _CASTS.get(kind, "")
