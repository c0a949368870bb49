"""A file in the place of a draft: one's own, of the same layer, and not yet, or no longer, with reviewers."""

from __future__ import annotations

from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.changes import reading, store
from gis_service.changes.refusal import refusal
from gis_service.changes.values import Proposal
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict
from gis_service.settings import Workflow


def replaceable(database: SyncDatabase, layer: Layer, principal: Principal, number: int) -> Proposal:
    """The draft; NotFound for what the principal doesn't read, Conflict for what it can't replace."""
    found = reading.one(database, principal, number)
    if found.author != principal.name or found.layer != layer.id or found.state != "draft":
        raise refusal(Conflict, "contribute.not-replaceable", number=number, layer=layer.id)
    return found


def withdraw(
    database: SyncDatabase, flow: Workflow, layer: Layer, principal: Principal, number: int
) -> Proposal:
    """Withdraw the draft that a file replaces; refused where it isn't a draft any more."""
    found = replaceable(database, layer, principal, number)
    return store.take(database, flow, layer, found, "withdraw", principal)
