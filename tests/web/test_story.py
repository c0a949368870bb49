"""The whole way of a correction, as the people of three tiers go it in their browsers.

Area A of the sample is the square 105.4–105.6 E, 20.4–20.6 N. Its board sends a GeoPackage in which the area
reaches to 105.7 E, half as much again, and a new zone with an impossible year. The checks refuse that row,
the province sends the rest back once, the centre releases it, the public sees it; yesterday's report stays.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import httpx
import mapbox_vector_tile
import pytest
import shapely

from gis_service.access import accounts, auditing, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.principal import SCOPES, Role
from gis_service.db import audit
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings
from tests import sample
from tests.conftest import Starter
from tests.web.browser import Browser
from tests.web.worker import running_worker

PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("ban", "board-a", "editor"),
    ("phan", "dept-a", "reviewer"),
    ("chi", "nbca", "reviewer"),
)
LARGER = shapely.MultiPolygon([shapely.box(105.4, 20.4, 105.7, 20.6)])
WITHIN = shapely.MultiPolygon([shapely.box(105.45, 20.45, 105.5, 20.5)])
PROJECT = {
    "type": "Polygon",
    "coordinates": [[[105.3, 20.3], [105.9, 20.3], [105.9, 20.65], [105.3, 20.65], [105.3, 20.3]]],
}
BOUND = 1.0  # seconds after the release


@pytest.fixture(scope="module")
def keys(database: str) -> dict[str, str]:
    sample.fill(database)
    with SyncDatabase(database) as db:
        organisations.create(db, Organisation("nbca", "Cục", None, "central"))
        organisations.create(db, Organisation("dept-a", "Sở A", None, "province", "nbca", ("A",)))
        organisations.create(db, Organisation("board-a", "Ban A", None, "site", "dept-a", areas=("open-A",)))
        for name, organisation, role in PEOPLE:
            accounts.create(db, NewAccount(name))
            accounts.grant(db, name, organisation, role)
        return {name: keystore.create(db, name, scopes=SCOPES) for name, _, _ in PEOPLE}


@pytest.fixture(scope="module")
def url(
    start_server: Starter,
    settings: Settings,
    database: str,
    keys: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    with running_worker(settings, database, tmp_path_factory.mktemp("worker") / "worker.log"):
        yield start_server(database)


def signed_in(url: str, key: str) -> Browser:
    browser = Browser(url)
    assert browser.sign_in(key).status_code == 303
    return browser


def report(url: str, **inputs: object) -> dict[str, Any]:
    answer = httpx.post(
        f"{url}/processes/overlap-report/execution", json={"inputs": {"area": PROJECT, **inputs}}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def seen(url: str) -> list[float]:
    """The eastern end of area A as the public sees it: in features, and in the tile of zoom 6."""
    box = shapely.geometry.shape(
        httpx.get(f"{url}/collections/protected-areas/items/open-A").json()["geometry"]
    )
    body = httpx.get(f"{url}/xyz/protected-areas/6/50/28.mvt").content
    layer = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})["protected-areas"]
    area = next(each for each in layer["features"] if each["properties"]["name"] == "Khu open A")
    east = shapely.geometry.shape(area["geometry"]).bounds[2]
    return [box.bounds[2], (50 + east / 4096) / 64 * 360 - 180]


def package(path: Path) -> bytes:
    rows = {"id": ["open-A", None], "name": ["Khu open A", "Phân khu mới"], "status_yr": [2026, 2999]}
    frame = geopandas.GeoDataFrame(rows, geometry=[LARGER, WITHIN], crs="EPSG:4326")
    frame.to_file(path / "ranh-gioi.gpkg", driver="GPKG", layer="khu")
    return (path / "ranh-gioi.gpkg").read_bytes()


def sent(browser: Browser, content: bytes) -> int:
    """The draft that the worker has made of the file."""
    title = "Ranh giới theo quyết định mới"
    answer = browser.send("/contribute/protected-areas", "ranh-gioi.gpkg", content, title)
    assert answer.status_code == 303, answer.text
    for _ in range(200):
        page = browser.get(answer.headers["location"])
        if page.status_code == 303:
            return int(page.headers["location"].rpartition("/")[2])
        time.sleep(0.1)
    pytest.fail(page.text)


def stepped(browser: Browser, number: int, action: str, comment: str = "") -> str:
    """Take a step by the form of the proposal's page; the page afterwards."""
    page = browser.get(f"/proposals/{number}").text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    assert revision is not None
    assert f'value="{action}"' in page, f"the page offers no {action}"
    answer = browser.post(f"/proposals/{number}/steps", action=action, revision=revision[1], comment=comment)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text


def test_a_correction_from_the_board_to_the_public(
    url: str, database: str, keys: dict[str, str], tmp_path: Path
) -> None:
    ban, phan, chi = (signed_in(url, keys[name]) for name in ("ban", "phan", "chi"))
    yesterday = report(url)
    assert seen(url) == pytest.approx([105.6, 105.6], abs=0.003)

    # The board sends its file; the checks refuse one row, beside the cell.
    number = sent(ban, package(tmp_path))
    draft = ban.get(f"/proposals/{number}").text
    assert "status_yr = 2999" in draft
    page = stepped(ban, number, "submit")
    assert "area-year" in page

    # The province sends it back, the board submits it again, the province accepts.
    assert f"/proposals/{number}" in phan.get("/proposals?waiting=yes").text
    stepped(phan, number, "return", comment="Ghi rõ số quyết định")
    home = ban.get("/contribute").text
    assert "Ghi rõ số quyết định" in home
    stepped(ban, number, "submit", comment="Quyết định 12/QĐ-UBND")
    stepped(phan, number, "accept")

    # The centre approves, looks what the release would be, publishes it. Until then the public sees nothing.
    stepped(chi, number, "approve")
    tried = chi.post(f"/proposals/{number}/steps", action="try")
    assert tried.status_code == 200
    assert seen(url)[0] == pytest.approx(105.6)
    released = chi.post(f"/proposals/{number}/steps", action="publish", name="Bản tháng 11")
    assert released.status_code == 303, released.text
    until = time.monotonic() + BOUND
    while seen(url)[0] < 105.65 and time.monotonic() < until:
        time.sleep(0.05)
    assert seen(url) == pytest.approx([105.7, 105.7], abs=0.003)

    # The public's report of today knows it; yesterday's can be run again and says what it said.
    today, again = report(url), report(url, **yesterday["again"]["inputs"])
    assert covered(today) / covered(yesterday) == pytest.approx(1.5, rel=1e-6)
    assert covered(again) == covered(yesterday)
    assert again["protected_areas"] == yesterday["protected_areas"]

    # The log has every step, by its actor, and nobody has touched it.
    with audit.copied(database) as entries:
        verdict = auditing.verify(entries)
    assert not verdict.faults
    told = json.dumps(told_of(database, number))
    assert all(name in told for name, _, _ in PEOPLE)


def covered(made: dict[str, Any]) -> float:
    """The area of A within the project, in m²."""
    (area,) = (each for each in made["protected_areas"] if each["name"] == "Khu open A")
    return float(area["overlap_m2"])


def told_of(dsn: str, number: int) -> list[tuple[str, str]]:
    with SyncDatabase(dsn) as db:
        return [(row[2], row[4]) for row in db.run(audit.entries(subject=f"proposal:{number}"))]
