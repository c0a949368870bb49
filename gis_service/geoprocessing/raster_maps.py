"""Pictures and values of rasters, drawn by rio-tiler. Web workers don't import this: see processes.rastering.

Classes are never mixed: every pixel is that of the nearest cell, of the file or of an overview by majority.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.warp import transform_bounds
from rio_tiler.errors import NoOverviewWarning, PointOutsideBounds, RioTilerError
from rio_tiler.io import Reader
from rio_tiler.models import ImageData

from gis_service.catalog.raster import RasterLayer
from gis_service.geoprocessing.raster_refusal import refusal

FORMS: Final = {"png": "PNG", "webp": "WEBP"}
MOST_PIXELS: Final = 2048 * 2048  # of a picture
FILES_OPEN: Final = 16
HIGHEST: Final = 22
_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {"PNG": {"ZLEVEL": 4}, "WEBP": {"LOSSLESS": True}}
_MEMORY: Final = 64  # megabytes that GDAL keeps of what it has read
_WGS84: Final = CRS.from_epsg(4326)  # longitude first, as GDAL's traditional order has it

Box = tuple[float, float, float, float]


def frugal() -> rasterio.Env:
    """What GDAL may take: little memory, one thread, no look at the files beside the one it's given."""
    return rasterio.Env(GDAL_CACHEMAX=_MEMORY, GDAL_NUM_THREADS=1, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")


@functools.lru_cache(FILES_OPEN)
def reader(path: Path, _stamp: int) -> Reader:
    """An open file, kept until its stamp changes; RasterRefused for what is no GeoTIFF with a place."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            warnings.simplefilter("ignore", NoOverviewWarning)
            file = rasterio.open(path, driver="GTiff")
            if file.crs is None:
                raise refusal("raster.refused.place", file=path.name)
            return Reader(None, dataset=file)
    except RasterioError as err:
        raise refusal("raster.refused.unreadable", file=path.name, reason=str(err)[:200]) from err


def description(layer: RasterLayer, file: Reader) -> dict[str, object]:
    """Where the raster lies in degrees, its size in cells, and a zoom whose pixels are finer."""
    bands = len(file.dataset.indexes) if file.dataset is not None else 0
    if layer.band > bands:
        raise refusal("raster.refused.band", file=layer.file, band=layer.band, bands=bands)
    west, south, east, north = transform_bounds(file.crs, _WGS84, *file.bounds, densify_pts=21)
    return {
        "bbox": [max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)],
        "width": file.width,
        "height": file.height,
        "crs": _name(file.crs),
        "maxzoom": min(HIGHEST, int(file.maxzoom) + 1),  # rio-tiler tells the nearest, which may be coarser
    }


def _name(crs: CRS) -> str:
    code = crs.to_epsg()
    return str(crs.to_wkt()) if code is None else f"http://www.opengis.net/def/crs/EPSG/0/{code}"


def picture(layer: RasterLayer, file: Reader, box: Box, srid: int, size: tuple[int, int], form: str) -> bytes:
    """What lies in a box of a reference system (x before y), transparent where there is no data."""
    if size[0] * size[1] > MOST_PIXELS:
        raise ValueError(f"{size} pixels are more than {MOST_PIXELS}")
    found = _read(layer, file, box, CRS.from_epsg(srid), size)
    if layer.ramp is not None:
        found.rescale(in_range=(layer.ramp.range,))
    driver = FORMS[form]
    return bytes(found.render(img_format=driver, colormap=dict(layer.palette()), **_OPTIONS[driver]))


def _read(layer: RasterLayer, file: Reader, box: Box, crs: CRS, size: tuple[int, int]) -> ImageData:
    method = "nearest" if layer.classes is not None else "bilinear"
    given: dict[str, Any] = {} if layer.nodata is None else {"nodata": layer.nodata}
    try:
        found = file.part(
            box,
            dst_crs=crs,
            bounds_crs=crs,
            indexes=layer.band,
            width=size[0],
            height=size[1],
            resampling_method=method,
            reproject_method=method,
            unscale=layer.ramp is not None,
            **given,
        )
    except (RasterioError, RioTilerError) as err:
        raise refusal("raster.refused.damaged", file=layer.file, reason=str(err)[:200]) from err
    found.array = np.ma.masked_invalid(found.array, copy=False)
    return found


def value(layer: RasterLayer, file: Reader, lon: float, lat: float) -> float | int | None:
    """The value of the cell that holds a place; None where there is no data, or the raster doesn't reach."""
    given: dict[str, Any] = {} if layer.nodata is None else {"nodata": layer.nodata}
    try:
        found = file.point(lon, lat, indexes=layer.band, unscale=layer.ramp is not None, **given)
    except PointOutsideBounds:
        return None
    except (RasterioError, RioTilerError) as err:
        raise refusal("raster.refused.damaged", file=layer.file, reason=str(err)[:200]) from err
    cell = np.ma.masked_invalid(found.array)[0]
    if cell is np.ma.masked:
        return None
    return int(cell) if layer.classes is not None else float(cell)
