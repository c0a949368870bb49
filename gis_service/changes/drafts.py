"""The drafts that edits through the API collect in: opened, locked, each change found, written, taken out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gis_service.access.principal import Grant
from gis_service.catalog.layer import Layer
from gis_service.changes.values import Operation
from gis_service.db import draft_sql
from gis_service.db.pool import Row
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Workflow
from gis_service.texts import say

Channel = Literal["features", "direct"]


@dataclass(frozen=True)
class Kept:
    """A change as a draft keeps it; `number` 0 for one that isn't written yet."""

    proposal: int
    number: int
    operation: Operation
    gid: int | None = None
    base_rev: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    geometry: bytes | None = None
    original: bytes | None = None
    srid: int | None = None
    datum_operation: str | None = None
    digest: str | None = None


def locked(database: SyncDatabase, layer: Layer, author: str) -> list[int]:
    """The author's editing drafts of the layer, nobody else's to write until the transaction ends."""
    return [number for (number,) in database.run(Query(draft_sql.LOCK, (layer.id, author)))]


def opened(database: SyncDatabase, layer: Layer, author: str, grant: Grant) -> tuple[int, bool]:
    """The editing draft in the name of that organisation, locked, and whether it was made just now."""
    if (number := _made(database, layer, author, grant, "features")) is not None:
        return number, True
    return int(database.run(Query(draft_sql.THE_ONE, (layer.id, author, grant.organisation)))[0][0]), False


def alone(database: SyncDatabase, layer: Layer, author: str, grant: Grant) -> int:
    """A draft for one edit that is to stand at once."""
    made = _made(database, layer, author, grant, "direct")
    assert made is not None, "only editing drafts exclude each other"
    return made


def on_row(database: SyncDatabase, proposals: Sequence[int], gid: int) -> Kept | None:
    """What one of these drafts does to a row."""
    found = database.run(Query(draft_sql.ON, (list(proposals), gid)))
    return _kept(found[0]) if found else None


def at(database: SyncDatabase, proposal: int, number: int) -> Kept | None:
    """The change of that number."""
    found = database.run(Query(draft_sql.AT, (proposal, number)))
    return _kept(found[0]) if found else None


def write(database: SyncDatabase, flow: Workflow, change: Kept) -> Kept | None:
    """The change as it is kept now, without what it doesn't change; None where that is all of it."""
    number = change.number or database.run(Query(draft_sql.NEXT, (change.proposal,)))[0][0]
    values = json.dumps(change.values, ensure_ascii=False)
    content = (
        change.operation, change.gid, change.base_rev, values, change.geometry, change.original,
        change.srid, change.datum_operation,
    )  # fmt: skip
    database.run(Query(draft_sql.WRITE, (change.proposal, number, *content)))
    if change.operation == "update":
        database.run(Query("select gis.trim_change($1, $2)", (change.proposal, number)))
    _touch(database, flow, change)
    return at(database, change.proposal, number)


def drop(database: SyncDatabase, flow: Workflow, change: Kept) -> None:
    """Take a change out."""
    database.run(Query(draft_sql.DROP, (change.proposal, change.number)))
    _touch(database, flow, change)


def _touch(database: SyncDatabase, flow: Workflow, change: Kept) -> None:
    """Each edit raises the draft's revision: whoever submits it names the one that was read."""
    new = change.operation == "insert"
    database.run(Query(draft_sql.TOUCH, (change.proposal, new, flow.licence, flow.redistribution)))


def _made(database: SyncDatabase, layer: Layer, author: str, grant: Grant, channel: Channel) -> int | None:
    title = say("edit.title", "vi", layer=layer.title.vi)
    head = (layer.id, layer.table_name, grant.organisation, author, title, channel)
    made = database.run(Query(draft_sql.MAKE, head))
    return int(made[0][0]) if made else None


def _kept(row: Row) -> Kept:
    proposal, number, operation, gid, base_rev, values, geometry, original, srid, datum, digest = row
    shape = None if geometry is None else bytes(geometry)
    sent = None if original is None else bytes(original)
    return Kept(
        proposal, number, operation, gid, base_rev, json.loads(values), shape, sent, srid, datum, digest
    )
