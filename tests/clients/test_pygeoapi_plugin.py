"""A stock pygeoapi, started by its own command from its own configuration, publishes our layers."""

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml

from gis_service.db.cluster import SUPERUSER
from gis_service.db.sync import SyncDatabase
from gis_service.geo.crs import CRS84
from tests import sample
from tests.conftest import ROOT, free_port

PLUGIN = "gis_service.plugin.provider.GisServiceProvider"
LOGIN = "pygeoapi_test"
VN2000 = "http://www.opengis.net/def/crs/EPSG/0/4756"


def _collection(layer: str, dsn: str, **more: object) -> dict[str, object]:
    provider = {"type": "feature", "name": PLUGIN, "data": dsn, "root": str(ROOT), "layer": layer, **more}
    return {
        "type": "collection",
        "title": layer,
        "description": layer,
        "keywords": [layer],
        "links": [],
        "extents": {"spatial": {"bbox": [-180, -90, 180, 90], "crs": CRS84}},
        "providers": [provider],
    }


def _configuration(port: int, dsn: str) -> dict[str, object]:
    url = f"http://127.0.0.1:{port}"
    person = {"name": "Sample"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": url,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["en"],
            "limits": {"default_items": 10, "max_items": 10_000},
            "map": {"url": f"{url}/tiles", "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "Sample", "description": "Sample", "keywords": ["sample"], "url": url,
                "keywords_type": "theme", "terms_of_service": "none",
            },
            "license": {"name": "CC0-1.0", "url": url},
            "provider": person,
            "contact": person,
        },
        "resources": {
            "occurrences": _collection("occurrences", dsn, crs=[CRS84, VN2000]),
            "protected-areas": _collection("protected-areas", dsn, count=True),
            "names": _collection("protected-areas", dsn, properties=["name", "iucn_cat"]),
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def stock(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of `pygeoapi serve` over the sample; it logs in as a role that can become the public alone."""
    sample.fill(database)
    with SyncDatabase(database) as opened:
        opened.apply([f"create role {LOGIN} login in role gis_public"])
    data = database.replace(f"user={SUPERUSER}", f"user={LOGIN}")
    folder = tmp_path_factory.mktemp("pygeoapi")
    port = free_port()
    (folder / "config.yml").write_text(yaml.safe_dump(_configuration(port, data)))
    environment = {
        **os.environ,
        "PYGEOAPI_CONFIG": str(folder / "config.yml"),
        "PYGEOAPI_OPENAPI": str(folder / "openapi.yml"),
        "PYTHONPATH": str(ROOT),
    }
    program = str(ROOT / ".venv" / "bin" / "pygeoapi")
    files = [str(folder / "config.yml"), "--output-file", str(folder / "openapi.yml")]
    made = subprocess.run(
        [program, "openapi", "generate", *files],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    log = folder / "log"
    with log.open("wb") as file:
        server = subprocess.Popen([program, "serve"], env=environment, cwd=folder, stdout=file, stderr=file)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            _wait_until_up(client, log)
            yield client
    finally:
        server.terminate()
        server.wait(timeout=20)
        with SyncDatabase(database) as opened:
            opened.apply([f"drop role {LOGIN}"])


def _wait_until_up(client: httpx.Client, log: Path) -> None:
    for _ in range(300):
        try:
            client.get("/conformance").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(log.read_text(errors="replace")[-3000:])


def _names(page: httpx.Response) -> list[str]:
    assert page.status_code == 200, page.text
    return [feature["properties"]["name"] for feature in page.json()["features"]]


def test_the_public_rows_and_nothing_hidden(stock: httpx.Client) -> None:
    """Eight of ten occurrences: two of category 1 are withheld; names of people and places are left out."""
    page = stock.get("/collections/occurrences/items").json()
    assert len(page["features"]) == page["numberReturned"] == page["numberMatched"] == 8
    assert {feature["properties"]["scientificName"][-1] for feature in page["features"]} == set("0234")
    text = stock.get("/collections/occurrences/items").text
    for hidden in ("Recorder ", "Hollow", "SECRET", '"recordedBy"', '"locality"', '"occurrenceID"'):
        assert hidden not in text, hidden


def test_a_sensitive_row_lies_where_the_service_itself_shows_it(stock: httpx.Client) -> None:
    """Category 2 is shown at the centre of its cell of 0.1 degrees: 105.05, 20.05 (exactly: 105.0532345)."""
    page = stock.get(
        "/collections/occurrences/items", params={"scientificName": "Speciosus category2"}
    ).json()
    places = {tuple(feature["geometry"]["coordinates"]) for feature in page["features"]}
    assert places == {(105.05, 20.05), (106.05, 20.05)}


def test_areas_of_a_closed_dataset_stay_away(stock: httpx.Client) -> None:
    assert _names(stock.get("/collections/protected-areas/items")) == ["Khu open A", "Khu open B"]
    assert stock.get("/collections/protected-areas/items/closed-A").status_code == 404


def test_a_walk_by_next_finds_each_feature_once(stock: httpx.Client) -> None:
    found, url = [], "/collections/occurrences/items?limit=3"
    while url:
        page = stock.get(url).json()
        found += [feature["id"] for feature in page["features"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert len(found) == len(set(found)) == 8


def test_the_number_matched_is_exact_or_absent(stock: httpx.Client) -> None:
    page = stock.get("/collections/occurrences/items?limit=3").json()
    assert "numberMatched" not in page
    last = stock.get("/collections/occurrences/items?limit=3&offset=6").json()
    assert (last["numberMatched"], last["numberReturned"]) == (8, 2)
    counted = stock.get("/collections/protected-areas/items?limit=1").json()
    assert counted["numberMatched"] == 2
    hits = stock.get("/collections/occurrences/items?resulttype=hits").json()
    assert (hits["numberMatched"], hits["features"]) == (8, [])


def test_an_item_knows_its_neighbours(stock: httpx.Client) -> None:
    item = stock.get("/collections/protected-areas/items/open-A").json()
    assert (item["id"], item["properties"]["name"], item["geometry"]["type"]) == (
        "open-A", "Khu open A", "MultiPolygon",
    )  # fmt: skip
    links = {link["rel"]: link["href"] for link in item["links"]}
    assert "/items/open-B" in links["next"]
    assert "prev" not in links
    assert stock.get("/collections/protected-areas/items/none").status_code == 404


def test_box_time_property_order_and_selection(stock: httpx.Client) -> None:
    areas = "/collections/protected-areas/items"
    assert _names(stock.get(areas, params={"bbox": "105,20,106,21"})) == ["Khu open A"]
    assert _names(stock.get(areas, params={"name": "Khu open B"})) == ["Khu open B"]
    assert _names(stock.get(areas, params={"sortby": "-name"})) == ["Khu open B", "Khu open A"]
    records = "/collections/occurrences/items"
    assert len(stock.get(records, params={"datetime": "2024-06-01T00:00:00Z/.."}).json()["features"]) == 0
    assert len(stock.get(records, params={"datetime": "2024-05-31T00:00:00Z/.."}).json()["features"]) == 8
    bare = stock.get(areas, params={"properties": "name", "skipGeometry": "true"}).json()["features"][0]
    assert (bare["properties"], bare["geometry"]) == ({"name": "Khu open A"}, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'Khu open A'", ["A"]),
        ("name LIKE '%open%'", ["A", "B"]),
        ("name ILIKE 'KHU OPEN b'", ["B"]),
        ("name NOT LIKE '%A'", ["B"]),
        ("name IN ('Khu open A', 'none')", ["A"]),
        ("name <> 'Khu open A' AND name <> 'none' AND name <> 'other'", ["B"]),
        ("(name = 'Khu open B' OR name = 'none') AND NOT name = 'Khu open A'", ["B"]),
        ("name BETWEEN 'Khu open A' AND 'Khu open Az'", ["A"]),
        ("decision_no IS NULL", ["A", "B"]),
        ("decision_no IS NOT NULL", []),
        ("INTERSECTS(geometry, POINT(105.5 20.5))", ["A"]),
        ("BBOX(geometry, 106, 20, 107, 21)", ["B"]),
        ("WITHIN(geometry, POLYGON((105 20, 106 20, 106 21, 105 21, 105 20)))", ["A"]),
    ],
)
def test_a_filter_in_ecql(stock: httpx.Client, text: str, expected: list[str]) -> None:
    found = _names(stock.get("/collections/protected-areas/items", params={"filter": text, "sortby": "name"}))
    assert found == [f"Khu open {each}" for each in expected]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("eventDate >= '2024-05-31'", 8),
        ("eventDate < '2024-05-31T12:00:00Z'", 0),
        ("eventDate AFTER 2024-05-31T11:00:00Z", 8),
        ("eventDate DURING 2024-05-31T00:00:00Z/2024-06-01T00:00:00Z", 8),
        ("eventDate BEFORE OR DURING 2024-05-01T00:00:00Z/2024-05-31T12:00:00Z", 0),
    ],
)
def test_moments_in_a_filter(stock: httpx.Client, text: str, count: int) -> None:
    page = stock.get("/collections/occurrences/items", params={"filter": text})
    assert page.status_code == 200, page.text
    assert page.json()["numberMatched"] == count


def test_a_filter_posted_as_cql2_json(stock: httpx.Client) -> None:
    tree = {
        "op": "and",
        "args": [
            {"op": "like", "args": [{"property": "name"}, "Khu%"]},
            {
                "op": "s_intersects",
                "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [106.5, 20.5]}],
            },
        ],
    }
    page = stock.post(
        "/collections/protected-areas/items",
        json=tree,
        headers={"Content-Type": "application/query-cql-json"},
    )
    assert _names(page) == ["Khu open B"]


def test_a_long_chain_of_conditions(stock: httpx.Client) -> None:
    """pygeofilter holds it as a ladder of a hundred rungs; ours as one AND."""
    chain = " AND ".join(f"name <> 'none {n}'" for n in range(100))
    assert _names(stock.get("/collections/protected-areas/items", params={"filter": chain})) == [
        "Khu open A", "Khu open B",
    ]  # fmt: skip


def test_a_filter_in_another_system(stock: httpx.Client) -> None:
    """VN-2000 has latitude first; its datum lies about 200 m away, far less than the area is wide."""
    asked = {"filter": "INTERSECTS(geometry, POINT(20.5 105.5))", "filter-crs": VN2000}
    assert _names(stock.get("/collections/protected-areas/items", params=asked)) == ["Khu open A"]


def test_an_answer_in_another_system(stock: httpx.Client) -> None:
    """Latitude first, as the authority has it."""
    asked = {"crs": VN2000, "scientificName": "Speciosus category2", "limit": "1"}
    page = stock.get("/collections/occurrences/items", params=asked)
    assert page.headers["content-crs"] == f"<{VN2000}>"
    assert page.json()["features"][0]["geometry"]["coordinates"] == pytest.approx([20.05, 105.05], abs=0.005)


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "rừng"},
        {"filter": "DWITHIN(geometry, POINT(105 20), 5, meters)"},
        {"filter": "INTERSECTS(geometry, ENVELOPE(105 106 20 21))"},
        {"filter": "decision_date > 'today'"},
        {"filter": "nothing = 1"},
        {"bbox": "0,0,inf,1"},
        {"status_yr": "many"},
        {"datetime": "soon"},
    ],
)
def test_what_cannot_be_answered_is_refused(stock: httpx.Client, asked: dict[str, str]) -> None:
    page = stock.get("/collections/protected-areas/items", params=asked)
    assert page.status_code == 400, page.text


def test_fields_have_types_and_titles(stock: httpx.Client) -> None:
    fields = stock.get("/collections/protected-areas/schema").json()["properties"]
    assert fields["status_yr"]["type"] == "integer"
    assert (fields["decision_date"]["type"], fields["decision_date"]["format"]) == ("string", "date")
    assert fields["name_eng"]["title"] == "English name"
    assert "recordedBy" not in stock.get("/collections/occurrences/schema").json()["properties"]
    assert set(stock.get("/collections/occurrences/queryables").json()["properties"]) >= {"scientificName"}


def test_only_the_properties_that_the_configuration_names(stock: httpx.Client) -> None:
    page = stock.get("/collections/names/items").json()
    assert [set(feature["properties"]) for feature in page["features"]] == [{"name", "iucn_cat"}] * 2
    item = stock.get("/collections/names/items/open-A").json()
    assert set(item["properties"]) == {"name", "iucn_cat"}


def test_many_at_once_get_their_own_answers(stock: httpx.Client) -> None:
    """More than the plugin has connections."""
    asked = [f"open-{code}" for code in "AB"] * 12
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda name: stock.get(f"/collections/names/items/{name}").json()["id"], asked))
    assert found == asked


def test_pages_for_people(stock: httpx.Client) -> None:
    page = stock.get("/collections/protected-areas/items", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "Khu open A" in page.text


def test_no_rows_are_written(stock: httpx.Client) -> None:
    options = stock.options("/collections/protected-areas/items")
    assert set(options.headers["allow"].replace(" ", "").split(",")) == {"HEAD", "GET"}
