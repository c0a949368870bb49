"""GDAL, from the pyogrio wheel, reads every collection as OGC API Features and every tile as MVT.

A recorder between them tells what GDAL asked: what it pushes down it trusts and doesn't test again, so an
answer is right only if both the request and the rows are. Open A and open B are the two areas of the sample.
"""

from collections.abc import Iterator

import httpx
import pyogrio
import pytest
from geopandas import GeoDataFrame

from tests.clients.conftest import PUBLIC_COUNTS
from tests.clients.recorder import Recorder, recorded
from tests.conftest import Starter

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
UTM48 = "http://www.opengis.net/def/crs/EPSG/0/3405"  # VN-2000 / UTM zone 48N: easting first
VN2000 = "http://www.opengis.net/def/crs/EPSG/0/4756"  # latitude first


@pytest.fixture(scope="module")
def proxy(service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    with recorded(service, tmp_path_factory.mktemp("recorder") / "log") as made:
        yield made


@pytest.fixture
def recorder(proxy: Recorder) -> Recorder:
    return proxy.anew()


def _read(recorder: Recorder, layer: str, **asked: object) -> GeoDataFrame:
    return pyogrio.read_dataframe(f"OAPIF:{recorder.url}/collections/{layer}", **asked)


def _areas(frame: GeoDataFrame) -> list[str]:
    return sorted(name.removeprefix("Khu open ") for name in frame["name"])


def _pushed(recorder: Recorder) -> str:
    """The filter of the last request for items, which must have had one."""
    query = recorder.items()[-1]
    assert "filter=" in query, f"not pushed down: {recorder.requests}"
    return query.partition("filter=")[2].removesuffix("&filter-lang=cql-text")


def test_gdal_lists_every_collection(service: str) -> None:
    assert {str(name) for name, _ in pyogrio.list_layers(f"OAPIF:{service}")} == set(PUBLIC_COUNTS)


@pytest.mark.parametrize("layer", PUBLIC_COUNTS)
def test_g6_every_collection_is_read_with_a_filter_that_was_pushed(recorder: Recorder, layer: str) -> None:
    """`basis` stands in every layer, and the sample is simulated everywhere: the filter leaves every row."""
    frame = _read(recorder, layer, where="basis = 'simulated'")
    assert _pushed(recorder) == "basis = 'simulated'"
    assert len(frame) == PUBLIC_COUNTS[layer]


@pytest.mark.parametrize(
    ("where", "pushed", "found"),
    [
        ("name <> 'Khu open A'", "name <> 'Khu open A'", "B"),
        ("status_yr > 1990 AND rep_area <= 20.5", "(status_yr > 1990) AND (rep_area <= 20.5)", "B"),
        ("status_yr BETWEEN 1985 AND 1995", "(status_yr >= 1985) AND (status_yr <= 1995)", "A"),
        (
            "name LIKE 'Khu%' AND NOT name LIKE 'KHU%'",
            "(name LIKE 'Khu%') AND (NOT (name LIKE 'KHU%'))",
            "AB",
        ),
        ("name ILIKE 'KHU%b'", "name ILIKE 'KHU%b'", "B"),
        ("desig = 'Vườn quốc gia'", "desig = 'Vườn quốc gia'", "A"),
        ("management_board = 'Ban A+B & C'", "management_board = 'Ban A+B & C'", "B"),
        ("management_board IS NOT NULL", "NOT ((management_board IS NULL))", "B"),
        ("status_yr < 2000 OR iucn_cat = 'Ib'", "(status_yr < 2000) OR (iucn_cat = 'Ib')", "AB"),
        ("decision_date >= '2020-01-05'", "decision_date >= '2020-01-05T'", "B"),
        ("decision_date < '2020/01/05'", "decision_date < '2020-01-05T'", "A"),
        ("decision_date = '2001-02-03'", "decision_date = '2001-02-03T'", "A"),
        ("name = 'it''s none'", "name = 'it''s none'", ""),
    ],
)
def test_g6_gdal_pushes_its_filters_as_cql_text(
    recorder: Recorder, where: str, pushed: str, found: str
) -> None:
    frame = _read(recorder, "protected-areas", where=where)
    assert _pushed(recorder) == pushed
    assert _areas(frame) == list(found)


def test_g6_moments_are_pushed_with_their_time(recorder: Recorder) -> None:
    """In the middle of each month from January: categories 0 to 4, of which 1 is withheld."""
    where = "eventDate >= '2024-03-15T12:00:00Z' AND eventDate < '2024-05-15T12:00:00Z'"
    frame = _read(recorder, "occurrences", where=where)
    assert _pushed(recorder) == (
        "(eventDate >= '2024-03-15T12:00:00Z') AND (eventDate < '2024-05-15T12:00:00Z')"
    )
    assert sorted(frame["individualCount"]) == [2, 3]


def test_g6_what_gdal_cannot_push_it_tests_itself(recorder: Recorder) -> None:
    """IN stays at the client; the other half of an AND is pushed all the same."""
    frame = _read(recorder, "protected-areas", where="status_yr IN (1990, 1991)")
    assert "filter=" not in recorder.items()[-1]
    assert _areas(frame) == ["A"]
    both = _read(recorder, "protected-areas", where="status_yr IN (1990, 2010) AND rep_area > 15")
    assert _pushed(recorder) == "rep_area > 15"
    assert _areas(both) == ["B"]


def test_g6_an_id_becomes_the_address_of_its_feature(recorder: Recorder) -> None:
    frame = _read(recorder, "protected-areas", where="id = 'open-A'")
    assert recorder.requests[-1].endswith("/items/open-A")
    assert _areas(frame) == ["A"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("management_board", "Ban A+B & C", ["open-B"]),
        ("desig", "Vườn quốc gia", ["open-A"]),
        ("status_yr", "2010", ["open-B"]),
        ("rep_area", "12.5", ["open-A"]),
        ("decision_date", "2020-01-05", ["open-B"]),
    ],
)
def test_g1_equality_is_right_for_every_type(service: str, name: str, value: str, found: list[str]) -> None:
    """As GDAL writes it, with %2B, %26 and bytes of UTF-8."""
    page = httpx.get(f"{service}/collections/protected-areas/items", params={name: value}).json()
    assert [feature["id"] for feature in page["features"]] == found


