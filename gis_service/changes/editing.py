"""One edit of one feature through the API: kept in its author's draft, or published if it may stand at once.

Each runs in one transaction. The author's drafts are locked before anything is judged, so that of two edits
at once the second is judged by what the first has made.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from gis_service.access import rights
from gis_service.access.principal import Grant
from gis_service.changes import direct, document, drafts, marks, propose, soundness
from gis_service.changes.desk import (
    OF_ITEM,
    READ,
    Scene,
    grant_for,
    missing,
    opened,
    places_of,
    require_place,
    transaction,
)
from gis_service.changes.document import Way
from gis_service.changes.drafts import Kept
from gis_service.changes.order import Desk, Edit, Saved
from gis_service.changes.placing import Placed
from gis_service.changes.propose import Standing
from gis_service.changes.refusal import refusal
from gis_service.errors import Conflict, Forbidden, PreconditionFailed

Places = Collection[Collection[str]]


@dataclass(frozen=True)
class _Target:
    """The feature that is edited: a row that stands and what its editor has drafted over it, or a new one.

    `fresh` is the draft that was made for this edit.
    """

    id: str
    row: Standing | None
    kept: Kept | None
    fresh: int | None = None


class _Unchanged(Exception):
    """Nothing is left of an edit for which a proposal was just made, so the proposal isn't wanted either."""

    def __init__(self, saved: Saved) -> None:
        super().__init__()
        self.saved = saved


def create(desk: Desk, edit: Edit) -> Saved:
    """A new feature; FieldsRefused with all that is wrong with it, Forbidden in other people's places."""
    with transaction(desk):
        scene = opened(desk)
        sent = document.read(scene.view, scene.kinds, document.loads(edit.body), "create")
        placed = soundness.placed(scene, sent, edit.crs)
        assert placed is not None, "a new feature without geometry is a fault"
        places = places_of(scene, placed)
        grant = grant_for(scene, places, "#")
        columns = propose.columns(scene.view)
        values = {columns[name]: value for name, value in sent.values.items() if value is not None}
        change = _drawn(Kept(0, 0, "insert", values={**values, **scene.layer.where}), placed)
        soundness.require(scene, change)
        return _saved(scene, change, None, grant, [places])


def change(desk: Desk, identity: str, edit: Edit, way: Way) -> Saved:
    """Other values of a feature: those that a patch names, or all of them."""
    try:
        with transaction(desk):
            scene = opened(desk)
            return _changed(scene, _target(scene, identity), edit, way)
    except _Unchanged as nothing:
        return nothing.saved


def remove(desk: Desk, identity: str, match: frozenset[str] | None) -> Saved:
    """Withdraw a feature that stands, or take a new one out of the draft."""
    with transaction(desk):
        scene = opened(desk)
        target = _target(scene, identity)
        _require_match(scene, target, match)
        row, kept = target.row, target.kept
        if row is None:
            assert kept is not None, "a feature stands, or it is in a draft"
            drafts.drop(scene.database, desk.flow, kept)
            return Saved(identity, None, kept.proposal)
        gone = Kept(kept.proposal if kept else 0, kept.number if kept else 0, "delete", row.gid, row.rev)
        grant = grant_for(scene, row.jurisdictions, identity)
        return _saved(scene, gone, target, grant, [row.jurisdictions])


def _changed(scene: Scene, target: _Target, edit: Edit, way: Way) -> Saved:
    row = target.row
    _require_match(scene, target, edit.match)
    sent = document.read(scene.view, scene.kinds, document.loads(edit.body), way, target.id)
    if row is None:  # what only the service writes, a new feature doesn't have yet
        sent = replace(sent, untouchable={})
    placed = soundness.placed(scene, sent, edit.crs, target.id if row else None)
    columns = propose.columns(scene.view)
    made = _merged(target, {columns[name]: value for name, value in sent.values.items()}, edit)
    made = _drawn(made, placed) if placed else made
    places: list[Collection[str]] = [row.jurisdictions] if row else []
    if placed:
        places.append(places_of(scene, placed))
        require_place(scene, places[-1], target.id, OF_ITEM)
    soundness.require(scene, made)
    grant = grant_for(scene, row.jurisdictions, target.id) if row else None
    return _saved(scene, made, target, grant, places)


def _merged(target: _Target, values: dict[str, object], edit: Edit) -> Kept:
    """What the editor has drafted before and what it asks for now, as one change.

    Where somebody else has changed the row since the draft was begun, it goes on only for a client that has
    read the row as it stands now.
    """
    row, kept = target.row, target.kept
    if row is None:
        assert kept is not None, "a feature stands, or it is in a draft"
        both = {**kept.values, **values}
        return replace(kept, values={column: value for column, value in both.items() if value is not None})
    if kept is None:
        return Kept(0, 0, "update", row.gid, row.rev, values)
    if kept.base_rev != row.rev and edit.match is None:
        raise refusal(Conflict, "edit.stale", id=target.id, proposal=kept.proposal)
    return replace(kept, base_rev=row.rev, values={**kept.values, **values})


