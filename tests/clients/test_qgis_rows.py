"""What QGIS 3.44 and newer concludes of the service, replayed as it asks (rows Q1 to Q17; see qgis_oapif)."""

import json
from collections.abc import Sequence
from itertools import pairwise

import httpx
import pytest

from tests.clients.conftest import PUBLIC_COUNTS
from tests.clients.qgis_oapif import CRS84, OPENAPI, Layer, PushDown, Qgis, encoded

UTM48 = "http://www.opengis.net/def/crs/EPSG/0/3405"  # VN-2000 / UTM zone 48N: easting first
VN2000 = "http://www.opengis.net/def/crs/EPSG/0/4756"  # latitude first


def _ids(features: Sequence[dict[str, object]]) -> list[str]:
    return sorted(str(feature["id"]).removeprefix("open-") for feature in features)


def test_the_chain_of_requests_that_opens_a_layer(qgis: Qgis) -> None:
    """Nothing is asked for twice or in vain; a read-only layer needs no second OPTIONS."""
    qgis.open("protected-areas")
    assert qgis.requests == [
        "GET /",
        "GET /api",
        "GET /collections/protected-areas",
        "GET /conformance",
        "GET /collections/protected-areas/queryables",
        "GET /collections/protected-areas/items?limit=10",
        "OPTIONS /collections/protected-areas/items",
        "GET /collections/protected-areas/schema",
    ]


@pytest.mark.parametrize("name", PUBLIC_COUNTS)
def test_every_layer_opens_with_all_that_qgis_looks_for(qgis: Qgis, name: str) -> None:
    layer = qgis.open(name)
    assert layer.push_down == PushDown(True, True, True, True)
    assert layer.fields
    assert layer.item_count == PUBLIC_COUNTS[name]
    assert len(qgis.features(layer)) == PUBLIC_COUNTS[name]


def test_q1_the_landing_page_links_what_qgis_needs(client: httpx.Client, service: str) -> None:
    links = {(link["rel"], link["type"]): link["href"] for link in client.get(f"{service}/").json()["links"]}
    assert links["service-desc", OPENAPI] == f"{service}/api"
    assert links["data", "application/json"] == f"{service}/collections"
    assert links["conformance", "application/json"] == f"{service}/conformance"


def test_q2_paths_are_built_from_the_data_link(qgis: Qgis) -> None:
    """QGIS puts them together itself, so they must sit exactly there."""
    qgis.open("plots")
    for path in ("", "/items?limit=10", "/queryables"):
        assert f"GET /collections/plots{path}" in qgis.requests


def test_q3_page_size_and_simple_filters_come_from_the_api(
    client: httpx.Client, service: str, areas: Layer
) -> None:
    """min(max(1000, default), maximum); and every property to filter by is there with all five keys."""
    api = client.get(f"{service}/api").json()
    assert api["openapi"].startswith("3.0.")
    limit = api["components"]["parameters"]["limit"]["schema"]
    assert areas.page_size == min(max(1000, limit["default"]), limit["maximum"]) == 1000
    assert {name for name, kind in areas.queryables.items() if kind != "geometry"} <= areas.simple_queryables
    for each in api["paths"]["/collections/protected-areas/items"]["get"]["parameters"]:
        if "$ref" not in each:
            assert (each["in"], each["style"], each["explode"]) == ("query", "form", False)
            assert each["schema"]["type"]


def test_q4_reference_systems_are_offered(qgis: Qgis, areas: Layer) -> None:
    """The layer's own first; the codes of VN-2000 among them."""
    assert areas.crs == CRS84
    assert areas.offered_crs[0] == CRS84
    assert {UTM48, VN2000} <= set(areas.offered_crs)
    assert qgis.open("protected-areas", crs=UTM48).crs == UTM48


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        (CRS84, (105.0, 20.0, 106.0, 21.0)),
        (VN2000, (20.0, 105.0, 21.0, 106.0)),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", (20.0, 105.0, 21.0, 106.0)),
        (UTM48, (500_000.0, 2_211_000.0, 604_000.0, 2_322_000.0)),
    ],
)
def test_q5_box_literal_and_coordinates_follow_the_authoritys_axes(
    qgis: Qgis, crs: str, box: tuple[float, float, float, float]
) -> None:
    """The western province as a box and as a literal; the corner of A comes back in the same order."""
    layer = qgis.open("protected-areas", crs=crs)
    literal = "S_INTERSECTS(geometry,BBOX(" + ",".join(repr(number) for number in box) + "))"
    by_box, by_filter = qgis.features(layer, box=box), qgis.features(layer, literal)
    assert _ids(by_box) == _ids(by_filter) == ["A"]
    first, second = by_box[0]["geometry"]["coordinates"][0][0][0]
    assert box[0] < first < box[2]
    assert box[1] < second < box[3]
    assert f"&bbox={','.join(repr(n) for n in box)}" in qgis.requests[-2]
    assert ("bbox-crs" in qgis.requests[-2], "filter-crs" in qgis.requests[-1]) == (crs != CRS84,) * 2


