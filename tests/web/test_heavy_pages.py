"""Pages of shapes with many vertices: whole where they're light, in parts where they aren't."""

import httpx
import pytest

from gis_service.db.sync import SyncDatabase
from gis_service.web import feature_routes
from tests.conftest import Starter
from tests.web.conftest import Sample

ITEMS = "/collections/ecoregions/items"
HOW_MANY = 180
# Only what the trigger doesn't fill in.
_SHAPES = """
    insert into gis.ecoregion (source_id, dataset_id, basis, geom, name)
    select 'shape-' || i, (select dataset_id from gis.dataset where slug = 'open'), 'published',
           ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(-60, i / 10.0), 4326), 0.04, 600)), 'Shape ' || i
      from generate_series(1, 180) i order by i
"""


@pytest.fixture(scope="module", autouse=True)
def shapes(sampled: Sample) -> None:
    with SyncDatabase(sampled.dsn) as db:
        db.apply([_SHAPES])


@pytest.mark.parametrize("limit", [1, 49, 50, 51, 100, 179, 180, 1000, 10000])
def test_a_page_of_any_length_holds_each_feature_once(web: httpx.Client, limit: int) -> None:
    found: list[str] = []
    url = f"{ITEMS}?limit={limit}&bbox=-61,-1,-59,30"
    for _ in range(HOW_MANY + 1):
        page = web.get(url).json()
        assert page["numberReturned"] == len(page["features"]) <= limit
        found += [feature["id"] for feature in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following or limit == 1:
            break
        url = following[0]
    assert len(found) == len(set(found)) == (1 if limit == 1 else HOW_MANY)


def test_heavy_pages_leave_in_parts(web: httpx.Client) -> None:
    """180 shapes of 2,400 vertices weigh more than what is held at once."""
    with web.stream("GET", f"{ITEMS}?limit=1000", headers={"Accept-Encoding": "identity"}) as answer:
        assert "content-length" not in answer.headers
        assert sum(len(part) for part in answer.iter_raw()) > feature_routes.WHOLE_BYTES


def test_a_page_for_people_is_short_and_goes_on(web: httpx.Client) -> None:
    page = web.get(f"{ITEMS}?limit=5000&f=html&bbox=-61,-1,-59,30").text
    assert "Shape 100<" in page
    assert "Shape 101<" not in page
    assert "after=" in page


def test_a_page_ends_where_it_grows_too_heavy_and_the_next_goes_on(
    start_server: Starter, sampled: Sample
) -> None:
    """A client that reads nothing can make a worker hold one page, so a page is bounded in bytes."""
    found: list[str] = []
    with httpx.Client(
        base_url=start_server(sampled.dsn, GIS_LIMITS_PAGE_BYTES="1000000"), timeout=60
    ) as light:
        url, pages = f"{ITEMS}?limit=1000&bbox=-61,-1,-59,30", 0
        while url:
            answer = light.get(url)
            page = answer.json()
            assert len(answer.content) < 1_000_000 + feature_routes.WHOLE_BYTES
            assert "numberMatched" not in page
            assert page["numberReturned"] == len(page["features"])
            found += [feature["id"] for feature in page["features"]]
            url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
            pages += 1
    assert pages > 1
    assert len(found) == len(set(found)) == HOW_MANY
