"""Which of the rules that make up a view hold of one row: the same pieces of SQL, told one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows, select
from gis_service.db.query import Binds, Query, ident, literal
from gis_service.db.sync import SyncDatabase

Position = Literal["exact", "coarse", "none"]

_ROLE = "select exists (select from pg_roles where rolname = $1)"


@dataclass(frozen=True)
class RowRules:
    """What holds of a row: each rule alone, all of them together, and what the role reads."""

    of_layer: bool
    tests: dict[str, bool]  # rows.openings by name, and `own`
    visible: bool
    given: bool  # to the class's database role, behind both walls
    position: Position
    category: int | None
    jurisdictions: tuple[str, ...]
    altered: tuple[str, ...]  # properties that the class reads otherwise than they are stored

    @property
    def mine(self) -> bool:
        return self.tests["own"]


def has_role(database: SyncDatabase, view: ViewedLayer) -> bool:
    """Whether the class's role was ever made; without it the class can't ask anything."""
    return bool(database.run(Query(_ROLE, (view.role,)))[0][0])


def rules(database: SyncDatabase, view: ViewedLayer, feature_id: str | int) -> RowRules | None:
    """The rules of the row with that id, for an operator; None where the table has no such row."""
    query, names = _rules(view, feature_id)
    with database.snapshot():
        found = database.run(query)
        given = bool(database.run(select.item(view, feature_id)))
    if not found:
        return None
    of_layer, visible, empty, generalised, category, codes, altered, *held = found[0]
    position: Position = "none" if empty else "coarse" if generalised else "exact"
    tests = dict(zip(names, held, strict=True))
    return RowRules(of_layer, tests, visible, given, position, category, tuple(codes or ()), tuple(altered))


def _rules(view: ViewedLayer, feature_id: str | int) -> tuple[Query, list[str]]:
    """Runs as the one who logged in: the class's role couldn't read a row that is hidden from it."""
    binds, layer = Binds(), view.layer
    equal = [f"t.{ident(column)} = {binds.add(value)}" for column, value in layer.where.items()]
    tests = {**rows.openings(view), "own": rows.own(view, binds) or "false"}
    columns = [
        " and ".join(equal) or "true",
        " and ".join(rows.visible(view, binds)) or "true",
        f"{rows.geometry(view, binds)} is null",
        rows.generalised(view, binds),
        "t.sensitivity" if layer.sensitive else "null::smallint",
        "t.jurisdiction" if layer.managed else "null::text[]",
        f"array_remove(array[{', '.join(_altered(view, binds)) or 'null'}]::text[], null)",
        *tests.values(),
    ]
    told = ", ".join(f"({column})" for column in columns)
    text = (
        f"select {told} from {rows.relation(view, binds)}"
        f" where t.{ident(view.id_column)} = {binds.add(feature_id)}"
    )
    return Query(text, tuple(binds.values)), list(tests)


def _altered(view: ViewedLayer, binds: Binds) -> Iterator[str]:
    """SQL of each property's name where what is shown isn't what is stored, null where it is."""
    for name in view.properties:
        stored, shown = f"t.{ident(view.layer.column_of(name))}", rows.column(view, name, binds)
        if shown != stored:
            yield f"case when ({shown}) is distinct from {stored} then {literal(name)} end"
