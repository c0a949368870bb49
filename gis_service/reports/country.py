"""A country made of the zones of a layer, and what protected areas have beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.db import engine_sql
from gis_service.features.refusal import refuse
from gis_service.geoprocessing import clip, coverage
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.coverage import Areas
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.engine.index import Index, of_labels, shared
from gis_service.geoprocessing.groups import Together
from gis_service.geoprocessing.measure import polygons_of
from gis_service.geoprocessing.representation import SAME
from gis_service.geoprocessing.seen import Seen
from gis_service.geoprocessing.sharing import TOUCHING_M2
from gis_service.reports.grouping import AREAS
from gis_service.reports.statistic import Moment

MOST_ZONES: Final = 200  # the union of a country's communes would keep others waiting


@dataclass(frozen=True)
class Country:
    """All zones as one, and the parts of protected areas that lie outside of them; None where none does."""

    inside: Index
    beyond: Index | None

    def has_of(self, groups: Together) -> Floats:
        """m² of each group that lie in the country."""
        return np.minimum(_met(groups, self.inside), groups.areas)

    def protected_beyond(self, groups: Together) -> Floats:
        """m² of each group that are protected outside of the country."""
        return np.zeros(len(groups)) if self.beyond is None else _met(groups, self.beyond)


def _met(groups: Together, one: Index) -> Floats:
    return shared(groups.layers, of_labels(one, np.zeros(1, np.int32)), (len(groups), 1))[:, 0]


def country(now: Moment, zones: Seen, day: date, of: Areas, budget: Budget) -> Country:
    """The country of the zones that stand on the day; InvalidParameter of a layer of too many."""
    layer = zones.view.id
    taken = [at for at in range(len(zones)) if coverage.stands(zones, at, day) and zones.labels[at] >= 0]
    if len(taken) > MOST_ZONES:
        raise refuse("statistic.many-zones", id=layer, n=len(taken), most=MOST_ZONES)
    whole = clip.union(_shapes(now, layer, now.index(layer).keys[zones.labels[taken]]) or [_NOTHING])
    inside = _index(now, whole)
    keys = _reaching_out(of, inside)
    shapely.prepare(whole)
    parts = []
    for shape in _shapes(now, AREAS, keys):
        budget.check()
        parts.append(shapely.difference(shape, whole) if whole.intersects(shape) else shape)
    beyond = clip.union(list(polygons_of(np.array(parts, object)))) if parts else _NOTHING
    return Country(inside, None if beyond.is_empty else _index(now, beyond))


_NOTHING = shapely.from_wkt("MULTIPOLYGON EMPTY")


def _index(now: Moment, shape: BaseGeometry) -> Index:
    return engine.measured(engine.of_shapes(np.array([shape], object)), now.method)


def _shapes(now: Moment, layer: str, keys: Integers) -> list[BaseGeometry]:
    rows = now.database.run(engine_sql.areas(now.reader.surfaces[layer], keys.tolist()))
    return list(shapely.from_wkb([shape for _, shape in rows]))


def _reaching_out(of: Areas, inside: Index) -> Integers:
    """The keys of the areas that count and aren't within the country."""
    labels = of.seen.labels[of.counts & (of.seen.labels >= 0)]
    groups = np.full(of.index.labels, -1, np.int32)
    groups[labels] = np.arange(len(labels))
    drawn = of_labels(of.index, groups)
    met = shared(drawn, of_labels(inside, np.zeros(1, np.int32)), (len(labels), 1))[:, 0]
    sizes = of.index.areas[labels]
    return of.index.keys[labels[sizes - met > np.maximum(TOUCHING_M2, SAME * sizes)]]
