"""What every piece of a filter's SQL is composed with: the viewed layer and the parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.cql2 import kinds
from gis_service.db.cql2.nodes import Node
from gis_service.db.query import Binds, ident


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
        """A property as the caller sees it: the bare column, so that an index answers, unless it's masked."""
        if kinds.is_id(self.view, name):
            return f"t.{ident(self.view.id_column)}"
        value = rows.column(self.view, name, self.binds)
        return f"({value})" if name in self.view.masked else value
