"""The principals that come with the demo beside the public, one province and the centre, and their keys."""

import json
import os
from pathlib import Path

from gis_service.access import keystore
from gis_service.access.principal import Principal
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
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


def make_keys(settings: Settings, dsn: str) -> Path:
    """Write keys.json, readable by us alone, with keys made now.

    They come with the demo and are made once: a key that somebody has revoked doesn't come back with a start.
    """
    path = settings.data_dir / "keys.json"
    with SyncDatabase(dsn) as database:
        made = {each.name: keystore.create(database, each.name) for each in _principals(database)}
    _write(path, made)
    return path


def _principals(database: SyncDatabase) -> list[Principal]:
    """Those that are made for the demo; an account that has such a name is somebody's own."""
    wanted = (_province(database), Principal(CENTRE, "full"))
    made = [each for each in wanted if each is not None and not _is_there(database, each.name)]
    for each in made:
        keystore.ensure_principal(database, each)
    return made


def _is_there(database: SyncDatabase, name: str) -> bool:
    try:
        keystore.principal_named(database, name)
    except NotFound:
        return False
    return True


def _province(database: SyncDatabase) -> Principal | None:
    rows = database.run(_PROVINCE)
    return Principal(PROVINCE, "jurisdiction", (rows[0][0],)) if rows else None


def _write(path: Path, keys: dict[str, str]) -> None:
    aside = path.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(json.dumps(keys, indent=2) + "\n")
    aside.replace(path)
