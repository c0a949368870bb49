"""Makes Cloud Optimised GeoTIFFs: every cell as it was, overviews by majority for classes, else by mean."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError  # what a copy raises as GDAL says it; no public name leads to it
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.warp import transform_bounds

from gis_service.geoprocessing.raster_refusal import refusal

MOST_CLASSES: Final = 1024
_BLOCK: Final = 512
_SHARES: Final = (0, 25, 50, 75, 100)  # percent of the values below each stop of a ramp that is proposed


@dataclass(frozen=True)
class Made:
    """What was made: its size, and what its first band holds, for a declaration."""

    width: int
    height: int
    overviews: int
    bbox: tuple[float, float, float, float]
    codes: tuple[int, ...] = ()
    values: tuple[float, ...] = ()


def make(source: Path, target: Path, classes: bool) -> Made:
    """Write `target` whole or not at all; RasterRefused where the source can't be read or has no place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".adding-") as folder:
        aside = Path(folder) / target.name
        try:
            _write(source, aside, classes)
            made = _looked_at(source.name, aside, classes)
        except (RasterioError, CPLE_BaseError) as err:
            raise refusal("raster.refused.unreadable", file=source.name, reason=str(err)[:200]) from err
        aside.replace(target)
    return made


def _write(source: Path, aside: Path, classes: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        file = rasterio.open(source)
    with file:
        if file.crs is None or file.transform == rasterio.Affine.identity():
            raise refusal("raster.refused.place", file=source.name)
        whole = all(np.issubdtype(np.dtype(kind), np.integer) for kind in file.dtypes)
        if classes and not whole:
            raise refusal("raster.refused.classes", file=source.name, type=file.dtypes[0])
        rasterio.shutil.copy(
            file,
            aside,
            driver="COG",
            BLOCKSIZE=_BLOCK,
            COMPRESS="DEFLATE",
            PREDICTOR="YES",
            BIGTIFF="IF_SAFER",
            OVERVIEWS="IGNORE_EXISTING",  # whoever made them may have mixed classes
            OVERVIEW_RESAMPLING="MODE" if classes else "AVERAGE",
            NUM_THREADS="ALL_CPUS",
        )


def _looked_at(name: str, path: Path, classes: bool) -> Made:
    with rasterio.open(path) as file:
        if file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") != "COG":
            raise refusal("raster.refused.unreadable", file=name, reason="it didn't become a COG")
        box = transform_bounds(file.crs, "EPSG:4326", *file.bounds, densify_pts=21)
        codes = _codes(name, file) if classes else ()
        values = () if classes else _values(file)
        return Made(file.width, file.height, len(file.overviews(1)), box, codes, values)


def _codes(name: str, file: Any) -> tuple[int, ...]:
    """Every number in the band but the one for no data."""
    found = set[int]()
    for block in _blocks(file):
        found |= set(np.unique(block).tolist())
        if len(found) > MOST_CLASSES:
            raise refusal("raster.refused.many", file=name, n=len(found), most=MOST_CLASSES)
    return tuple(sorted(found))


def _blocks(file: Any) -> Iterator[Any]:
    for _, window in file.block_windows(1):
        yield file.read(1, window=window, masked=True).compressed()


def _values(file: Any) -> tuple[float, ...]:
    """Quartiles, read from an overview."""
    step = max(1, max(file.width, file.height) // 1024)
    shape = (max(1, file.height // step), max(1, file.width // step))
    found = np.ma.masked_invalid(file.read(1, out_shape=shape, masked=True)).compressed()
    if not found.size:
        return ()
    scaled = np.percentile(found.astype(float), _SHARES) * file.scales[0] + file.offsets[0]
    return tuple(sorted({float(f"{value:.4g}") for value in scaled}))
