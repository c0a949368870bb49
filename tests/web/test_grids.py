"""Tiles on every grid: in degrees, in VN-2000, and in whatever a file registers.

The sample's open area of province A lies at 105.4-105.6 E, 20.4-20.6 N; B's one degree east of it. Beside
the checkout's own grids the server knows one with latitude first, one of Web Mercator under another name, and
one of the Pacific, in which an area over the antimeridian is one.
"""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import pytest

from gis_service.catalog.grids import FOLDER, read_grids
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.grid import Grid, GridTile
from gis_service.geo.tiles import covering
from tests.conftest import ROOT, Starter
from tests.web.conftest import Sample

MVT = "application/vnd.mapbox-vector-tile"
TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
TMS = "http://www.opengis.net/spec/tms/2.0/conf/"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
HALF = 20037508.342789244
OF_ALL = ["3857", "CRS84", "4326", "3857", "3832", "3405"]
OVER = """
insert into gis.protected_area (source_id, dataset_id, public_id, name, name_eng, site_pid, geom)
  select 'over', dataset_id, 'over', 'Over', 'Over', 'over', ST_Multi(ST_Union(
           ST_MakeEnvelope(179, 10, 180, 12, 4326), ST_MakeEnvelope(-180, 10, -179, 12, 4326)))
    from gis.dataset where slug = 'open'
"""


def quad(name: str, srid: int, cell: float, corner: list[float], size: tuple[int, int], scale: float) -> Any:
    """A grid of nine matrices, each twice as fine as the one before it."""
    matrices = [
        {
            "id": str(zoom), "scaleDenominator": scale / 2**zoom, "cellSize": cell / 2**zoom,
            "pointOfOrigin": corner, "tileWidth": 256, "tileHeight": 256,
            "matrixWidth": size[0] << zoom, "matrixHeight": size[1] << zoom,
        }
        for zoom in range(9)
    ]  # fmt: skip
    crs = f"http://www.opengis.net/def/crs/EPSG/0/{srid}"
    return {"id": name, "title": name, "crs": crs, "tileMatrices": matrices}


MERCATOR = (2 * HALF / 256, [-HALF, HALF], (1, 1), 559082264.0287178)
GRIDS = (
    quad("LatLon", 4326, 0.703125, [90, -180], (2, 1), 279541132.0143589),
    quad("Mercator", 3857, *MERCATOR),
    quad("Pacific", 3832, *MERCATOR),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout's layers and styles with three more grids."""
    folder = tmp_path_factory.mktemp("root")
    for name in ("layers", "styles"):
        (folder / name).symlink_to(ROOT / name)
    (folder / FOLDER).mkdir(parents=True)
    for path in (ROOT / FOLDER).glob("*.json"):
        (folder / FOLDER / path.name).write_bytes(path.read_bytes())
    for document in GRIDS:
        (folder / FOLDER / f"{document['id']}.json").write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def grids(root: Path) -> dict[str, Grid]:
    found, mistakes = read_grids(root)
    assert mistakes == []
    return found


@pytest.fixture(scope="module")
def web(sampled: Sample, start_server: Starter, root: Path) -> Iterator[httpx.Client]:
    """A client of the public."""
    with SyncDatabase(sampled.dsn) as database:
        database.apply([OVER])
    with httpx.Client(base_url=start_server(sampled.dsn, root=root), timeout=30) as client:
        yield client


def at(tile: GridTile, layers: str) -> str:
    return f"/collections/{layers}/tiles/{tile.grid.id}/{tile.matrix.id}/{tile.row}/{tile.column}"


def projected(dsn: str, on: Grid, *places: tuple[float, float]) -> list[tuple[float, float]]:
    """Where PostGIS puts places of degrees in the grid's system."""
    sql = (
        "select ST_X(p), ST_Y(p) from (select n, ST_Transform(ST_SetSRID(ST_MakePoint(x, y), 4326), $1) p"
        " from unnest($2::float8[], $3::float8[]) with ordinality t (x, y, n)) its order by n"
    )
    xs, ys = ([place[n] for place in places] for n in (0, 1))
    with SyncDatabase(dsn) as database:
        return [(x, y) for x, y in database.run(Query(sql, (on.crs.srid, xs, ys)))]


def tile_of(dsn: str, on: Grid, matrix: str, lon: float, lat: float) -> GridTile:
    """The tile of a matrix that holds a place."""
    ((x, y),) = projected(dsn, on, (lon, lat))
    found = on.by_id[matrix]
    width, height = found.span
    column, row = (x - found.corner[0]) / width, (found.corner[1] - y) / height
    return on.tile(matrix, math.floor(row), math.floor(column))


def decoded(answer: httpx.Response) -> Any:  # layers by name, as mapbox_vector_tile gives them
    assert (answer.status_code, answer.headers["content-type"]) == (200, MVT), answer.text
    return mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})


