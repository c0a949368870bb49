"""A draft from what somebody asks for: only what the proposer sees, only rows of its own jurisdictions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gis_service.access import keystore, policy, rights
from gis_service.access.principal import Grant, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.changes import store
from gis_service.changes.refusal import refusal
from gis_service.changes.values import Candidate, Operation, Proposal
from gis_service.db import change_sql
from gis_service.db.loading import SYSTEM
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, DataRefused, Forbidden
from gis_service.settings import Workflow

_CREATE = """
    with made as (
      insert into gis.proposal
        (layer, table_name, organisation_id, dataset_id, author, title, note, base_release)
      select $1, $2, o.organisation_id,
             case when $7 then gis.edits_dataset(o.organisation_id, $8, $9) end, $4, $5, $6,
             (select coalesce(max(release), 0) from gis.release)
        from gis.organisation o where o.code = $3
      returning proposal_id, dataset_id
    ), changes as (
      insert into gis.proposed_change
        (proposal_id, number, operation, gid, source_id, base_rev, "values", geom, geom_original,
         srid_original, datum_operation)
      select m.proposal_id, c.number, c.operation, c.gid,
             case c.operation when 'insert' then format('p%s-%s', m.proposal_id, c.number) end,
             c.rev, c.content::jsonb, ST_GeomFromWKB(c.geom, 4326), c.original, c.srid, c.datum
        from made m,
             unnest($10::text[], $11::bigint[], $12::int[], $13::text[], $14::bytea[], $15::bytea[],
                    $16::int[], $17::text[]) with ordinality
               c (operation, gid, rev, content, geom, original, srid, datum, number)
    ), began as (
      insert into gis.proposal_event (proposal_id, who, role, action, to_state)
      select proposal_id, $4, 'editor', 'propose', 'draft' from made
    )
    select proposal_id from made
"""
_PLACES = """
    select g.number::int, gis.jurisdictions_of(ST_GeomFromWKB(g.wkb, 4326))
      from unnest($1::bytea[]) with ordinality g (wkb, number) where g.wkb is not null
"""


@dataclass(frozen=True)
class Asked:
    """One row that somebody wants otherwise: `id` as the API gives it, values by the names of properties."""

    operation: Operation
    id: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    geometry: bytes | None = None
    original: bytes | None = None
    srid: int | None = None
    datum_operation: str | None = None


@dataclass(frozen=True)
class Standing:
    """A row as it stands: its key, its revision, its jurisdictions."""

    gid: int
    rev: int
    jurisdictions: frozenset[str]


@dataclass(frozen=True)
class Draft:
    """What a proposal is called, and in whose name it is made where the author edits for several."""

    title: str
    note: str | None = None
    organisation: str | None = None


def propose(
    database: SyncDatabase,
    flow: Workflow,
    layer: Layer,
    principal: Principal,
    draft: Draft,
    asked: Sequence[Asked],
) -> Proposal:
    """A new draft.

    NotFound for a layer that the proposer doesn't see; DataRefused for ids and properties that it doesn't see
    or that nobody proposes; Forbidden for rows, as they stand or as they would be, that it doesn't edit.
    """
    now = store.current(database, principal)
    view = policy.view(now, layer, database.run(keystore.EPOCH)[0][0])
    writable = columns(view)
    for each in asked:
        _require_known(view, writable, each.values)
    stand = standing(database, view, [each.id for each in asked if each.id is not None])
    _require_rows(now, layer, asked, stand)
    _require_places(database, now, layer, asked)
    candidates = [_candidate(layer, writable, each, stand) for each in asked]
    grant = _grant(now, layer, draft.organisation)
    return _save(database, flow, layer, now, draft, grant, candidates)


def columns(view: ViewedLayer) -> Mapping[str, str]:
    """The properties that the proposer may set, with their columns.

    Nothing hidden, no identity, no right, nothing that the layer holds constant.
    """
    kept = SYSTEM | view.layer.where.keys()
    named = {name: view.layer.column_of(name) for name in view.properties}
    return {name: column for name, column in named.items() if column not in kept}


def standing(database: SyncDatabase, view: ViewedLayer, ids: Sequence[str]) -> Mapping[str, Standing]:
    """The rows of those ids that the proposer sees, read as its role."""
    found = database.run(change_sql.standing(view, ids))
    return {name: Standing(gid, rev, frozenset(codes)) for name, gid, rev, codes in found}


def _require_known(view: ViewedLayer, writable: Mapping[str, str], values: Mapping[str, object]) -> None:
    if strange := sorted(values.keys() - writable.keys()):
        known = ", ".join(sorted(writable))
        raise refusal(DataRefused, "change.columns", columns=", ".join(strange), layer=view.id, known=known)


def _require_rows(
    principal: Principal, layer: Layer, asked: Sequence[Asked], stand: Mapping[str, Standing]
) -> None:
    """Every id once, seen by the proposer, in rows that it edits; a row that isn't seen isn't there."""
    ids = [each.id for each in asked if each.operation != "insert" and each.id is not None]
    if double := [each for each, times in Counter(ids).items() if times > 1]:
        raise refusal(DataRefused, "change.double", ids=store.shown(double))
    if unknown := [each for each in ids if each not in stand]:
        raise refusal(DataRefused, "change.unknown", layer=layer.id, ids=store.shown(unknown))
    if others := [e for e in ids if not rights.may_edit(principal, layer, stand[e].jurisdictions)]:
        raise refusal(Forbidden, "change.rows", name=principal.name, ids=store.shown(others))


def _require_places(
    database: SyncDatabase, principal: Principal, layer: Layer, asked: Sequence[Asked]
) -> None:
    """Where each row would lie the proposer edits too: nobody moves a row into another's jurisdiction."""
    geometries = [each.geometry for each in asked]
    strange = [
        asked[number - 1].id or f"#{number}"
        for number, codes in database.run(Query(_PLACES, (geometries,), timeout_ms=store.PUBLISH_MS))
        if not rights.may_edit(principal, layer, codes)
    ]
    if strange:
        raise refusal(Forbidden, "change.places", name=principal.name, ids=store.shown(strange))


