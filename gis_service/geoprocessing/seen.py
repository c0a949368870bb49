"""The rows of a viewed layer whose areas count for its reader, beside their labels in the engine's index."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gis_service.catalog.view import ViewedLayer
from gis_service.db import engine_sql, versions
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing.engine.index import Index
from gis_service.geoprocessing.engine.layer import Labels
from gis_service.geoprocessing.kept import Kept

Column = list[Any]


@dataclass(frozen=True)
class Seen:
    """Rows in the order of their keys; `labels` of an index, -1 where a row has no area."""

    view: ViewedLayer
    ids: list[str]
    datasets: npt.NDArray[np.int64]
    columns: dict[str, Column]
    labels: Labels
    areas: npt.NDArray[np.float64]
    state: Hashable = None  # of the rows and of the index that their labels are of

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> Column:
        """The values of a property; all of them unknown where the class doesn't see it."""
        return self.columns.get(name) or [None] * len(self)

    def record(self, at: int) -> dict[str, Any]:
        """One row's properties by name."""
        return {name: column[at] for name, column in self.columns.items()}

    def records(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The rows' properties by name, of these names; unknown where the class doesn't see them."""
        columns = [self.column(name) for name in names]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def spread(self, of_row: npt.NDArray[np.integer[Any]], labels: int) -> Labels:
        """Numbers of rows as numbers of labels; -1 of all labels that no row has."""
        found = np.full(labels, -1, np.int32)
        drawn = self.labels >= 0
        found[self.labels[drawn]] = of_row[drawn]
        return found


def seen(database: SyncDatabase, view: ViewedLayer, names: Sequence[str], index: Index, kept: Kept) -> Seen:
    """What the view shows, in the snapshot that the index is of; read once for each state of the rows."""
    ((version,),) = database.run(versions.of(view))
    state = view.digest, version, index.serial, tuple(names)
    return kept.get(("seen", state), lambda: _read(database, view, names, index, state))


def _read(
    database: SyncDatabase, view: ViewedLayer, names: Sequence[str], index: Index, state: Hashable
) -> Seen:
    known = [name for name in names if name in view.properties]
    rows = database.run(engine_sql.seen(view, known))
    keys, ids, datasets, *columns = zip(*rows, strict=True) if rows else [()] * (3 + len(known))
    labels = index.labels_of(np.array(keys, np.int64))
    areas = np.where(labels >= 0, np.append(index.areas, 0.0)[labels], 0.0)
    named = {name: list(column) for name, column in zip(known, columns, strict=True)}
    return Seen(view, list(ids), np.array(datasets, np.int64), named, labels, areas, state)


def numbered(values: Sequence[Hashable]) -> tuple[Labels, list[Hashable]]:
    """A number for each distinct value, in the order in which they come first."""
    known: dict[Hashable, int] = {}
    numbers = np.array([known.setdefault(value, len(known)) for value in values], np.int32)
    return numbers, list(known)
