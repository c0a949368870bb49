"""Files that were sent become drafts: read, checked, told of, each once."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gis_service.access import keystore, policy
from gis_service.catalog.layer import Layer
from gis_service.changes import file, replacing, verdict
from gis_service.changes.names import SUFFIXES, suffix
from gis_service.changes.propose import Draft, propose
from gis_service.changes.refusal import refusal
from gis_service.changes.sheet import plain_names
from gis_service.db import upload_sql
from gis_service.db.audit import Actor, as_actor
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import DatabaseDown, DataRefused, GisError
from gis_service.exchange.read_table import WKT, find_place
from gis_service.observe import Log
from gis_service.settings import Workflow

READ_MS: Final = 600_000
MOST_UNPACKED: Final = 500_000_000  # bytes of an archive, by its own list, which readers hold it to
_OUR_NAME: Final = re.compile(rf"\bupload(?:{'|'.join(map(re.escape, SUFFIXES))})\b")
_log = Log("gis.worker")


def next_one(dsn: str, flow: Workflow, layers: Mapping[str, Layer]) -> bool:
    """Make a draft of the file that waits longest; whether there was one."""
    with SyncDatabase(dsn, READ_MS) as database:
        crashed = json.dumps({"code": "upload.crashed"})
        database.run(Query(upload_sql.GIVEN_UP, (crashed, upload_sql.MOST_ATTEMPTS)))
        begun = database.run(Query(upload_sql.BEGIN, (upload_sql.MOST_ATTEMPTS,)))
        if not begun:
            return False
        identity = str(begun[0][0])
        try:
            with database.transaction():
                _draft(database, flow, layers, identity)
        except DatabaseDown:
            raise
        except GisError as err:
            _refuse(database, identity, _kept(err))
        except Exception as err:  # the rim: a fault of ours ends the upload, not the worker
            _log.error("upload fault", cause=err, upload=identity)
            _refuse(database, identity, {"code": "upload.fault"})
    return True


def _draft(database: SyncDatabase, flow: Workflow, layers: Mapping[str, Layer], identity: str) -> None:
    database.run(Query(upload_sql.HOLD, (identity,)))
    rows = database.run(Query(upload_sql.TAKE, (identity,)))
    if not rows:
        return  # another worker has ended it meanwhile
    author, layer_id, organisation, title, note, filename, id_column, crs, lang, content, replaces = rows[0]
    principal = keystore.principal_named(database, author)
    database.run(as_actor(Actor(author, "editor", f"upload {identity}")))
    layer = layers[layer_id]
    view = policy.view(principal, layer, database.run(keystore.EPOCH)[0][0])
    with tempfile.TemporaryDirectory(prefix="gis-upload-") as folder:
        try:
            path, own = _written(Path(folder), filename, bytes(content))
            found = file.read(database, view, file.Given(path, id_column, own or crs, lang=lang))
        except DataRefused as err:
            raise _by_its_name(err, folder, filename) from err
    if replaces is not None:
        replacing.withdraw(database, flow, layer, principal, replaces)
    made = propose(database, flow, layer, principal, Draft(title, note, organisation), found.asked)
    verdict.check(database, layers, made, principal)
    database.run(Query(upload_sql.DRAFTED, (identity, made.number)))


def _written(folder: Path, filename: str, content: bytes) -> tuple[Path, str | None]:
    """The file under a name of ours with the sender's ending, and the system that a sheet's columns name.

    Sheets are written as the tables that they are.
    """
    path = folder / f"upload{suffix(filename)}"
    path.write_bytes(content)
    if path.suffix in (".zip", ".xlsx"):
        _check_packed(path)
    if path.suffix != ".xlsx":
        return path, None
    import pyogrio  # noqa: PLC0415  # only sheets need it here

    # The first row is the header even where all cells are text, and cells are read as they are written.
    pyogrio.set_gdal_config_options({"OGR_XLSX_HEADERS": "FORCE", "OGR_XLSX_FIELD_TYPES": "STRING"})
    sheet = pyogrio.read_dataframe(path, read_geometry=False)
    sheet.columns, crs = plain_names(list(sheet.columns))
    if find_place(tuple(sheet.columns), {}) is None:
        sheet[WKT[0]] = None  # a sheet of values alone: its features stay where they are
    table = folder / "upload.csv"
    sheet.to_csv(table, index=False)
    return table, crs


def _check_packed(path: Path) -> None:
    """DataRefused for an archive that isn't one, or that would fill the memory when it's unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except zipfile.BadZipFile as err:
        raise refusal(DataRefused, "upload.no-archive") from err
    if size > MOST_UNPACKED:
        raise refusal(
            DataRefused, "upload.too-packed", size=size // 1_000_000, most=MOST_UNPACKED // 1_000_000
        )


def _by_its_name(err: DataRefused, folder: str, filename: str) -> DataRefused:
    """The refusal with the file's own name for ours, and no folder of the server's."""

    def told(value: object) -> object:
        if not isinstance(value, str):
            return value
        return _OUR_NAME.sub(lambda _: filename, value.replace(f"{folder}/", ""))

    return DataRefused(str(told(err.detail)), **{name: told(value) for name, value in err.values.items()})


def _refuse(database: SyncDatabase, identity: str, problem: Mapping[str, object]) -> None:
    database.run(Query(upload_sql.REFUSED, (identity, json.dumps(problem))))


def _kept(err: GisError) -> Mapping[str, object]:
    """The refusal as it is kept: by its key and values, to be said in the reader's language."""
    values = {name: value for name, value in err.values.items() if isinstance(value, str | int | float)}
    return {"code": str(err.values.get("key", "")), "detail": err.detail, "values": values}
