"""Who may do what, as a table of grants and answers."""

from dataclasses import replace

import pytest

from gis_service.access.principal import PUBLIC, Grant, Principal, Role
from gis_service.access.rights import Step, may_administer, may_audit, may_edit, may_review
from gis_service.catalog.layer import Layer, OrganisationTier
from gis_service.catalog.registry import load_catalog
from gis_service.changes import workflow
from gis_service.changes.values import Proposal
from gis_service.errors import Forbidden
from gis_service.settings import Workflow
from tests.conftest import ROOT

LAYERS = load_catalog(ROOT).layers


def holder(role: Role, tier: OrganisationTier, *codes: str, reach: tuple[str, ...] = ("own",)) -> Principal:
    """Somebody with one grant, who reads no more than the public: reading gives no other right."""
    grant = Grant(role, "own", None, tier, frozenset(codes), frozenset(reach))
    return Principal("somebody", "public", organisation="own", roles=frozenset({grant}))


@pytest.mark.parametrize(
    ("who", "layer", "row", "allowed"),
    [
        (holder("editor", "central"), "provinces", [], True),
        (holder("editor", "central"), "protected-areas", ["01"], True),
        (holder("editor", "province", "01"), "protected-areas", ["01"], True),
        (holder("editor", "province", "01"), "protected-areas", ["01", "04"], True),
        (holder("editor", "province", "01"), "protected-areas", ["04"], False),
        (holder("editor", "province", "01"), "protected-areas", [], False),
        (holder("editor", "province", "01"), "provinces", ["01"], False),  # boundaries are the centre's
        (holder("editor", "site", "ba-vi"), "plots", ["01", "ba-vi"], True),
        (holder("editor", "site", "ba-vi"), "plots", ["01"], False),
        (holder("editor", "partner", "01"), "plots", ["01"], False),
        (holder("editor", "registered"), "plots", ["01"], False),
        (holder("reader", "central"), "plots", ["01"], False),
        (holder("reviewer", "central"), "plots", ["01"], False),
        (holder("administrator", "central"), "plots", ["01"], False),
        (Principal("old key", "full"), "plots", ["01"], False),
        (PUBLIC, "plots", ["01"], False),
    ],
)
def test_who_may_edit(who: Principal, layer: str, row: list[str], allowed: bool) -> None:
    assert may_edit(who, LAYERS[layer], row) is allowed


@pytest.mark.parametrize(
    ("who", "place", "allowed"),
    [
        (holder("reviewer", "central"), {"ba-vi"}, True),  # at sea, where no province looks after it
        (holder("reviewer", "central"), {"ba-vi", "01"}, False),
        (holder("reviewer", "province", "01"), {"ba-vi", "01"}, True),
        (holder("reviewer", "province", "01"), {"ba-vi"}, False),
        (holder("reviewer", "site", "ba-vi"), {"ba-vi"}, False),
    ],
)
def test_who_accepts_what_a_board_proposes(who: Principal, place: set[str], allowed: bool) -> None:
    proposal = Proposal(1, "plots", "an", "x", "submitted", "ba-vi", "site")

    def accept() -> str:
        return workflow.step(Workflow(), proposal, LAYERS["plots"], "accept", who, [frozenset(place)])

    if allowed:
        assert accept() == "province_review"
    else:
        with pytest.raises(Forbidden):
            accept()


@pytest.mark.parametrize(
    ("who", "step", "row", "allowed"),
    [
        (holder("reviewer", "province", "01"), "province", ["01", "04"], True),
        (holder("reviewer", "province", "01"), "province", ["04"], False),
        (holder("reviewer", "province", "01"), "province", [], False),
        (holder("reviewer", "province", "01"), "central", ["01"], False),
        (holder("reviewer", "central"), "central", [], True),
        (holder("reviewer", "central"), "province", ["01"], False),
        (holder("reviewer", "site", "01"), "province", ["01"], False),
        (holder("editor", "central"), "central", ["01"], False),
        (holder("administrator", "central"), "central", ["01"], False),
    ],
)
def test_who_may_review(who: Principal, step: Step, row: list[str], allowed: bool) -> None:
    assert may_review(who, step, row) is allowed


@pytest.mark.parametrize(
    ("who", "organisation", "allowed"),
    [
        (holder("administrator", "central"), "anything", True),
        (holder("administrator", "province", reach=("own", "board")), "board", True),
        (holder("administrator", "province", reach=("own", "board")), "own", True),
        (holder("administrator", "province", reach=("own", "board")), "neighbour", False),
        (holder("editor", "province", reach=("own", "board")), "own", False),
    ],
)
def test_who_may_administer(who: Principal, organisation: str, allowed: bool) -> None:
    assert may_administer(who, organisation) is allowed


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (holder("auditor", "central"), True),
        (holder("auditor", "province"), False),  # the log tells of everybody
        (holder("administrator", "central"), False),
    ],
)
def test_who_may_audit(who: Principal, allowed: bool) -> None:
    assert may_audit(who) is allowed


def test_rights_of_two_grants_do_not_mix() -> None:
    grants = {
        Grant("editor", "a", None, "province", frozenset({"01"})),
        Grant("reader", "centre", None, "central"),
    }
    both = Principal("both", "full", roles=frozenset(grants))
    assert may_edit(both, LAYERS["plots"], ["01"])
    assert not may_edit(both, LAYERS["plots"], ["04"])


def test_a_key_does_no_more_than_its_scopes() -> None:
    editor, reviewer = holder("editor", "central"), holder("reviewer", "central")
    administrator = holder("administrator", "central")
    for who in (editor, reviewer, administrator):
        reading = replace(who, scopes=frozenset({"read"}))
        assert not may_edit(reading, LAYERS["plots"], ["01"])
        assert not may_review(reading, "central", ["01"])
        assert not may_administer(reading, "own")


def test_a_layer_of_others_is_not_edited() -> None:
    layer: Layer = LAYERS["sea-areas"].model_copy(update={"managed": False})
    assert not may_edit(holder("editor", "central"), layer, [])