def test_g1_each_queryable_stands_in_the_api_as_a_parameter(service: str) -> None:
    api = httpx.get(f"{service}/api").json()["paths"]
    for layer in ("protected-areas", "occurrences"):
        queryables = httpx.get(f"{service}/collections/{layer}/queryables").json()["properties"]
        parameters = api[f"/collections/{layer}/items"]["get"]["parameters"]
        assert set(queryables) - {"geometry"} <= {each.get("name") for each in parameters}


def test_g2_the_page_size_is_that_of_the_api(recorder: Recorder) -> None:
    """GDAL aims at 1,000 but stays between default and maximum of `components.parameters.limit`."""
    _read(recorder, "occurrences")
    limit = httpx.get(f"{recorder.url}/api").json()["components"]["parameters"]["limit"]["schema"]
    size = min(max(1000, limit["default"]), limit["maximum"])
    assert recorder.items()[-1].split("&")[0] == f"limit={size}"


def test_g2_gdal_pages_through_all_rows(recorder: Recorder) -> None:
    """Pages of three must give all eight rows, each once, with a filter too."""
    frame = _read(recorder, "occurrences", PAGE_SIZE="3")
    assert len(frame) == 8
    assert frame["individualCount"].nunique() == 8
    some = _read(recorder, "occurrences", PAGE_SIZE="3", where="individualCount >= 3")
    assert sorted(some["individualCount"]) == [3, 4, 10, 12, 13, 14]
    assert sum("after=" in query and "filter=" in query for query in recorder.items()) == 1


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/", "application/json"),
        ("/api", "application/vnd.oai.openapi+json;version=3.0"),
        ("/collections", "application/json"),
        ("/collections/plots/schema", "application/schema+json"),
        ("/collections/plots/queryables", "application/schema+json"),
        ("/collections/plots/items", "application/geo+json"),
    ],
)
def test_g3_exact_media_types(service: str, path: str, media: str) -> None:
    assert httpx.get(service + path).headers["content-type"] == media


