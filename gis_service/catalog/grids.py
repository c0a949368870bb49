"""Reads config/tile_matrix_sets/*.json: tile matrix sets that an operator registers (OGC 17-083r4, JSON)."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from gis_service.catalog.yamlfile import Mistake
from gis_service.geo import grid
from gis_service.geo.crs import WGS84, Crs, epsg, is_crs84, srid_of
from gis_service.geo.grid import Grid, Matrix

FOLDER: Final = "config/tile_matrix_sets"
MOST_MATRICES: Final = 40
MOST_TILES: Final = 2**31 - 1  # of a row or a column
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_CLOSE: Final = 1e-3  # a scale is written with fewer digits than it has
_FEET: Final = (0.3048, 1200 / 3937)
_EASTWARDS: Final = frozenset({"x", "e", "easting", "lon", "long", "longitude", "λ"})
_NORTHWARDS: Final = frozenset({"y", "n", "northing", "lat", "latitude", "φ"})
_OWN: Final = (grid.web_mercator_quad(), grid.world_crs84_quad())

Json = Any  # what a file of the operator's holds, until it's checked


class _Wrong(ValueError):
    """One thing that is wrong with a grid, and where."""


def read_grids(root: Path) -> tuple[dict[str, Grid], list[Mistake]]:
    """The service's own grids and the registered ones, by id, and what is wrong with files."""
    grids, mistakes = {each.id: each for each in _OWN}, list[Mistake]()
    for path in sorted((root / FOLDER).glob("*.json")):
        name = f"{FOLDER}/{path.name}"
        try:
            made = _grid(json.loads(path.read_text("utf-8")))
            if made.id != path.stem:
                raise _Wrong(f"id: {made.id!r} must be the file's name, {path.stem!r}")
            if made.id in grids:
                raise _Wrong(f"id: {made.id!r} is served already and can't be registered anew")
        except UnicodeDecodeError as err:
            mistakes.append(Mistake(name, 1, f"isn't UTF-8 text: {err.reason} at byte {err.start}"))
        except json.JSONDecodeError as err:
            mistakes.append(Mistake(name, err.lineno, f"isn't JSON: {err.msg}"))
        except _Wrong as err:
            mistakes.append(Mistake(name, 1, str(err)))
        else:
            grids[made.id] = made
    return grids, mistakes


def _grid(found: Json) -> Grid:
    if not isinstance(found, dict):
        raise _Wrong("isn't a tile matrix set: expected an object with id, crs and tileMatrices")
    identity = _text(found, "id")
    if not _ID.fullmatch(identity):
        raise _Wrong("id: 1 to 60 letters, digits and _ . - are expected")
    crs = _crs(found.get("crs"))
    return Grid(
        identity,
        _text(found, "title", identity),
        crs,
        _matrices(found.get("tileMatrices"), crs),
        _axes(found.get("orderedAxes"), crs),
        _text(found, "uri", ""),
        _text(found, "wellKnownScaleSet", ""),
        _text(found, "description", ""),
    )


def _text(found: Mapping[str, Json], key: str, otherwise: str | None = None) -> str:
    value = found.get(key, otherwise)
    if value is None:
        raise _Wrong(f"{key}: is missing")
    if not isinstance(value, str) or (not value and otherwise is None):
        raise _Wrong(f"{key}: a text is expected")
    return value


def _crs(found: Json) -> Crs:
    """The system by its name; `{"uri": …}` is another way to write it."""
    name = found.get("uri") if isinstance(found, dict) else found
    if not isinstance(name, str):
        raise _Wrong("crs: the URI of an EPSG code is expected; WKT and other descriptions aren't read")
    try:
        return WGS84 if is_crs84(name) else epsg(srid_of(name))
    except ValueError as err:
        raise _Wrong(f"crs: {err}") from err


def _axes(found: Json, crs: Crs) -> tuple[str, str]:
    """The names of the axes; in another order than the authority's, origins would be read wrongly."""
    if found is None:
        return ("Y", "X") if crs.northing_first else ("X", "Y")
    if not (isinstance(found, list) and len(found) == 2 and all(isinstance(axis, str) for axis in found)):
        raise _Wrong("orderedAxes: a list of two names is expected")
    first = found[0].strip().lower()
    if first in (_EASTWARDS if crs.northing_first else _NORTHWARDS):
        order = "northing (or latitude)" if crs.northing_first else "easting (or longitude)"
        raise _Wrong(f"orderedAxes: {found} contradicts EPSG:{crs.srid}, whose first axis is the {order}")
    return found[0], found[1]


