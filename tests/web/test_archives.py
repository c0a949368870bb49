"""Tiles as files: as the service draws them, read by what others wrote, drawn with the service stopped."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pmtiles.reader
import pyogrio
import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import load_catalog
from gis_service.cli.__main__ import main
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile
from gis_service.processes import pack, tiling
from gis_service.processes.pack import Pack
from gis_service.processes.tiling import NothingThere, Wanted
from gis_service.settings import Settings
from gis_service.tiles import archive as archives
from gis_service.tiles.archive import About
from gis_service.tiles.walk import Found, Walk, number
from tests.clients import browser
from tests.conftest import ROOT
from tests.web.conftest import Sample

READER: Any = pmtiles.reader  # has no types
CATALOG = load_catalog(ROOT)
CENTRE = Principal("centre", "full")
LAYERS = ("protected-areas", "occurrences")
SAME = os.urandom(100_000)
SPOT = BBox(105.3, 20.3, 105.7, 20.7)  # about area A
Tiles = dict[tuple[int, int, int], bytes]


def unheard(_zoom: int, _done: int, _all: int) -> None:
    """Nobody watches a bar."""


def wanted(who: Principal = PUBLIC, box: BBox | None = None, zooms: tuple[int, int] = (0, 10)) -> Wanted:
    return Wanted([view(who, CATALOG.layers[name]) for name in LAYERS], box, zooms)


def export(dsn: str, path: Path, of: Wanted) -> int:
    with SyncDatabase(dsn) as database:
        return tiling.export(database, dsn, of, path, "en", unheard)


def tiles(path: Path) -> Tiles:
    with path.open("rb") as file:
        return {zxy: gzip.decompress(body) for zxy, body in READER.all_tiles(READER.MmapSource(file))}


@pytest.fixture(scope="module")
def archive(sampled: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "both.pmtiles"
    assert export(sampled.dsn, path, wanted()) == len(tiles(path))
    return path


def test_an_archive_has_the_tiles_that_the_service_draws(archive: Path, web: httpx.Client) -> None:
    """All of them: around each that is in it none is missing."""
    held = tiles(archive)
    assert {z for z, _, _ in held} == set(range(11))
    near = {(z, x + dx, y + dy) for z, x, y in held for dx in (-1, 0, 1) for dy in (-1, 0, 1) if z in (4, 8)}
    for z, x, y in near:
        if 0 <= x < 1 << z and 0 <= y < 1 << z:
            assert web.get(f"/xyz/{','.join(LAYERS)}/{z}/{x}/{y}.mvt").content == held.get((z, x, y), b"")


def test_an_archive_says_what_it_holds_and_whose_it_is(archive: Path) -> None:
    with archive.open("rb") as file:
        reader = READER.Reader(READER.MmapSource(file))
        head, told = reader.header(), reader.metadata()
    assert (head["clustered"], head["min_zoom"], head["max_zoom"]) == (True, 0, 10)
    assert (head["min_lon_e7"], head["max_lon_e7"]) == (1_050_500_000, 1_066_000_000)
    assert [layer["id"] for layer in told["vector_layers"]] == list(LAYERS)
    assert "name_eng" in told["vector_layers"][0]["fields"]
    assert told["attribution"]


def test_an_archive_of_the_centre_has_more_than_the_publics(
    archive: Path, sampled: Sample, tmp_path: Path
) -> None:
    export(sampled.dsn, tmp_path / "all.pmtiles", wanted(CENTRE))
    assert tiles(archive)[4, 12, 7] != tiles(tmp_path / "all.pmtiles")[4, 12, 7]


def test_a_box_leaves_the_rest_out(sampled: Sample, tmp_path: Path) -> None:
    export(sampled.dsn, tmp_path / "spot.pmtiles", wanted(box=SPOT, zooms=(8, 10)))
    assert {(z, x) for z, x, _ in tiles(tmp_path / "spot.pmtiles")} <= {
        (8, 202), (8, 203), (9, 405), (9, 406), (10, 811), (10, 812),
    }  # fmt: skip


def test_a_walk_from_a_high_zoom_asks_for_nothing_where_nothing_is(sampled: Sample) -> None:
    """The world has 268 million tiles there; the tiles of a lower zoom tell where to look."""
    asked: dict[int, int] = {}
    area = [view(PUBLIC, CATALOG.layers["plots"])]
    walk = Walk(area, BBox(-180, -90, 180, 90), 14, 14)
    found = {each.tile for each in walk.tiles(sampled.dsn, lambda zoom, _, of: asked.update({zoom: of}))}
    near = {each.tile for each in Walk(area, BBox(100, 5, 112, 25), 14, 14).tiles(sampled.dsn)}
    assert found == near
    assert {tile.z for tile in found} == {14}
    assert sum(asked.values()) < 1000


def test_mbtiles_holds_the_same_with_rows_from_the_south(
    archive: Path, sampled: Sample, tmp_path: Path
) -> None:
    export(sampled.dsn, tmp_path / "both.mbtiles", wanted())
    with sqlite3.connect(tmp_path / "both.mbtiles") as database:
        rows = database.execute("select zoom_level, tile_column, tile_row, tile_data from tiles")
        held: Tiles = {(z, x, (1 << z) - 1 - row): gzip.decompress(body) for z, x, row, body in rows}
        told = dict(database.execute("select name, value from metadata"))
    assert held == tiles(archive)
    assert (told["format"], told["minzoom"], told["maxzoom"]) == ("pbf", "0", "10")
    assert [layer["id"] for layer in json.loads(told["json"])["vector_layers"]] == list(LAYERS)


@pytest.mark.parametrize("kind", ["pmtiles", "mbtiles"])
def test_tiles_that_are_the_same_are_kept_once(kind: str, tmp_path: Path) -> None:
    about = About("A", "A", "A", (105, 20, 106, 21), (8, 8), [])
    found = [
        Found(Tile(8, 200 + x, 100), gzip.compress(os.urandom(50_000) if x == 7 else SAME)) for x in range(8)
    ]
    found.sort(key=lambda each: number(each.tile))
    path = tmp_path / f"a.{kind}"
    assert archives.write(path, about, iter(found)) == 8
    assert 150_000 < path.stat().st_size < 200_000


@pytest.mark.parametrize("kind", ["pmtiles", "mbtiles"])
def test_gdal_reads_it(kind: str, sampled: Sample, tmp_path: Path) -> None:
    path = tmp_path / f"both.{kind}"
    export(sampled.dsn, path, wanted())
    frame = pyogrio.read_dataframe(path, layer="protected-areas")
    assert set(frame["name"]) == {"Open A", "Open B"} or len(frame) >= 2
    west, _, east, _ = frame.to_crs(4326).total_bounds
    assert (west, east) == pytest.approx((105.4, 106.6), abs=0.01)


def test_where_nothing_is_nothing_is_written(sampled: Sample, tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        export(sampled.dsn, tmp_path / "sea.pmtiles", wanted(box=BBox(0, 0, 1, 1), zooms=(8, 10)))
    assert list(tmp_path.iterdir()) == []


def test_a_walk_sees_one_moment(sampled: Sample) -> None:
    """What is committed while it walks isn't half in it."""
    walk = Walk(wanted().views, SPOT, 0, 9)
    before = {found.tile: found.body for found in walk.tiles(sampled.dsn)}
    with SyncDatabase(sampled.dsn) as database:
        seen: dict[Any, bytes] = {}
        for found in walk.tiles(sampled.dsn):
            if not seen:
                database.apply(
                    ["update gis.protected_area set name_eng = 'Later' where public_id = 'open-A'"]
                )
            seen[found.tile] = found.body
        assert seen == before
        assert {found.tile: found.body for found in walk.tiles(sampled.dsn)} != before


