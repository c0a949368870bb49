"""Raster layers as clients get them: documents, tiles, legend, values, who sees them, and what goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from gis_service.access import keystore
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from gis_service.geoprocessing import cog
from tests import rasters, sample
from tests.clients.browser import browser, missing
from tests.conftest import ROOT, Starter
from tests.rasters import BLUE, BOX, CLASSES, GREEN, RAMP, colours, pixels

# rasterio multiplies transforms by `*`, which affine will give up some day.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
CENTRE_ONLY, OF_PROVINCES = "summits", "regional"


@dataclass(frozen=True)
class Served:
    """A server with raster layers, its keys and its folder of files."""

    url: str
    keys: dict[str, str]
    files: Path

    def ask(self, who: str = "public") -> httpx.Client:
        headers = {"X-API-Key": self.keys[who]} if who in self.keys else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


def declare(root: Path, name: str, look: dict[str, Any], **more: Any) -> None:
    text = yaml.safe_dump(rasters.declared(name, look, **{"zoom": [0, 10], **more}), allow_unicode=True)
    (root / "layers" / f"{name}.yaml").write_text(text, "utf-8")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, start_server: Starter, database: str) -> Served:
    root, data = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("data")
    for folder in ("layers", "styles", "config"):
        shutil.copytree(ROOT / folder, root / folder)
    classes = {"classes": CLASSES}
    told = {"year": 2021, "product": "Made for a test", "basis": "simulated", "resolution": "1.7 km"}
    declare(root, "cover", classes, **told)
    declare(root, CENTRE_ONLY, {"ramp": RAMP}, unit="m", access={})
    declare(root, OF_PROVINCES, classes, access={"jurisdiction": {}}, file="cover.tif")
    declare(root, "open", classes, zoom=None, file="cover.tif")
    for name in ("broken", "missing"):
        declare(root, name, classes)
    files = data / "rasters"
    made = files.parent / "in.tif"
    cog.make(rasters.write(made, rasters.cover(), nodata=0), files / "cover.tif", classes=True)
    cog.make(rasters.write(made, rasters.heights()), files / f"{CENTRE_ONLY}.tif", classes=False)
    (files / "broken.tif").write_bytes((files / "cover.tif").read_bytes()[:600])
    sample.fill(database)
    with SyncDatabase(database) as db:
        for principal in (sample.PROVINCE_A, sample.CENTRE):
            keystore.ensure_principal(db, principal)
        keys = {p.name: keystore.create(db, p.name) for p in (sample.PROVINCE_A, sample.CENTRE)}
    return Served(
        start_server(database, root=root, data_dir=data, GIS_LIMITS_RASTER_SECONDS="2"), keys, files
    )


@pytest.fixture(scope="module")
def web(served: Served) -> Iterator[httpx.Client]:
    with served.ask() as client:
        yield client


def tiles_in(limit: dict[str, int]) -> int:
    columns, rows = limit["maxTileCol"] - limit["minTileCol"], limit["maxTileRow"] - limit["minTileRow"]
    return (columns + 1) * (rows + 1)


def spot(zoom: int) -> tuple[int, int]:
    """Column and row of the tile at the middle of the north, which is forest."""
    x, y, *_rest = covering(BBox(105.45, 20.75, 105.46, 20.76), zoom)
    return x, y


def test_a_raster_is_a_collection_beside_the_others(web: httpx.Client) -> None:
    listed = {each["id"]: each for each in web.get("/collections").json()["collections"]}
    assert {"provinces", "cover", "broken", "missing"} <= listed.keys()
    made = web.get("/collections/cover").json()
    assert made["extent"]["spatial"]["bbox"] == [list(BOX)]
    assert made["extent"]["temporal"]["interval"][0][0] == "2021-01-01T00:00:00Z"
    assert made["itemType"] != "feature", "or clients would ask for its features"
    assert made["attribution"] == "A raster, CC BY 4.0 (simulated)"
    assert [each["title"] for each in made["raster"]["classes"]] == ["Forest", "Water"]
    assert "extent" not in listed["missing"], "its file can't be read, yet the list comes"
    for link in made["links"]:
        if link["rel"] != "related" or "position" not in link["href"]:
            assert web.get(link["href"]).status_code == 200, link


def test_tiles_have_the_colours_of_classes_on_every_grid(web: httpx.Client) -> None:
    x, y = spot(9)
    for address in (f"/xyz/cover/9/{x}/{y}", f"/collections/cover/map/tiles/WebMercatorQuad/9/{y}/{x}"):
        for form in ("png", "webp"):
            answer = web.get(f"{address}.{form}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{form}")
            seen = pixels(answer.content)
            assert seen.shape == (256, 256, 4)
            assert {each for each in colours(seen) if each[3]} == {GREEN}
    listed = web.get("/collections/cover/map/tiles").json()["tilesets"]
    assert len(listed) >= 3
    for entry in listed:
        one = web.get(next(each["href"] for each in entry["links"] if each["rel"] == "self")).json()
        limit = next(each for each in reversed(one["tileMatrixSetLimits"]) if tiles_in(each) <= 6)
        template = next(each["href"] for each in one["links"] if each["rel"] == "item")
        found: set[tuple[int, ...]] = set()
        for row in range(limit["minTileRow"], limit["maxTileRow"] + 1):
            for column in range(limit["minTileCol"], limit["maxTileCol"] + 1):
                at = template.replace("{tileMatrix}", limit["tileMatrix"]).replace("{tileRow}", str(row))
                found |= colours(pixels(web.get(at.replace("{tileCol}", str(column))).content))
        assert {each for each in found if each[3]} == {GREEN, BLUE}, one["tileMatrixSetURI"]


def test_tiles_are_asked_for_again_by_their_tag(web: httpx.Client, served: Served) -> None:
    x, y = spot(8)
    first = web.get(f"/xyz/cover/8/{x}/{y}.png")
    tag = first.headers["etag"]
    assert web.get(f"/xyz/cover/8/{x}/{y}.png", headers={"if-none-match": tag}).status_code == 304
    file = served.files / "cover.tif"
    before = file.read_bytes()
    water = np.full((64, 64), rasters.WATER, "uint8")
    cog.make(rasters.write(served.files.parent / "in.tif", water, nodata=0), file, classes=True)
    try:
        after = web.get(f"/xyz/cover/8/{x}/{y}.png", headers={"if-none-match": tag})
        assert after.status_code == 200, "the file is another"
        assert {each for each in colours(pixels(after.content)) if each[3]} == {BLUE}
    finally:
        (served.files / "back.tif").write_bytes(before)
        (served.files / "back.tif").replace(file)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/xyz/cover/6/0/0.png", 204),
        ("/collections/cover/map/tiles/WebMercatorQuad/6/0/0", 404),
        ("/xyz/cover/22/3325000/1850000.png", 204),
        ("/xyz/cover/99/0/0.png", 404),
        ("/xyz/cover/6/-1/0.png", 404),
        ("/xyz/cover/6/x/0.png", 404),
        ("/xyz/cover/6/0/0.gif", 404),
        ("/xyz/cover/6/50/28.mvt", 404),
        ("/collections/cover/map/tiles/Nothing/6/0/0", 404),
        ("/collections/cover/map/tiles/WebMercatorQuad/6/28/50?f=gif", 400),
        ("/collections/cover/items", 404),
        ("/collections/cover?release=1", 400),
        ("/xyz/cover/tilejson.json?release=1", 400),
        ("/xyz/cover,provinces/tilejson.json", 404),
        ("/collections/cover/position", 400),
        ("/collections/cover/position?coords=POINT(nan 20)", 400),
        ("/collections/cover/position?coords=POINT(181 20)", 400),
        ("/collections/cover/position?coords=105,20", 400),
        ("/collections/cover/map/legend.svg?theme=pink", 400),
    ],
)
def test_what_isnt_there_and_what_isnt_understood(web: httpx.Client, path: str, status: int) -> None:
    assert web.get(path).status_code == status


def test_cells_grow_beyond_the_zoom_of_the_file_by_xyz_alone(web: httpx.Client) -> None:
    last = web.get("/xyz/open/tilejson.json").json()["maxzoom"]
    assert last == 7, "where a pixel is 1.2 km and a cell 1.7 km"
    x, y = spot(15)
    beyond = web.get(f"/xyz/open/15/{x}/{y}.png")
    assert colours(pixels(beyond.content)) == {GREEN}
    assert web.get(f"/collections/open/map/tiles/WebMercatorQuad/15/{y}/{x}").status_code == 404
    assert web.get(f"/xyz/cover/15/{x}/{y}.png").status_code == 204, "it says that it ends at 10"


def test_a_tile_comes_in_the_form_that_is_accepted(web: httpx.Client) -> None:
    x, y = spot(7)
    path = f"/collections/cover/map/tiles/WebMercatorQuad/7/{y}/{x}"
    for accept, kind in (
        ("image/webp", "image/webp"),
        ("*/*", "image/png"),
        ("image/png;q=0.1", "image/png"),
    ):
        assert web.get(path, headers={"accept": accept}).headers["content-type"] == kind
    assert web.get(path, headers={"accept": "text/csv"}).status_code == 406
    assert web.get(path, params={"f": "webp"}).headers["content-type"] == "image/webp"


def test_tilejson_and_style_lead_to_the_tiles(web: httpx.Client) -> None:
    style = web.get("/collections/cover/map/style.json").json()
    source = style["sources"]["cover"]
    assert style["layers"][0]["paint"] == {"raster-resampling": "nearest"}, "classes keep their edges"
    told = web.get(source["url"]).json()
    assert (told["bounds"], told["minzoom"]) == (list(BOX), 0)
    x, y = spot(told["maxzoom"])
    at = told["tiles"][0].replace("{z}", str(told["maxzoom"])).replace("{x}", str(x)).replace("{y}", str(y))
    assert web.get(at).status_code == 200


def test_a_place_has_a_value_and_a_class(web: httpx.Client, served: Served) -> None:
    def at(lon: float, lat: float, **more: str) -> Any:
        given = {"coords": f"POINT({lon} {lat})", **more}
        return web.get("/collections/cover/position", params=given).json()["properties"]

    assert (at(105.5, 20.9)["value"], at(105.5, 20.9, lang="vi")["class"]) == (10, "Rừng")
    assert (at(105.9, 20.1)["value"], at(105.9, 20.1)["class"]) == (99, None)
    assert at(105.001, 20.5)["value"] is None
    assert at(10, 10)["value"] is None
    assert at(105.5, 20.9)["basis"] == "simulated"
    with served.ask("centre") as centre:
        said = centre.get(f"/collections/{CENTRE_ONLY}/position?coords=POINT(105.5 20.5)").json()[
            "properties"
        ]
        assert said["value"] == pytest.approx(508, abs=8)
        assert said["unit"] == "m"


def test_legends_name_the_classes(web: httpx.Client, served: Served) -> None:
    said = web.get("/collections/cover/map/legend.svg?lang=vi").text
    assert "Rừng" in said
    assert "#006400" in said
    assert web.get("/collections/cover/map/legend.png").content.startswith(b"\x89PNG")
    with served.ask("centre") as centre:
        assert "1,000" in centre.get(f"/collections/{CENTRE_ONLY}/map/legend.svg").text
        assert "1.000" in centre.get(f"/collections/{CENTRE_ONLY}/map/legend.svg?lang=vi").text


def test_pages_show_the_picture_and_the_legend(web: httpx.Client) -> None:
    page = web.get("/collections/cover?f=html&lang=vi").text
    assert "/xyz/cover/" in page
    assert "legend.svg?lang=vi" in page
    assert "mô phỏng" in page
    for path in ("/", "/collections"):
        assert "/collections/cover" in web.get(f"{path}?f=html").text
    assert "/collections/cover/items" not in web.get("/collections?f=html").text


PATHS = (
    "", "?f=html", "/map/tiles", "/map/tiles/WebMercatorQuad", "/map/tiles/WebMercatorQuad/8/113/203",
    "/map/style.json", "/map/legend.svg", "/map/legend.png",
    "/position?coords=POINT(105.5 20.5)",
)  # fmt: skip


@pytest.mark.parametrize(("layer", "who"), [(CENTRE_ONLY, "public"), (CENTRE_ONLY, "province-a"),
                                           (OF_PROVINCES, "public")])  # fmt: skip
def test_what_a_reader_may_not_see_is_like_what_was_never_declared(
    served: Served, layer: str, who: str
) -> None:
    never = "n" * len(layer)

    def told(client: httpx.Client, name: str, path: str) -> tuple[int, bytes, list[tuple[str, str]]]:
        answer = client.get(path.format(name))
        headers = [(key, text) for key, text in answer.headers.items() if key != "date"]
        body = answer.content.replace(name.encode(), b"*")
        return answer.status_code, body, [(key, text) for key, text in headers if key != "etag"]

    with served.ask(who) as client:
        for path in (
            *(f"/collections/{{}}{each}" for each in PATHS),
            "/xyz/{}/8/203/113.png",
            "/xyz/{}/tilejson.json",
        ):
            assert told(client, layer, path)[0] == 404
            assert told(client, layer, path) == told(client, never, path), path
        for path in ("/collections", "/collections?f=html", "/?f=html", "/api", "/map", "/styles"):
            assert layer.encode() not in client.get(path).content, path


def test_those_who_may_see_a_raster_do(served: Served) -> None:
    seen = (
        (CENTRE_ONLY, "centre"),
        (OF_PROVINCES, "centre"),
        (OF_PROVINCES, "province-a"),
        ("cover", "public"),
    )
    for layer, who in seen:
        with served.ask(who) as client:
            for path in PATHS:
                answer = client.get(f"/collections/{layer}{path}")
                assert answer.status_code == 200, (layer, path)
                assert who == "public" or "private" in answer.headers["cache-control"] or "f=html" in path
            assert layer in client.get("/collections").text


@pytest.mark.parametrize("name", ["broken", "missing"])
def test_a_file_that_cant_be_read_is_told_and_the_service_goes_on(web: httpx.Client, name: str) -> None:
    for path in (f"/xyz/{name}/8/203/113.png", f"/collections/{name}/position?coords=POINT(105.5 20.5)"):
        answer = web.get(path)
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("raster-unreadable")
        assert name in answer.json()["detail"]
        assert ".tif" not in answer.text, "where files are is nobody's concern"
    assert web.get(f"/collections/{name}").status_code == 200
    x, y = spot(8)
    assert web.get(f"/xyz/cover/8/{x}/{y}.png").status_code == 200


def readers(of: Path) -> list[int]:
    """The processes that read rasters in this folder's service."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command = (each / "cmdline").read_bytes()
            mark = f"GIS_SUPERVISED={of}".encode()
            if b"gis_service.processes.rastering" in command and mark in (each / "environ").read_bytes():
                found.append(int(each.name))
        except OSError:
            continue
    return found


def test_a_process_that_dies_or_hangs_is_replaced(web: httpx.Client, served: Served) -> None:
    path = "/collections/cover/position?coords=POINT(105.5 20.9)"
    assert web.get(path).status_code == 200
    (first,) = readers(served.files.parent)
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    assert web.get(path).status_code == 200
    (second,) = readers(served.files.parent)
    assert second != first
    os.kill(second, signal.SIGSTOP)
    answer = web.get(path)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:gis-service:problem:timeout")
    assert web.get(path).status_code == 200
    assert second not in readers(served.files.parent)


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_maplibre_draws_the_raster_on_its_page(served: Served) -> None:
    with browser() as page:
        page.open(f"{served.url}/collections/cover?f=html")
        page.wait("performance.getEntriesByType('resource').some(({name}) => name.endsWith('.webp'))")
        assert page.console() == []
        ours = (served.url, "data:", "blob:", "chrome")
        assert [url for url in page.requested() if not url.startswith(ours)] == []
