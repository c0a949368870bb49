"""Bulk files made beforehand: each class its own, whole or in ranges, closed when rights or rows change."""

import asyncio
import base64
import gzip
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pmtiles.reader
import pyarrow.parquet
import pyogrio
import pytest

from gis_service.access import keystore
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.cli.__main__ import main
from gis_service.db.sync import SyncDatabase
from gis_service.features.formats import FGB, PMTILES, Format
from gis_service.links import Links
from gis_service.processes import encoding, publishing, tiling
from gis_service.settings import Settings
from gis_service.web import asgi
from tests import sample
from tests.conftest import ROOT, Starter
from tests.web.lifespan import lifespan

READER: Any = pmtiles.reader  # has no types
LAYERS = ("protected-areas", "occurrences", "plots")
AREAS = "/collections/protected-areas"
HIDDEN = (b"SECRET-", b"Recorder ", b"Hollow ", b"Observer ", b"PLOT-", b"Khu closed", b"category1")


@dataclass(frozen=True)
class World:
    """A server on the sample, the folder of its files, and the keys of who may ask."""

    url: str
    dsn: str
    place: Path
    keys: dict[str, str | None]

    @contextmanager
    def ask(self, who: str) -> Iterator[httpx.Client]:
        key = self.keys[who]
        with httpx.Client(base_url=self.url, headers={"X-API-Key": key} if key else {}, timeout=30) as client:
            yield client

    def files(self, who: str, layer: str) -> list[dict[str, Any]]:
        """The enclosure links of the layer's document."""
        with self.ask(who) as client:
            links = client.get(f"/collections/{layer}").json()["links"]
        return [link for link in links if link["rel"] == "enclosure"]

    def publish(self, *layers: str, form: Format = FGB) -> None:
        catalog = load_catalog(ROOT)
        for layer in layers:
            with SyncDatabase(self.dsn) as db:
                classes = keystore.one_of_each_class(db)
                list(publishing.publish(db, catalog.layers[layer], classes, [form], self.place, self.write))

    def write(self, view: ViewedLayer, form: Format, path: Path) -> None:
        with SyncDatabase(self.dsn) as db:
            features = partial(encoding.encode, db, links=Links("http://localhost"), most_bytes=10_000_000)
            tiling.encode(db, self.dsn, features, view, form, path)

    def change(self, statement: str) -> None:
        with SyncDatabase(self.dsn) as db:
            db.apply([statement])


@pytest.fixture(scope="module")
def world(start_server: Starter, settings: Settings, database: str) -> World:
    sample.fill(database)
    with SyncDatabase(database) as db:
        for principal in (sample.PROVINCE_A, sample.CENTRE):
            keystore.ensure_principal(db, principal)
        keys = {p.name: keystore.create(db, p.name) for p in (sample.PROVINCE_A, sample.CENTRE)}
    url = start_server(database)
    return World(url, database, publishing.folder(settings.data_dir), {"public": None, **keys})


def features(body: bytes, path: Path) -> Any:
    """What GDAL reads in a file."""
    path.write_bytes(body)
    return pyogrio.read_arrow(path)[1]


def test_each_class_gets_its_own_files_and_no_other_s(world: World, tmp_path: Path) -> None:
    world.publish(*LAYERS)
    counted = {}
    for who in world.keys:
        bodies = []
        for layer in LAYERS:
            (link,) = world.files(who, layer)
            with world.ask(who) as client:
                answer = client.get(link["href"])
            assert answer.status_code == 200
            assert (link["type"], answer.headers["content-type"]) == (FGB.media, FGB.media)
            assert link["length"] == len(answer.content) == int(answer.headers["content-length"])
            assert link["checksum"] == f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
            assert ("private" in answer.headers["cache-control"]) == (who != "public")
            bodies.append(answer.content)
        counted[who] = [len(features(body, tmp_path / "file.fgb")) for body in bodies]
        if who == "public":
            assert not [word for word in HIDDEN for body in bodies if word in body]
    assert counted == {"public": [2, 8, 2], "province-a": [3, 9, 2], "centre": [4, 10, 2]}


def test_names_on_disk_open_nothing(world: World) -> None:
    world.publish("protected-areas")
    stored = [path.name for path in world.place.iterdir()]
    assert len(stored) >= len(world.keys)
    for who in world.keys:
        with world.ask(who) as client:
            for name in (*stored, "..%2F..%2Fkeys", "%2e%2e", "protected-areas-r1", "x.fgb"):
                assert client.get(f"{AREAS}/files/{name}").status_code == 404, name
    with world.ask("public") as client:
        assert client.get("/collections/no-such-layer/files/x").status_code == 404


