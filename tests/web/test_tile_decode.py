"""Every tile of real data holds what its table holds: ids, attributes, shapes, and nothing lost in silence.

By default some tiles of each zoom over parts of ../shared/data; GIS_TEST_DECODE names a database with all of
it for the whole trial: ./gis load each file, ./gis tiles build.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import geopandas
import pytest
import shapely

from gis_service.access.policy import view
from gis_service.access.principal import Principal
from gis_service.catalog.registry import load_catalog
from gis_service.db import point_tables, tile_tables, tilesql
from gis_service.db.sync import SyncDatabase
from gis_service.exchange.request import DatasetInfo
from gis_service.geo.tiles import Tile
from gis_service.tiles import deriving, gathering
from tests.conftest import ROOT
from tests.db.loads import put
from tests.web import decoding
from tests.web.decoding import EXACT, FAINT, HALF, PIXEL, Truth

WHOLE: Final = os.environ.get("GIS_TEST_DECODE", "")
AREAS: Final = ("communes", "protected-areas", "species-ranges")
EACH: Final = 40 if WHOLE else 1  # tiles of a zoom
CENTRE = Principal("centre", "full")
LAYERS = load_catalog(ROOT).layers
ZOOMS: Final = range(17)
POINT_ZOOMS: Final = range(4, 15)


def told(slug: str) -> DatasetInfo:
    return DatasetInfo(slug, licence="CC-BY-4.0", citation=f"{slug}, 2026", redistribution=True)


def some(path: Path, step: int) -> geopandas.GeoDataFrame:
    return geopandas.read_parquet(path).iloc[::step].reset_index(drop=True)


@pytest.fixture(scope="module")
def db(database: str, shared_data: Path) -> Iterator[SyncDatabase]:
    if not WHOLE:
        parks = some(shared_data / "bc-protected-areas" / "bc_protected_areas.parquet", 40)
        wards = some(shared_data / "vn-admin" / "vn_wards_2025_simplified.parquet", 30)
        ranges = some(shared_data / "sea-vipers" / "vn_viper_ranges.parquet", 8)
        put(database, parks, maps={"designation": "desig"}, id_field="record_file", dataset=told("parks"))
        put(database, wards, "communes", dataset=told("wards"))
        put(database, ranges, "species-ranges", dataset=told("vipers"))
        records = shared_data / "sea-vipers" / "sea_viper_occurrences.csv"
        put(database, records, "occurrences", dataset=told("records"))
    with SyncDatabase(WHOLE or database) as made:
        for surface in tile_tables.surfaces(LAYERS[name] for name in AREAS):
            deriving.begin(made, surface)
            deriving.build(made, surface)
        for each in point_tables.gatherings([LAYERS["occurrences"]]):
            if each.kind == "full" and each.name in gathering.waiting(made):
                gathering.build(made, each)
        yield made


@pytest.fixture(scope="module")
def truths(db: SyncDatabase) -> dict[str, Truth]:
    return {name: decoding.truth_of(db, LAYERS[name]) for name in (*AREAS, "occurrences")}


def chosen(truth: Truth, zoom: int, count: int) -> list[Tile]:
    """Tiles at corners of features spread over the table: the same for the same data."""
    features = truth.shapes[:: max(1, len(truth.shapes) // count)][:count]
    places = [shapely.get_coordinates(each)[zoom % shapely.count_coordinates(each)] for each in features]
    side = 1 << zoom
    return sorted({Tile(zoom, int(x * side), int(y * side)) for x, y in places}, key=lambda t: (t.x, t.y))


def drawn(db: SyncDatabase, layer: str, tile: Tile, derived: bool = True) -> bytes:
    statement = tilesql.compose([view(CENTRE, LAYERS[layer])], tile.z, derived)
    return bytes(db.run(statement.at(tile))[0][0])


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("layer", AREAS)
def test_areas_are_drawn_as_they_are(
    db: SyncDatabase, truths: dict[str, Truth], layer: str, zoom: int
) -> None:
    """Ids, attributes, no area above a pixel lost, no outline further off than half a pixel."""
    truth = truths[layer]
    for tile in chosen(truth, zoom, EACH):
        body = drawn(db, layer, tile)
        assert body == drawn(db, layer, tile), "the same bytes twice"
        found, parts = decoding.decoded(body, layer), truth.parts(tile)
        rows = {int(truth.gids[place]): place for place in parts}
        wide = [place for place in parts if truth.wide(place, zoom) > 2 * PIXEL]
        lost = [place for place in wide if int(truth.gids[place]) not in found]
        assert [(tile, place) for place in lost if decoding.shown(parts[place]) > FAINT] == []
        for gid, feature in found.items():
            part = parts[rows[gid]]
            assert dict(feature.properties) == truth.properties[rows[gid]]
            assert max(decoding.misdrawn(part, feature.shape)) < FAINT, (tile, gid)
            assert decoding.farthest(part, feature.shape) <= HALF + EXACT, (tile, gid)
