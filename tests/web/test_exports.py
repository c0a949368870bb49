"""Every format is read back by a reader that isn't ours, and holds what the database holds."""

import io
import json
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings
from tests.conftest import Starter
from tests.web.conftest import Sample
from tests.web.reading import READERS, Feature, features

FORMS = tuple(READERS)
BINARY = ("fgb", "parquet", "gpkg")
AREAS, POINTS = "/collections/protected-areas", "/collections/occurrences"
NAME = 'Vườn "Cát Bà", khu 1\ndòng hai; =1+1'
MORE = 60  # areas more than the first batch holds

# Squares of 0.01 degrees in a row, and one area with a name that is hard to write, a date and a number.
_MORE = f"""
insert into gis.protected_area (source_id, dataset_id, public_id, name, site_pid, status_yr, geom)
  select 'more-' || n, d.dataset_id, 'more-' || n, 'Khu ' || n, 'more-' || n,
         case when n % 2 = 0 then 2000 end,
         ST_Multi(ST_MakeEnvelope(107 + n / 100.0, 10, 107.01 + n / 100.0, 10.01, 4326))
    from gis.dataset d, generate_series(1, {MORE}) n where d.slug = 'open'
"""
_HARD = f"""
update gis.protected_area set name = '{NAME}', decision_date = '2024-02-29', rep_area = 1.5
 where public_id = 'open-A'
"""


@pytest.fixture(scope="module")
def world(sampled: Sample) -> Sample:
    with SyncDatabase(sampled.dsn) as database:
        database.apply([_MORE, _HARD])
    return sampled


@pytest.fixture(scope="module")
def client(world: Sample) -> Any:
    with httpx.Client(base_url=world.url, timeout=60) as made:
        yield made


def stored(world: Sample) -> Mapping[str, tuple[Any, ...]]:
    """What the database holds of the areas that the public sees, by id."""
    with SyncDatabase(world.dsn) as database:
        rows = database.run(
            Query(
                "select public_id, name, decision_date, rep_area, status_yr, name_eng, ST_AsBinary(geom)"
                " from gis.protected_area where not restricted"
            )
        )
    return {row[0]: row[1:] for row in rows}


