"""Proposals as a reader may see them: whose they are to read, what each change shows, what comes next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gis_service.access import keystore, policy, rights
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.changes import store, verdict, workflow
from gis_service.changes.refusal import refusal
from gis_service.changes.values import Action, Decision, Event, Operation, Place, Proposal
from gis_service.checks import Finding
from gis_service.db import proposal_sql
from gis_service.db.proposal_sql import Reach, Wanted
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import GisError, InvalidParameter, NotFound
from gis_service.settings import Workflow

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

PAGE: Final = 50
MOST_WAITING: Final = 200  # proposals under way that are looked through for whom they wait
_ACTIONS: Final[tuple[Action, ...]] = (
    "submit", "accept", "approve", "publish", "return", "reject", "withdraw",
)  # fmt: skip

_FORWARD: Final = frozenset[Action]({"accept", "approve", "publish"})


@dataclass(frozen=True)
class Cell:
    """A value that a change gives to a property; `before` is what the reader sees of the row, if it does."""

    property: str
    before: object
    after: object


@dataclass(frozen=True)
class Shown:
    """A change as its reader sees it: where it lies beyond, `sees` is false and nothing of it is told."""

    number: int
    operation: Operation
    id: str | None
    cells: tuple[Cell, ...]
    moved: bool
    decision: Decision | None
    reason: str | None
    findings: tuple[Finding, ...]
    before: BaseGeometry | None
    after: BaseGeometry | None
    sees: bool = True


@dataclass(frozen=True)
class Told:
    """A proposal with all that is told of it beside its changes."""

    proposal: Proposal
    events: tuple[Event, ...]
    places: frozenset[Place]
    may: tuple[Action, ...]
    next: str | None
    findings: Mapping[str, tuple[int, int]]

    @property
    def codes(self) -> tuple[str, ...]:
        """The jurisdictions that it touches."""
        return tuple(sorted({code for place in self.places for code in place}))


def reach(principal: Principal) -> Reach:
    """Whose proposals somebody reads at all."""
    granted = rights.proposals_read(principal)
    return Reach(principal.name, granted.organisations, granted.all, granted.codes)


def listed(database: SyncDatabase, principal: Principal, wanted: Wanted) -> list[Proposal]:
    """Those that the principal may read, the newest first."""
    return [Proposal(*row) for row in database.run(proposal_sql.listed(reach(principal), wanted))]


def waiting(
    database: SyncDatabase, flow: Workflow, layers: Mapping[str, Layer], principal: Principal
) -> list[Proposal]:
    """Those under way that the principal may take a step further now, the oldest first."""
    wanted = Wanted(states=workflow.UNDER_WAY, limit=MOST_WAITING)
    found = [
        each
        for each in listed(database, principal, wanted)
        if waits_for(flow, each, layers[each.layer], principal, store.places(database, each.number))
    ]
    return found[::-1]


def waits_for(
    flow: Workflow, proposal: Proposal, layer: Layer, principal: Principal, places: frozenset[Place]
) -> bool:
    """Whether the principal may take it a step further now."""
    return not _FORWARD.isdisjoint(_may(flow, proposal, layer, principal, places))


def returned(database: SyncDatabase, numbers: Sequence[int]) -> dict[int, str]:
    """Of drafts that came back, by number, the reviewer's words."""
    return {
        int(number): str(words)
        for number, words in database.run(Query(proposal_sql.RETURNED, (list(numbers),)))
    }


def one(database: SyncDatabase, principal: Principal, number: int) -> Proposal:
    """The proposal; NotFound alike where there is none and where it isn't the principal's to read."""
    if 0 < number < 2**31:
        for each in listed(database, principal, Wanted(before=number + 1, limit=1)):
            if each.number == number:
                return each
    raise refusal(NotFound, "proposals.none", number=number)


def told(
    database: SyncDatabase, flow: Workflow, layers: Mapping[str, Layer], principal: Principal, number: int
) -> Told:
    """All of a proposal but its changes."""
    proposal = one(database, principal, number)
    touched = store.places(database, number)
    found = {level: (all_, rows) for level, all_, rows in database.run(proposal_sql.findings(number))}
    return Told(
        proposal,
        tuple(store.events(database, number)),
        touched,
        _may(flow, proposal, layers[proposal.layer], principal, touched),
        workflow.following(flow, proposal),
        found,
    )


def changes(
    database: SyncDatabase, layer: Layer, principal: Principal, proposal: Proposal, page: int
) -> tuple[list[Shown], bool]:
    """A page of the changes, those with faults first, and whether there are more."""
    view = policy.view(principal, layer, database.run(keystore.EPOCH)[0][0])
    columns = sorted({view.column_of(name) for name in view.properties})
    rows = database.run(proposal_sql.changes(view, proposal.number, page * PAGE, PAGE + 1, columns))
    mine = principal.name == proposal.author
    return [_shown(view, row, mine) for row in rows[:PAGE]], len(rows) > PAGE


def comment(database: SyncDatabase, principal: Principal, proposal: Proposal, text: str) -> None:
    """Something said of a proposal without a step; InvalidParameter where nothing is said."""
    if not text:
        raise refusal(InvalidParameter, "proposals.no-comment")
    role = "editor" if principal.name == proposal.author else "reviewer"
    database.run(Query(proposal_sql.COMMENT, (proposal.number, principal.name, role, text)))


def _may(
    flow: Workflow, proposal: Proposal, layer: Layer, principal: Principal, places: frozenset[Place]
) -> tuple[Action, ...]:
    """The steps that the principal could take now."""
    return tuple(
        action for action in _ACTIONS if _is_possible(flow, proposal, layer, action, principal, places)
    )


def _is_possible(
    flow: Workflow,
    proposal: Proposal,
    layer: Layer,
    action: Action,
    principal: Principal,
    places: frozenset[Place],
) -> bool:
    try:
        workflow.step(flow, proposal, layer, action, principal, places)
    except GisError:
        return False
    return True


def _shown(view: ViewedLayer, row: Sequence[object], mine: bool) -> Shown:
    """What is proposed shows to its author and in the reader's own places; the row as the reader sees it."""
    (
        number,
        operation,
        _,
        identity,
        values,
        before,
        moved,
        decision,
        reason,
        findings,
        was_in,
        drawn_in,
        was,
        drawn,
    ) = row
    own = view.policy_class == "full" or _meets(view, was_in)
    sees = mine or own or _meets(view, drawn_in)
    stood = json.loads(str(before)) if own else {}
    names = {view.column_of(name): name for name in view.properties}
    cells = [
        Cell(names[column], stood.get(column), value)
        for column, value in json.loads(str(values)).items()
        if sees and column in names
    ]
    return Shown(
        number,  # type: ignore[arg-type]  # as proposal_sql.changes selects them
        operation,  # type: ignore[arg-type]
        str(identity) if identity is not None and own else None,
        tuple(cells),
        bool(moved),
        decision,  # type: ignore[arg-type]
        str(reason) if reason is not None and sees else None,
        tuple(verdict.finding(each) for each in json.loads(str(findings))) if sees else (),
        _geometry(was) if own and operation != "insert" else None,
        _geometry(drawn) if sees else None,
        sees,
    )


def _meets(view: ViewedLayer, codes: object) -> bool:
    return not set(view.scope).isdisjoint(codes)  # type: ignore[arg-type]  # a text array


def _geometry(wkb: object) -> BaseGeometry | None:
    import shapely  # noqa: PLC0415  # 30 MB that a web worker spends when somebody reviews

    return None if wkb is None else shapely.from_wkb(bytes(wkb))  # type: ignore[call-overload]  # bytea
