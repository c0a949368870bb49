"""What web workers ask of the process that reads rasters: a line of JSON there, a line and bytes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from gis_service.catalog.raster import RasterLayer

MOST_LINE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Place:
    """A picture that is asked for: a box of a reference system, and how many pixels it has."""

    box: tuple[float, float, float, float]
    srid: int
    size: tuple[int, int]
    form: str


@dataclass(frozen=True)
class Question:
    """A picture (`place`), a value (`at`, longitude and latitude), or else what the file is."""

    layer: RasterLayer
    path: str
    stamp: int
    place: Place | None = None
    at: tuple[float, float] | None = None

    def line(self) -> bytes:
        told: dict[str, Any] = {"path": self.path, "stamp": self.stamp, "at": self.at}
        told["layer"] = self.layer.model_dump(mode="json")
        told["place"] = None if self.place is None else asdict(self.place)
        return b"%s\n" % orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS)


@dataclass(frozen=True)
class Answer:
    """What is said of the raster, and the picture's bytes."""

    said: Mapping[str, Any]
    body: bytes = b""