def day(value: Any) -> date | None:
    """A date as any reader gives it."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    return value.date() if isinstance(value, datetime) else date.fromisoformat(value[:10])


def place(feature: Feature) -> tuple[float, float]:
    assert isinstance(feature.geometry, shapely.Point)
    return feature.geometry.x, feature.geometry.y


def number(value: Any) -> float | None:
    return None if value is None else float(value)


@pytest.mark.parametrize("form", FORMS)
def test_an_export_holds_every_visible_row_once_with_all_its_values(
    world: Sample, client: httpx.Client, tmp_path: Path, form: str
) -> None:
    answer = client.get(f"{AREAS}/export", params={"f": form})
    assert answer.status_code == 200, answer.text
    found = features(form, answer.content, tmp_path)
    truth = stored(world)
    assert sorted(str(each.id) for each in found) == sorted(truth)
    assert len(found) == MORE + 2
    for each in found:
        name, decided, area, year, english, wkb = truth[str(each.id)]
        assert each.properties["name"] == name
        assert day(each.properties["decision_date"]) == decided
        assert number(each.properties["rep_area"]) == area
        assert number(each.properties["status_yr"]) == year
        assert each.properties["name_eng"] == english
        assert each.geometry is not None
        assert shapely.equals_exact(each.geometry.normalize(), shapely.from_wkb(wkb).normalize(), 1e-7)


@pytest.mark.parametrize("form", FORMS)
def test_an_export_hides_from_the_public_what_items_hide(
    client: httpx.Client, world: Sample, tmp_path: Path, form: str
) -> None:
    answer = client.get(f"{POINTS}/export", params={"f": form})
    found = features(form, answer.content, tmp_path)
    assert len(found) == 8  # without those of category 1
    assert not {"recordedBy", "locality", "occurrenceID"} & set(found[0].properties)
    assert b"SECRET-" not in answer.content
    coarse = {round(x, 7) for x, _ in map(place, found)}
    assert 105.0512345 in coarse  # category 0, where it is
    assert 105.0532345 not in coarse  # category 2 is shown at the centre of its cell
    with httpx.Client(base_url=world.url, headers={"X-API-Key": world.keys["centre"]}) as centre:
        whole = features(form, centre.get(f"{POINTS}/export", params={"f": form}).content, tmp_path)
    assert len(whole) == 10
    assert {each.properties["recordedBy"] for each in whole} >= {"Recorder A0", "Recorder B4"}


@pytest.mark.parametrize("form", FORMS)
def test_an_export_takes_filter_sort_and_properties(client: httpx.Client, tmp_path: Path, form: str) -> None:
    asked = {"f": form, "filter": "status_yr = 2000", "sortby": "-name", "properties": "name,status_yr"}
    found = features(form, client.get(f"{AREAS}/export", params=asked).content, tmp_path)
    names = [each.properties["name"] for each in found]
    assert len(names) == MORE // 2
    assert names == sorted(names, reverse=True)
    assert set(found[0].properties) == {"name", "status_yr"}


@pytest.mark.parametrize("form", FORMS)
def test_an_export_without_geometry_has_none(client: httpx.Client, tmp_path: Path, form: str) -> None:
    asked = {"f": form, "skipGeometry": "true"}
    found = features(form, client.get(f"{POINTS}/export", params=asked).content, tmp_path)
    assert [each.geometry for each in found] == [None] * 8
    assert found[0].properties["scientificName"] == "Speciosus category0"


@pytest.mark.parametrize("form", FORMS)
def test_an_export_of_nothing_is_a_whole_file(client: httpx.Client, tmp_path: Path, form: str) -> None:
    answer = client.get(f"{AREAS}/export", params={"f": form, "filter": "name = 'nowhere'"})
    assert answer.status_code == 200
    assert features(form, answer.content, tmp_path) == []


@pytest.mark.parametrize("form", ["json", "jsonfg", "csv", "fgb", "gpkg"])
def test_coordinates_come_in_the_system_asked_for(client: httpx.Client, tmp_path: Path, form: str) -> None:
    """UTM 48N has its middle at 105 E: a point there lies at x = 500,000."""
    asked = {"f": form, "crs": "http://www.opengis.net/def/crs/EPSG/0/32648", "bbox": "105,20,105.1,20.1"}
    answer = client.get(f"{POINTS}/export", params=asked)
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/32648>"
    places = list(map(place, features(form, answer.content, tmp_path)))
    assert places
    for x, y in places:
        assert 500_000 < x < 510_500  # a tenth of a degree is 10.4 km there
        assert 2_211_000 < y < 2_223_000


@pytest.mark.parametrize(
    ("form", "lat_first"),
    [("json", True), ("jsonfg", True), ("csv", False), ("fgb", False), ("parquet", False), ("gpkg", False)],
)
def test_json_keeps_the_authoritys_order_of_axes_and_files_have_x_first(
    client: httpx.Client, tmp_path: Path, form: str, lat_first: bool
) -> None:
    asked = {"f": form, "crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}
    for each in features(form, client.get(f"{POINTS}/export", params=asked).content, tmp_path):
        assert (place(each)[0] < 100) is lat_first


def test_jsonfg_tells_type_time_and_place(client: httpx.Client) -> None:
    made = client.get(f"{POINTS}/export", params={"f": "jsonfg"}).json()
    assert "http://www.opengis.net/spec/json-fg-1/1.0/conf/core" in made["conformsTo"]
    assert (made["featureType"], made["geometryDimension"]) == ("occurrences", 0)
    assert made["coordRefSys"] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    first = made["features"][0]
    assert first["time"] == {"timestamp": "2024-05-31T12:00:00Z"}
    assert first["place"] is None
    assert first["geometry"]["type"] == "Point"
    asked = {"f": "jsonfg", "crs": "EPSG:3405"}
    first = client.get(f"{POINTS}/export", params=asked).json()["features"][0]
    assert first["geometry"] is None
    assert first["place"]["type"] == "Point"
    areas = client.get(f"{AREAS}/export", params={"f": "jsonfg"}).json()["features"]
    assert all(each["time"] is None or "interval" in each["time"] or "date" in each["time"] for each in areas)


def test_gdal_reads_jsonfg_as_such(client: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "areas.jsonfg.json"
    path.write_bytes(client.get(f"{AREAS}/export", params={"f": "jsonfg", "crs": "EPSG:3405"}).content)
    info = pyogrio.read_info(path)
    assert (info["driver"], info["features"], info["crs"]) == ("JSONFG", MORE + 2, "EPSG:3405")


def test_licence_and_citation_travel_in_every_file(client: httpx.Client, tmp_path: Path) -> None:
    answers = {form: client.get(f"{AREAS}/export", params={"f": form}) for form in FORMS}
    for answer in answers.values():
        links = ", ".join(answer.headers.get_list("link"))
        assert '<https://creativecommons.org/publicdomain/zero/1.0/>; rel="license"' in links
        assert 'rel="collection"' in links
        assert "attachment" in answer.headers["content-disposition"]
    for form in ("json", "jsonfg"):
        made = answers[form].json()
        assert (made["license"], made["datasets"][0]["citation"]) == ("CC0-1.0", "Sample")
    (tmp_path / "a.fgb").write_bytes(answers["fgb"].content)
    held = pyogrio.read_info(tmp_path / "a.fgb")["layer_metadata"]
    assert (held["TITLE"], held["license"]) == ("Protected areas", "CC0-1.0")
    assert "Sample" in held["attribution"]
    told = pq.read_metadata(io.BytesIO(answers["parquet"].content)).metadata
    assert (told[b"license"], json.loads(told[b"datasets"])[0]["citation"]) == (b"CC0-1.0", "Sample")
    (tmp_path / "a.gpkg").write_bytes(answers["gpkg"].content)
    base = sqlite3.connect(tmp_path / "a.gpkg")
    (text,) = base.execute("select metadata from gpkg_metadata").fetchone()
    base.close()
    assert "CC0-1.0" in text
    assert "Sample" in text


def test_geoparquet_tells_its_version_types_bounds_and_covering(client: httpx.Client) -> None:
    content = client.get(f"{AREAS}/export", params={"f": "parquet"}).content
    geo = json.loads(pq.read_metadata(io.BytesIO(content)).metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0"
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["MultiPolygon"])
    assert column["bbox"] == pytest.approx([105.4, 10, 107.61, 20.6])
    assert "crs" not in column  # CRS84
    boxes = pq.read_table(io.BytesIO(content), columns=["bbox"]).to_pylist()
    assert min(row["bbox"]["xmin"] for row in boxes) == pytest.approx(105.4)
    types = {field.name: str(field.type) for field in pq.read_schema(io.BytesIO(content))}
    assert (types["decision_date"], types["status_yr"], types["rep_area"]) == (
        "date32[day]",
        "int64",
        "double",
    )
    elsewhere = client.get(f"{POINTS}/export", params={"f": "parquet", "crs": "EPSG:3405"}).content
    column = json.loads(pq.read_metadata(io.BytesIO(elsewhere)).metadata[b"geo"])["columns"]["geometry"]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 3405}


@pytest.mark.parametrize("form", ["jsonfg", "geojsonseq", "csv", "fgb", "parquet"])
def test_q12_pages_of_every_format_lead_on_by_headers(
    client: httpx.Client, world: Sample, tmp_path: Path, form: str
) -> None:
    seen: list[str] = []
    back: str | None = None
    address: str | None = f"{AREAS}/items?f={form}&limit=31"
    while address is not None:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        assert answer.headers["ogc-numbermatched"] == str(MORE + 2)
        found = features(form, answer.content, tmp_path)
        assert answer.headers["ogc-numberreturned"] == str(len(found))
        seen += [str(each.id) for each in found]
        beside = {link["rel"]: link for link in answer.links.values()}
        assert all(
            link["type"] == answer.headers["content-type"].split(";")[0]
            for rel, link in beside.items()
            if rel in ("next", "prev")
        )
        address, back = beside.get("next", {}).get("url"), beside.get("prev", {}).get("url")
    assert len(seen) == len(set(seen)) == MORE + 2
    assert back is not None
    before = features(form, client.get(back).content, tmp_path)
    assert [str(each.id) for each in before] == seen[:31]


def test_an_export_that_the_caller_holds_is_confirmed_unread(client: httpx.Client) -> None:
    address = f"{AREAS}/export?f=fgb"
    tag = client.get(address).headers["etag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    assert client.get(f"{AREAS}/export?f=csv", headers={"if-none-match": tag}).status_code == 200


def test_accept_chooses_the_format(client: httpx.Client) -> None:
    answer = client.get(f"{AREAS}/items?limit=1", headers={"accept": "application/flatgeobuf"})
    assert answer.headers["content-type"] == "application/flatgeobuf"
    assert answer.content.startswith(b"fgb\x03fgb")
    answer = client.get(f"{POINTS}/export", headers={"accept": "text/csv, */*;q=0.1"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert client.get(f"{AREAS}/export", headers={"accept": "image/png"}).status_code == 406


@pytest.mark.parametrize(
    "query",
    [
        "f=shp",
        "f=html",
        "f=csv&limit=5",
        "f=csv&offset=1",
        "f=csv&after=x",
        "f=csv&nonsense=1",
        "f=fgb&crs=EPSG:1",
    ],
)
def test_an_export_refuses_what_it_can_t_answer(client: httpx.Client, query: str) -> None:
    answer = client.get(f"{AREAS}/export?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.fixture(scope="module")
def tight(world: Sample, start_server: Starter) -> str:
    """A server that allows next to nothing."""
    return start_server(world.dsn, GIS_LIMITS_EXPORT_BYTES="1000")


def test_a_geopackage_that_grows_too_large_is_refused_and_removed(tight: str, settings: Settings) -> None:
    answer = httpx.get(f"{tight}{AREAS}/export?f=gpkg", timeout=60)
    assert answer.status_code == 413
    assert list((settings.data_dir / "exports").iterdir()) == []