def test_q5_the_answer_names_its_system(qgis: Qgis) -> None:
    for crs in (CRS84, UTM48, VN2000):
        page = next(qgis.pages(qgis.open("plots", crs=crs)))
        assert page.headers["content-crs"] == f"<{crs}>"


def test_q6_every_kind_of_push_down_is_declared(areas: Layer) -> None:
    assert areas.push_down == PushDown(cql2=True, like_between_in=True, case_insensitive=True, spatial=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(name = 'Khu open A')", "A"),
        ("(\"name_eng\" = 'Area open B')", "B"),
        ("(\"management_board\" = 'Ban A+B & C')", "B"),
        ("(desig = 'Vườn quốc gia')", "A"),
        ("(CASEI(name) LIKE CASEI('khu OPEN%'))", "AB"),
        ("(CASEI(desig) LIKE CASEI('vườn%'))", "A"),
        ("(name LIKE '%A')", "A"),
        ("(name NOT LIKE '%A')", "B"),
        ("(CASEI(name) NOT LIKE CASEI('%a'))", "B"),
        ("\"status_yr\" IN (1990,1991)", "A"),
        ("\"status_yr\" NOT IN (1990,1991)", "B"),
        ("\"status_yr\" BETWEEN 2000 AND 2020", "B"),
        ("\"status_yr\" NOT BETWEEN 2000 AND 2020", "A"),
        ("(\"management_board\" IS NULL)", "A"),
        ("(\"management_board\" IS NOT NULL)", "B"),
        ("(NOT (\"status_yr\" = 1990))", "B"),
        ("(((name = 'Khu open A') AND (\"status_yr\" < 2000)) OR (name = 'none'))", "A"),
        ("((\"rep_area\" * 2) = 25)", "A"),
        ("((\"status_yr\" + 20) = 2010)", "A"),
        ("((\"status_yr\" % 100) = 90)", "A"),
        ("((\"rep_area\" ^ 2) = 400)", "B"),
        ("((\"status_yr\" - 10) >= 2000)", "B"),
        ("((\"rep_area\" / 2) < 7)", "A"),
        ("(( - (\"status_yr\")) < -2000)", "B"),
        ("(\"decision_date\" >= DATE('2020-01-05'))", "B"),
        ("(\"decision_date\" < DATE('2020-01-05'))", "A"),
        ("(\"decision_date\" = DATE('2001-02-03'))", "A"),
        ("S_INTERSECTS(geometry,BBOX(105,20,106,21))", "A"),
        ("S_INTERSECTS(geometry,POINT(106.5 20.5))", "B"),
        ("(name = 'it''s none')", ""),
    ],
)  # fmt: skip
def test_q7_what_qgis_writes_is_understood(qgis: Qgis, areas: Layer, text: str, found: str) -> None:
    assert _ids(qgis.features(areas, text)) == list(found)
    assert qgis.requests[-1].endswith(f"&filter={encoded(text)}&filter-lang=cql2-text")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(eventDate >= TIMESTAMP('2024-03-15T12:00:00.000Z'))", [2, 3, 4]),
        ("(eventDate < TIMESTAMP('2023-02-01T00:00:00.000Z'))", [10]),
        ("(individualCount > 12)", [13, 14]),
    ],
)
def test_q7_moments_have_milliseconds(qgis: Qgis, text: str, found: list[int]) -> None:
    features = qgis.features(qgis.open("occurrences"), text)
    assert sorted(feature["properties"]["individualCount"] for feature in features) == found


def test_q7_two_filters_are_joined_with_raw_brackets(qgis: Qgis, areas: Layer) -> None:
    """The layer's own filter and that of a request: `filter=(a) AND (b)`, whose brackets nobody encodes."""
    found = qgis.features(areas, '("status_yr" > 1980)', "S_INTERSECTS(geometry,BBOX(106,20,107,21))")
    assert _ids(found) == ["B"]
    assert "filter=(" in qgis.requests[-1]
    assert ")%20AND%20(" in qgis.requests[-1]


def test_q8_the_geometry_is_a_queryable(areas: Layer, client: httpx.Client, service: str) -> None:
    assert [name for name, kind in areas.queryables.items() if kind == "geometry"] == ["geometry"]
    about = client.get(f"{service}/collections/protected-areas/queryables").json()["properties"]["geometry"]
    assert about["$ref"] == "https://geojson.org/schema/MultiPolygon.json"
    assert (about["format"], about["x-ogc-role"]) == ("geometry-multipolygon", "primary-geometry")
    assert "type" not in about


