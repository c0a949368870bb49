"""An index on disk: one file for each array, mapped into memory and shared by all who open it.

A folder holds what was written together; a document beside it says which folder counts, and is put in place
last. Whoever has opened an older one keeps it until it lets go.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from gis_service.geoprocessing.engine import grid
from gis_service.geoprocessing.engine.flatten import Atoms, Flat
from gis_service.geoprocessing.engine.index import Index
from gis_service.geoprocessing.engine.layer import Layer

FORMAT: Final = 1  # raised when arrays change their meaning: what another edition wrote is made anew


@dataclass(frozen=True)
class Stored:
    """What an index on disk is of: a state of a table, by a snapshot of a database."""

    table: str
    database: str
    snapshot: str


@dataclass(frozen=True)
class _Document:
    format: int
    method: str
    level: int
    folder: str
    stored: Stored
    labels: Mapping[str, int]


def save(index: Index, stored: Stored, home: Path) -> None:
    """Write the index, then let it count; OSError where the disk is full, and then the older one counts."""
    home.mkdir(parents=True, exist_ok=True)
    folder = home / f"{stored.table}.{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        _write(folder, "index", {"keys": index.keys, "alive": index.alive, "areas": index.areas})
        labels = {f"part{at}": part.labels for at, part in enumerate(index.parts)}
        for at, part in enumerate(index.parts):
            _write(folder, f"part{at}", _arrays(part))
        if index.flat is not None:
            _write(folder, "flat", _arrays(index.flat.layer))
            _write(folder, "atoms", _arrays(index.flat.atoms))
            labels["flat"] = index.flat.layer.labels
        made = _Document(FORMAT, grid.METHOD, grid.LEVEL, folder.name, stored, labels)
        aside = home / f"{folder.name}.json"
        aside.write_text(json.dumps(asdict(made)))
        aside.replace(home / f"{stored.table}.json")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for other in home.glob(f"{stored.table}.*"):
        if other.is_dir() and other != folder:
            shutil.rmtree(other, ignore_errors=True)


def load(table: str, home: Path) -> tuple[Index, Stored] | None:
    """The index that counts and what it is of; None where there is none that this edition can read."""
    try:
        document = json.loads((home / f"{table}.json").read_text())
        if (document["format"], document["method"], document["level"]) != (FORMAT, grid.METHOD, grid.LEVEL):
            return None
        folder, labels = home / document["folder"], document["labels"]
        parts = tuple(
            Layer(labels[f"part{at}"], **_read(folder, f"part{at}"))
            for at in range(sum(name.startswith("part") for name in labels))
        )
        flat = None
        if "flat" in labels:
            flat = Flat(Layer(labels["flat"], **_read(folder, "flat")), Atoms(**_read(folder, "atoms")))
        return Index(**_read(folder, "index"), parts=parts, flat=flat), Stored(**document["stored"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # what isn't whole is made anew


def _arrays(made: Layer | Atoms) -> dict[str, Any]:
    found = {each.name: getattr(made, each.name) for each in fields(made)}
    for name in ("labels", "method"):
        found.pop(name, None)
    return found


def _write(folder: Path, name: str, arrays: Mapping[str, Any]) -> None:
    for key, array in arrays.items():
        np.save(folder / f"{name}.{key}.npy", np.ascontiguousarray(array))


def _read(folder: Path, name: str) -> dict[str, Any]:
    """Mapped so that a page is shared until somebody writes to it, which nobody does; compiled functions have
    one form for arrays that may be written to and another for the rest.
    """
    return {
        path.name.split(".")[1]: np.asarray(
            np.load(path, mmap_mode="c") if path.stat().st_size > 128 else np.load(path)
        )
        for path in sorted(folder.glob(f"{name}.*.npy"))
    }
