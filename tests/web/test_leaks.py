"""The leak test: no bit of a row that a class may not see changes what that class gets, on any route.

The same requests are sent before and after a change of hidden rows alone. Every route that is added later
joins `requests`. The centre, which sees the rows, must notice the change, or the test would prove nothing.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from gis_service.access import keystore
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from gis_service.settings import Settings
from gis_service.web.validators import SETTLED_SECONDS
from tests import sample
from tests.conftest import Starter
from tests.web.worker import running_worker

LAYERS = ("provinces", "communes", "sea-areas", "ecoregions", "protected-areas", "management-zones",
          "species-ranges", "occurrences", "plots")  # fmt: skip
PROJECT = {
    "type": "Polygon",
    "coordinates": [[[105.0, 20.0], [106.5, 20.0], [106.5, 20.9], [105.0, 20.9], [105.0, 20.0]]],
}
SPOTS = (
    BBox(105.05, 20.05, 105.06, 20.06),
    BBox(106.05, 20.05, 106.06, 20.06),
    BBox(105.43, 20.53, 105.44, 20.54),
)

# What the public may not see: categories 1 to 4 moved (2 to 4 within their cells), names of people and
# places, what sensitive records say of their own exactness (12 m and 77 m are both told as 100), the closed
# dataset's areas, the exact place of plots (within its cell).
CHANGES = (
    ("occurrence", "geom = ST_Translate(geom, 0.2, 0.2)", "taxon_id = 'taxon-1'"),
    ("occurrence", "geom = ST_Translate(geom, 0.02, 0.02)", "taxon_id = 'taxon-2'"),
    ("occurrence", "geom = ST_Translate(geom, 0.004, 0.003)", "taxon_id = 'taxon-3'"),
    ("occurrence", "geom = ST_Translate(geom, 0.0004, 0.0003)", "taxon_id = 'taxon-4'"),
    ("occurrence", "recorded_by = 'Other', locality = 'Elsewhere', occurrence_id = 'OTHER-' || gid", "true"),
    (
        "occurrence",
        "coordinate_uncertainty_in_meters = 77, data_generalizations = 'Nest', information_withheld = 'Nest'",
        "sensitivity > 0",
    ),
    ("protected_area", "geom = ST_Translate(geom, 0.05, 0.01), name = 'Khu khác ' || gid", "restricted"),
    ("plot", "geom = ST_Translate(geom, 0.01, 0.01), observer = 'Other', name = 'Other ' || gid", "true"),
    ("plot", "data_generalizations = 'Nest', information_withheld = 'Nest'", "true"),
    ("species_range", "geom = ST_Translate(geom, 0.1, 0)", "taxon_id = 'taxon-1'"),
)
HIDDEN_FROM_THE_PUBLIC = [f"update gis.{table} set {what} where {which}" for table, what, which in CHANGES]
# What province A may not see: the same, in province B.
HIDDEN_FROM_A = [f"{statement} and not jurisdiction && array['A']" for statement in HIDDEN_FROM_THE_PUBLIC]
# A condition that a hidden value decides, and its negation, over every kind of what is hidden.
FILTERS = (
    ("occurrences", "recordedBy = 'Recorder B0'"),
    ("occurrences", "NOT recordedBy = 'Recorder B0'"),
    ("occurrences", "recordedBy IS NULL OR casei(locality) LIKE casei('hollow%')"),
    ("occurrences", "(recordedBy = 'Recorder B0') = (individualCount IS NULL)"),
    ("occurrences", "occurrenceID IN ('SECRET-A0', 'SECRET-B0')"),
    ("occurrences", "coordinateUncertaintyInMeters = 12"),
    ("occurrences", "NOT coordinateUncertaintyInMeters > 70"),
    ("occurrences", "dataGeneralizations IS NULL OR informationWithheld LIKE 'Nest%'"),
    ("occurrences", "S_EQUALS(geometry, POINT(106.0532345 20.0512345))"),
    ("occurrences", "S_WITHIN(geometry, BBOX(106.05, 20.05, 106.06, 20.06))"),
    ("occurrences", "S_DISJOINT(geometry, BBOX(106.05, 20.05, 106.06, 20.06))"),
    (
        "occurrences",
        "NOT S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(0 0), LINESTRING(105 20, 106.1 20.1)))",
    ),
    ("protected-areas", "name LIKE 'Khu closed%'"),
    ("protected-areas", "NOT S_INTERSECTS(geometry, BBOX(105, 20, 105.1, 20.1))"),
    ("plots", "NOT observer = 'Observer B'"),
    ("plots", "S_INTERSECTS(geometry, BBOX(106.43, 20.53, 106.44, 20.54))"),
)


# Orders in which a hidden name or row would come first or last.
ORDERS = (
    ("plots", "name"), ("plots", "-name"), ("plots", "stratum"), ("occurrences", "scientificName"),
    ("occurrences", "-scientificName"), ("protected-areas", "name"), ("protected-areas", "-name"),
    ("species-ranges", "-sci_name"),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """A server on the sample, and the keys of the two principals that have one."""

    url: str
    dsn: str
    keys: Mapping[str, str | None]

    def ask(self, who: str) -> httpx.Client:
        key = self.keys[who]
        return httpx.Client(base_url=self.url, headers={"X-API-Key": key} if key else {}, timeout=60)


@pytest.fixture
def world(start_server: Starter, settings: Settings, fresh_database: str, tmp_path: Path) -> Iterator[World]:
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as database:
        for principal in (sample.PROVINCE_A, sample.CENTRE):
            keystore.ensure_principal(database, principal)
        keys = {p.name: keystore.create(database, p.name) for p in (sample.PROVINCE_A, sample.CENTRE)}
    with running_worker(settings, fresh_database, tmp_path / "worker.log"):
        yield World(start_server(fresh_database), fresh_database, {"public": None, **keys})


def change(world: World, statements: list[str]) -> None:
    with SyncDatabase(world.dsn) as database:
        database.apply(statements)


def requests(gids: list[int]) -> Iterator[str]:
    """Every address that reads data, over boxes, filters, pages, single features, tiles and releases."""
    yield from (
        "/",
        "/collections",
        "/api",
        "/conformance",
        "/styles",
        "/styles/overview",
        "/map",
        "/processes",
    )
    for layer in LAYERS:
        base = f"/collections/{layer}"
        yield from (
            base,
            f"{base}/queryables",
            f"{base}/sortables",
            f"{base}/schema",
            f"{base}/schema/geojson",
            f"{base}/tiles",
            f"{base}/items?limit=100",
            f"{base}/items?limit=2",
        )
        yield f"{base}/items?limit=100&release=1"
        yield f"{base}/items?limit=100&f=html"
        yield from (f"{base}/export?f={form}" for form in ("json", "jsonfg", "ndjson", "csv", "fgb"))
        yield f"{base}/items?limit=100&f=fgb"
        for box in SPOTS:
            yield f"{base}/items?limit=100&bbox={','.join(map(str, box.as_tuple()))}"
        yield from (f"{base}/items/{gid}" for gid in gids)
        yield f"/xyz/{layer}/tilejson.json"
        for zoom in (0, 6, 8, 11, 14):
            for box in SPOTS:
                x, y, *_ = covering(box, zoom)
                yield f"/xyz/{layer}/{zoom}/{x}/{y}.mvt"
    yield from (f"/collections/occurrences/items/{gid}?f=html" for gid in gids[:4])  # names its neighbours
    yield from (f"/collections/protected-areas/items/closed-{code}" for code in "AB")
    yield from (f"/collections/species-ranges/items/range-{number}" for number in (0, 1))
    yield from (f"/collections/occurrences/export?f={form}" for form in ("parquet", "gpkg"))
    yield "/collections/occurrences/items?recordedBy=Recorder%20B0"
    yield "/collections/occurrences/items?coordinateUncertaintyInMeters=12"
    yield "/collections/occurrences/items?scientificName=Speciosus%20category1"
    yield "/collections/protected-areas/items?name=Khu%20closed%20B"
    yield from (f"/collections/{layer}/items?limit=100&filter={quote(text)}" for layer, text in FILTERS)
    yield from (f"/collections/{layer}/items?limit=1&sortby={key}" for layer, key in ORDERS)
    yield from (f"/collections/{layer}/items?id={gids[-1]}" for layer in ("occurrences", "plots"))
    # Half a cell round the exact place of a plot of province A, and what has moved there, in metres.
    yield "/collections/plots/items?crs=EPSG:3405&bbox=544000,2269000,546000,2272000&bbox-crs=EPSG:3405"
    yield "/collections/species-ranges/items?zoom-level=3&properties=presence&crs=EPSG:3857"
    x, y, *_ = covering(SPOTS[0], 8)
    yield f"/xyz/{','.join(LAYERS)}/8/{x}/{y}.mvt"


def stable(text: bytes) -> bytes:
    """An answer without what differs between any two requests: times, request ids, job ids."""
    text = re.sub(
        rb'"(timeStamp|created|generated|started|finished|updated|requested_at|generated_at)": ?"[^"]*"',
        b"",
        text,
    )
    text = re.sub(rb"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|\+00:00)?", b"<time>", text)
    return re.sub(rb"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", b"<id>", text)


def snapshot(world: World, who: str, gids: list[int]) -> dict[str, tuple[int, str | None, bytes]]:
    """Status, ETag, date and body of every request as one principal gets them."""
    seen: dict[str, tuple[int, str | None, bytes]] = {}
    with world.ask(who) as client:
        for path in requests(gids):
            answer = client.get(path)
            validators = f"{answer.headers.get('etag')} {answer.headers.get('last-modified')}"
            seen[path] = (answer.status_code, validators, stable(answer.content))
        for form in ("json", "html"):
            seen[f"report {form}"] = report(client, form)
    return seen


def report(client: httpx.Client, form: str) -> tuple[int, str | None, bytes]:
    asked = {"inputs": {"area": PROJECT, "format": form}}
    answer = client.post("/processes/overlap-report/execution", json=asked)
    return answer.status_code, None, stable(answer.content)


def gids(world: World) -> list[int]:
    with SyncDatabase(world.dsn) as database:
        found = sample.scalar(database, "select array_agg(gid order by gid) from gis.feature_key")
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("who", "hidden"),
    [("public", HIDDEN_FROM_THE_PUBLIC), ("province-a", HIDDEN_FROM_A)],
    ids=["public", "province"],
)
def test_a_change_of_hidden_rows_changes_nothing_that_the_class_gets(
    world: World, who: str, hidden: list[str]
) -> None:
    ids = gids(world)
    time.sleep(SETTLED_SECONDS + 1)  # until then answers bear no date
    before, centre_before = snapshot(world, who, ids), snapshot(world, "centre", ids)
    change(world, hidden)
    after, centre_after = snapshot(world, who, ids), snapshot(world, "centre", ids)
    changed = {path: (before[path], after[path]) for path in before if before[path] != after[path]}
    assert not changed, json.dumps({k: str(v)[:1500] for k, v in changed.items()}, indent=1)
    noticed = {path for path in centre_before if centre_before[path] != centre_after[path]}
    assert any("occurrences/items?" in path for path in noticed)
    assert any(path.endswith(".mvt") for path in noticed)
    assert any(path.startswith("report") for path in noticed)


def test_no_answer_to_the_public_holds_a_hidden_word(world: World) -> None:
    words = (b"SECRET-", b"Recorder ", b"Hollow ", b"Observer ", b"PLOT-", b"Khu closed", b"category1")
    for path, (_, _, body) in snapshot(world, "public", gids(world)).items():
        found = [word for word in words if word in body and word.decode().strip() not in path]
        assert not found, f"{path}: {found}"


def test_three_principals_count_what_is_theirs(world: World) -> None:
    counted = {}
    for who in world.keys:
        with world.ask(who) as client:
            counted[who] = [
                len(client.get(f"/collections/{layer}/items?limit=100").json()["features"])
                for layer in ("protected-areas", "occurrences", "plots", "species-ranges")
            ]
    assert counted == {"public": [2, 8, 2, 1], "province-a": [3, 9, 2, 2], "centre": [4, 10, 2, 2]}


def test_a_wrong_key_is_refused_and_not_taken_for_the_public(world: World) -> None:
    answer = httpx.get(f"{world.url}/collections/plots/items", headers={"X-API-Key": "gis_wrong"})
    assert answer.status_code == 401


def test_answers_that_aren_t_public_may_not_be_shared_by_caches(world: World) -> None:
    with world.ask("centre") as client:
        for path in ("/collections/plots/items", "/xyz/provinces/6/50/28.mvt", "/collections"):
            answer = client.get(path)
            assert "private" in answer.headers["cache-control"], path
            assert "authorization" in answer.headers["vary"].lower(), path
