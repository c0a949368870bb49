"""Reads of exact rows by commands, as the audit log tells them."""

from collections.abc import Iterable

from gis_service.access.principal import Principal
from gis_service.catalog.view import ViewedLayer
from gis_service.cli.acting import operator
from gis_service.db import reads_sql
from gis_service.db.sync import SyncDatabase


def tell(database: SyncDatabase, principal: Principal, views: Iterable[ViewedLayer], access: str) -> None:
    """Note that an operator read as somebody who sees sensitive rows where they are."""
    actor = operator()
    told = [
        {
            "actor": actor.name,
            "role": actor.role,
            "client": actor.client,
            "layer": view.id,
            "access": access,
            "class": principal.policy_class,
            "requests": 1,
            "asked": [],
        }
        for view in views
        if view.layer.sensitive and view.layer.managed and (view.sight == "all" or view.scope)
    ]
    if told:
        database.run(reads_sql.note(told))
