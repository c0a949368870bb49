"""GDAL, from the pyogrio wheel, reads tiles of every grid by its OGCAPI and MVT drivers.

The provinces of the sample are two squares of one degree, from 105 E, 20 N to 107 E, 21 N.
"""

import json
import subprocess
import sys
from pathlib import Path

import geopandas
import pyogrio
import pytest
from geopandas import GeoDataFrame

PROVINCES = (105.0, 20.0, 107.0, 21.0)
# GDAL takes the collection's box, which is in degrees, for one in the grid's system; so it's told which.
IN_METRES = {
    "WebMercatorQuad": {"MINX": 11_688_546, "MINY": 2_273_030, "MAXX": 11_911_170, "MAXY": 2_391_878},
    "VN2000UTM48": {"MINX": 450_000, "MINY": 2_200_000, "MAXX": 750_000, "MAXY": 2_400_000},
}


# In a process of its own: what loads files in this one forgets drivers that read from addresses.
_READ = """
import json, sys, pyogrio
address, layer, options, path = sys.argv[1:]
pyogrio.read_dataframe(address, layer=layer, **json.loads(options)).to_parquet(path)
"""


def _read(service: str, matrix: int, path: Path, **options: object) -> GeoDataFrame:
    address = f"OGCAPI:{service}/collections/provinces"
    given = json.dumps({"API": "TILES", **options})
    words = [sys.executable, "-c", _READ, address, f"Zoom level {matrix}", given, str(path / "read.parquet")]
    subprocess.run(words, check=True, capture_output=True)
    return geopandas.read_parquet(path / "read.parquet")


def test_gdal_reads_tiles_in_degrees_without_being_told_more(service: str, tmp_path: Path) -> None:
    """WorldCRS84Quad is what GDAL prefers. Province B lies in two tiles, in each as far as it reaches."""
    frame = _read(service, 6, tmp_path)
    assert frame.crs.to_string() == "OGC:CRS84"
    assert sorted(frame["code"]) == ["A", "A", "B"] or sorted(frame["code"]) == ["A", "B", "B"]
    assert frame.total_bounds == pytest.approx(PROVINCES, abs=360 / 2**7 / 4096 * 2)


@pytest.mark.parametrize(("grid", "matrix", "code"), [("WebMercatorQuad", 6, 3857), ("VN2000UTM48", 2, 3405)])
def test_gdal_reads_tiles_in_metres(grid: str, matrix: int, code: int, service: str, tmp_path: Path) -> None:
    """The registered grid is found by its address, and its tiles lie where its matrices say."""
    frame = _read(service, matrix, tmp_path, TILEMATRIXSET=grid, **IN_METRES[grid])
    assert frame.crs.to_epsg() == code
    assert set(frame["code"]) == {"A", "B"}
    assert frame.to_crs("OGC:CRS84").total_bounds == pytest.approx(PROVINCES, abs=0.01)


def test_gdal_reads_a_zoom_of_the_alias(service: str) -> None:
    """Row V7, by the MVT driver: the tiles of a zoom, their attributes from TileJSON."""
    frame = pyogrio.read_dataframe(
        f"MVT:{service}/xyz/provinces/6",
        TILE_EXTENSION="mvt",
        METADATA_FILE=f"{service}/xyz/provinces/tilejson.json",
    )
    assert set(frame["code"]) == {"A", "B"}
    assert frame.to_crs("OGC:CRS84").total_bounds == pytest.approx(PROVINCES, abs=0.01)
