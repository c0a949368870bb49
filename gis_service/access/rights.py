"""What a principal may do beside reading: pure questions about its roles, and no other way to ask.

A right comes from one grant alone: who reads for one province and edits for another edits in the other only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from gis_service.access.principal import Grant, Principal, Role, Scope
from gis_service.catalog.layer import Layer

Step = Literal["province", "central"]
_PAGES: tuple[tuple[str, Role, Scope], ...] = (
    ("contribute", "editor", "edit"),
    ("review", "reviewer", "review"),
    ("administer", "administrator", "administer"),
)


def may_edit(principal: Principal, layer: Layer, jurisdictions: Collection[str]) -> bool:
    """Whether it may propose to write a row of the layer that lies in these jurisdictions.

    The centre edits every row; others those that meet their own, in layers whose file names their tier. A
    row that moves is asked about twice, as it was and as it would be.
    """
    return layer.managed and any(
        grant.tier == "central"
        or (grant.tier in layer.access.edit and not grant.jurisdictions.isdisjoint(jurisdictions))
        for grant in _granted(principal, "editor", "edit")
    )


def may_edit_layer(principal: Principal, layer: Layer) -> bool:
    """Whether there may be a row of the layer, standing or new, that it may propose to write."""
    return layer.managed and any(
        grant.tier == "central" or (grant.tier in layer.access.edit and bool(grant.jurisdictions))
        for grant in _granted(principal, "editor", "edit")
    )


def places_edited(principal: Principal, layer: Layer) -> frozenset[str] | None:
    """The jurisdictions in which it may propose to write rows of the layer; None where that is everywhere."""
    grants = list(_granted(principal, "editor", "edit"))
    if any(grant.tier == "central" for grant in grants):
        return None
    mine = [grant.jurisdictions for grant in grants if grant.tier in layer.access.edit]
    return frozenset().union(*mine)


def editing_tiers(principal: Principal) -> str:
    """What its answer to may_edit_layer depends on, as a key for what is kept; empty if it edits nothing."""
    grants = _granted(principal, "editor", "edit")
    return "".join(
        sorted({f"|{grant.tier}" for grant in grants if grant.tier == "central" or grant.jurisdictions})
    )


def editing_grants(principal: Principal, layer: Layer, jurisdictions: Collection[str]) -> list[Grant]:
    """The grants that each by itself give the right of may_edit, in the order of their organisations."""
    grants = [
        grant
        for grant in _granted(principal, "editor", "edit")
        if may_edit(replace(principal, roles=frozenset({grant})), layer, jurisdictions)
    ]
    return sorted(grants, key=lambda grant: grant.organisation)


def may_review(principal: Principal, tier_of_step: Step, jurisdictions: Collection[str]) -> bool:
    """Whether it may decide a step: the province's where the row meets its own, the centre's anywhere.

    The centre doesn't decide in a province's place, nor a board in anybody's.
    """
    return any(
        grant.tier == tier_of_step
        and (grant.tier == "central" or not grant.jurisdictions.isdisjoint(jurisdictions))
        for grant in _granted(principal, "reviewer", "review")
    )


@dataclass(frozen=True)
class ProposalsRead:
    """Whose proposals somebody reads beside its own: those of organisations, all, or those of places."""

    organisations: tuple[str, ...] = ()
    all: bool = False
    codes: tuple[str, ...] = ()


def proposals_read(principal: Principal) -> ProposalsRead:
    """Editors, reviewers and administrators read those of their organisation, reviewers those they decide."""
    inside = [
        *_granted(principal, "editor", "read"),
        *_granted(principal, "reviewer", "read"),
        *_granted(principal, "administrator", "read"),
    ]
    reviewing = list(_granted(principal, "reviewer", "read"))
    codes = {code for grant in reviewing if grant.tier == "province" for code in grant.jurisdictions}
    return ProposalsRead(
        tuple(sorted({grant.organisation for grant in inside})),
        any(grant.tier == "central" for grant in reviewing),
        tuple(sorted(codes)),
    )


def may_administer(principal: Principal, organisation: str) -> bool:
    """Whether it may change the accounts of an organisation: the centre all, others those below them."""
    return any(
        grant.tier == "central" or organisation in grant.reach
        for grant in _granted(principal, "administrator", "administer")
    )


def administered(principal: Principal) -> frozenset[str] | None:
    """The organisations whose accounts it may change, by code; None for all of them, as the centre's may."""
    grants = list(_granted(principal, "administrator", "administer"))
    if any(grant.tier == "central" for grant in grants):
        return None
    return frozenset(code for grant in grants for code in grant.reach)


def may_audit(principal: Principal) -> bool:
    """Whether it may read the log, which tells of everybody: so the auditors of the centre alone."""
    return any(grant.tier == "central" for grant in _granted(principal, "auditor", "read"))


def abilities(principal: Principal) -> frozenset[str]:
    """What of the service's pages is for it: contribute, review, administer, audit."""
    found = {word for word, role, scope in _PAGES if any(True for _ in _granted(principal, role, scope))}
    return frozenset(found | ({"audit"} if may_audit(principal) else set()))


def may_read_decisions(principal: Principal) -> bool:
    """Whether it may read by whom and why a release was made: the centre's who decide, run or audit it."""
    runs = any(grant.tier == "central" for grant in _granted(principal, "administrator", "administer"))
    return runs or may_review(principal, "central", ()) or may_audit(principal)


def _granted(principal: Principal, role: Role, scope: Scope) -> Iterator[Grant]:
    """Its grants of the role; none where its key lacks the scope."""
    if scope in principal.scopes:
        yield from (grant for grant in principal.roles if grant.role == role)
