"""What an edit through the API works with: who edits, with the rights of this moment; what a table takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gis_service.access import keystore, policy, rights
from gis_service.access.principal import Grant, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.changes import direct, store
from gis_service.changes.cells import Kind
from gis_service.changes.faults import Fault, FieldsRefused, Reason
from gis_service.changes.order import Desk
from gis_service.changes.placing import Placed
from gis_service.changes.refusal import refusal
from gis_service.db import change_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, Forbidden, GisError, NotFound, RuleBroken

READ: Final = ("GET", "HEAD", "OPTIONS")
OF_ITEMS: Final = ("POST",)
OF_ITEM: Final = ("PUT", "PATCH", "DELETE")
_PLACES: Final = "select gis.jurisdictions_of(ST_GeomFromWKB($1, 4326))"
_CLOSED: Final = "proposal_is_no_draft"


@dataclass(frozen=True)
class Scene:
    """The desk with the rights of this moment: what the editor sees, and what the table's columns take."""

    desk: Desk
    editor: Principal
    view: ViewedLayer
    kinds: Mapping[str, Kind]

    @property
    def layer(self) -> Layer:
        return self.view.layer

    @property
    def database(self) -> SyncDatabase:
        return self.desk.database


@contextmanager
def transaction(desk: Desk) -> Iterator[None]:
    """All of the edit or nothing; rules of the tables that only the writing finds are told as faults too."""
    try:
        with desk.database.transaction():
            if direct.possible(desk.flow, desk.principal):
                desk.database.run(direct.TURN)
            yield
    except RuleBroken as err:
        rule = str(err.values.get("constraint") or "database")
        if rule == _CLOSED:
            raise refusal(Conflict, "edit.race") from err
        raise FieldsRefused([Fault("#", rule, Reason("rule", {"rule": rule}))]) from err


def opened(desk: Desk) -> Scene:
    """NotFound for a layer that the editor doesn't see, Forbidden for one that it doesn't edit."""
    editor = store.current(desk.database, desk.principal)
    layer = desk.layers[desk.layer]
    view = policy.view(editor, layer, desk.database.run(keystore.EPOCH)[0][0])
    if not rights.may_edit_layer(editor, layer):
        raise refusal(Forbidden, "edit.not-editor", name=editor.name, layer=layer.id, allow=", ".join(READ))
    kinds = {
        name: Kind(kind, length, required)
        for name, kind, required, length in desk.database.run(change_sql.kinds(layer.table))
    }
    return Scene(desk, editor, view, kinds)


def missing(scene: Scene, identity: str) -> GisError:
    return refusal(NotFound, "web.no-feature", layer=scene.layer.id, id=identity[:200])


def require_place(
    scene: Scene, places: Collection[str], identity: str, methods: Sequence[str] = OF_ITEMS
) -> None:
    """Forbidden where a feature would lie in others' places; `methods` are those that may be tried again."""
    if not rights.may_edit(scene.editor, scene.layer, places):
        allow = ", ".join((*READ, *methods))
        raise refusal(Forbidden, "change.places", name=scene.editor.name, ids=identity, allow=allow)


def grant_for(scene: Scene, places: Collection[str], identity: str) -> Grant:
    """The grant that the edit is made by: one whose edits stand at once if there is, the centre's last."""
    require_place(scene, places, identity)
    found = rights.editing_grants(scene.editor, scene.layer, places)
    if not found:  # the row meets two of its jurisdictions, each through another grant
        raise refusal(Forbidden, "change.places", name=scene.editor.name, ids=identity)
    flow = scene.desk.flow
    return min(found, key=lambda each: (each.tier not in flow.direct, each.tier == "central"))


def places_of(scene: Scene, placed: Placed) -> frozenset[str]:
    return frozenset(scene.database.run(Query(_PLACES, (placed.wkb,)))[0][0])
