"""Small rasters for tests, made on the spot."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds

from gis_service.catalog.raster import RasterLayer

BOX = (105.0, 20.0, 106.0, 21.0)
TITLE = {"en": "A raster", "vi": "Một ảnh"}
FOREST, WATER, UNNAMED = 10, 20, 99
CLASSES = {
    FOREST: {"title": {"en": "Forest", "vi": "Rừng"}, "colour": "#006400"},
    WATER: {"title": {"en": "Water", "vi": "Mặt nước"}, "colour": "#0064c8"},
}
GREEN, BLUE = (0, 100, 0, 255), (0, 100, 200, 255)
RAMP: Mapping[str, Any] = {"stops": [{"value": 0, "colour": "#000000"}, {"value": 1000, "colour": "#ff0000"}]}


def write(path: Path, values: Any, box: tuple[float, ...] = BOX, **more: Any) -> Path:
    """A GeoTIFF of one band in degrees."""
    height, width = values.shape
    given = {"crs": "EPSG:4326", "transform": from_bounds(*box, width, height), **more}
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype=values.dtype, **given
    ) as file:
        file.write(values, 1)
    return path


def cover(size: int = 64) -> Any:
    """Forest in the north, water in the south-west, in the south-east a class without a name; no data at 0.

    The westernmost column has no data.
    """
    values = np.full((size, size), FOREST, "uint8")
    values[size // 2 :, :] = WATER
    values[size // 2 :, size // 2 :] = UNNAMED
    values[:, 0] = 0
    return values


def heights(size: int = 64) -> Any:
    """From 0 in the west to 1000 in the east."""
    return np.tile(np.linspace(0, 1000, size, dtype="float32"), (size, 1))


def layer(name: str, look: Mapping[str, Any], **more: Any) -> RasterLayer:
    return RasterLayer.model_validate(declared(name, look, **more))


def declared(name: str, look: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A declaration that the public may see."""
    return {
        "id": name, "kind": "raster", "title": TITLE, "description": TITLE, "file": f"{name}.tif",
        "access": {"public": {}}, "source": {"title": TITLE, "licence": "CC BY 4.0"}, **look, **more,
    }  # fmt: skip


def pixels(body: bytes) -> npt.NDArray[np.uint8]:
    """Rows of pixels of a picture: red, green, blue, opacity."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with MemoryFile(body) as memory, memory.open() as file:
            return np.asarray(np.moveaxis(file.read(), 0, -1))


def colours(found: npt.NDArray[np.uint8]) -> set[tuple[int, ...]]:
    """Each colour that occurs."""
    return {tuple(each) for each in np.unique(found.reshape(-1, found.shape[-1]), axis=0).tolist()}
