"""What every statistic is asked with: who reads, of which layers, at which moment, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from gis_service.access.policy import class_role, visible_layers
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.db import engine_sql, release_sql, report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.db.tile_tables import Surface
from gis_service.errors import NotFound
from gis_service.features.refusal import refusal
from gis_service.geo import areas
from gis_service.geo.crs import CRS84
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.engine.index import Index
from gis_service.geoprocessing.keeper import Keeper, Tell
from gis_service.geoprocessing.seen import Seen, seen

T = TypeVar("T")
METHODS: Mapping[str, str] = {"ellipsoidal": areas.METHOD, "mollweide_sphere": areas.SPHERE}


@dataclass(frozen=True)
class Reader:
    """The layers as one principal sees them, and the tables of areas behind all layers."""

    principal: Principal
    views: Mapping[str, ViewedLayer]
    surfaces: Mapping[str, Surface]

    @classmethod
    def of(cls, principal: Principal, layers: Iterable[Layer], epoch: int = 0) -> Reader:
        known = list(layers)
        tables = {each.table: each for each in engine_sql.surfaces(known)}
        surfaces = {layer.id: tables[layer.table_name] for layer in known if layer.table_name in tables}
        return cls(principal, visible_layers(principal, known, epoch), surfaces)

    def areas_of(self, name: str) -> ViewedLayer:
        """The view of a layer of areas; NotFound alike where there is none and where it isn't seen."""
        if name not in self.views or name not in self.surfaces:
            raise refusal(NotFound, "statistic.no-layer", id=name[:100])
        return self.views[name]


@dataclass(frozen=True)
class Moment:
    """The areas of some layers in one snapshot of the database, and the method that they are measured by."""

    database: SyncDatabase
    reader: Reader
    indexes: Mapping[str, Index]
    method: str
    keeper: Keeper

    def index(self, layer: str) -> Index:
        """All areas of the table that the layer is of; laid flat are those alone that the reader sees."""
        held = self.indexes[self.reader.surfaces[layer].name]
        shown = held if held.flat is None else self._alone(layer, held)
        return _measured(self.keeper, shown, self.method)

    def _alone(self, layer: str, held: Index) -> Index:
        labels = seen(self.database, self.reader.areas_of(layer), (), held, self.keeper.kept).labels
        key = ("alone", held.serial, labels.tobytes())
        return self.keeper.large.get(key, lambda: engine.alone(held, labels))

    def seen(self, layer: str, names: Sequence[str]) -> Seen:
        """The rows that the reader sees of it."""
        view = self.reader.areas_of(layer)
        return seen(self.database, view, names, self.index(layer), self.keeper.kept)

    def kept(self, what: Hashable, rows: Seen, make: Callable[[], T]) -> T:
        """What is made of these rows and of `what`, which says how; made once for each state of the rows."""
        return self.keeper.large.get((what, rows.state), make)

    def method_document(self, used: Iterable[Seen], **more: Any) -> dict[str, Any]:
        """How it was computed, of which release and which sources, for whom."""
        role = class_role(self.reader.principal)
        release = int(self.database.run(release_sql.latest(role))[0][0])
        return {
            "area_method": self.method,
            "unit": "m²",
            "crs": CRS84,
            "tier": self.reader.principal.policy_class,
            "release": release,
            "layers": sorted({rows.view.id for rows in used}),
            "datasets": self._datasets(used, release),
            **more,
        }

    def _datasets(self, used: Iterable[Seen], release: int) -> list[dict[str, Any]]:
        ids = sorted({number for rows in used for number in set(rows.datasets.tolist())})
        any_view = next(iter(self.reader.views.values()), None)
        if not ids or any_view is None:
            return []
        names = ("slug", "title", "title_vi", "licence", "citation", "source_url", "version", "basis")
        places = (1, 2, 3, 4, 6, 7, 8, 12)
        found = self.database.run(report_sql.datasets(any_view, ids, release))
        return [{name: row[at] for name, at in zip(names, places, strict=True)} for row in found]


@contextmanager
def moment(
    database: SyncDatabase, keeper: Keeper, reader: Reader, layers: Sequence[str], method: str, tell: Tell
) -> Iterator[Moment]:
    """One moment of the layers, all of which the reader must see."""
    surfaces = {reader.surfaces[reader.areas_of(name).id].name: reader.surfaces[name] for name in layers}
    with keeper.moment(database, list(surfaces.values()), tell) as indexes:
        yield Moment(database, reader, indexes, METHODS[method], keeper)


def _measured(keeper: Keeper, index: Index, method: str) -> Index:
    return keeper.large.get(("measured", index.serial, method), lambda: engine.measured(index, method))


def day_of(inputs: Mapping[str, Any]) -> date | None:
    """The day of an input that was checked, if one was given."""
    return date.fromisoformat(inputs["as_of"]) if "as_of" in inputs else None
