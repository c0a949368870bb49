"""The second wall: one role per policy class, granted only that class's columns and rows.

Statements are made from the layer files alone and applied in one transaction, so that a changed file
changes both walls together. Row policies put the spatial index to sleep unless `&&` is LEAKPROOF: the
migrations mark it where they may, `./gis check` says where they may not.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gis_service import __version__
from gis_service.access import tile_changes, versions
from gis_service.access.policy import ROLE_FULL, ROLE_JURISDICTION, ROLE_PUBLIC
from gis_service.access.sight import MINE, ROLES, columns, conditions
from gis_service.catalog.layer import Layer
from gis_service.db import engine_sql, point_tables, tile_tables
from gis_service.db.point_tables import Kind
from gis_service.db.query import ident, literal
from gis_service.db.sync import SyncDatabase

# What every class may read beside the layers: where the rows come from. Releases have policies (0027).
REFERENCE_TABLES = ("gis.dataset", "gis.target")
# Of a load each class reads which file it was and when; counts of its rows would count hidden ones.
_OF_LOADS = "load_id, dataset_id, layer, version, checksum, release, loaded_at"
# It counts every write, hidden ones too; each class has a version of its own (0016).
CLOSED_TABLES = ("gis.layer_version",)
_READERS: Mapping[Kind, Sequence[str]] = {
    "full": (ROLE_FULL,),
    "public": (ROLE_PUBLIC, ROLE_JURISDICTION),
    "own": (ROLE_JURISDICTION,),
    "taken": (ROLE_JURISDICTION,),
}


def statements(layers: Iterable[Layer]) -> list[str]:
    """Every statement that raises the wall anew over the tables of the layers."""
    roles = ", ".join(ROLES)
    made = [f"grant usage on schema gis, gis_history to {roles}"]
    made += [f"grant select on {_name(table)} to {roles}" for table in REFERENCE_TABLES]
    made += [f"revoke all on {_name(table)} from {roles}" for table in (*CLOSED_TABLES, "gis.load")]
    made += [f"grant select on gis.load to {ROLE_FULL}", f"grant select ({_OF_LOADS}) on gis.load to {roles}"]
    by_table: Mapping[str, list[Layer]] = _by_table(layers)
    for table in sorted(by_table):
        made += _table(table, by_table[table])
    made += tile_changes.of_others(layer for layers in by_table.values() for layer in layers)
    marked = engine_sql.surfaces(layer for layers in by_table.values() for layer in layers)
    return [*made, *_tile_tables(by_table), *_point_tables(by_table), *engine_sql.statements(marked)]


def _tile_tables(by_table: Mapping[str, Sequence[Layer]]) -> list[str]:
    """Derived geometry is behind the same wall as the rows that it was derived of."""
    found = tile_tables.surfaces(layer for layers in by_table.values() for layer in layers)
    roles = ", ".join(ROLES)
    made = [
        *tile_tables.statements(found),
        f"grant usage on schema gis_tiles to {roles}",
        f"grant select on gis_tiles.surface to {roles}",
        f"grant select (table_name, gid) on gis_tiles.dirty to {roles}",
        f"grant execute on function gis_tiles.pieces(public.geometry, int, int, int) to {roles}",
    ]
    for surface in found:
        layers = by_table[f"{surface.schema}.{surface.table}"]
        for zoom in tile_tables.ZOOMS:
            name = surface.relation(zoom)
            made.append(f"revoke all on {name} from {roles}")
            for role, granted in columns(layers).items():
                if surface.geometry in granted:
                    kept = [*sorted(granted & {surface.key, *surface.carried}), "tx", "ty", "geom"]
                    made.append(f"grant select ({', '.join(map(ident, kept))}) on {name} to {role}")
            made += _policies(name, layers)
    return made


def _point_tables(by_table: Mapping[str, Sequence[Layer]]) -> list[str]:
    """Gathered points too: each kind for those alone who see its rows at those places."""
    found = point_tables.gatherings(layer for layers in by_table.values() for layer in layers)
    made = [*point_tables.statements(found), f"grant select on gis_tiles.gathered to {', '.join(ROLES)}"]
    for each in found:
        layers = by_table[f"{each.schema}.{each.table}"]
        readers = _READERS[each.kind]
        for zoom in each.zooms:
            name = each.relation(zoom)
            made.append(f"revoke all on {name} from {', '.join(ROLES)}")
            for role in readers:
                kept = sorted(columns(layers)[role] & {each.key, *each.carried})
                granted = ", ".join(map(ident, [*kept, "cx", "cy", "n", "geom"]))
                made.append(f"grant select ({granted}) on {name} to {role}")
            made += _own_rows(name) if each.parted else _policies(name, layers)
    return made


def _own_rows(name: str) -> list[str]:
    policy = ident(f"{ROLE_JURISDICTION}_reads")
    return [
        f"alter table {name} enable row level security",
        f"drop policy if exists {policy} on {name}",
        f"create policy {policy} on {name} for select to {ROLE_JURISDICTION} using ({MINE})",
    ]


def apply(database: SyncDatabase, layers: Iterable[Layer]) -> None:
    """Raise the wall in one transaction; two starts at once wait for each other."""
    lock = "select pg_advisory_xact_lock(hashtext('gis-service wall'))"
    given = list(layers)
    database.apply([lock, *statements(given), _definition(given)])


def _definition(layers: Iterable[Layer]) -> str:
    """Marks the time of a change of layer files or code, since answers change with them."""
    known = [__version__, *sorted(layer.digest() for layer in layers)]
    made = literal(hashlib.sha256("|".join(known).encode()).hexdigest()[:16])
    return f"update gis.policy_epoch set definition = {made} where definition is distinct from {made}"


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
            f"grant select ({', '.join(ident(c) for c in sorted(granted | extra))}) on {name} to {role}"
            for role, granted in columns(layers).items()
            if granted
        ]
        if managed:
            made += _policies(name, layers)
    if managed:
        made += [*versions.statements(table, layers), *tile_changes.statements(table, layers)]
    return made


def _policies(name: str, layers: Sequence[Layer]) -> list[str]:
    made = [f"alter table {name} enable row level security"]
    for role, condition in conditions(layers).items():
        policy = ident(f"{role}_reads")
        made.append(f"drop policy if exists {policy} on {name}")
        made.append(f"create policy {policy} on {name} for select to {role} using ({condition})")
    return made