def test_g4_the_schema_gives_types_and_fields(recorder: Recorder) -> None:
    """Linked as `describedby`, so an empty answer has its fields, and null values their types."""
    info = pyogrio.read_info(f"OAPIF:{recorder.url}/collections/protected-areas", layer="protected-areas")
    types = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert "/collections/protected-areas/schema/geojson" in recorder.requests
    assert (types["status_yr"], types["rep_area"]) == ("int32", "float64")
    assert types["decision_date"].startswith("datetime64")
    assert info["geometry_type"] == "MultiPolygon"


def test_g4_an_empty_layer_has_its_fields(start_server: Starter, fresh_database: str) -> None:
    info = pyogrio.read_info(f"OAPIF:{start_server(fresh_database)}", layer="plots")
    assert info["features"] == 0
    types = dict(zip(info["fields"], info["dtypes"], strict=True))
    own = {"plot_type", "stratum", "area_m2", "status", "established", "last_visit", "basis"}
    assert types.keys() == own | {
        "coordinateUncertaintyInMeters",
        "dataGeneralizations",
        "informationWithheld",
    }
    assert types["area_m2"] == "float64"
    assert types["last_visit"].startswith("datetime64")


@pytest.mark.parametrize("uri", [CRS84, UTM48, "http://www.opengis.net/def/crs/EPSG/0/4326"])
def test_g5_unencoded_addresses_are_read(service: str, uri: str) -> None:
    url = f"{service}/collections/plots/items?bbox=-180,-90,180,90&bbox-crs={CRS84}&crs={uri}"
    answer = httpx.get(url)
    assert uri in str(answer.request.url)
    assert answer.headers["content-crs"] == f"<{uri}>"


@pytest.mark.parametrize(("uri", "code"), [(UTM48, 3405), (VN2000, 4756)])
def test_g5_another_system_gives_the_same_places(recorder: Recorder, uri: str, code: int) -> None:
    """GDAL turns what it gets by the authority's axis order; back in degrees it must be the same square."""
    frame = _read(recorder, "protected-areas", CRS=uri, where="name = 'Khu open A'")
    assert f"crs={uri}" in recorder.requests[-1]
    assert frame.crs.to_epsg() == code
    back = frame.to_crs("OGC:CRS84").geometry.iloc[0].bounds
    assert back == pytest.approx((105.4, 20.4, 105.6, 20.6), abs=0.003)


def test_g5_a_box_in_another_system_is_pushed(recorder: Recorder) -> None:
    """Around the western area, in metres of UTM 48."""
    frame = _read(recorder, "protected-areas", CRS=UTM48, bbox=(530_000, 2_240_000, 580_000, 2_290_000))
    assert f"bbox-crs={UTM48}" in recorder.items()[-1]
    assert _areas(frame) == ["A"]


def test_gdal_asks_for_a_box(recorder: Recorder) -> None:
    frame = _read(recorder, "protected-areas", bbox=(105, 20, 106, 21))
    assert "bbox=105,20,106,21" in recorder.items()[-1]
    assert _areas(frame) == ["A"]
    assert frame.geometry.iloc[0].bounds == pytest.approx((105.4, 20.4, 105.6, 20.6), abs=1e-7)


def test_g7_a_time_as_an_open_option(recorder: Recorder) -> None:
    """A is valid from 2001, B from 2020."""
    assert _areas(_read(recorder, "protected-areas", DATETIME="2019-01-01/..")) == ["A", "B"]
    assert _areas(_read(recorder, "protected-areas", DATETIME="../2019-01-01")) == ["A"]
    assert "datetime=../2019-01-01" in recorder.items()[-1]


def test_gdal_reads_with_a_key(service: str, centre_key: str) -> None:
    """The centre sees all ten occurrences where the public sees eight; the key is Basic's password."""
    frame = pyogrio.read_dataframe(f"OAPIF:{service}", layer="occurrences", USERPWD=f"any:{centre_key}")
    assert (len(frame), "recordedBy" in frame) == (10, True)


def test_gdal_reads_a_tile(service: str) -> None:
    """The two provinces of one degree lie in tile 6/50/28 (x = (105+180)/360*64)."""
    frame = pyogrio.read_dataframe(f"MVT:/vsicurl/{service}/xyz/provinces/6/50/28.mvt", layer="provinces")
    assert set(frame["code"]) == {"A", "B"}
