"""Walks over pages: every feature once, forwards by `next` and back by `prev`, whatever it's sorted by."""

import itertools
from collections.abc import Iterator

import httpx
import pytest

from gis_service.db.sync import SyncDatabase
from tests.web.conftest import Sample

ITEMS = "/collections/protected-areas/items"
# Two names that tie, one that's missing: a, a, b, b, c, c, null, null; numbers run against the names.
_ROWS = """
    insert into gis.protected_area (source_id, public_id, site_pid, dataset_id, geom, name, name_eng)
    select 'page-' || i, 'page-' || i, 'page-' || i, (select dataset_id from gis.dataset where slug = 'open'),
           ST_Multi(ST_MakeEnvelope(-50 + i, -30, -49.5 + i, -29, 4326)), 'Page',
           case when i < 6 then chr(97 + i / 2) end
      from generate_series(0, 7) i order by i
"""
_MOMENTS = """
    insert into gis.occurrence (source_id, individual_count, dataset_id, scientific_name, event_date, geom)
    select 'moment-' || place, place, d.dataset_id, 'Speciosus category0', moment,
           ST_Point(-59.5, -59.5, 4326)
      from gis.dataset d,
           unnest(array['-infinity', '0044-03-15 BC', '2024-01-01', '12024-01-01', 'infinity']::timestamptz[])
             with ordinality as m (moment, place)
     where d.slug = 'open'
       and not exists (select from gis.occurrence where source_id like 'moment-%')
"""
Page = tuple[list[str | None], dict[str, str]]


@pytest.fixture(scope="module", autouse=True)
def shapes(sampled: Sample) -> None:
    with SyncDatabase(sampled.dsn) as db:
        db.apply([_ROWS])


def read(web: httpx.Client, url: str) -> tuple[list[str], Page]:
    """The ids of a page, its names and the addresses of its neighbours."""
    page = web.get(url).raise_for_status().json()
    links = {link["rel"]: link["href"] for link in page["links"]}
    ids = [feature["id"] for feature in page["features"]]
    return ids, ([feature["properties"]["name_eng"] for feature in page["features"]], links)


def walk(web: httpx.Client, url: str, rel: str) -> Iterator[tuple[list[str], Page]]:
    """A page and all that follow it."""
    while True:
        ids, page = read(web, url)
        yield ids, page
        if rel not in page[1]:
            return
        url = page[1][rel]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", ["a", "a", "b", "b", "c", "c", None, None]),
        ("&sortby=name_eng", ["a", "a", "b", "b", "c", "c", None, None]),
        ("&sortby=-name_eng", [None, None, "c", "c", "b", "b", "a", "a"]),
        ("&sortby=%2Biucn_cat,-name_eng", [None, None, "c", "c", "b", "b", "a", "a"]),
        ("&sortby=-name_eng,iucn_cat", [None, None, "c", "c", "b", "b", "a", "a"]),
    ],
)
def test_a_walk_meets_every_feature_once_in_order_and_the_way_back_too(
    web: httpx.Client, limit: int, sort: str, names: list[str | None]
) -> None:
    pages = list(walk(web, f"{ITEMS}?limit={limit}&bbox=-51,-31,-41,-28{sort}", "next"))
    ids = list(itertools.chain.from_iterable(ids for ids, _ in pages))
    assert len(ids) == len(set(ids)) == 8
    assert list(itertools.chain.from_iterable(page[0] for _, page in pages)) == names
    assert "prev" not in pages[0][1][1]
    back = list(walk(web, pages[-1][1][1].get("prev", ""), "prev")) if len(pages) > 1 else []
    assert [ids for ids, _ in reversed(back)] == [ids for ids, _ in pages[:-1]]


def test_ties_are_broken_by_the_key_in_the_direction_of_the_sort(web: httpx.Client) -> None:
    upwards, _ = read(web, f"{ITEMS}?limit=8&bbox=-51,-31,-41,-28&sortby=name_eng")
    downwards, _ = read(web, f"{ITEMS}?limit=8&bbox=-51,-31,-41,-28&sortby=-name_eng")
    assert downwards == upwards[::-1]


