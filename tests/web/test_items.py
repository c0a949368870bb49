"""Features: pages, filters, times, boxes, releases. Rows of two provinces, A from 105 E and B from 106 E."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gis_service.db.sync import SyncDatabase
from tests.web.conftest import Sample

OCCURRENCES = "/collections/occurrences/items"
AREAS = "/collections/protected-areas/items"


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def link(document: Any, rel: str) -> Any:  # JSON of an OGC document
    return next((each for each in document["links"] if each["rel"] == rel), None)


def pages(client: httpx.Client, path: str) -> Iterator[Any]:
    address: str | None = path
    while address:
        page = client.get(address).json()
        yield page
        following = link(page, "next")
        address = following["href"] if following else None


def test_following_next_gives_each_feature_once_and_ends(centre: httpx.Client) -> None:
    """Row Q11: ten occurrences in pages of three; the last page has no next link."""
    read = list(pages(centre, f"{OCCURRENCES}?limit=3"))
    assert [page["numberReturned"] for page in read] == [3, 3, 3, 1]
    found = [feature["id"] for page in read for feature in page["features"]]
    assert len(set(found)) == len(found) == 10
    assert found == ids(centre.get(f"{OCCURRENCES}?limit=100"))


def test_the_last_page_has_no_next_link_even_when_it_is_full(centre: httpx.Client) -> None:
    assert [page["numberReturned"] for page in pages(centre, f"{OCCURRENCES}?limit=5")] == [5, 5]


def test_next_keeps_filter_and_box(centre: httpx.Client) -> None:
    """Row Q11: province A holds five of the ten occurrences."""
    read = list(pages(centre, f"{OCCURRENCES}?limit=2&bbox=105,20,105.99,21&basis=simulated"))
    assert [page["numberReturned"] for page in read] == [2, 2, 1]


def test_the_number_matched_is_exact_or_absent(centre: httpx.Client) -> None:
    """Rows C4, Q12."""
    whole = centre.get(f"{OCCURRENCES}?limit=10")
    assert (whole.json()["numberMatched"], whole.headers["ogc-numbermatched"]) == (10, "10")
    part = centre.get(f"{OCCURRENCES}?limit=9")
    assert "numberMatched" not in part.json()
    assert "ogc-numbermatched" not in part.headers
    assert (
        part.headers["link"]
        == f'<{link(part.json(), "next")["href"]}>; rel="next"; type="application/geo+json"'
    )


def test_a_long_page_leaves_in_batches_and_reads_as_one(sampled: Sample, centre: httpx.Client) -> None:
    """2,500 plots more, asked for in one page: more than one batch, in order, each once."""
    with SyncDatabase(sampled.dsn) as database:
        database.apply(
            [
                (
                    "insert into gis.plot (source_id, dataset_id, location_id, name, geom)"
                    " select 'many-' || n, d.dataset_id, 'MANY-' || n, 'Plot', ST_Point(105.1, 20.1, 4326)"
                    " from gis.dataset d, generate_series(1, 2500) n where d.slug = 'open'"
                )
            ]
        )
    answer = centre.get("/collections/plots/items?limit=10000")
    page = answer.json()
    assert page["numberMatched"] == page["numberReturned"] == len({f["id"] for f in page["features"]}) == 2502
    assert link(page, "next") is None
    part = centre.get("/collections/plots/items?limit=2400").json()
    assert part["numberReturned"] == 2400
    assert "numberMatched" not in part
    rest = centre.get(link(part, "next")["href"]).json()
    assert len(part["features"]) == 2400
    assert rest["features"] == page["features"][2400:]


def test_the_time_stamp_lies_within_the_request(web: httpx.Client) -> None:
    """Row C5."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    stamp = datetime.fromisoformat(web.get(AREAS).json()["timeStamp"])
    assert before <= stamp <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ("105,20,105.99,21", ["open-A"]),
        ("-180,-90,180,90", ["open-A", "open-B"]),
        ("105,20,0,107,21,100", ["open-A", "open-B"]),
        ("177,-90,-177,90", []),
        ("106,20,-177,21", ["open-B"]),
        ("105.5,20.5,105.5,20.5", ["open-A"]),
        ("105.61,20,105.99,21", []),
        ("105.0, 20.0, 105.99, 21.0", ["open-A"]),
        ("1.05e2,20,10599e-2,21", ["open-A"]),
    ],
)
def test_a_box_finds_what_lies_in_it(box: str, found: list[str], web: httpx.Client) -> None:
    """Row C6: also across the antimeridian, over both poles, of no area."""
    assert ids(web.get(AREAS, params={"bbox": box})) == found


def test_the_box_may_be_given_with_latitude_first(web: httpx.Client) -> None:
    """Rows Q5, G5: the name of the system unencoded, too."""
    crs = "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert ids(web.get(f"{AREAS}?bbox=20,105,21,105.99&bbox-crs={crs}")) == ["open-A"]
    crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert ids(web.get(f"{AREAS}?bbox=105,20,105.99,21&bbox-crs={crs84}&crs={crs84}")) == ["open-A"]


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2,3", "bbox=1,2,3,4,5", "bbox=a,b,c,d", "bbox=nan,0,1,1", "bbox=0,0,inf,1", "bbox=",
        "bbox=0,91,1,92", "bbox=181,0,182,1", "bbox=0,2,1,1", "bbox=1,2,3,4,5,6,7", "bbox=1e999,0,1,1",
        "bbox-crs=EPSG:99999&bbox=1,2,3,4", "bbox-crs=nonsense", "crs=EPSG:99999", "crs=EPSG:4978",
        "limit=0", "limit=-1", "limit=1e3", "limit=", "limit=٣", "limit=10.0",
        "offset=-1", "offset=100001", "offset=x",
        "datetime=yesterday", "datetime=2020-13-01", "datetime=2020-02-30", "datetime=2021/2020",
        "datetime=2020-01-01/2021-01-01/2022-01-01", "datetime=",
        "after=x", "after=AAAA", "after=%F0%9F%92%A9",
        "status_yr=twelve", "status_yr=9223372036854775808", "rep_area=NaN", "rep_area=1e999",
        "decision_date=2020-13-01", "nothing=1", "name=a&name=b",
        "release=0", "release=-1", "release=x", "release=2147483648",
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_a_problem(query: str, web: httpx.Client) -> None:
    """Row C2."""
    answer = web.get(f"{AREAS}?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance"}
    assert problem["detail"] != web.get(f"{AREAS}?{query}&lang=vi").json()["detail"]