def corners(feature: Any, tile: GridTile) -> tuple[float, float, float, float]:
    """The box of a feature in the tile's system."""
    box, points = tile.box(), feature["geometry"]["coordinates"][0]
    xs = [box.west + x / 4096 * (box.east - box.west) for x, _ in points]
    ys = [box.north - y / 4096 * (box.north - box.south) for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


@pytest.mark.proves(TILES + "core", TILES + "mvt")
@pytest.mark.parametrize("matrix", ["0", "3", "5"])
def test_an_area_lies_in_vn2000_where_postgis_puts_it(
    matrix: str, web: httpx.Client, sampled: Sample, grids: dict[str, Grid]
) -> None:
    """Rows C8, M3: within a unit and a half of the tile for rounding, and what a parallel bends."""
    on = grids["VN2000UTM48"]
    tile = tile_of(sampled.dsn, on, matrix, 105.41, 20.41)
    found = decoded(web.get(at(tile, "protected-areas")))["protected-areas"]["features"]
    (feature,) = (each for each in found if each["properties"]["id"] == "open-A")
    assert isinstance(feature["id"], int)
    outline = [(105.4 + n / 1000, lat) for lat in (20.4, 20.6) for n in range(201)]
    outline += [(lon, 20.4 + n / 1000) for lon in (105.4, 105.6) for n in range(201)]
    box, unit = tile.box(64 / 4096), tile.matrix.span[0] / 4096
    points = projected(sampled.dsn, on, *outline)
    xs = [x for x, y in points if box.south <= y <= box.north]
    ys = [y for x, y in points if box.west <= x <= box.east]
    west, south, east, north = min(xs), min(ys), max(xs), max(ys)
    expected = (max(west, box.west), max(south, box.south), min(east, box.east), min(north, box.north))
    assert corners(feature, tile) == pytest.approx(expected, abs=1.5 * unit)


def test_latitude_first_gives_the_very_tiles_of_longitude_first(web: httpx.Client) -> None:
    """EPSG:4326 names its axes y, x: its rows and columns and its bytes are those of CRS84."""
    for place in ("protected-areas {} 4 6 25", "protected-areas {} 8 98 405", "occurrences {} 8 99 405"):
        layer, grid, *tile = place.split()
        path = f"/collections/{layer}/tiles/{grid}/{'/'.join(tile)}"
        mine, crs84 = (web.get(path.format(name)) for name in ("LatLon", "WorldCRS84Quad"))
        assert (mine.status_code, mine.content) == (200, crs84.content)


def test_registered_mercator_shows_what_mercator_shows(web: httpx.Client) -> None:
    """The same features, points within a unit, from the same gathered cells."""
    for zoom in (4, 7):
        x, y, *_ = covering(BBox(105.05, 20.05, 105.05, 20.05), zoom)
        path = f"/collections/occurrences/tiles/{{}}/{zoom}/{y}/{x}"
        ours, theirs = (web.get(path.format(name)) for name in ("Mercator", "WebMercatorQuad"))
        assert ours.headers["tile-reduction"] == theirs.headers["tile-reduction"]
        one, other = (decoded(answer)["occurrences"]["features"] for answer in (ours, theirs))
        assert [each["id"] for each in one] == [each["id"] for each in other]
        for mine, its in zip(one, other, strict=True):
            assert mine["geometry"]["coordinates"] == pytest.approx(its["geometry"]["coordinates"], abs=1)


def test_an_area_over_the_antimeridian_is_drawn_on_both_sides(
    web: httpx.Client, sampled: Sample, grids: dict[str, Grid]
) -> None:
    """The Pacific's tile over 180 shows both halves of two degrees, side by side."""
    on = grids["Pacific"]
    tile = tile_of(sampled.dsn, on, "6", 179.9, 11)
    answer = decoded(web.get(at(tile, "protected-areas")))
    (feature,) = answer["protected-areas"]["features"]
    xs = [x for x, _ in feature["geometry"]["coordinates"][0]]  # one area: its halves touch
    west, east = (x for x, _ in projected(sampled.dsn, on, (179, 11), (-179, 11)))
    unit = tile.matrix.span[0] / 4096
    assert (max(xs) - min(xs)) * unit == pytest.approx(east - west, abs=2 * unit)


@pytest.mark.proves(TILES + "core", TMS + "tilematrixsetlimits", TMS + "json-tilematrixsetlimits")
@pytest.mark.parametrize("grid", ["WebMercatorQuad", "WorldCRS84Quad", "VN2000UTM48", "LatLon"])
def test_c8_404_outside_the_limits_and_204_inside(
    grid: str, web: httpx.Client, grids: dict[str, Grid]
) -> None:
    """Row C8. Every tile of provinces' limits answers; beyond them, and beyond the matrix, there is none."""
    on, base = grids[grid], f"/collections/provinces/tiles/{grid}"
    told = web.get(base).json()["tileMatrixSetLimits"]
    assert [each["tileMatrix"] for each in told] == [m.id for m in on.matrices if 0 <= m.level <= 14]
    drawn = 0
    for limits in told[-4:-2]:
        first, last = limits["minTileRow"], limits["minTileCol"]
        drawn += web.get(f"{base}/{limits['tileMatrix']}/{first}/{last}").status_code in (200, 204)
        outside = web.get(f"{base}/{limits['tileMatrix']}/{first - 2}/{last}")
        assert (outside.status_code, outside.headers["content-type"]) == (404, "application/problem+json")
        assert "limits" in outside.json()["detail"]
        rows = on.by_id[limits["tileMatrix"]].rows
        assert web.get(f"{base}/{limits['tileMatrix']}/{rows}/{last}").status_code == 404
    assert drawn == 2


def test_m4_an_empty_tile_between_two_areas_is_204(web: httpx.Client) -> None:
    """Row M4: 106.0 E lies between A and B, within the limits of both."""
    row, column = int((90 - 20.5) / 180 * 2**9), int((106.0 + 180) / 360 * 2**10)
    answer = web.get(f"/collections/protected-areas/tiles/WorldCRS84Quad/9/{row}/{column}")
    assert (answer.status_code, answer.content) == (204, b"")
    again = web.get(f"/collections/protected-areas/tiles/WorldCRS84Quad/9/{row}/{column}")
    assert again.status_code == 204
    assert web.get(f"/collections/protected-areas/tiles/WorldCRS84Quad/9/10/{column}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "WorldCRS84Quad/0/0/2", "WorldCRS84Quad/-1/0/0", "WorldCRS84Quad/24/0/0", "WorldCRS84Quad/0/0.5/0",
        "WorldCRS84Quad/0/99999999999/0", "WorldCRS84Quad/00/0/0", "VN2000UTM48/12/0/0", "VN2000UTM48/3/29/0",
        "VN2000UTM48/1M/0/0", "Nothing/0/0/0",
    ],
)  # fmt: skip
def test_v4_what_no_grid_has_is_404(path: str, web: httpx.Client) -> None:
    """Row V4: cheap, and on the addresses of the dataset alike."""
    for base in ("/collections/protected-areas/tiles", "/tiles"):
        answer = web.get(f"{base}/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_m6_a_tile_of_any_grid_is_held_by_its_etag_until_it_changes(
    web: httpx.Client, sampled: Sample
) -> None:
    """Row M6, and the bound of freshness: a second after a commit the state before it is gone."""
    path = "/collections/provinces/tiles/VN2000UTM48/2/2/2"
    first = web.get(path)
    assert decoded(first)["provinces"]["features"]
    tag = {"If-None-Match": first.headers["etag"]}
    assert web.get(path, headers=tag).status_code == 304
    assert first.headers["cache-control"]
    with SyncDatabase(sampled.dsn) as database:
        database.apply(["update gis.admin_unit set name = 'Moved' where code = 'A'"])
    time.sleep(1)
    again = web.get(path, headers=tag)
    names = [each["properties"]["name"] for each in decoded(again)["provinces"]["features"]]
    assert "Moved" in names
    assert again.headers["etag"] != first.headers["etag"]


