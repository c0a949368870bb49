"""Proposals in the database: made, read, taken a step further, published and undone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gis_service.access import keystore, rules
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.changes import workflow as way
from gis_service.changes.refusal import refusal
from gis_service.changes.values import Action, Change, Difference, Event, Place, Proposal, State
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, InvalidParameter, NotFound, RuleBroken
from gis_service.settings import Workflow

PUBLISH_MS: Final = 600_000
TRIES: Final = 3  # rights that change while a step is judged

_READ = """
    select p.proposal_id, p.layer, p.author, p.title, p.state, o.code, o.tier, p.note, p.base_release,
           p.release, p.revision, p.created_at, p.changed_at,
           (select count(*)::int from gis.proposed_change c where c.proposal_id = p.proposal_id)
      from gis.proposal p left join gis.organisation o using (organisation_id)
"""
_ACTING = "set_config('gis.actor', $1, true), set_config('gis.actor_role', $2, true)"
_STEP = f"select {_ACTING}, gis.move_proposal($3, $4, $5, $6, $7, $8, $9::jsonb)"
_PUBLISH = f"select {_ACTING}, gis.publish_proposals($3::bigint[], $4, $5::int[])::text"
_TRY = f"select {_ACTING}, gis.try_publishing($3::bigint[], $4, $5::int[])::text"
_ROLLBACK = f"select {_ACTING}, gis.rollback_release($3, $4)::text"
_TRY_ROLLBACK = f"select {_ACTING}, gis.try_rollback($3, $4)::text"
_NAME = "update gis.release set name = $2, name_en = $3 where release = $1 returning release"
MOST_GIDS: Final = 1000  # told of a release that can't be undone


@dataclass(frozen=True)
class Names:
    """What a release is called, in either language or in none; everybody who knows of it reads it."""

    name: str | None = None
    name_en: str | None = None


UNNAMED: Final = Names()


@dataclass(frozen=True)
class TableCounts:
    """What a release did to a table."""

    table: str
    inserted: int
    changed: int
    withdrawn: int
    checksum: str


@dataclass(frozen=True)
class Refused:
    """A proposal that wasn't published: lost (with the rows that have changed since), step, state, empty."""

    proposal: int
    reason: str
    gids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What a release is made of; `release` is None where there was nothing to release."""

    release: int | None
    tables: tuple[TableCounts, ...]
    published: tuple[int, ...] = ()
    refused: tuple[Refused, ...] = ()


def listed(database: SyncDatabase, state: State | None = None) -> list[Proposal]:
    """All proposals, or those in a state, by number."""
    where = " where $1::text is null or p.state = $1 order by p.proposal_id"
    return [Proposal(*row) for row in database.run(Query(_READ + where, (state,)))]


def numbered(database: SyncDatabase, number: int) -> Proposal:
    """The proposal of that number; NotFound where there is none."""
    rows = database.run(Query(_READ + " where p.proposal_id = $1", (number,)))
    if not rows:
        raise NotFound(f"proposal {number}")
    return Proposal(*rows[0])


def places(database: SyncDatabase, number: int) -> frozenset[Place]:
    """The jurisdictions that its changes touch at this moment."""
    rows = database.run(Query("select p from gis.places_of($1) p", (number,), timeout_ms=PUBLISH_MS))
    return frozenset(frozenset(codes) for (codes,) in rows)


def changes(database: SyncDatabase, layer: Layer, number: int) -> list[Change]:
    """Each change with the attributes that it changes, as they stand and as they would be."""
    names = {layer.column_of(name): name for name in layer.properties}
    rows = database.run(Query("select * from gis.differences_of($1)", (number,), timeout_ms=PUBLISH_MS))
    return [
        Change(
            at,
            operation,
            gid,
            tuple(
                Difference(names.get(each["column"], each["column"]), each["before"], each["after"])
                for each in differences
            ),
            moved,
            decision,
            reason,
        )
        for at, operation, gid, differences, moved, decision, reason in rows
    ]


def events(database: SyncDatabase, number: int) -> list[Event]:
    """What happened to it, from the first step on."""
    sql = (
        "select at, who, role, action, from_state, to_state, comment"
        " from gis.proposal_event where proposal_id = $1 order by event_id"
    )
    return [Event(*row) for row in database.run(Query(sql, (number,)))]


def take(
    database: SyncDatabase,
    flow: Workflow,
    layer: Layer,
    proposal: Proposal,
    action: Action,
    principal: Principal,
    comment: str | None = None,
    rejected: Mapping[int, str] | None = None,
) -> Proposal:
    """Take a step; `rejected` are changes that are left out, each with its reason.

    Conflict where somebody was quicker than the revision that `proposal` has; Forbidden where the step isn't
    the principal's by the jurisdictions and rights of this moment.
    """
    if action in ("return", "reject") and not comment:
        raise refusal(InvalidParameter, "change.reason", action=action)
    for _ in range(TRIES):
        epoch = database.run(keystore.EPOCH)[0][0]
        now = current(database, principal)
        touched = places(database, proposal.number)
        after = way.step(flow, proposal, layer, action, now, touched)
        values = (proposal.number, proposal.revision, epoch, action, after, comment, _json(rejected))
        query = Query(_STEP, (now.name, _role(action), *values), timeout_ms=PUBLISH_MS)
        done = database.run(query)[0][2]
        if done == "done":
            return numbered(database, proposal.number)
        if done == "step":
            raise refusal(Conflict, "change.race", number=proposal.number)
    raise refusal(Conflict, "change.race", number=proposal.number)


def publish(
    database: SyncDatabase,
    flow: Workflow,
    layers: Mapping[str, Layer],
    proposals: Sequence[Proposal],
    principal: Principal,
    note: str,
    *,
    dry_run: bool = False,
    names: Names = UNNAMED,
) -> Manifest:
    """One release of all of them, but for those that have lost a race; or what it would be.

    Forbidden or Conflict where one of them isn't the principal's to publish now; RuleBroken for a name of
    more than 200 characters, and nothing is published.
    """
    now = current(database, principal)
    for each in proposals:
        way.step(flow, each, layers[each.layer], "publish", now, places(database, each.number))
    numbers, revisions = [each.number for each in proposals], [each.revision for each in proposals]
    query = Query(
        _TRY if dry_run else _PUBLISH, (now.name, "reviewer", numbers, note, revisions), timeout_ms=PUBLISH_MS
    )
    with database.transaction():
        made = _manifest(database.run(query)[0][2])
        if made.release is not None and names != UNNAMED and not dry_run:
            rules.change(database, _NAME, made.release, names.name, names.name_en)
    return made


def rollback(
    database: SyncDatabase, release: int, principal: Principal, note: str | None, *, dry_run: bool = False
) -> Manifest:
    """A new release in which the rows of a release stand as before it, or what it would be.

    Conflict, with the gids, where some of them have changed since; NotFound where nothing of proposals was
    released so.
    """
    now = current(database, principal)
    way.require_centre(now)
    values = (now.name, "reviewer", release, note)
    query = Query(_TRY_ROLLBACK if dry_run else _ROLLBACK, values, timeout_ms=PUBLISH_MS)
    try:
        made = json.loads(database.run(query)[0][2])
    except RuleBroken as err:
        if err.values.get("constraint") != "unknown_release":
            raise
        raise refusal(NotFound, "change.no-release", release=release) from err
    if later := made["changed_since"]:
        gids = [gid for table in sorted(later) for gid in later[table]]
        members = {"gids": gids[:MOST_GIDS], "count": len(gids)}
        raise refusal(
            Conflict, "change.changed-since", release=release, count=len(gids),
            gids=shown([str(gid) for gid in gids]), members=members,
        )  # fmt: skip
    return _manifest(json.dumps(made))


def current(database: SyncDatabase, principal: Principal) -> Principal:
    """The principal with its rights of this moment, as far as its key goes."""
    return replace(keystore.principal_named(database, principal.name), scopes=principal.scopes)


def shown(words: Sequence[str], most: int = 10) -> str:
    """The first of a list for a sentence."""
    return ", ".join(words[:most]) + (" …" if len(words) > most else "")


def _role(action: Action) -> str:
    return "editor" if action in ("submit", "withdraw") else "reviewer"


def _json(rejected: Mapping[int, str] | None) -> str | None:
    return json.dumps({str(number): reason for number, reason in rejected.items()}) if rejected else None


def _manifest(text: str) -> Manifest:
    made: Any = json.loads(text)  # what gis.publish_proposals says
    return Manifest(
        made["release"],
        tuple(TableCounts(**each) for each in made["tables"]),
        tuple(made.get("published", ())),
        tuple(Refused(e["proposal"], e["reason"], tuple(e["gids"])) for e in made.get("refused", ())),
    )