def _matrices(found: Json, crs: Crs) -> tuple[Matrix, ...]:
    if not isinstance(found, list) or not 0 < len(found) <= MOST_MATRICES:
        raise _Wrong(f"tileMatrices: a list of 1 to {MOST_MATRICES} tile matrices is expected")
    made = tuple(_matrix(f"tileMatrices[{n}]", each, crs) for n, each in enumerate(found))
    for before, after in itertools.pairwise(made):
        if after.scale >= before.scale:
            raise _Wrong(f"tileMatrices: {after.id!r} isn't finer than {before.id!r} before it")
    if len({matrix.id for matrix in made}) < len(made):
        raise _Wrong("tileMatrices: an id is given twice")
    return made


def _matrix(where: str, found: Json, crs: Crs) -> Matrix:
    if not isinstance(found, dict):
        raise _Wrong(f"{where}: an object is expected")
    if found.get("variableMatrixWidths"):
        raise _Wrong(f"{where}.variableMatrixWidths: rows of joined tiles aren't served")
    try:
        made = _read_matrix(found, crs)
    except _Wrong as err:
        raise _Wrong(f"{where}.{err}") from err
    _check_scale(where, made, crs)
    _check_bounds(where, made, crs)
    return made


def _read_matrix(found: Mapping[str, Json], crs: Crs) -> Matrix:
    identity = _text(found, "id")
    if not _ID.fullmatch(identity):
        raise _Wrong("id: 1 to 60 letters, digits and _ . - are expected")
    corner = found.get("cornerOfOrigin", "topLeft")
    if corner not in ("topLeft", "bottomLeft"):
        raise _Wrong("cornerOfOrigin: topLeft or bottomLeft is expected")
    return Matrix(
        identity,
        _above_zero(found, "scaleDenominator"),
        _above_zero(found, "cellSize"),
        _origin(found.get("pointOfOrigin"), crs),
        corner == "bottomLeft",
        (_count(found, "tileWidth", 4096), _count(found, "tileHeight", 4096)),
        _count(found, "matrixWidth", MOST_TILES),
        _count(found, "matrixHeight", MOST_TILES),
    )


def _origin(found: Json, crs: Crs) -> tuple[float, float]:
    """Written in the order of the system's axes."""
    if not (isinstance(found, list) and len(found) == 2 and all(_is_number(each) for each in found)):
        raise _Wrong("pointOfOrigin: a list of two numbers is expected")
    first, second = (float(each) for each in found)
    return (second, first) if crs.northing_first else (first, second)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _above_zero(found: Mapping[str, Json], key: str) -> float:
    value: Json = found.get(key)
    if not _is_number(value) or value <= 0:
        raise _Wrong(f"{key}: a number above zero is expected")
    return float(value)


def _count(found: Mapping[str, Json], key: str, most: int) -> int:
    value = found.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise _Wrong(f"{key}: a whole number from 1 to {most} is expected")
    return value


def _check_scale(where: str, matrix: Matrix, crs: Crs) -> None:
    """The scale and the cell say the same twice (6.2), and a wrong one would show the wrong detail."""
    metres = matrix.scale * grid.PIXEL_METRES / matrix.cell
    known: Iterable[float] = (grid.DEGREE_METRES,) if crs.degrees else (1.0, *_FEET)
    if not any(math.isclose(metres, each, rel_tol=_CLOSE) for each in known):
        unit = "degree" if crs.degrees else "metre"
        raise _Wrong(
            f"{where}.scaleDenominator: {matrix.scale:g} and cellSize {matrix.cell:g} disagree: of pixels of"
            f" 0.28 mm, a {unit} would be {metres:g} m"
        )


def _check_bounds(where: str, matrix: Matrix, crs: Crs) -> None:
    bounds = matrix.bounds(crs)
    spare = _CLOSE
    if crs.degrees and not (
        bounds.west >= -180 - spare
        and bounds.east <= 180 + spare
        and bounds.south >= -90 - spare
        and bounds.north <= 90 + spare
    ):
        raise _Wrong(
            f"{where}: reaches from {bounds.west:g}, {bounds.south:g} to {bounds.east:g}, {bounds.north:g}"
            " (longitude, latitude), beyond the world; pointOfOrigin is written in the order of the axes"
        )