def test_q8_queryables_have_the_formats_that_make_dates_of_strings(areas: Layer) -> None:
    """QGIS writes DATE('…') for a text only beside a property of that format."""
    assert areas.queryables["decision_date"] == "string/date"
    assert areas.queryables["status_yr"] == "integer"


def test_q9_the_schema_gives_the_fields(areas: Layer) -> None:
    assert areas.fields["status_yr"] == "LongLong"
    assert areas.fields["rep_area"] == "Double"
    assert areas.fields["decision_date"] == "Date"
    assert areas.fields["name"] == "String"
    assert list(areas.fields)[:3] == ["id", "site_id", "site_pid"]
    assert areas.geometry_type == "geometry-multipolygon"


def test_q9_both_names_of_the_schema_class_are_declared(client: httpx.Client, service: str) -> None:
    declared = client.get(f"{service}/conformance").json()["conformsTo"]
    for name in ("ogcapi-features-5/1.0/conf/schemas", "ogcapi-common-3/1.0/conf/schemas"):
        assert f"http://www.opengis.net/spec/{name}" in declared


@pytest.mark.parametrize(
    ("interval", "found"),
    [
        ("0000-01-01T00:00:00Z%2F2019-01-01T00:00:00Z", "A"),
        ("2002-01-01T00:00:00Z%2F9999-12-31T00:00:00Z", "AB"),
        ("0000-01-01T00:00:00Z%2F9999-12-31T00:00:00Z", "AB"),
        ("0000-01-01T00:00:00Z%2F2000-01-01T00:00:00.000Z", ""),
        ("2020-01-05", "AB"),
    ],
)
def test_q10_years_0_and_9999_are_open_ends(qgis: Qgis, areas: Layer, interval: str, found: str) -> None:
    """A is valid from 2001, B from 2020."""
    page = qgis.get(f"{areas.items_url}?limit=1000&datetime={interval}")
    assert _ids(page.json()["features"]) == list(found)


@pytest.mark.parametrize("crs", [CRS84, UTM48])
def test_q11_next_leads_to_the_last_page_and_not_beyond(qgis: Qgis, crs: str) -> None:
    """Eight occurrences in pages of two, with filter, system and box: four pages, the last one full."""
    layer = qgis.open("occurrences", crs=crs)
    box = (105.0, 20.0, 107.0, 21.0) if crs == CRS84 else (400_000.0, 2_100_000.0, 800_000.0, 2_400_000.0)
    pages = [page.json() for page in qgis.pages(layer, "(individualCount >= 0)", box=box, limit=2)]
    assert [len(page["features"]) for page in pages] == [2, 2, 2, 2]
    ids = [feature["id"] for page in pages for feature in page["features"]]
    assert len(set(ids)) == 8
    assert [any(link["rel"] == "next" for link in page["links"]) for page in pages] == [True] * 3 + [False]
    for before, after in pairwise(pages):
        assert before["features"][0].keys() == after["features"][0].keys()


def test_q11_ids_are_the_same_every_time(qgis: Qgis) -> None:
    layer = qgis.open("occurrences")
    assert [f["id"] for f in qgis.features(layer)] == [f["id"] for f in qgis.features(layer, limit=3)]


def test_q14_no_request_for_the_count(areas: Layer) -> None:
    assert areas.item_count == areas.number_matched == 2


def test_q15_options_tell_the_truth(qgis: Qgis, client: httpx.Client, areas: Layer) -> None:
    """The public writes nothing: QGIS greys out editing, and what OPTIONS leaves out is refused."""
    assert areas.editing == {"GET", "HEAD", "OPTIONS"}
    assert areas.read_only
    for url in (areas.items_url, f"{areas.items_url}/open-A"):
        assert client.options(url).headers["allow"] == client.post(url, json={}).headers["allow"]
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert client.request(method, url).status_code in (401, 405)


@pytest.mark.parametrize("name", PUBLIC_COUNTS)
def test_q16_one_geometry_type_a_collection(qgis: Qgis, name: str) -> None:
    layer = qgis.open(name)
    kinds = {"geometry-" + feature["geometry"]["type"].lower() for feature in qgis.features(layer)}
    assert kinds == {layer.geometry_type}


def test_q17_compact_utf8_over_a_kept_connection(client: httpx.Client, areas: Layer) -> None:
    answers = [client.get(areas.items_url) for _ in range(3)]
    body = answers[0].content
    assert not body.startswith(b"\xef\xbb\xbf")
    assert "Vườn quốc gia".encode() in body
    assert b'": ' not in body
    assert b"\n" not in body
    assert json.loads(body.decode("utf-8"))["numberReturned"] == 2
    assert {answer.http_version for answer in answers} == {"HTTP/1.1"}
    ports = {answer.extensions["network_stream"].get_extra_info("client_addr") for answer in answers}
    assert len(ports) == 1
