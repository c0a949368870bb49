"""The principals that exist from the start beside the public, one province and the centre, and their keys."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from gis_service.access import keystore
from gis_service.access.keys import KeyRing
from gis_service.access.principal import Principal
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound, Unauthorized
from gis_service.settings import Settings

CENTRE = "centre"
PROVINCE = "province"
# The province that has the most to show; without any, the principal stays without a province of its own.
_PROVINCE = Query(
    """
    select code from gis.occurrence, unnest(jurisdiction) as code
     group by code order by count(*) desc, code limit 1
    """
)


def ensure_keys(settings: Settings, dsn: str) -> Path:
    """Write keys.json, readable by us alone, with keys that this database knows; those that hold are kept."""
    path = settings.data_dir / "keys.json"
    held = _read(path)
    with SyncDatabase(dsn) as database:
        ring = keystore.ring(database.run(keystore.RING))
        keys = {}
        for principal in _principals(database):
            key = held.get(principal.name, "")
            keys[principal.name] = key if _opens(ring, key) else keystore.create(database, principal.name)
    if keys != held:
        _write(path, keys)
    return path


def _principals(database: SyncDatabase) -> list[Principal]:
    found = []
    for name, made in ((PROVINCE, _province(database)), (CENTRE, Principal(CENTRE, "full"))):
        try:
            found.append(keystore.principal_named(database, name))
        except NotFound:
            if made is not None:
                keystore.ensure_principal(database, made)
                found.append(made)
    return found


def _province(database: SyncDatabase) -> Principal | None:
    rows = database.run(_PROVINCE)
    return Principal(PROVINCE, "jurisdiction", (rows[0][0],)) if rows else None


def _opens(ring: KeyRing, key: str) -> bool:
    try:
        ring.principal(key, datetime.now(UTC))
    except Unauthorized:
        return False
    return True


def _read(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _write(path: Path, keys: dict[str, str]) -> None:
    aside = path.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(keys, file, indent=2)
    aside.replace(path)
