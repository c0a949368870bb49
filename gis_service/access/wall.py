"""The second wall: one role per policy class, granted only that class's columns and rows.

Statements are made from the layer files alone and applied in one transaction, so that a changed file
changes both walls together. Row policies put the spatial index to sleep unless `&&` is LEAKPROOF: the
migrations mark it where they may, `./gis check` says where they may not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gis_service.access.policy import ROLE_FULL, ROLE_JURISDICTION, ROLE_PUBLIC
from gis_service.catalog.layer import Layer
from gis_service.db.query import ident
from gis_service.db.sync import SyncDatabase

ROLES = (ROLE_PUBLIC, ROLE_JURISDICTION, ROLE_FULL)
# What every class may read beside the layers: where the rows come from and which release they are of.
REFERENCE_TABLES = ("gis.dataset", "gis.load", "gis.release", "gis.layer_version", "gis.target")
_MINE = "jurisdiction && (select gis.my_jurisdictions())"


def statements(layers: Iterable[Layer]) -> list[str]:
    """Every statement that raises the wall anew over the tables of the layers."""
    roles = ", ".join(ROLES)
    made = [f"grant usage on schema gis, gis_history to {roles}"]
    made += [f"grant select on {_name(table)} to {roles}" for table in REFERENCE_TABLES]
    by_table: Mapping[str, list[Layer]] = _by_table(layers)
    for table in sorted(by_table):
        made += _table(table, by_table[table])
    return made


def apply(database: SyncDatabase, layers: Iterable[Layer]) -> None:
    """Raise the wall in one transaction; two starts at once wait for each other."""
    lock = "select pg_advisory_xact_lock(hashtext('gis-service wall'))"
    database.apply([lock, *statements(layers)])


def _by_table(layers: Iterable[Layer]) -> Mapping[str, list[Layer]]:
    found: defaultdict[str, list[Layer]] = defaultdict(list)
    for layer in layers:
        found[layer.table].append(layer)
    return found


def _name(table: str, suffix: str = "") -> str:
    schema, name = table.split(".")
    return ident(schema + suffix, name)


def _table(table: str, layers: Sequence[Layer]) -> list[str]:
    managed = layers[0].managed
    names = [_name(table), _name(table, "_history")] if managed else [_name(table)]
    made = []
    for name in names:
        made.append(f"revoke all on {name} from {', '.join(ROLES)}")
        if not managed:
            made.append(f"grant usage on schema {ident(layers[0].schema_name)} to {', '.join(ROLES)}")
        extra = {"release_to"} if name != names[0] else set()
        made += [
            f"grant select ({', '.join(ident(c) for c in sorted(columns | extra))}) on {name} to {role}"
            for role, columns in _columns(layers).items()
            if columns
        ]
        if managed:
            made += _policies(name, layers)
    return made


def _policies(name: str, layers: Sequence[Layer]) -> list[str]:
    made = [f"alter table {name} enable row level security"]
    for role, condition in _conditions(layers).items():
        policy = ident(f"{role}_reads")
        made.append(f"drop policy if exists {policy} on {name}")
        made.append(f"create policy {policy} on {name} for select to {role} using ({condition})")
    return made


def _columns(layers: Sequence[Layer]) -> Mapping[str, set[str]]:
    """The columns of each role: the union over the layers that share the table."""
    granted: dict[str, set[str]] = {role: set() for role in ROLES}
    for layer in layers:
        hidden_full = {layer.column_of(name) for name in layer.access.full.hide}
        granted[ROLE_FULL] |= layer.columns() - hidden_full
        public, own = layer.access.public, layer.access.jurisdiction
        if own is not None:
            granted[ROLE_JURISDICTION] |= layer.columns() - {layer.column_of(name) for name in own.hide}
        if public is not None:
            coarse = {layer.geometry.column} if public.geometry else set()
            hidden = {layer.column_of(name) for name in public.hide}
            granted[ROLE_PUBLIC] |= layer.columns() - hidden - coarse
    return granted


def _conditions(layers: Sequence[Layer]) -> Mapping[str, str]:
    """The rows of each role: what any of the layers that share the table opens."""
    opened = " or ".join(f"({_open(layer)})" for layer in layers if layer.access.public is not None)
    own = any(layer.access.jurisdiction is not None for layer in layers)
    mine = " or ".join(part for part in (opened, _MINE if own else "") if part)
    return {ROLE_PUBLIC: opened or "false", ROLE_JURISDICTION: mine or "false", ROLE_FULL: "true"}


def _open(layer: Layer) -> str:
    public = layer.access.public
    assert public is not None, "the caller asks for layers that the public sees"
    categories = ", ".join(str(int(category)) for category in public.withhold)
    withheld = f" and sensitivity <> all(array[{categories}]::smallint[])" if categories else ""
    return f"not restricted{withheld}"
