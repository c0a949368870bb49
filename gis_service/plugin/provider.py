"""The provider that a stock pygeoapi loads by its dotted name; nothing else of ours imports it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from pygeoapi.provider.base import (
    BaseProvider,
    ProviderConnectionError,
    ProviderGenericError,
    ProviderInvalidQueryError,
    ProviderItemNotFoundError,
)

from gis_service.access import policy
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db import select
from gis_service.db.feature_text import Form
from gis_service.db.paging import Cursor
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.errors import ConfigRefused, GisError, NotFound
from gis_service.features.query import Terms, feature_id, parse_item, parse_items
from gis_service.features.refusal import refusal
from gis_service.features.schemas import described
from gis_service.geo.crs import CRS84
from gis_service.observe import Log
from gis_service.plugin import arguments
from gis_service.plugin.connections import connections
from gis_service.settings import Limits
from gis_service.texts import say

Feature = dict[str, Any]  # GeoJSON
_LOG = Log("gis.plugin")  # pygeoapi's configuration says where it goes
_BARE = Form(properties=(), geometry=False)


class GisServiceProvider(BaseProvider):  # type: ignore[misc]  # pygeoapi has no types
    """Features of one layer as the public sees them: rows, columns and geometry of the service's own answers.

    Options beside pygeoapi's: `data` (address of the database), `root` (the folder with layers/), `layer`
    (its id), `lang` (of the titles), `count: true` (the exact numberMatched on every page, at its price).
    """

    def __init__(self, provider_def: dict[str, Any]) -> None:
        super().__init__(provider_def)
        with _said():
            self._view = _public_view(_option(provider_def, "root"), _option(provider_def, "layer"))
            _hold_to_degrees(provider_def)
        self._connections = connections(self.data)
        self._lang = provider_def.get("lang", "en")
        self._counts = provider_def.get("count", False)
        self.id_field: str = provider_def.get("id_field") or "id"
        self.time_field: str | None = provider_def.get("time_field") or _time_property(self._view)
        self._fields: dict[str, dict[str, object]] = {}
        self.get_fields()

    def get_fields(self) -> dict[str, dict[str, object]]:
        """JSON Schema of each property that the public sees and the configuration publishes."""
        if not self._fields:
            self._fields = {
                name: described(prop, self._lang)
                for name, prop in self._view.properties.items()
                if not self.properties or name in self.properties
            }
        return dict(self._fields)

    def query(self, offset: int = 0, limit: int = 10, resulttype: str = "results", **asked: Any) -> Feature:
        """A page as a FeatureCollection; `numberMatched` is exact, and absent where counting would cost."""
        with _said():
            given = arguments.parameters(self._view, asked, self.properties)
            parsed = parse_items(self._view, given, self._terms()).query
            with self._connections.lent() as database:
                if resulttype == "hits":
                    return _collection([], self._count(database, parsed))
                rows = database.run(select.items(self._view, replace(parsed, offset=offset, limit=limit + 1)))
                features = [orjson.loads(row[1]) for row in rows[:limit]]
                ended = len(rows) <= limit and (features or not offset)
                if ended:
                    return _collection(features, offset + len(features))
                return _collection(features, self._count(database, parsed) if self._counts else None)

    def get(self, identifier: str, **asked: Any) -> Feature:
        """One feature with the ids of its neighbours."""
        with _said():
            _, form = parse_item(self._view, arguments.system(asked), self._connections.systems)
            key = feature_id(self._view, str(identifier))
            chosen = replace(form, properties=tuple(self.properties) or None)
            with self._connections.lent() as database:
                rows = [] if key is None else database.run(select.item(self._view, key, chosen))
                if not rows:
                    raise refusal(NotFound, "web.no-feature", layer=self._view.id, id=str(identifier)[:200])
                found: Feature = orjson.loads(rows[0][1])
                return found | self._beside(database, rows[0][0])

    def _terms(self) -> Terms:
        return Terms(Limits(), self._connections.systems, b"")  # pages are asked by offset, never by token

    def _count(self, database: SyncDatabase, query: ItemsQuery) -> int:
        return int(database.run(select.count(self._view, query))[0][0])

    def _beside(self, database: SyncDatabase, key: int) -> dict[str, Any]:
        beside = {}
        for name, backwards in (("prev", True), ("next", False)):
            neighbour = ItemsQuery(limit=1, cursor=Cursor((), key, backwards), form=_BARE)
            for row in database.run(select.items(self._view, neighbour)):
                beside[name] = orjson.loads(row[1])["id"]
        return beside

    def __repr__(self) -> str:
        return f"<GisServiceProvider> {self._view.id}"


@functools.cache
def _public_view(root: str, layer: str) -> ViewedLayer:
    """The layer as the public sees it, read once a process: pygeoapi makes a provider for every request.

    No other class: whoever reaches pygeoapi would be served with it.
    """
    seen = policy.visible_layers(PUBLIC, load_catalog(Path(root)).layers.values())
    if layer not in seen:
        raise _misconfigured("plugin.unknown-layer", name=layer, root=root, known=", ".join(sorted(seen)))
    return seen[layer]


def _option(provider_def: Mapping[str, Any], name: str) -> str:
    if not provider_def.get(name):
        raise _misconfigured("plugin.missing-option", name=name)
    return str(provider_def[name])


def _hold_to_degrees(provider_def: dict[str, Any]) -> None:
    """Say that we answer in CRS84, for pygeoapi ignores `filter-crs` where the configuration says nothing."""
    stored = provider_def.setdefault("storage_crs", CRS84)
    if stored != CRS84:
        raise _misconfigured("plugin.storage-crs", expected=CRS84, value=stored)


def _time_property(view: ViewedLayer) -> str | None:
    """The property behind `datetime`; a layer whose time is no property keeps the column's name."""
    if view.time is None:
        return None
    start = view.time.start
    return next((name for name, prop in view.properties.items() if (prop.column or name) == start), start)


def _misconfigured(key: str, **values: object) -> ConfigRefused:
    return ConfigRefused(say(key, "en", **values))


def _collection(features: list[Feature], matched: int | None) -> Feature:
    numbers = {"numberReturned": len(features)} | ({} if matched is None else {"numberMatched": matched})
    return {"type": "FeatureCollection", "features": features, **numbers}


@contextmanager
def _said() -> Iterator[None]:
    """Our failures as pygeoapi's, with their sentence."""
    try:
        yield
    except NotFound as err:
        raise ProviderItemNotFoundError(user_msg=err.message()) from err
    except GisError as err:
        if err.status == 400:
            raise ProviderInvalidQueryError(user_msg=err.message()) from err
        # For the operator alone: it may name files and the database.
        _LOG.error("failed", reason=err.message())
        kind = ProviderGenericError if isinstance(err, ConfigRefused) else ProviderConnectionError
        raise kind(err.message()) from err
