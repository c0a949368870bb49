"""Rasters as grids: where their cells are, how large each is, and what stands in a window of them.

Only jobs and commands import this: web workers have no rasterio.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio import Affine
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from gis_service.geo import areas
from gis_service.geoprocessing.engine import spans
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.measure import Geometries, polygons_of
from gis_service.geoprocessing.raster_refusal import refusal

_LONLAT: Final = "OGC:CRS84"
_EDGE_STEP: Final = 0.001  # degrees: 0.07 mm is what a line of that length strays in a projection
_TILE: Final = 256  # cells that share the lattice on which a projection's scale is computed
_NODES: Final = (1 - np.cos(np.pi * (np.arange(5) + 0.5) / 5)) / 2  # Chebyshev's, of a tile's side
_NONE: Final = np.empty((0, 0))


@dataclass(frozen=True)
class Grid:
    """Cells of `transform`, which takes columns and rows to coordinates of `crs`."""

    width: int
    height: int
    transform: Affine
    crs: CRS

    @functools.cached_property
    def plain(self) -> bool:
        """Whether rows follow parallels of WGS 84, so that the cells of a row are all alike."""
        upright = self.transform.b == 0 and self.transform.d == 0
        return upright and self.crs.is_geographic and "noop" in self._to_lonlat().definition

    def same_as(self, other: Grid) -> bool:
        """Whether the cells of both are the same, to a millionth of a cell."""
        if (self.width, self.height) != (other.width, other.height) or self.crs != other.crs:
            return False
        corners = np.array([0.0, self.width, 0.0]), np.array([0.0, 0.0, self.height])
        there = _applied(~self.transform, *_applied(other.transform, *corners))
        return bool(np.abs(np.subtract(there, corners)).max() < 1e-6)

    def cells(self, shapes: Geometries) -> tuple[Geometries, npt.NDArray[np.bool_]]:
        """Polygons in longitude and latitude as polygons in columns and rows, cut at the grid's sides.

        Beside them, which of them were cut.
        """
        if not self.plain:
            shapes = shapely.segmentize(shapes, _EDGE_STEP)
        there = Transformer.from_crs(_LONLAT, self.crs, always_xy=True)
        inverse = ~self.transform

        def placed(lonlat: Floats) -> Floats:
            x, y = lonlat.T if self.plain else there.transform(*lonlat.T)
            return np.column_stack(_applied(inverse, x, y))

        found = shapely.transform(self._unrolled(shapes), placed)
        if not np.isfinite(shapely.total_bounds(found)).all() and not shapely.is_empty(found).all():
            raise refusal("raster.refused.beyond", crs=self.crs.name)
        west, north, east, south = shapely.bounds(found).T
        over = (west < 0) | (north < 0) | (east > self.width) | (south > self.height)
        found[over] = shapely.intersection(found[over], shapely.box(0, 0, self.width, self.height))
        return polygons_of(found), over

    def _unrolled(self, shapes: Geometries) -> Geometries:
        """Polygons west of a grid that goes beyond 180 degrees are moved there."""
        west, east = sorted((self.transform.c, self.transform.c + self.transform.a * self.width))
        if not self.plain or east <= 180:
            return shapes
        here = shapely.intersection(shapes, shapely.box(west, -90, 180, 90))
        beyond = shapely.intersection(shapes, shapely.box(-180, -90, west, 90))
        moved = shapely.transform(beyond, lambda xy: xy + np.array([360.0, 0.0]))
        return np.asarray(shapely.union(here, moved), dtype=object)

    def below(self, first: int, last: int) -> Floats:
        """The coefficients that `spans` wants: square metres where rows are plain, else shares of cells."""
        if not self.plain:
            return spans.FRACTIONS
        north, step = self.transform.f, self.transform.e
        return spans.rows_below(north, step, self.transform.a, first, last)

    def weights(self, top: int, bottom: int, left: int, right: int) -> Floats:
        """The area in m² of each cell of a window; empty where rows are plain, for `below` has them."""
        if self.plain:
            return _NONE
        cell = abs(self.transform.determinant)
        made = np.empty((bottom - top, right - left))
        for row in range(top, bottom, _TILE):
            for column in range(left, right, _TILE):
                rows, columns = min(_TILE, bottom - row), min(_TILE, right - column)
                place = np.s_[row - top : row - top + rows, column - left : column - left + columns]
                made[place] = cell * self._scale(row, column, rows, columns)
        return made

    def _scale(self, row: int, column: int, rows: int, columns: int) -> Floats:
        """Square metres on WGS 84 per square unit of the grid's system, at the middle of each cell.

        Computed at 5 × 5 nodes and laid between them by a polynomial: over 256 cells of a kilometre it is
        good to 1e-9.
        """
        down, along = row + _NODES * rows, column + _NODES * columns
        columns_at, rows_at = np.meshgrid(along, down)
        nodes = self._scale_at(*_applied(self.transform, columns_at, rows_at))
        over_rows = _lagrange((np.arange(rows) + 0.5) / rows)
        over_columns = _lagrange((np.arange(columns) + 0.5) / columns)
        return np.asarray(over_rows @ nodes @ over_columns.T)

    def _scale_at(self, x: Floats, y: Floats) -> Floats:
        step = 0.01 if self.crs.is_geographic else 1000.0 / self.crs.axis_info[0].unit_conversion_factor
        lonlat = self._to_lonlat()

        def slope(dx: float, dy: float) -> tuple[Floats, Floats]:
            # Four points, so that what is left out is of the fifth order of the step to the earth's radius.
            near = [np.array(lonlat.transform(x + n * dx, y + n * dy)) for n in (-2, -1, 1, 2)]
            lon, lat = np.radians((near[0] - near[3] + 8 * (near[2] - near[1])) / (12 * step))
            return lon, lat

        (lon_x, lat_x), (lon_y, lat_y) = slope(step, 0.0), slope(0.0, step)
        _, lat = lonlat.transform(x, y)
        scale = np.abs(lon_x * lat_y - lon_y * lat_x) * areas.authalic_slope(np.radians(lat))
        if not np.isfinite(scale).all():
            raise refusal("raster.refused.beyond", crs=self.crs.name)
        return np.asarray(scale)

    def _to_lonlat(self) -> Transformer:
        return Transformer.from_crs(self.crs, _LONLAT, always_xy=True)


def _applied(transform: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    a, b, c, d, e, f = transform[:6]
    return a * x + b * y + c, d * x + e * y + f


def _lagrange(at: Floats) -> Floats:
    """The weight of each node for each place, both from 0 to 1."""
    others = [np.delete(_NODES, node) for node in range(len(_NODES))]
    return np.column_stack(
        [
            np.prod((at[:, None] - rest) / (node - rest), axis=1)
            for node, rest in zip(_NODES, others, strict=True)
        ]
    )


@dataclass(frozen=True)
class Raster:
    """One band of an open file; `block` is how many rows and columns the file keeps together."""

    name: str
    grid: Grid
    dtype: np.dtype[Any]
    nodata: float | None
    block: tuple[int, int]
    scale: float
    offset: float
    band: int
    masked: bool
    file: Any  # rasterio's

    @property
    def whole_numbers(self) -> bool:
        return bool(np.issubdtype(self.dtype, np.integer))

    @property
    def empty(self) -> int | None:
        """The class that stands for no data."""
        whole = self.nodata is not None and np.isfinite(self.nodata) and float(self.nodata).is_integer()
        return int(self.nodata) if whole and self.nodata is not None else None

    def read(self, top: int, bottom: int, left: int, right: int) -> npt.NDArray[Any]:
        """The values of a window as the file has them; RasterRefused where it can't be read."""
        return self._asked(self.file.read, top, bottom, left, right)

    def mask(self, top: int, bottom: int, left: int, right: int) -> npt.NDArray[np.bool_]:
        """Which cells of a window the file's own mask says have no value."""
        hidden: npt.NDArray[np.bool_] = self._asked(self.file.read_masks, top, bottom, left, right) == 0
        return hidden

    def _asked(self, reader: Any, top: int, bottom: int, left: int, right: int) -> npt.NDArray[Any]:
        try:
            found = reader(self.band, window=Window(left, top, right - left, bottom - top))
        except RasterioError as err:
            raise refusal("raster.refused.damaged", file=self.name, reason=str(err)[:200]) from err
        return np.asarray(found)


@contextmanager
def opened(path: Path, band: int = 1) -> Iterator[Raster]:
    """A band of a raster file; RasterRefused for what is none, has no system or no such band."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # it has a sentence of its own below
            file = rasterio.open(path, num_threads="all_cpus")
    except RasterioError as err:
        raise refusal("raster.refused.unreadable", file=path.name, reason=str(err)[:200]) from err
    with file:
        if not 1 <= band <= file.count:
            raise refusal("raster.refused.band", file=path.name, band=band, bands=file.count)
        if file.crs is None or file.transform == Affine.identity():
            raise refusal("raster.refused.place", file=path.name)
        yield _raster(path, file, band)


def _raster(path: Path, file: Any, band: int) -> Raster:
    at = band - 1
    flags = file.mask_flag_enums[at]
    return Raster(
        name=path.name,
        grid=Grid(file.width, file.height, file.transform, CRS.from_wkt(file.crs.to_wkt())),
        dtype=np.dtype(file.dtypes[at]),
        nodata=file.nodatavals[at],
        block=file.block_shapes[at],
        scale=file.scales[at],
        offset=file.offsets[at],
        band=band,
        masked=MaskFlags.per_dataset in flags,
        file=file,
    )
