"""The pages of features in headless Chromium: rows and map point at each other, by pointer and keyboard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.clients.browser import Browser, browser, missing
from tests.conftest import Starter

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

_LIST = "/collections/protected-areas/items?lang=en"
_DRAWN = "document.querySelector('[data-map-state]').textContent.startsWith('2 features')"
_LIT = "return [...document.querySelectorAll('tr.lit')].map((row) => row.dataset.feature)"
# A ring of 20,000 vertices around (105.5, 20.5): a shore, as far as a browser is concerned.
_SHORE = """
insert into gis.protected_area (source_id, dataset_id, public_id, name, site_pid, geom)
  select 'shore', dataset_id, 'shore', 'Shore', 'shore', ST_Multi(ST_MakePolygon(ST_MakeLine(array(
    select ST_SetSRID(ST_MakePoint(105.5 + radius * cos(angle), 20.5 + radius * sin(angle)), 4326)
      from (select n, 2 * pi() * (n % 20000) / 20000 as angle,
                   0.4 + 0.0001 * ((n % 20000) % 2) as radius from generate_series(0, 20000) n) as spot
     order by n))))
    from gis.dataset where slug = 'open'
"""


@pytest.fixture(scope="module")
def page(database: str, start_server: Starter) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a server on the sample."""
    sample.fill(database)
    address = start_server(database)
    with browser() as made:
        made.size(1200, 900)
        yield made, address


def _opened(page: tuple[Browser, str], path: str = _LIST) -> Browser:
    made, address = page
    made.console(), made.requested()
    made.open(address + path)
    made.wait(_DRAWN)
    return made


def _no_complaints(page: tuple[Browser, str]) -> None:
    made, address = page
    assert made.console() == []
    outside = [url for url in made.requested() if not url.startswith((address, "data:", "blob:", "chrome"))]
    assert outside == []


def test_a_row_lights_its_feature_and_a_feature_lights_its_row(page: tuple[Browser, str]) -> None:
    made = _opened(page)
    made.run("document.querySelector('[data-feature=\"open-A\"] a').focus()")
    assert made.run(_LIT) == ["open-A"]
    made.run("document.activeElement.blur()")
    assert made.run(_LIT) == []
    # The map frames 105.22 to 106.78 east, 24 pixels to spare; the area lies 0.5 degrees west of its middle.
    spot = (
        "const box = document.querySelector('[data-small-map] canvas').getBoundingClientRect();"
        " return [box.left + box.width / 2 - 0.5 * (box.width - 48) / 1.56, box.top + box.height / 2]"
    )
    x, y = (int(value) for value in made.run(spot))
    for step in range(100):  # a hand goes on moving until the map has drawn what is below it
        made.click_at(x + step % 2, y, times=0)
        if made.run("return document.querySelector('tr.lit') !== null"):
            break
        time.sleep(0.1)
    assert made.run(_LIT) == ["open-A"]
    made.click_at(x, y)
    made.wait("location.pathname.endsWith('/items/open-A')")
    _no_complaints(page)


def test_only_what_is_in_view_becomes_a_box_in_the_address(page: tuple[Browser, str]) -> None:
    made = _opened(page)
    made.click("[data-in-view]")
    made.wait("document.querySelector('.chips')")
    given = parse_qs(urlsplit(made.run("return location.href")).query)
    west, south, east, north = (float(part) for part in given["bbox"][0].split(","))
    assert (west < 105.4, east > 106.6, south < 20.4, north > 20.6) == (True,) * 4
    assert set(given) == {"bbox", "lang", "limit"}


def test_the_form_is_filled_and_sent_by_keyboard_alone(page: tuple[Browser, str]) -> None:
    made = _opened(page)
    made.type("#form-name", "open b\ue007")
    made.wait("document.querySelector('.chips')")
    assert made.run("return [...document.querySelectorAll('tr[data-feature]')].length") == 1
    made.type(".chips a", "\ue007")
    made.wait("!document.querySelector('.chips')")


def test_on_a_phone_the_filters_are_folded_and_nothing_sticks_out(page: tuple[Browser, str]) -> None:
    made, _ = page
    made.size(375, 800)
    try:
        _opened(page)
        assert not made.run("return document.querySelector('[data-filters]').open")
        assert made.run("return document.documentElement.scrollWidth") <= 375
    finally:
        made.size(1200, 900)


def test_an_area_of_20000_vertices_comes_with_the_detail_of_its_map(
    page: tuple[Browser, str], database: str
) -> None:
    made, address = page
    with SyncDatabase(database) as db:
        db.apply([_SHORE])
        vertices = "select ST_NPoints(geom) from gis.protected_area where public_id = 'shore'"
        assert db.run(Query(vertices))[0][0] == 20_001
    made.open(f"{address}/collections/protected-areas/items/shore?lang=en")
    made.wait("document.querySelector('[data-small-map] canvas')")
    held = "document.querySelector('[data-small-map-settings]').textContent"
    assert made.run(f"return {held}.length") < 60_000
    _no_complaints(page)
