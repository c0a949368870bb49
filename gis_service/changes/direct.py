"""Edits that stand at once, where the settings name the editor's tier: a release each, by its own rights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from gis_service.access import rights
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.changes import store, verdict
from gis_service.changes import workflow as way
from gis_service.changes.refusal import refusal
from gis_service.db import draft_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict
from gis_service.settings import Workflow

# A release's lock, taken before anything is judged: so nobody is quicker between judging and publishing.
TURN: Final = Query("select pg_advisory_xact_lock(hashtextextended('gis.release', 0))")


def possible(flow: Workflow, editor: Principal) -> bool:
    """Whether any edit of this editor may stand at once."""
    roles = {grant.role for grant in editor.roles if grant.role != "editor" or grant.tier in flow.direct}
    return bool(flow.direct) and {"editor", "reviewer"} <= roles and {"edit", "review"} <= editor.scopes


def allowed(flow: Workflow, editor: Principal, layer: Layer, places: Collection[Collection[str]]) -> bool:
    """Whether an edit of a row in these places stands at once.

    The settings waive the second pair of eyes for a tier; they make no right. The edit must be by a grant
    of such a tier, and the editor must be a reviewer who may publish it, with a key that reviews.
    """
    return bool(flow.direct) and all(
        any(grant.tier in flow.direct for grant in rights.editing_grants(editor, layer, each))
        and way.may_publish(flow, editor, frozenset(each))
        for each in places
    )


def publish(
    database: SyncDatabase, flow: Workflow, layers: Mapping[str, Layer], number: int, editor: Principal
) -> int:
    """Submit, check and publish a draft as a release, in the edit's transaction; gives its number."""
    waived = replace(
        flow,
        skip_province_review=(*flow.skip_province_review, *flow.direct),
        skip_central_approval=(*flow.skip_central_approval, *flow.direct),
    )
    draft = store.numbered(database, number)
    submitted = verdict.submit(database, waived, layers, draft, editor)
    made = store.publish(database, waived, layers, [submitted], editor, submitted.title)
    if made.release is None:
        raise refusal(Conflict, "edit.race")
    return made.release


def identity(database: SyncDatabase, layer: Layer, number: int) -> str:
    """The id of the feature that the proposal's only change has made."""
    return str(database.run(draft_sql.identity(layer, number))[0][0])
