"""What the automatic checks say of a proposal's changes: asked on submission, kept beside each change."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from gis_service import checks
from gis_service.access import keystore, policy
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.changes import store
from gis_service.changes import workflow as way
from gis_service.changes.refusal import refusal
from gis_service.changes.values import Candidate as Change
from gis_service.changes.values import Operation, Proposal
from gis_service.checks import Candidate, Finding, present
from gis_service.checks.candidate import FAULT, Before, Phrase
from gis_service.checks.context import Present
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import DataRefused
from gis_service.settings import Workflow

Verdicts = Mapping[int, tuple[Finding, ...]]
"""What was found in each change, by its number in the proposal."""

_CHANGES = """
    select number, operation, gid, "values"::text, ST_AsBinary(geom)
      from gis.proposed_change where proposal_id = $1 order by number
"""
_KEEP = """
    update gis.proposed_change c set verdict = v.value from jsonb_each($2::jsonb) v
     where c.proposal_id = $1 and c.number = v.key::int returning c.number
"""
_KEPT = """
    select number, verdict::text from gis.proposed_change
     where proposal_id = $1 and verdict is not null order by number
"""
_PHRASE = "phrase"


@dataclass(frozen=True)
class _Wanted:
    """A change as it was proposed: the cells that it names, and a geometry where it draws one."""

    number: int
    operation: Operation
    gid: int | None
    values: Mapping[str, object]
    geometry: bytes | None


def submit(
    database: SyncDatabase,
    flow: Workflow,
    layers: Mapping[str, Layer],
    proposal: Proposal,
    principal: Principal,
    comment: str | None = None,
) -> Proposal:
    """Check every change and submit the proposal; those with faults are left out, their rules as the reason.

    DataRefused where no change is without faults: then it stays a draft, and its verdicts tell why. Errors of
    `store.take` else.
    """
    layer, now = layers[proposal.layer], store.current(database, principal)
    way.step(flow, proposal, layer, "submit", now, store.places(database, proposal.number))
    faulty, count = check(database, layers, proposal, now)
    if len(faulty) == count:
        raise refusal(DataRefused, "change.faulty", number=proposal.number, count=count)
    return store.take(database, flow, layer, proposal, "submit", now, comment, faulty)


def check(
    database: SyncDatabase, layers: Mapping[str, Layer], proposal: Proposal, principal: Principal
) -> tuple[Mapping[int, str], int]:
    """Check every change and keep what is found; those with faults and their rules, and how many all are."""
    wanted = _wanted(database, proposal)
    found = _judged(database, layers, proposal.layer, principal, wanted)
    told = {str(number): [_told(each) for each in findings] for number, findings in found.items()}
    database.run(Query(_KEEP, (proposal.number, json.dumps(told, default=str)), timeout_ms=store.PUBLISH_MS))
    faulty = {each.number: rules for each in wanted if (rules := _faults(each, found[each.number]))}
    return faulty, len(wanted)


def faults(
    database: SyncDatabase,
    layers: Mapping[str, Layer],
    layer: str,
    principal: Principal,
    change: Change,
) -> list[Finding]:
    """The faults for which this change would be left out, asked before it is in a draft."""
    wanted = _Wanted(1, change.operation, change.gid, change.values, change.geometry)
    found = _judged(database, layers, layer, principal, [wanted])[wanted.number]
    return [each for each in found if each.level == FAULT and _touches(wanted, each)]


def verdicts(database: SyncDatabase, number: int) -> Verdicts:
    """What was found when the proposal was last submitted; no entry for a change that wasn't checked."""
    rows = database.run(Query(_KEPT, (number,), timeout_ms=store.PUBLISH_MS))
    return {at: tuple(finding(each) for each in json.loads(text)) for at, text in rows}


def _wanted(database: SyncDatabase, proposal: Proposal) -> list[_Wanted]:
    rows = database.run(Query(_CHANGES, (proposal.number,), timeout_ms=store.PUBLISH_MS))
    return [_Wanted(at, kind, gid, json.loads(text), wkb) for at, kind, gid, text, wkb in rows]


def _judged(
    database: SyncDatabase,
    layers: Mapping[str, Layer],
    layer: str,
    principal: Principal,
    wanted: Sequence[_Wanted],
) -> Verdicts:
    """The rows as they would be, held against each other and against the rows that the principal sees."""
    views = policy.visible_layers(principal, layers.values(), database.run(keystore.EPOCH)[0][0])
    keys = [each.gid for each in wanted if each.gid is not None]
    stand = {each.gid: each for each in present.fetched(database, views[layer], keys)}
    rows = [_candidate(layer, each, stand.get(each.gid or 0)) for each in wanted]
    codes = principal.places if principal.tier == "jurisdiction" else ()
    known = present.context(database, views, rows, dt.datetime.now(dt.UTC).date(), codes)
    return dict(zip((each.number for each in wanted), checks.run(rows, known), strict=True))


def _candidate(layer: str, wanted: _Wanted, stands: Present | None) -> Candidate:
    """The whole row: what the change leaves as it is stands in it too."""
    before = None if stands is None else Before(stands.values, stands.geometry)
    values = {**(before.values if before else {}), **wanted.values}
    drawn = None if wanted.geometry is None else shapely.from_wkb(bytes(wanted.geometry))
    shape = drawn if drawn is not None or before is None else before.geometry
    return Candidate(layer, wanted.operation, values, shape, before, wanted.gid)


def _faults(wanted: _Wanted, findings: Sequence[Finding]) -> str:
    """The rules that the change itself breaks; a fault that the row had before stops no other's mending."""
    mine = [each for each in findings if each.level == FAULT and _touches(wanted, each)]
    return ", ".join(dict.fromkeys(each.rule for each in mine))


def _touches(wanted: _Wanted, finding: Finding) -> bool:
    if wanted.operation == "insert":
        return True
    return wanted.geometry is not None if finding.column is None else finding.column in wanted.values


def _told(finding: Finding) -> dict[str, object]:
    values = {name: {_PHRASE: v} if isinstance(v, Phrase) else v for name, v in finding.values.items()}
    return {
        "rule": finding.rule,
        "level": finding.level,
        "column": finding.column,
        "values": values,
        "place": finding.place,
    }


def finding(told: Mapping[str, Any]) -> Finding:
    """A finding as it is kept beside its change."""
    values = {
        name: Phrase(each[_PHRASE]) if isinstance(each, dict) else each
        for name, each in told["values"].items()
    }
    place = None if told["place"] is None else (told["place"][0], told["place"][1])
    return Finding(told["rule"], told["level"], told["column"], values, place)
