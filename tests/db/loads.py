"""Small frames to load, and the few questions that the tests of loading ask the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import psycopg
import shapely

from gis_service.catalog.registry import load_catalog
from gis_service.exchange.load import load
from gis_service.exchange.request import DatasetInfo, LoadRequest, LoadResult

ROOT = Path(__file__).parents[2]
LAYERS = load_catalog(ROOT).layers
DATASET = DatasetInfo("parks", title="Parks", licence="CC-BY-4.0", citation="Parks, 2026", version="1")


def square(x: float, y: float = 10, side: float = 1) -> shapely.Polygon:
    """A square of `side` degrees whose south-western corner is x, y."""
    return shapely.box(x, y, x + side, y + side)


def parks(rows: Mapping[str, shapely.Geometry | None], **columns: list[Any]) -> gpd.GeoDataFrame:
    """Areas named by their ids."""
    ids = list(rows)
    data = {"code": ids, "name": [f"Park {each}" for each in ids], **columns}
    return gpd.GeoDataFrame(data, geometry=list(rows.values()), crs="EPSG:4326")


def put(dsn: str, what: gpd.GeoDataFrame | Path, layer: str = "protected-areas", **said: Any) -> LoadResult:
    """Load a frame or a file; areas are named by their field `code` unless said otherwise."""
    said.setdefault("dataset", DATASET)
    if layer == "protected-areas":
        said.setdefault("id_field", "code")
    return load(LoadRequest(what, LAYERS[layer], **said), dsn)


def ask(dsn: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of a statement."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(sql, values).fetchall()


def one(dsn: str, sql: str, *values: object) -> Any:
    """The one value of a statement."""
    return ask(dsn, sql, *values)[0][0]


def names(dsn: str, relation: str = "gis.protected_area") -> list[tuple[str, str]]:
    """Source id and name of each row."""
    return ask(dsn, f"select source_id, name from {relation} order by source_id")