@pytest.mark.parametrize("sort", ["eventDate", "-eventDate", "scientificName,-eventDate"])
def test_a_walk_passes_dates_that_only_the_database_can_tell(
    web: httpx.Client, sampled: Sample, sort: str
) -> None:
    """Python's years are 1 to 9999; PostgreSQL knows years before Christ, and an infinity at either end."""
    with SyncDatabase(sampled.dsn) as db:
        db.apply([_MOMENTS])
    url = f"/collections/occurrences/items?limit=1&bbox=-60,-60,-59,-59&sortby={sort}"
    pages = [web.get(url).raise_for_status().json()]
    while following := [link["href"] for link in pages[-1]["links"] if link["rel"] == "next"]:
        pages.append(web.get(following[0]).raise_for_status().json())
    numbers = [feature["properties"]["individualCount"] for page in pages for feature in page["features"]]
    assert numbers == ([1, 2, 3, 4, 5] if sort == "eventDate" else [5, 4, 3, 2, 1])


@pytest.mark.parametrize("plus", ["+", "%2B", "%20", ""])
def test_a_plus_before_a_sort_key_may_be_written_in_any_way(web: httpx.Client, plus: str) -> None:
    _, (names, _) = read(web, f"{ITEMS}?limit=2&bbox=-51,-31,-41,-28&sortby={plus}name_eng")
    assert names == ["a", "a"]


@pytest.mark.parametrize("sort", ["", "nothing", "name_eng,name_eng", "-", "name,", "name;drop", "geometry"])
def test_what_cannot_be_sorted_by_is_refused(web: httpx.Client, sort: str) -> None:
    answer = web.get(ITEMS, params={"sortby": sort})
    assert answer.status_code == 400
    assert "name" in answer.json()["detail"]  # the properties that can


def test_a_page_holds_the_properties_and_the_geometry_asked_for(web: httpx.Client) -> None:
    feature = web.get(f"{ITEMS}?limit=1&bbox=-51,-31,-41,-28&properties=name_eng").json()["features"][0]
    assert feature["properties"] == {"name_eng": "a"}
    assert feature["geometry"]["type"] == "MultiPolygon"
    bare = web.get(f"{ITEMS}?limit=1&bbox=-51,-31,-41,-28&skipGeometry=true").json()["features"][0]
    assert bare["geometry"] is None
    assert bare["properties"]["name_eng"] == "a"


def test_coordinates_come_in_the_system_and_axis_order_asked_for(web: httpx.Client) -> None:
    def corner(crs: str) -> list[float]:
        answer = web.get(f"{ITEMS}?limit=1&bbox=-51,-31,-41,-28{'&crs=' + crs if crs else ''}")
        assert answer.headers["content-crs"].strip("<>").endswith(crs.rpartition(":")[2] or "CRS84")
        return [float(x) for x in answer.json()["features"][0]["geometry"]["coordinates"][0][0][0]]

    assert corner("") == [-50, -30]
    assert corner("EPSG:4326") == [-30, -50]
    # Web Mercator by hand: x = R·λ, y = R·ln tan(π/4 + φ/2), R = 6378137.
    assert corner("EPSG:3857") == pytest.approx([-5_565_974.540, -3_503_549.844], abs=0.001)


def test_a_shape_is_simplified_to_what_a_zoom_can_show(web: httpx.Client, sampled: Sample) -> None:
    with SyncDatabase(sampled.dsn) as db:
        db.apply([_CIRCLE])
    at = f"{ITEMS}?bbox=-20.5,-30.5,-19.5,-29.5"

    def vertices(query: str) -> int:
        return len(web.get(f"{at}{query}").json()["features"][0]["geometry"]["coordinates"][0][0])

    assert vertices("") == 401
    assert vertices("&zoom-level=4") < vertices("&zoom-level=8") < 401
    assert web.get(f"{at}&zoom-level=23").status_code == 400


_CIRCLE = """
    insert into gis.protected_area (source_id, public_id, site_pid, dataset_id, geom, name)
    select 'circle', 'circle', 'circle', (select dataset_id from gis.dataset where slug = 'open'),
           ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(-20, -30), 4326), 0.4, 100)), 'Circle'
"""