def _candidate(
    layer: Layer, writable: Mapping[str, str], asked: Asked, stand: Mapping[str, Standing]
) -> Candidate:
    values = {writable[name]: value for name, value in asked.values.items()}
    row = stand.get(asked.id) if asked.id is not None else None
    if asked.operation == "insert":
        values = {**{c: v for c, v in values.items() if v is not None}, **layer.where}
    return Candidate(
        asked.operation,
        row.gid if row else None,
        row.rev if row else None,
        values,
        asked.geometry,
        asked.original,
        asked.srid,
        asked.datum_operation,
    )


def _grant(principal: Principal, layer: Layer, wanted: str | None) -> Grant:
    """The grant by which it proposes; Conflict where it edits for several organisations and names none."""
    grants = {
        grant.organisation: grant
        for grant in principal.roles
        if grant.role == "editor" and (grant.tier == "central" or grant.tier in layer.access.edit)
    }
    if wanted is None and len(grants) > 1:
        raise refusal(Conflict, "change.which", name=principal.name, codes=", ".join(sorted(grants)))
    chosen = grants.get(wanted) if wanted is not None else next(iter(grants.values()), None)
    if chosen is None:
        raise refusal(Forbidden, "change.no-editor", name=principal.name, layer=layer.id)
    return chosen


def _save(
    database: SyncDatabase,
    flow: Workflow,
    layer: Layer,
    principal: Principal,
    draft: Draft,
    grant: Grant,
    candidates: Sequence[Candidate],
) -> Proposal:
    adds = any(each.operation == "insert" for each in candidates)
    head: tuple[Any, ...] = (
        layer.id, layer.table_name, grant.organisation, principal.name, draft.title, draft.note,
        adds, flow.licence, flow.redistribution,
    )  # fmt: skip
    lists = (
        [c.operation for c in candidates],
        [c.gid for c in candidates],
        [c.base_rev for c in candidates],
        [json.dumps(c.values, ensure_ascii=False) for c in candidates],
        [c.geometry for c in candidates],
        [c.original for c in candidates],
        [c.srid for c in candidates],
        [c.datum_operation for c in candidates],
    )
    number = database.run(Query(_CREATE, (*head, *lists), timeout_ms=store.PUBLISH_MS))[0][0]
    left = database.run(Query("select gis.trim_changes($1)", (number,), timeout_ms=store.PUBLISH_MS))[0][0]
    proposal = store.numbered(database, number)
    if not left:
        store.take(database, flow, layer, proposal, "withdraw", principal)
        raise refusal(DataRefused, "change.nothing")
    return proposal