@pytest.mark.proves(TILES + "dataset-tilesets", TILES + "collections-selection")
def test_a_tile_of_the_dataset_holds_the_chosen_layers_in_their_order(
    web: httpx.Client, sampled: Sample
) -> None:
    landing = web.get("/").json()["links"]
    (link,) = [each for each in landing if each["rel"] == REL + "tilesets-vector"]
    listed = web.get(link["href"]).json()["tilesets"]
    assert [each["crs"].rpartition("/")[2] for each in listed] == OF_ALL
    x, y, *_ = covering(BBox(105.5, 20.5, 105.5, 20.5), 8)
    whole = decoded(web.get(f"/tiles/WebMercatorQuad/8/{y}/{x}"))
    assert {"provinces", "protected-areas", "occurrences"} <= whole.keys()
    chosen = f"?collections=occurrences,{web.base_url}/collections/provinces".replace("8/?", "?")
    answer = web.get(f"/tiles/WebMercatorQuad/8/{y}/{x}{chosen}")
    assert list(decoded(answer)) == ["occurrences", "provinces"]
    assert answer.content == web.get(f"/xyz/occurrences,provinces/8/{x}/{y}.mvt").content
    tileset = web.get("/tiles/WorldCRS84Quad?collections=provinces,occurrences").json()
    assert [layer["id"] for layer in tileset["layers"]] == ["provinces", "occurrences"]
    (item,) = [each["href"] for each in tileset["links"] if each["rel"] == "item"]
    assert "collections=provinces" in item
    place = {"tileMatrix": 7, "tileRow": int((90 - 20.5) / 180 * 2**7), "tileCol": int(285.5 / 360 * 2**8)}
    assert list(decoded(web.get(item.format(**place)))) == ["provinces", "occurrences"]
    for wrong in ("provinces,nothing", "", ",".join(f"l{n}" for n in range(17))):
        assert web.get(f"/tiles/WebMercatorQuad/8/{y}/{x}?collections={wrong}").status_code == 404