def test_more_than_the_maximum_means_the_maximum(web: httpx.Client) -> None:
    assert len(ids(web.get(f"{AREAS}?limit=99999999999999999999"))) == 2


@pytest.mark.parametrize(
    ("when", "count"),
    [
        ("2024-05-31", 10),
        ("2024-05-31T12:00:00Z", 10),
        ("2024-05-31T19:00:00+07:00", 10),
        ("2024-05-31T12:00:01Z", 0),
        ("../2024-05-30", 0),
        ("2024-05-30/..", 10),
        ("/2024-06-01", 10),
        ("../..", 10),
        ("0000-01-01T00:00:00Z/2024-06-01T00:00:00Z", 10),
        ("2024-01-01T00:00:00Z/9999-12-31T00:00:00Z", 10),
        ("0001-01-01/9998-12-31", 10),
    ],
)
def test_times_and_spans_find_what_they_meet(when: str, count: int, centre: httpx.Client) -> None:
    """Rows Q10, G7: open ends, also as the years 0000 and 9999."""
    answer = centre.get(OCCURRENCES, params={"datetime": when})
    assert len(ids(answer)) == count


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters")
def test_equality_finds_text_with_signs_that_urls_use(sampled: Sample, centre: httpx.Client) -> None:
    """Row G1: `+`, `&`, `=`, quotes and Vietnamese letters."""
    name = "Vườn A+B & \"C\" = 100% 'D'"
    with SyncDatabase(sampled.dsn) as database:
        database.apply(
            [
                (
                    "update gis.protected_area set desig = "
                    "'Vườn A+B & \"C\" = 100% ''D''' where public_id = 'open-A'"
                )
            ]
        )
    assert ids(centre.get(AREAS, params={"desig": name})) == ["open-A"]
    assert ids(centre.get(AREAS, params={"desig": "' or 1=1 --"})) == []
    assert ids(centre.get(f"{AREAS}?name=Khu+open+A")) == ["open-A"]


def test_a_token_is_bound_to_its_query_and_its_layer(web: httpx.Client, centre: httpx.Client) -> None:
    following = link(centre.get(f"{AREAS}?limit=1").json(), "next")["href"]
    after = dict(httpx.URL(following).params)["after"]
    assert centre.get(f"{AREAS}?limit=3&after={after}").status_code == 200
    for client, path in (
        (centre, f"{AREAS}?limit=1&name=x&after={after}"),
        (centre, f"{OCCURRENCES}?limit=1&after={after}"),
        (web, f"{AREAS}?limit=1&after={after}"),
        (centre, f"{AREAS}?limit=1&offset=1&after={after}"),
        (centre, f"{AREAS}?limit=1&after={base64.urlsafe_b64encode(b'x' * 16).decode()}"),
    ):
        assert client.get(path).status_code == 400, path


def test_offset_skips_for_clients_that_need_it(web: httpx.Client) -> None:
    assert ids(web.get(f"{AREAS}?offset=1")) == ["open-B"]


def test_one_feature_has_the_same_members_as_on_its_page(web: httpx.Client) -> None:
    on_page = web.get(AREAS).json()["features"][0]
    answer = web.get(f"{AREAS}/open-A")
    alone = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert {**on_page, "links": alone["links"]} == alone
    assert link(alone, "collection")["href"].endswith("/collections/protected-areas")


@pytest.mark.parametrize(
    "feature", ["nothing", "9223372036854775808", "%27", "a/b", "..%2F..", "%F0%9F%92%A9"]
)
def test_a_feature_that_is_not_there_is_not_found(feature: str, web: httpx.Client) -> None:
    answer = web.get(f"{AREAS}/{feature}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_past_release_is_read_after_a_change(sampled: Sample, web: httpx.Client) -> None:
    """The sample is release 1; a change of one name opens a later one."""
    with SyncDatabase(sampled.dsn) as database:
        database.apply(["update gis.protected_area set name_eng = 'Renamed' where public_id = 'open-B'"])
    assert web.get(f"{AREAS}/open-B?release=1").json()["properties"]["name_eng"] == "Area open B"
    assert web.get(f"{AREAS}/open-B").json()["properties"]["name_eng"] == "Renamed"
    assert ids(web.get(f"{AREAS}?release=1")) == ["open-A", "open-B"]
    assert web.get(f"{AREAS}?release=1000000").status_code == 404


def test_a_page_is_revalidated_by_its_content(web: httpx.Client) -> None:
    first = web.get(AREAS)
    assert first.headers["etag"].startswith('W/"')
    again = web.get(AREAS, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert web.get(f"{AREAS}?limit=1", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_the_body_is_compact_utf_8(web: httpx.Client) -> None:
    """Row Q17."""
    answer = web.get(AREAS)
    assert answer.content.startswith(
        b'{"type":"FeatureCollection","features":[{"type":"Feature","id":"open-A"'
    )
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.http_version == "HTTP/1.1"
