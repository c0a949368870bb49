"""Rows that stand for one thing, such as parcels of a site or the ranges of a species, put together.

What several rows of a group cover is counted once. Most groups are single rows, which the index has; of the
others the union is drawn once and kept for as long as none of its rows is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely

from gis_service.db import engine_sql
from gis_service.db.sync import SyncDatabase
from gis_service.db.tile_tables import Surface
from gis_service.geoprocessing.clip import union
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.engine.index import Grouped, Index, of_labels
from gis_service.geoprocessing.seen import Seen, numbered

KEPT: Final = 4096  # unions


@dataclass(frozen=True)
class Together:
    """Groups of rows: the rows of each, their layers by group, and the m² that each covers."""

    rows: tuple[tuple[int, ...], ...]
    layers: Grouped
    areas: Floats

    def __len__(self) -> int:
        return len(self.rows)


@dataclass
class Unions:
    """Unions of several features of one table by their labels, each of which stands for one state of one."""

    _kept: OrderedDict[tuple[Hashable, ...], Index] = field(default_factory=OrderedDict)

    def of(
        self, database: SyncDatabase, surface: Surface, index: Index, labels: tuple[int, ...], method: str
    ) -> Index:
        """The union of some features of a table, in the snapshot that its index is of."""
        key = (labels, method)
        if (kept := self._kept.get(key)) is None:
            found = database.run(engine_sql.areas(surface, index.keys[list(labels)].tolist()))
            whole = union(list(shapely.from_wkb([shape for _, shape in found])))
            kept = engine.measured(engine.of_shapes(np.array([whole], object)), method)
            self._kept[key] = kept
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept


def together(
    database: SyncDatabase,
    surface: Surface,
    index: Index,
    rows: Seen,
    names: Sequence[Hashable],
    unions: Unions,
) -> Together:
    """Rows with the same name as one; rows whose name is None are left out."""
    numbers, known = numbered(names)
    members: list[list[int]] = [[] for _ in known]
    for row, number in enumerate(numbers.tolist()):
        if known[number] is not None and rows.labels[row] >= 0:
            members[number].append(row)
    groups = [tuple(each) for each in members if each]
    single = np.full(len(rows), -1, np.int32)
    areas = np.zeros(len(groups))
    method = index.parts[0].method
    layers = []
    for number, group in enumerate(groups):
        if len(group) == 1:
            single[group[0]] = number
            areas[number] = rows.areas[group[0]]
            continue
        made = unions.of(database, surface, index, tuple(sorted(rows.labels[list(group)].tolist())), method)
        layers.append((made.parts[0], np.array([number], np.int32)))
        areas[number] = made.areas[0]
    return Together(tuple(groups), [*of_labels(index, rows.spread(single, index.labels)), *layers], areas)