@pytest.mark.proves(TMS + "tilematrixset", TMS + "json-tilematrixset")
def test_grids_are_told_as_they_can_be_registered(web: httpx.Client, tmp_path: Path, root: Path) -> None:
    """Each document is read back as the grid that it tells of, and those of files say what the file says."""
    listed = web.get("/tileMatrixSets").json()["tileMatrixSets"]
    assert [each["id"] for each in listed][:2] == ["WebMercatorQuad", "WorldCRS84Quad"]
    (tmp_path / FOLDER).mkdir(parents=True)
    for entry in listed:
        document = web.get(entry["links"][0]["href"]).json()
        assert (document["id"], document["crs"]) == (entry["id"], entry["crs"])
        renamed = {**document, "id": "Again" + document["id"]}
        (tmp_path / FOLDER / f"{renamed['id']}.json").write_text(json.dumps(renamed))
    again, mistakes = read_grids(tmp_path)
    assert mistakes == []
    for name, on in read_grids(root)[0].items():
        assert again["Again" + name].matrices == on.matrices
        assert again["Again" + name].crs == on.crs
    latitude_first = web.get("/tileMatrixSets/LatLon").json()
    assert latitude_first["tileMatrices"][0]["pointOfOrigin"] == [90, -180]
    assert latitude_first["orderedAxes"] == ["Y", "X"]


@pytest.mark.proves(TILES + "tileset", TMS + "tilesetmetadata", TMS + "json-tilesetmetadata")
@pytest.mark.proves(TILES + "tilesets-list", TILES + "geodata-tilesets")
def test_m2_a_tileset_tells_all_that_a_client_needs(web: httpx.Client) -> None:
    """Row M2 for clients of the standard: layers with their attributes, matrices, grid, and addresses."""
    listed = web.get("/collections/protected-areas/tiles").json()["tilesets"]
    assert [each["crs"].rpartition("/")[2] for each in listed] == OF_ALL
    for entry in listed:
        (address,) = [each["href"] for each in entry["links"] if each["rel"] == "self"]
        tileset = web.get(address).json()
        assert (tileset["dataType"], tileset["crs"]) == ("vector", entry["crs"])
        (scheme,) = [each["href"] for each in tileset["links"] if each["rel"] == REL + "tiling-scheme"]
        ids = [each["id"] for each in web.get(scheme).json()["tileMatrices"]]
        (layer,) = tileset["layers"]
        assert "name_eng" in layer["propertiesSchema"]["properties"]
        drawn = [each["tileMatrix"] for each in tileset["tileMatrixSetLimits"]]
        assert (drawn[0], drawn[-1]) == (layer["minTileMatrix"], layer["maxTileMatrix"])
        assert set(drawn) <= set(ids)
        (item,) = [each for each in tileset["links"] if each["rel"] == "item"]
        assert (item["type"], item["templated"]) == (MVT, True)


def test_v7_the_alias_gives_x_before_y(web: httpx.Client) -> None:
    """Row V7: XYZ templates stay beside the standard's order."""
    x, y, *_ = covering(BBox(105.5, 20.5, 105.5, 20.5), 9)
    ogc = web.get(f"/collections/protected-areas/tiles/WebMercatorQuad/9/{y}/{x}")
    assert ogc.content == web.get(f"/xyz/protected-areas/9/{x}/{y}.mvt").content


@pytest.mark.proves(TILES + "oas30")
def test_operations_and_parameters_are_named_as_the_standard_names_them(web: httpx.Client) -> None:
    """Row C8."""
    paths = web.get("/api").json()["paths"]
    cell = "/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
    for base, of in (("/tiles", ".dataset"), ("/collections/{collectionId}/tiles", ".collection")):
        for path, what in (("", "TileSetsList"), ("/{tileMatrixSetId}", "TileSet"), (cell, "Tile")):
            assert paths[base + path]["get"]["operationId"] == f"{of}.vector.get{what}"
    named = [each.get("name") for each in paths["/tiles" + cell]["get"]["parameters"] if "name" in each]
    assert named == ["tileMatrix", "tileRow", "tileCol", "collections"]
    assert paths["/tileMatrixSets"]["get"]["operationId"] == "getTileMatrixSetsList"
    assert paths["/tileMatrixSets/{tileMatrixSetId}"]["get"]["operationId"] == "getTileMatrixSet"
