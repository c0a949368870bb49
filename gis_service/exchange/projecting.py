"""Choose the named operation that leads from a file's reference system to WGS 84, and apply it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
from pyproj.aoi import AreaOfInterest
from pyproj.exceptions import CRSError
from pyproj.transformer import Transformer, TransformerGroup

Floats = npt.NDArray[np.float64]
Bounds = tuple[float, float, float, float]

_WGS84 = pyproj.CRS.from_epsg(4326)


@dataclass(frozen=True)
class Operation:
    """The way from one system to WGS 84: its name and codes for the record, its accuracy if known."""

    transformer: Transformer
    name: str
    accuracy_m: float | None
    srid: int | None
    guessed: bool = False  # no datum shift is known between the two systems

    def apply(self, coords: Floats) -> Floats:
        """Longitudes and latitudes; infinite where the operation isn't defined."""
        lon, lat = self.transformer.transform(coords[:, 0], coords[:, 1])
        return np.column_stack([lon, lat])


def parse(text: str) -> pyproj.CRS:
    """Read `EPSG:3405`, a bare code, a URI or WKT; ValueError where it names no system on the ground."""
    try:
        crs = pyproj.CRS.from_user_input(int(text) if text.strip().isdigit() else text)
    except CRSError as err:
        raise ValueError(f"{text!r} names no reference system") from err
    return crs.to_2d()


def same(one: pyproj.CRS, other: pyproj.CRS) -> bool:
    """Whether two systems place a point at the same spot, whatever the order of their axes."""
    return one.to_2d().equals(other.to_2d(), ignore_axis_order=True) or (
        (code := srid_of(one)) is not None and code == srid_of(other)
    )


def is_wgs84(crs: pyproj.CRS) -> bool:
    """Whether the coordinates are already longitude and latitude on WGS 84."""
    return same(crs, _WGS84)


def srid_of(crs: pyproj.CRS) -> int | None:
    """The EPSG code, where the system has one."""
    return crs.to_2d().to_epsg(min_confidence=70)


def are_degrees(crs: pyproj.CRS, bounds: Bounds) -> bool:
    """Whether numbers said to be metres of a projected system are degrees by all appearance."""
    west, south, east, north = bounds
    return bool(crs.is_projected and -180 <= west <= east <= 180 and -90 <= south <= north <= 90)


def label(crs: pyproj.CRS) -> str:
    """A short name for people: `EPSG:3405 VN-2000 / UTM zone 48N`."""
    code = srid_of(crs)
    return f"EPSG:{code} {crs.name}" if code else crs.name


def operation(crs: pyproj.CRS, bounds: Bounds) -> Operation:
    """The best operation to WGS 84 for data within `bounds` (in their own system)."""
    crs = crs.to_2d()
    with warnings.catch_warnings():
        # A better operation may exist that needs a grid file which isn't here; its absence shows in the name.
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(crs, _WGS84, always_xy=True, area_of_interest=_area(crs, bounds))
    best = group.transformers[0]
    accuracy = best.accuracy if best.accuracy is not None and best.accuracy >= 0 else None
    guessed = "ballpark" in best.description.lower()
    return Operation(best, f"{label(crs)} → WGS 84: {_name(best)}", accuracy, srid_of(crs), guessed)


def _name(transformer: Transformer) -> str:
    """The named steps, with their codes; changes of axis order say nothing and are left out."""
    steps = []
    for step in transformer.operations or ():
        if "axis order" in step.name:
            continue
        code = step.to_json_dict().get("id")
        known = code is not None and "INVERSE" not in code["authority"]
        steps.append(f"{step.name} ({code['authority']}:{code['code']})" if code and known else step.name)
    return " + ".join(steps) or transformer.description


def _area(crs: pyproj.CRS, bounds: Bounds) -> Any:  # pyproj's stubs know two classes of that name
    if not np.isfinite(bounds).all():
        return None
    try:
        geographic = Transformer.from_crs(crs, crs.geodetic_crs or _WGS84, always_xy=True)
        west, south, east, north = geographic.transform_bounds(*bounds)
    except (pyproj.exceptions.ProjError, CRSError):
        return None
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return AreaOfInterest(west, south, east, north) if inside else None
