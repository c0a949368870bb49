"""An edit as it is asked for, and where it is found afterwards; light, for who only passes it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.db.sync import SyncDatabase
from gis_service.geo.crs import Crs
from gis_service.settings import Workflow


@dataclass(frozen=True)
class Desk:
    """What an edit works with: a connection, the settings, the layers, who edits which of them."""

    database: SyncDatabase
    flow: Workflow
    layers: Mapping[str, Layer]
    layer: str
    principal: Principal


@dataclass(frozen=True)
class Edit:
    """What was sent: a document as JSON, the system of its coordinates, the tags that the row must have."""

    body: bytes
    crs: Crs
    match: frozenset[str] | None = None


@dataclass(frozen=True)
class Saved:
    """Where the feature is found now, its tag, and the proposal or the release that holds the edit."""

    id: str
    tag: str | None
    proposal: int | None = None
    release: int | None = None
