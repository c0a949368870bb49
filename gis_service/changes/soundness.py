"""All that is wrong with an edit: in its document, by the rules of its table, by the checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson

from gis_service.changes import placing, store, verdict
from gis_service.changes.desk import Scene
from gis_service.changes.document import Sent
from gis_service.changes.drafts import Kept
from gis_service.changes.faults import Fault, FieldsRefused, Reason, at, fault
from gis_service.changes.placing import Placed
from gis_service.changes.values import Candidate
from gis_service.db import select
from gis_service.db.query import Query
from gis_service.features.query import feature_id
from gis_service.geo.crs import Crs

_NOT_NULL: Final = "_not_null"  # how gis.broken_rules calls what takes no null
_RULES: Final = "select rule, columns from gis.broken_rules($1, $2, $3::jsonb, ST_GeomFromWKB($4, 4326))"


def placed(scene: Scene, sent: Sent, crs: Crs, identity: str | None = None) -> Placed | None:
    """The geometry as the table holds it; FieldsRefused with all that is wrong with the document.

    `identity` is that of a row that stands: what only the service writes may be sent back as it was read.
    """
    shown = _shown(scene, identity) if identity is not None and sent.untouchable else {}
    faults = list(sent.faults)
    faults += [
        fault(at("properties", name), "read-only", name=name)
        for name, value in sent.untouchable.items()
        if value != shown.get(name)
    ]
    made = None
    if sent.geometry is not None:
        made, wrong = placing.placed(scene.database, sent.geometry, crs)
        faults += [wrong] if wrong is not None else []
    if faults:
        raise FieldsRefused(faults)
    return made


def _shown(scene: Scene, identity: str) -> Mapping[str, object]:
    """The properties of a row as the editor reads them."""
    known = feature_id(scene.view, identity)
    assert known is not None, "the row was found by it"
    rows = scene.database.run(select.item(scene.view, known))
    properties: dict[str, Any] = orjson.loads(rows[0][1])["properties"] if rows else {}
    return properties


def require(scene: Scene, change: Kept) -> None:
    """FieldsRefused where the row would break a rule of its table, or a check finds a fault in the change."""
    names = {scene.layer.column_of(name): name for name in scene.view.properties}
    values = orjson.dumps(dict(change.values)).decode()
    rows = scene.database.run(
        Query(
            _RULES, (scene.layer.table_name, change.gid, values, change.geometry), timeout_ms=store.PUBLISH_MS
        )
    )
    broken = [_broken(scene, rule, columns, names) for rule, columns in rows]
    if broken:
        raise FieldsRefused(broken)
    candidate = Candidate(change.operation, change.gid, change.base_rev, change.values, change.geometry)
    found = verdict.faults(scene.database, scene.desk.layers, scene.layer.id, scene.editor, candidate)
    if found:
        raise FieldsRefused(
            [Fault(_pointer(scene, [each.column or "geom"], names), each.rule, each) for each in found]
        )


def _broken(scene: Scene, rule: str, columns: Collection[str], names: Mapping[str, str]) -> Fault:
    """A rule of the table, at the last of its columns that the editor sees; others aren't named."""
    pointer = _pointer(scene, columns, names)
    if rule.endswith(_NOT_NULL):
        return fault(pointer, "required", name=names.get(next(iter(columns)), "–"))
    return Fault(pointer, rule, Reason("rule", {"rule": rule}))


def _pointer(scene: Scene, columns: Collection[str], names: Mapping[str, str]) -> str:
    if scene.layer.geometry.column in columns:
        return at("geometry")
    seen = [names[each] for each in columns if each in names]
    return at("properties", seen[-1]) if seen else at("properties")
