"""What the OGC conformance suites force, row by row (C1-C7); C8 stands with the tiles."""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from gis_service.db.sync import SyncDatabase
from tests.web.conftest import Sample

SPEC = "http://www.opengis.net/spec/"
FEATURES, FEATURES_2 = f"{SPEC}ogcapi-features-1/1.0/conf/", f"{SPEC}ogcapi-features-2/1.0/conf/"
COMMON = f"{SPEC}ogcapi-common-1/1.0/conf/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
AREAS = "/collections/protected-areas/items"
BAD_CRS = ("EPSG:99999", "EPSG:4978", "EPSG:5773", "urn:ogc:def:crs:EPSG::0", "nonsense", "", "CRS84h",
           "http://www.opengis.net/def/crs/EPSG/0/999999999", "EPSG:4326\x1f")  # fmt: skip

# Squares of 0.2 degrees by their lower left corners: two beside the antimeridian, one at each pole.
_FAR = """
    insert into gis.protected_area (source_id, public_id, site_pid, dataset_id, name, geom)
    select id, id, id, (select dataset_id from gis.dataset where slug = 'open'), id,
           ST_Multi(ST_MakeEnvelope(west, south, west + 0.2, south + 0.2, 4326))
      from (values ('fiji-west', 179.0, -17.0), ('fiji-east', -179.5, -17.0), ('north', 20.0, 89.8),
                   ('south', 20.0, -90.0)) far (id, west, south)
"""


@pytest.fixture(scope="module", autouse=True)
def far(sampled: Sample) -> None:
    with SyncDatabase(sampled.dsn) as db:
        db.apply([_FAR])


def ids(web: httpx.Client, query: str, path: str = AREAS) -> list[str]:
    answer = web.get(f"{path}?limit=100&{query}")
    assert answer.status_code == 200, answer.text
    return sorted(feature["id"] for feature in answer.json()["features"])


def walk(web: httpx.Client, url: str) -> Iterator[Any]:  # pages of GeoJSON
    """Every page from the first on."""
    while url:
        page = web.get(url).json()
        yield page
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")


@pytest.mark.proves(f"{COMMON}core")
@pytest.mark.proves(f"{FEATURES}core")
def test_c1_the_landing_page_answers_http_1_1_and_links_to_definition_conformance_and_data(
    web: httpx.Client,
) -> None:
    address = urlsplit(str(web.base_url))
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.version, answer.status) == (11, 200)
    connection.close()
    found = {link["rel"]: link["href"] for link in web.get("/").json()["links"]}
    assert {"service-desc", "service-doc", "conformance", "data"} <= found.keys()
    assert web.get(found["service-desc"]).json()["openapi"].startswith("3.0")
    assert f"{FEATURES}core" in web.get(found["conformance"]).json()["conformsTo"]
    assert web.get(found["data"]).json()["collections"]


@pytest.mark.proves(f"{FEATURES}core")
@pytest.mark.parametrize(
    "query",
    [
        "nothing=1", "Limit=1", "limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=", "bbox=1,2,3",
        "bbox=1,2,3,x", "bbox=0,10,5,5", "bbox=NaN,0,1,1", "datetime=yesterday", "datetime=2024-13-01",
        "datetime=2024-02-01/2024-01-01", "limit=1&limit=2",
    ],
)  # fmt: skip
def test_c2_what_is_unknown_or_invalid_is_refused(web: httpx.Client, query: str) -> None:
    answer = web.get(f"{AREAS}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.proves(f"{FEATURES_2}crs")
@pytest.mark.parametrize("name", BAD_CRS)
@pytest.mark.parametrize("parameter", ["crs", "bbox-crs", "filter-crs"])
def test_c2_an_unknown_reference_system_is_refused_by_name(
    web: httpx.Client, parameter: str, name: str
) -> None:
    answer = web.get(AREAS, params={parameter: name})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(parameter)
    if parameter == "crs":
        assert web.get(f"{AREAS}/open-A", params={"crs": name}).status_code == 400


@pytest.mark.proves(f"{COMMON}oas30")
@pytest.mark.proves(f"{FEATURES}oas30")
def test_c3_the_definition_says_how_limit_bbox_and_datetime_are_written(web: httpx.Client) -> None:
    parameters = web.get("/api").json()["components"]["parameters"]
    for name in ("limit", "bbox", "datetime"):
        said = {key: parameters[name][key] for key in ("in", "style", "explode", "required")}
        assert said == {"in": "query", "style": "form", "explode": False, "required": False}
    limit, bbox = parameters["limit"]["schema"], parameters["bbox"]["schema"]
    assert (limit["type"], limit["minimum"], limit["default"]) == ("integer", 1, 10)
    assert (bbox["type"], bbox["minItems"], bbox["maxItems"]) == ("array", 4, 6)
    assert bbox["items"] == {"type": "number"}
    assert parameters["datetime"]["schema"] == {"type": "string"}


@pytest.mark.proves(f"{FEATURES}core")
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 10])
@pytest.mark.parametrize("query", ["", "&bbox=100,0,110,30", "&datetime=2024-01-01/.."])
def test_c4_number_matched_where_it_stands_is_the_sum_over_all_pages(
    web: httpx.Client, limit: int, query: str
) -> None:
    pages = list(walk(web, f"{AREAS}?limit={limit}{query}"))
    returned = [len(page["features"]) for page in pages]
    assert [page["numberReturned"] for page in pages] == returned
    for page in pages:
        assert page.get("numberMatched", sum(returned)) == sum(returned)
    if len(pages) == 1:
        assert pages[0]["numberMatched"] == sum(returned)