def test_a_file_comes_in_ranges(world: World) -> None:
    world.publish("protected-areas")
    (link,) = world.files("public", "protected-areas")
    with world.ask("public") as client:

        def ranged(value: str, **more: str) -> httpx.Response:
            return client.get(link["href"], headers={"Range": value, **more})

        whole = client.get(link["href"])
        body, size, tag = whole.content, len(whole.content), whole.headers["etag"]
        assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        assert whole.headers["repr-digest"] == f"sha256=:{digest}:".replace("sha256", "sha-256")
        for asked, begin, end in (
            ("bytes=0-9", 0, 10), ("bytes=5-", 5, size), ("bytes=-7", size - 7, size),
            (f"bytes=3-{size + 99}", 3, size), (f"bytes=-{size + 99}", 0, size), ("bytes=0-0", 0, 1),
        ):  # fmt: skip
            part = ranged(asked)
            assert (part.status_code, part.content) == (206, body[begin:end])
            assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
            assert (part.headers["etag"], part.headers["repr-digest"]) == (tag, whole.headers["repr-digest"])
        for asked in ("bytes=0-1,3-4", "bytes=x-", "bytes=-", "bytes=9-3", "lines=1-2"):
            assert ranged(asked).content == body
        for asked in (f"bytes={size}-", "bytes=-0"):
            refused = ranged(asked)
            assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{size}")
            assert refused.headers["content-type"] == "application/problem+json"
        modified = whole.headers["last-modified"]
        for condition, status in ((tag, 206), (modified, 206), ('"other"', 200), ("yesterday", 200)):
            assert ranged("bytes=0-9", **{"If-Range": condition}).status_code == status
        for header, value in (("If-None-Match", tag), ("If-Modified-Since", modified)):
            same = client.get(link["href"], headers={header: value, "Range": "bytes=0-9"})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        head = client.head(link["href"], headers={"Accept-Encoding": "gzip, zstd"})
        assert (head.headers["content-length"], head.headers.get("content-encoding")) == (str(size), None)


def test_changed_rights_close_a_file_at_once(world: World) -> None:
    world.publish("occurrences")
    hrefs = {who: world.files(who, "occurrences")[0]["href"] for who in world.keys}
    world.change("update gis.sensitivity set category = 1 where category = 2")
    time.sleep(1)  # rights are read anew after less
    for who, href in hrefs.items():
        with world.ask(who) as client:
            assert client.get(href).status_code == 404
        assert world.files(who, "occurrences") == []
    world.publish("occurrences")
    assert len(world.files("public", "occurrences")) == 1


def test_a_superseded_file_leaves_the_list_and_the_disk(world: World) -> None:
    world.publish("protected-areas", "plots")
    (old,) = world.files("public", "protected-areas")
    before = set(world.place.iterdir())
    world.change("update gis.protected_area set name = 'Khu mới' where not restricted")
    assert world.files("public", "protected-areas") == []
    assert len(world.files("public", "plots")) == 1
    with world.ask("public") as client:
        assert client.get(old["href"]).status_code == 404
    world.publish("protected-areas")
    (new,) = world.files("public", "protected-areas")
    assert new["href"] != old["href"]
    after = set(world.place.iterdir())
    assert len(before) == len(after)
    assert len(before - after) == len(world.keys)


def test_what_a_class_does_not_see_closes_none_of_its_files(world: World) -> None:
    """Else a file that vanishes would tell the public that hidden rows are edited."""
    world.publish(*LAYERS)
    before = [world.files("public", layer) for layer in LAYERS]
    world.change("update gis.occurrence set geom = ST_Translate(geom, 0.2, 0.2) where taxon_id = 'taxon-1'")
    world.change("update gis.occurrence set recorded_by = 'Other'")
    world.change("update gis.protected_area set name = 'Khu khác ' || gid where restricted")
    world.change("update gis.plot set observer = 'Other'")
    assert [world.files("public", layer) for layer in LAYERS] == before
    assert [world.files("centre", layer) for layer in LAYERS] == [[], [], []]