def test_a_pack_opens_with_the_service_stopped(sampled: Sample, tmp_path: Path) -> None:
    """Chromium opens it as a file: no server is asked for anything."""
    if (lack := browser.missing()) is not None:
        pytest.skip(lack)
    chosen = Pack(CATALOG, "overview", wanted(zooms=(0, 8)), "vi")
    with SyncDatabase(sampled.dsn) as database:
        packed = pack.write(database, sampled.dsn, chosen, tmp_path / "map.zip", unheard)
    assert list(tmp_path.iterdir()) == [packed]
    with zipfile.ZipFile(packed) as file:
        file.extractall(tmp_path)
    page = tmp_path / "map" / "index.html"
    style = json.loads((page.parent / "style.json").read_text("utf-8"))
    assert style["sources"]["occurrences"]["url"] == "pmtiles://tiles/occurrences.pmtiles"
    assert (page.parent / style["glyphs"].format(fontstack="Noto Sans Italic", range="7680-7935")).is_file()
    with browser.browser() as tab:
        tab.open(page.as_uri())
        tab.wait("document.body.classList.contains('drawn')")
        drawn = "map.queryRenderedFeatures({layers: map.getStyle().layers.map((l) => l.id)})"
        found = tab.run(f"return {drawn}.map((each) => each.sourceLayer)")
        assert set(found) == set(LAYERS)
        assert tab.console() == []
        assert [address for address in tab.requested() if address.startswith("http")] == []


def test_the_commands_write_what_a_user_sees_and_say_whats_wrong(
    sampled: Sample, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GIS_DATABASE_URL", sampled.dsn)
    monkeypatch.setenv("GIS_DATA", str(settings.data_dir))
    monkeypatch.setenv("GIS_LANG", "en")
    path = tmp_path / "plots.mbtiles"

    def export(*words: str, to: Path = path) -> int:
        return main(["tiles", "export", "occurrences", "--to", str(to), *words])

    with SyncDatabase(sampled.dsn) as database:
        count = Query("select coalesce(sum(requests), 0) from gis.read_minute where access = 'tiles'")
        before = database.run(count)[0][0]
        assert export("--zooms", "5-8") == 0
        assert str(path) in capsys.readouterr().out
        assert database.run(count)[0][0] == before
        assert export("--zooms", "5-8", "--as", "centre") == 0
        assert database.run(count)[0][0] == before + 1
    for words, code in (
        (("--zooms", "8-5"), 2), (("--zooms", "0-99"), 2), (("--bbox", "1,2,3"), 2),
        (("--bbox", "7,0,6,1"), 2), (("--as", "nobody"), 2), (("--bbox", "0,0,1,1", "--zooms", "8-9"), 4),
    ):  # fmt: skip
        assert export(*words) == code, words
    assert export(to=tmp_path / "plots.tiles") == 2
    assert main(["tiles", "export", "no-such-layer", "--to", str(path)]) == 2
    assert main(["tiles", "pack", "plots", "--to", str(path)]) == 2
    assert main(["tiles", "pack", "plots", "--to", str(tmp_path / "map"), "--style", "none"]) == 2
    assert export(to=tmp_path / "missing" / "plots.pmtiles") == 2
    assert "missing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]