def _target(scene: Scene, identity: str) -> _Target:
    """The feature of that id; NotFound where the editor sees none, or has withdrawn it in a draft."""
    open_drafts = drafts.locked(scene.database, scene.layer, scene.editor.name)
    if (new := marks.draft_of(identity)) is not None:
        kept = drafts.at(scene.database, *new) if new[0] in open_drafts else None
        if kept is None or kept.operation != "insert":
            raise missing(scene, identity)
        return _Target(identity, None, kept)
    row, fresh = _standing(scene, identity), None
    if not open_drafts and not _stands_at_once(scene, [row.jurisdictions]):
        # The first of several edits at once makes the draft; the others wait for it and see what it holds.
        grant = grant_for(scene, row.jurisdictions, identity)
        number, new_draft = drafts.opened(scene.database, scene.layer, scene.editor.name, grant)
        open_drafts, fresh = [number], number if new_draft else None
        row = _standing(scene, identity)
    kept = drafts.on_row(scene.database, open_drafts, row.gid)
    if kept is not None and kept.operation == "delete":
        raise missing(scene, identity)
    return _Target(identity, row, kept, fresh)


def _standing(scene: Scene, identity: str) -> Standing:
    """The row of that id; NotFound where the editor doesn't see it, Forbidden where it may only see it."""
    row = propose.standing(scene.database, scene.view, [identity]).get(identity)
    if row is None:
        raise missing(scene, identity)
    if not rights.may_edit(scene.editor, scene.layer, row.jurisdictions):
        allow = ", ".join(READ)
        raise refusal(Forbidden, "edit.not-yours", name=scene.editor.name, id=identity, allow=allow)
    return row


def _require_match(scene: Scene, target: _Target, match: frozenset[str] | None) -> None:
    """PreconditionFailed where the feature isn't as the client has read it (RFC 9110, 13.1.1)."""
    if match is not None and "*" not in match and _tag(scene, target) not in match:
        raise refusal(PreconditionFailed, "edit.changed", id=target.id)


def _tag(scene: Scene, target: _Target) -> str:
    kept = target.kept.digest if target.kept else None
    if target.row is not None:
        row = target.row
        return marks.of_row(scene.view, row.gid, row.rev, row.jurisdictions, kept)
    assert kept is not None, "a feature stands, or it is in a draft"
    return marks.of_draft(scene.view, target.id, kept)


def _drawn(change: Kept, placed: Placed) -> Kept:
    return replace(
        change,
        geometry=placed.wkb,
        original=placed.original,
        srid=placed.srid,
        datum_operation=placed.operation,
    )


def _stands_at_once(scene: Scene, places: Places) -> bool:
    return direct.allowed(scene.desk.flow, scene.editor, scene.layer, places)


def _saved(scene: Scene, change: Kept, target: _Target | None, grant: Grant | None, places: Places) -> Saved:
    """The change kept: in the draft that holds it already, in the open one, or published by itself."""
    desk, new = scene.desk, False
    if not change.proposal:
        assert grant is not None, "who writes a row that isn't in a draft was asked before"
        if _stands_at_once(scene, places):
            return _published(scene, change, target, grant)
        number, new = drafts.opened(desk.database, scene.layer, scene.editor.name, grant)
        new = new or (target is not None and target.fresh == number)
        change = replace(change, proposal=number)
    kept = drafts.write(desk.database, desk.flow, change)
    if target is None:
        assert kept is not None, "a new feature is always something new"
        identity = marks.draft_id(kept.proposal, kept.number)
        return Saved(identity, marks.of_draft(scene.view, identity, str(kept.digest)), kept.proposal)
    gone = kept is not None and kept.operation == "delete"
    tag = None if gone else _tag(scene, replace(target, kept=kept))
    if new and kept is None:
        raise _Unchanged(Saved(target.id, tag))
    return Saved(target.id, tag, change.proposal)


def _published(scene: Scene, change: Kept, target: _Target | None, grant: Grant) -> Saved:
    """The edit as a release of its own."""
    desk = scene.desk
    number = drafts.alone(desk.database, scene.layer, scene.editor.name, grant)
    kept = drafts.write(desk.database, desk.flow, replace(change, proposal=number))
    if kept is None:
        assert target is not None, "a new feature is always something new"
        raise _Unchanged(Saved(target.id, _tag(scene, target)))
    release = direct.publish(desk.database, desk.flow, desk.layers, number, scene.editor)
    identity = target.id if target else direct.identity(desk.database, scene.layer, number)
    row = propose.standing(desk.database, scene.view, [identity]).get(identity)
    tag = None if row is None else _tag(scene, _Target(identity, row, None))
    return Saved(identity, tag, number, release)
