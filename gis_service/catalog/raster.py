"""A raster layer as its YAML file declares it: classes with colours, or values on a ramp."""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gis_service.catalog.layer import LayerId, Part, Source, Text

KIND: Final = "raster"
FOLDER: Final = "rasters"  # of the data folder, where the files are
_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\.tiff?").fullmatch
_COLOUR: Final = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})").fullmatch

Rgba = tuple[int, int, int, int]


def _file(name: str) -> str:
    if not _FILE(name):
        raise ValueError(f"{name!r} must name a .tif file below the folder {FOLDER}/ of the data folder")
    return name


def _colour(text: str) -> str:
    if not _COLOUR(text):
        raise ValueError(f"{text!r} is no colour (#rrggbb or #rrggbbaa)")
    return text


File = Annotated[str, AfterValidator(_file)]
Colour = Annotated[str, AfterValidator(_colour)]


class RasterClass(Part):
    """What a number stands for, and its colour."""

    title: Text
    colour: Colour


class Stop(Part):
    """The colour of a value."""

    value: float = Field(allow_inf_nan=False)
    colour: Colour


class Ramp(Part):
    """Colours between which those of all other values lie; values beyond the ends have the end's colour."""

    stops: tuple[Stop, ...] = Field(min_length=2, max_length=64)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        values = [stop.value for stop in self.stops]
        if any(after <= before for before, after in itertools.pairwise(values)):
            raise ValueError("the stops' values must rise")
        return self

    @property
    def range(self) -> tuple[float, float]:
        return self.stops[0].value, self.stops[-1].value

    def colour_at(self, value: float) -> Rgba:
        """The colour between those of the nearest stops."""
        if value <= self.stops[0].value:
            return rgba(self.stops[0].colour)
        for low, high in itertools.pairwise(self.stops):
            if value <= high.value:
                share = (value - low.value) / (high.value - low.value)
                return _between(rgba(low.colour), rgba(high.colour), share)
        return rgba(self.stops[-1].colour)


class Seen(Part):
    """Says that a policy class sees the layer; a raster has nothing that a class could see less of."""


class RasterAccess(Part):
    """The policy classes that see the layer; whoever may see all sees it without being named."""

    public: Seen | None = None
    jurisdiction: Seen | None = None


class RasterLayer(Part):
    """One raster collection of the service: a band of a file, and what its values mean."""

    kind: Literal["raster"]
    id: LayerId
    title: Text
    description: Text
    file: File = Field(description=f"The file, below the folder {FOLDER}/ of the data folder.")
    band: int = Field(default=1, ge=1, le=65_535)
    nodata: float | None = Field(
        default=None, description="The value that means no data, where the file doesn't say it."
    )
    classes: dict[int, RasterClass] | None = Field(
        default=None, min_length=1, max_length=1024, description="What each number stands for."
    )
    ramp: Ramp | None = Field(default=None, description="The colours of values that are measured.")
    unit: str | None = None
    product: str | None = None
    year: int | None = Field(default=None, ge=1, le=9999)
    resolution: str | None = Field(default=None, description="The size of a cell as its makers name it.")
    basis: Literal["published", "indicative", "simulated"] = "published"
    zoom: tuple[int, int] | None = Field(
        default=None,
        description="The zooms that have tiles; from 0 to that of its cells unless given.",
    )
    access: RasterAccess
    source: Source
    keywords: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _coloured(self) -> Self:
        if (self.classes is None) == (self.ramp is None):
            raise ValueError("give either classes or a ramp: they say how values are drawn")
        if self.zoom is not None and not 0 <= self.zoom[0] <= self.zoom[1] <= 22:
            raise ValueError("zoom must be [least, most] between 0 and 22")
        return self

    def path(self, data_dir: Path) -> Path:
        return data_dir / FOLDER / self.file

    def palette(self) -> Mapping[int, Rgba]:
        """The colours of the classes, or of 256 steps of the ramp."""
        if self.classes is not None:
            return {code: rgba(each.colour) for code, each in self.classes.items()}
        assert self.ramp is not None, "the validator holds to one of both"
        low, high = self.ramp.range
        return {step: self.ramp.colour_at(low + (high - low) * step / 255) for step in range(256)}

    @functools.cached_property
    def digest(self) -> str:
        """Changes when the file's meaning does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ViewedRaster:
    """A raster that a class may see; made by `gis_service.access.policy.raster_view` alone."""

    layer: RasterLayer
    policy_class: str

    @property
    def id(self) -> str:
        return self.layer.id


def rgba(colour: str) -> Rgba:
    """Red, green, blue and opacity from 0 to 255."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue, int(colour[7:9] or "ff", 16)


def _between(one: Rgba, other: Rgba, share: float) -> Rgba:
    red, green, blue, opacity = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue, opacity
