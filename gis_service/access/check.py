"""Holds the layer files against the database and the styles against the layers: what `./gis check` says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gis_service.access import sensitive
from gis_service.access.sight import ROLES
from gis_service.catalog.registry import Catalog, read_catalog
from gis_service.db import introspect, systems
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase

_ROLES = Query("select rolname::text from pg_roles where rolname = any($1::text[])")


@dataclass(frozen=True)
class Findings:
    """`faults` stop the service from being right; `notes` an operator should know."""

    faults: tuple[str, ...]
    notes: tuple[str, ...]
    layers: int
    styles: int


def check(root: Path, database: SyncDatabase | None) -> Findings:
    """All that is wrong with the files, and with the database where one is given."""
    catalog, mistakes = read_catalog(root)
    faults = [str(mistake) for mistake in mistakes]
    notes: list[str] = []
    if database is not None:
        faults += _against_database(catalog, database)
        notes += _notes(catalog, database)
    return Findings(tuple(faults), tuple(notes), len(catalog.layers), len(catalog.styles))


def _against_database(catalog: Catalog, database: SyncDatabase) -> Iterable[str]:
    for layer in catalog.layers.values():
        found = introspect.table(database, layer.table)
        yield from (f"layers/{layer.id}.yaml: {fault}" for fault in introspect.faults(layer, found))
        if found is not None and layer.managed and not found.row_security:
            yield f"layers/{layer.id}.yaml: table {layer.table} has no row policies; run `./gis up`"
    present = {row[0] for row in database.run(Query(_ROLES.sql, (list(ROLES),)))}
    for role in ROLES:
        if role not in present:
            yield f"database: role {role} is missing; run `./gis up`"


def _notes(catalog: Catalog, database: SyncDatabase) -> Iterable[str]:
    for layer in catalog.layers.values():
        if (found := introspect.table(database, layer.table)) is not None:
            yield from (f"layers/{layer.id}.yaml: {note}" for note in introspect.notes(layer, found))
        yield from (f"layers/{layer.id}.yaml: {note}" for note in sensitive.telling(layer))
    yield from sensitive.notes(database)
    if missing := [f"EPSG:{srid}" for (srid,) in database.run(systems.MISSING)]:
        yield (
            f"spatial_ref_sys lacks {', '.join(missing)} of VN-2000, so nobody can ask for them;"
            " its owner may run: select gis.add_vn2000()"
        )
    if not introspect.overlaps_is_leakproof(database):
        yield (
            "geometry_overlaps isn't LEAKPROOF here, so small boxes scan whole layers below the row policies;"
            " a superuser may run: alter function geometry_overlaps(geometry, geometry) leakproof"
        )