@pytest.mark.proves(f"{FEATURES}core")
@pytest.mark.proves(f"{FEATURES}geojson")
@pytest.mark.proves(f"{COMMON}json")
def test_c5_a_page_tells_its_time_and_its_links_tell_rel_and_type(web: httpx.Client) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    answer = web.get(f"{AREAS}?limit=1")
    assert answer.headers["content-type"] == "application/geo+json"
    page = answer.json()
    assert page["type"] == "FeatureCollection"
    assert before <= datetime.fromisoformat(page["timeStamp"]) <= datetime.now(UTC) + timedelta(seconds=1)
    for path in ("/", "/conformance", "/collections", "/collections/plots", AREAS, f"{AREAS}/open-A"):
        links = web.get(path).json()["links"]
        assert all(link["href"] and link["rel"] and link["type"] for link in links), path
        shown = [link for link in links if link["rel"] in ("self", "alternate")]
        assert "text/html" in [link["type"] for link in shown]
        for link in shown:
            there = web.get(link["href"], headers={"Accept": link["type"]})
            assert there.headers["content-type"].startswith(link["type"].split(";")[0]), link


@pytest.mark.proves(f"{FEATURES}html")
@pytest.mark.proves(f"{COMMON}html")
def test_c5_every_document_is_a_page_for_people_too(web: httpx.Client) -> None:
    for path in ("/", "/conformance", "/collections", "/collections/plots", AREAS, f"{AREAS}/open-A", "/api"):
        page = web.get(path, headers={"Accept": "text/html"})
        assert page.headers["content-type"] == "text/html; charset=utf-8", path
        assert "<html" in page.text, path


@pytest.mark.proves(f"{FEATURES}core")
@pytest.mark.parametrize(
    ("bbox", "expected"),
    [
        ("177,-20,-177,-10", ["fiji-east", "fiji-west"]),
        ("179.1,-20,180,-10", ["fiji-west"]),
        ("-180,-20,-177,-10", ["fiji-east"]),
        ("-180,85,180,90", ["north"]),
        ("-180,-90,180,-85", ["south"]),
        ("-180,-90,180,90", ["fiji-east", "fiji-west", "north", "open-A", "open-B", "south"]),
        ("105,20,-100,106,21,9000", ["open-A"]),  # heights left out
        ("105.6,20.6,105.6,20.6", ["open-A"]),  # a point, the corner of the area
        ("105.61,20,106,21", []),
    ],
)
def test_c6_a_box_may_cross_the_antimeridian_and_touch_the_poles(
    web: httpx.Client, bbox: str, expected: list[str]
) -> None:
    assert ids(web, f"bbox={bbox}") == expected


