"""The workflow as data, and its one transition as a pure function."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from gis_service.access import rights
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.changes.refusal import refusal
from gis_service.changes.values import Action, Place, Proposal, State
from gis_service.errors import Conflict, Forbidden
from gis_service.settings import Workflow

LEADS_TO: Final[Mapping[Action, State]] = {
    "submit": "submitted",
    "accept": "province_review",
    "approve": "central_approval",
    "publish": "published",
    "return": "draft",
    "reject": "rejected",
    "withdraw": "withdrawn",
}
UNDER_WAY: Final[tuple[State, ...]] = ("submitted", "province_review", "central_approval")
_ORDER: Final[tuple[State, ...]] = ("draft", *UNDER_WAY, "published")
_TIERS: Final[tuple[rights.Step, ...]] = ("province", "central")


def path(workflow: Workflow, proposal: Proposal) -> tuple[State, ...]:
    """The states from draft to published that this proposal passes; others are left out by the settings."""
    steps: list[State] = ["draft", "submitted"]
    if workflow.province_review and proposal.tier not in workflow.skip_province_review:
        steps.append("province_review")
    if workflow.central_approval and proposal.tier not in workflow.skip_central_approval:
        steps.append("central_approval")
    return (*steps, "published")


def step(
    workflow: Workflow,
    proposal: Proposal,
    layer: Layer,
    action: Action,
    principal: Principal,
    places: Collection[Place],
) -> State:
    """The state after an action; Conflict where it isn't its turn, Forbidden where it isn't the principal's.

    `places` are those of all its changes at this moment, for rows as they stand and as they would be: who
    decides must be entitled to each of them.
    """
    coming = _following(workflow, proposal, action)
    if action in ("submit", "withdraw"):
        _require_editor(proposal, layer, action, principal, places)
    else:
        _require_reviewer(workflow, proposal, coming, action, principal, places)
    return LEADS_TO[action]


def following(workflow: Workflow, proposal: Proposal) -> State | None:
    """The state that comes next on the way; None where it has come to its end."""
    if proposal.state != "draft" and proposal.state not in UNDER_WAY:
        return None
    # The settings may have left out the present state since it was reached: what comes after it is next.
    way = [each for each in _ORDER if each == proposal.state or each in path(workflow, proposal)]
    return way[way.index(proposal.state) + 1]


def tiers(workflow: Workflow, coming: State) -> tuple[str, ...]:
    """Whose reviewers take the step to a state."""
    reviewing = {
        "province_review": workflow.province_review,
        "central_approval": workflow.central_approval,
    }
    return reviewing.get(coming, workflow.publish)


def _following(workflow: Workflow, proposal: Proposal, action: Action) -> State:
    """The state that comes next on the way; Conflict where the action isn't one for the present state."""
    state, coming = proposal.state, following(workflow, proposal)
    if coming is None:
        raise refusal(Conflict, "change.closed", number=proposal.number, state=state)
    fits = action == "withdraw" or (
        state in UNDER_WAY if action in ("return", "reject") else LEADS_TO[action] == coming
    )
    if not fits:
        raise refusal(Conflict, "change.not-next", number=proposal.number, state=state, next=coming)
    return coming


def _require_editor(
    proposal: Proposal, layer: Layer, action: Action, principal: Principal, places: Collection[Place]
) -> None:
    """The author alone submits and withdraws, and submits only what it may edit today."""
    if principal.name != proposal.author:
        raise refusal(Forbidden, "change.not-author", number=proposal.number, author=proposal.author)
    if action == "submit" and not all(rights.may_edit(principal, layer, place) for place in places):
        raise refusal(Forbidden, "change.no-editor", name=principal.name, layer=layer.id)


def _require_reviewer(
    workflow: Workflow,
    proposal: Proposal,
    coming: State,
    action: Action,
    principal: Principal,
    places: Collection[Place],
) -> None:
    # A board's own code is no province's: a row of it at sea is the centre's to decide, as any row there.
    board = {proposal.organisation} if proposal.tier == "site" else set()
    if not all(_may_decide(principal, tiers(workflow, coming), place - board) for place in places):
        raise refusal(Forbidden, "change.no-reviewer", name=principal.name, step=coming)
    if principal.name == proposal.author and action in ("accept", "approve"):
        raise refusal(Forbidden, "change.own", number=proposal.number)


def may_publish(workflow: Workflow, principal: Principal, place: Place) -> bool:
    """Whether it is one of those who publish rows of a place."""
    return _may_decide(principal, workflow.publish, place)


def _may_decide(principal: Principal, entitled: Collection[str], place: Place) -> bool:
    """A row that meets no jurisdiction, at sea or gone, has no province: the centre decides."""
    if not place:
        return rights.may_review(principal, "central", place)
    return any(rights.may_review(principal, tier, place) for tier in _TIERS if tier in entitled)


def require_centre(principal: Principal) -> None:
    """Forbidden for all but the centre's reviewers: undoing a release undoes what others have decided."""
    if not rights.may_review(principal, "central", ()):
        raise refusal(Forbidden, "change.no-reviewer", name=principal.name, step="rollback")