def test_the_command_makes_them_in_three_formats(
    world: World, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GIS_DATABASE_URL", world.dsn)
    monkeypatch.setenv("GIS_DATA", str(settings.data_dir))
    monkeypatch.setenv("GIS_LANG", "en")
    assert main(["publish", "protected-areas", "plots"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 * 3 * len(world.keys)
    found = {link["href"].rpartition(".")[2]: link for link in world.files("province-a", "protected-areas")}
    assert sorted(found) == ["fgb", "gpkg", "parquet"]
    release = found["gpkg"]["href"].rpartition("-r")[2].removesuffix(".gpkg")
    assert found["gpkg"]["title"] == f"Protected areas as of release {release}, whole, as GeoPackage"
    with world.ask("province-a") as client:
        for extension in ("fgb", "gpkg"):
            body = client.get(found[extension]["href"]).content
            assert len(features(body, tmp_path / f"a.{extension}")) == 3
        (tmp_path / "a.parquet").write_bytes(client.get(found["parquet"]["href"]).content)
    assert pyarrow.parquet.read_metadata(tmp_path / "a.parquet").num_rows == 3
    assert main(["publish", "protected-areas", "--format", "shp"]) == 2
    assert main(["publish", "no-such-layer"]) == 2


def test_a_file_of_a_layer_that_is_written_to_meanwhile_is_not_offered(world: World) -> None:
    def write(view: ViewedLayer, form: Format, path: Path) -> None:
        world.write(view, form, path)
        world.change("update gis.plot set name = name || '.'")

    plots = load_catalog(ROOT).layers["plots"]
    with SyncDatabase(world.dsn) as db:
        making = publishing.publish(db, plots, [sample.CENTRE], [FGB], world.place, write)
        with pytest.raises(publishing.BeingWritten):
            list(making)
    assert not [link for link in world.files("centre", "plots") if link["href"].endswith(".fgb")]


def test_the_asgi_twin_sends_files_too(world: World, settings: Settings) -> None:
    world.publish("protected-areas")
    link = next(each for each in world.files("public", "protected-areas") if each["type"] == FGB.media)

    async def trial() -> None:
        app = asgi.App(lambda: (settings, world.dsn))
        transport = httpx.ASGITransport(app=app)
        async with lifespan(app), httpx.AsyncClient(transport=transport, base_url=world.url) as client:
            whole = await client.get(link["href"])
            assert len(whole.content) == link["length"]
            part = await client.get(link["href"], headers={"Range": "bytes=5-9"})
            assert (part.status_code, part.content) == (206, whole.content[5:10])
            assert (await client.head(link["href"])).content == b""

    asyncio.run(trial())


def test_a_file_names_the_newest_release_that_its_readers_know(world: World) -> None:
    """A release that changed hidden rows alone names no file of those who don't see them."""
    named: dict[str, list[str]] = {"public": [], "centre": []}
    for word in ("one", "two"):
        world.change(f"update gis.protected_area set name = 'Khu closed {word}' where restricted")
        world.publish("protected-areas")
        for who in named:
            named[who] += [
                link["href"].rpartition("/")[2] for link in world.files(who, "protected-areas")[:1]
            ]
    assert named["public"][0] == named["public"][1]
    assert named["centre"][0] != named["centre"][1]


def test_archives_of_tiles_are_read_in_ranges(world: World) -> None:
    """A reader of PMTiles asks for the head, a directory and a tile; each class has its own tiles."""
    world.publish("plots", form=PMTILES)
    tiles = set()
    for who in world.keys:
        (link,) = [each for each in world.files(who, "plots") if each["type"] == PMTILES.media]
        with world.ask(who) as client:
            part = Parts(client, link["href"])
            body = gzip.decompress(READER.Reader(part).get(8, 202, 113))
            assert body == client.get("/xyz/plots/8/202/113.mvt").content
        assert len(part.asked) == 3
        assert sum(part.asked) < link["length"]
        tiles.add(body)
    assert len(tiles) > 1


@dataclass
class Parts:
    """What a reader of PMTiles calls for bytes of a file."""

    client: httpx.Client
    address: str
    asked: list[int] = field(default_factory=list)

    def __call__(self, begin: int, length: int) -> bytes:
        answer = self.client.get(self.address, headers={"Range": f"bytes={begin}-{begin + length - 1}"})
        assert answer.status_code == 206
        assert "content-encoding" not in answer.headers
        self.asked.append(len(answer.content))
        return answer.content