@pytest.mark.proves(f"{FEATURES_2}crs")
@pytest.mark.parametrize(
    ("bbox", "crs", "expected"),
    [
        ("105,20,106,21", CRS84, ["open-A"]),
        ("20,105,21,106", f"{EPSG}4326", ["open-A"]),
        ("20,105,-100,21,106,9000", f"{EPSG}4326", ["open-A"]),
        ("-20,177,-10,-177", "EPSG:4326", ["fiji-east", "fiji-west"]),
        ("20,105,21,106", "urn:ogc:def:crs:EPSG::4756", ["open-A"]),  # VN-2000, latitude first
        ("500000,2200000,600000,2300000", "EPSG:3405", ["open-A"]),  # VN-2000 / UTM 48N: 105-106 E, 20 N
        ("500000,2200000,540000,2300000", "EPSG:3405", []),
        ("11688546,2273030,11800000,2391878", f"{EPSG}3857", ["open-A"]),
        ("-1000000,-1000000,1000000,1000000", "EPSG:3995", ["north"]),  # round the North Pole
        ("2000000,2000000,3000000,3000000", "EPSG:3031", []),
    ],
)
def test_c6_a_box_may_be_given_in_any_reference_system(
    web: httpx.Client, bbox: str, crs: str, expected: list[str]
) -> None:
    assert ids(web, f"bbox={bbox}&bbox-crs={crs}") == expected


def test_c6_features_of_a_box_are_given_in_crs84(web: httpx.Client) -> None:
    page = web.get(f"{AREAS}?bbox=105,20,106,21").json()
    ring = page["features"][0]["geometry"]["coordinates"][0][0]
    assert sorted({tuple(corner) for corner in ring}) == [
        (105.4, 20.4), (105.4, 20.6), (105.6, 20.4), (105.6, 20.6),
    ]  # fmt: skip


@pytest.mark.proves(f"{FEATURES_2}crs")
def test_c7_the_systems_of_a_collection_begin_with_the_default_and_hold_the_stored_one(
    web: httpx.Client,
) -> None:
    document = web.get("/collections").json()
    shared = document["crs"]
    assert shared[0] == CRS84
    assert {f"{EPSG}{code}" for code in (4326, 3857, 3405, 4756, 5896, 9205, 9218, 6956)} & set(shared) == {
        f"{EPSG}{code}" for code in (4326, 3857, 3405, 4756, 5896, 9205, 9218)
    }
    for listed in document["collections"]:
        assert listed["crs"] == ["#/crs"]
        whole = web.get(f"/collections/{listed['id']}").json()
        assert whole["crs"] == shared
        assert whole["storageCrs"] == listed["storageCrs"] == CRS84
        assert whole["storageCrs"] in whole["crs"]


@pytest.mark.proves(f"{FEATURES_2}crs")
def test_c7_every_answer_says_its_reference_system(web: httpx.Client) -> None:
    """Each that a collection lists, for a page and for one feature; a feature stays where it is."""
    listed = web.get("/collections/protected-areas").json()["crs"]
    for uri in (None, *listed):
        for path in (f"{AREAS}?bbox=105,20,106,21", f"{AREAS}/open-A?f=json"):
            answer = web.get(f"{path}&crs={uri}" if uri else path)
            assert answer.status_code == 200, (uri, answer.text)
            assert answer.headers["content-crs"] == f"<{uri or CRS84}>"
            assert "Content-Crs" in answer.headers["access-control-expose-headers"]


@pytest.mark.proves(f"{FEATURES_2}crs")
@pytest.mark.parametrize(
    ("crs", "corner"),
    [
        (CRS84, (105.4, 20.4)),
        (f"{EPSG}4326", (20.4, 105.4)),
        ("[EPSG:4326]", (20.4, 105.4)),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", (105.4, 20.4)),
        # Web Mercator by hand: x = R·λ, y = R·ln tan(π/4 + φ/2), R = 6378137.
        (f"{EPSG}3857", (11733074.330, 2320477.109)),
    ],
)
def test_c7_coordinates_follow_the_axis_order_of_the_authority(
    web: httpx.Client, crs: str, corner: tuple[float, float]
) -> None:
    page = web.get(AREAS, params={"bbox": "105,20,106,21", "crs": crs}).json()
    ring = page["features"][0]["geometry"]["coordinates"][0][0]
    assert min(ring) == pytest.approx(corner, abs=0.001)


def test_c7_what_has_no_place_in_the_system_asked_for_is_refused(web: httpx.Client) -> None:
    """A Lambert projection of the north has no South Pole; UTM 48N has no 10^12 m."""
    answer = web.get(f"{AREAS}/south?crs=EPSG:2154")
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("unprojectable")
    refused = web.get(f"{AREAS}?bbox=0,0,1000000000000,1000000000000&bbox-crs=EPSG:3405")
    assert refused.status_code == 400
