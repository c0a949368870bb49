"""MapLibre in headless Chromium on the real pages: all draws, nothing outside is asked, nothing complains."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gis_service.access import keystore
from gis_service.access.principal import Principal
from gis_service.catalog.registry import load_catalog
from gis_service.db.sync import SyncDatabase
from gis_service.notebook import Service, ServiceRefused
from gis_service.settings import Settings
from tests import sample
from tests.clients.browser import Browser, browser, missing
from tests.conftest import ROOT, Starter
from tests.web.worker import running_worker

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

# A square of half a degree for each layer that the sample leaves empty.
_MORE = """
with shape as (
  select dataset_id, ST_Multi(ST_MakeEnvelope(105.3, 20.3, 105.8, 20.8, 4326)) as geom
    from gis.dataset where slug = 'open'
), commune as (
  insert into gis.admin_unit (source_id, dataset_id, level, code, parent_code, name, geom)
    select 'c', dataset_id, 'commune', '00001', 'A', 'Commune', geom from shape
), zones as (
  insert into gis.management_zone (source_id, dataset_id, zone, name, geom)
    select zone, dataset_id, zone, zone, geom from shape, unnest(array['strict', 'buffer']) zone
), ecoregion as (
  insert into gis.ecoregion (source_id, dataset_id, name, geom)
    select 'e', dataset_id, 'Hills', geom from shape
)
insert into gis.sea_area (source_id, dataset_id, name, geom) select 's', dataset_id, 'Bay', geom from shape
"""
_READY = "document.body.dataset.ready && gisMap.loaded() && gisMap.areTilesLoaded()"
_DRAWN = """
  const [source] = arguments;
  const layers = gisMap.getStyle().layers.filter((layer) => layer.source === source).map((layer) => layer.id);
  return new Set(gisMap.queryRenderedFeatures({layers}).map((feature) => feature.properties.id)).size;
"""
_AREA = "/collections/protected-areas"
LAYERS = sorted(load_catalog(ROOT).layers)


@pytest.fixture(scope="module")
def page(database: str, start_server: Starter) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a server on the sample with something in every layer."""
    sample.fill(database)
    with SyncDatabase(database) as db:
        db.apply([_MORE])
    address = start_server(database)
    with browser() as made:
        made.size(900, 600)
        yield made, address


def _no_complaints(made: Browser, address: str) -> None:
    assert made.console() == []
    outside = [url for url in made.requested() if not url.startswith((address, "data:", "blob:", "chrome"))]
    assert outside == []


@pytest.mark.parametrize("layer", LAYERS)
def test_the_map_draws_the_layer(page: tuple[Browser, str], layer: str) -> None:
    made, address = page
    made.open(f"{address}/map?layers={layer}&panel=0&lang=en#8.5/20.5/105.5")
    made.wait(_READY)
    assert made.run(_DRAWN, layer) > 0
    _no_complaints(made, address)


def test_maplibre_takes_every_style_as_served_without_a_word(page: tuple[Browser, str]) -> None:
    made, address = page
    made.open(f"{address}/map?panel=0&lang=en#7/20.5/106")
    made.wait(_READY)
    for style in sorted(path.stem for path in (ROOT / "styles").glob("*.json")):
        made.run("gisMap.setStyle(arguments[0])", f"{address}/styles/{style}")
        made.wait("gisMap.loaded() && gisMap.areTilesLoaded()")
        assert made.console() == [], style
    _no_complaints(made, address)


def test_a_click_tells_name_and_basis_of_a_protected_area(page: tuple[Browser, str]) -> None:
    made, address = page
    made.open(f"{address}/map?layers=protected-areas&panel=0&lang=en#10/20.5/105.5")
    made.wait(_READY)
    made.click_at(450, 300)
    made.wait("document.querySelector('.popup')")
    assert made.run("return document.querySelector('.popup h3').textContent") == "Area open A"
    assert made.run("return document.querySelector('.popup .basis').textContent") == "simulated"


def test_the_map_speaks_the_language_asked_for(page: tuple[Browser, str]) -> None:
    made, address = page
    heads = {}
    for lang in ("en", "vi"):
        made.open(f"{address}/map?lang={lang}")
        made.wait(_READY)
        assert made.run("return document.documentElement.lang") == lang
        heads[lang] = made.run("return document.getElementById('report-title').textContent")
    assert heads == {"en": "Overlap report", "vi": "Báo cáo chồng lấn"}


def test_turning_the_system_dark_recolours_the_map_and_keeps_the_drawn_area(
    page: tuple[Browser, str],
) -> None:
    made, address = page
    made.open(f"{address}/map?lang=en#9/20.5/105.5")
    made.wait(_READY)
    sea = "gisMap.getPaintProperty('background', 'background-color')"
    light = made.run(f"return {sea}")
    made.click("#draw")
    made.click_at(600, 300)
    made.dark(True)
    made.wait(f"{sea} !== '{light}'")
    made.dark(False)
    made.wait(f"{sea} === '{light}'")
    assert made.run("return !document.getElementById('drawing').hidden")


def test_an_area_is_drawn_by_clicks_and_closed_by_enter(page: tuple[Browser, str]) -> None:
    made, address = page
    made.open(f"{address}/map?lang=en#9/20.5/105.5")
    made.wait(_READY)
    made.click("#draw")
    for x, y in ((500, 200), (700, 200), (700, 400)):
        made.click_at(x, y)
    made.type(".maplibregl-canvas", "\ue007")  # Enter
    made.wait("!document.getElementById('ready').hidden")
    assert made.run("return document.getElementById('subject').textContent") == "Area ready, 3 corners."
    made.click("#clear")
    assert made.run("return document.getElementById('ready').hidden")


def test_an_area_is_drawn_by_keyboard_alone(page: tuple[Browser, str]) -> None:
    made, address = page
    made.open(f"{address}/map?lang=en#9/20.5/105.5")
    made.wait(_READY)
    made.click("#draw")
    for place in ([105.4, 20.4], [105.6, 20.4], [105.6, 20.6]):
        made.run("gisMap.jumpTo({center: arguments[0]})", place)
        made.type(".maplibregl-canvas", " ")
    made.type(".maplibregl-canvas", "\ue007")
    made.wait("!document.getElementById('ready').hidden")
    assert made.run("return document.getElementById('subject').textContent") == "Area ready, 3 corners."


def test_an_outline_that_crosses_itself_is_refused_where_it_is_drawn(page: tuple[Browser, str]) -> None:
    made, address = page
    made.open(f"{address}/map?lang=en#9/20.5/105.5")
    made.wait(_READY)
    made.click("#draw")
    for x, y in ((500, 200), (700, 400), (700, 200), (500, 400)):
        made.click_at(x, y)
    made.click("#finish")
    assert "crosses itself" in made.run("return document.getElementById('result').textContent")


def test_a_geojson_file_becomes_the_project_area(page: tuple[Browser, str], tmp_path: Path) -> None:
    made, address = page
    ring = [[105.4, 20.4], [105.6, 20.4], [105.6, 20.6], [105.4, 20.4]]
    good, bad = tmp_path / "area.geojson", tmp_path / "list.json"
    good.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    bad.write_text("[1, 2]")
    made.open(f"{address}/map?lang=en")
    made.wait(_READY)
    made.type("#file", str(bad))
    made.wait("document.getElementById('result').textContent.includes('list.json')")
    made.type("#file", str(good))
    made.wait("document.getElementById('subject').textContent.startsWith('area.geojson')")


def test_the_panel_shows_the_overlap_report_of_an_opened_area(
    page: tuple[Browser, str], database: str, settings: Settings, tmp_path: Path
) -> None:
    made, address = page
    half = tmp_path / "half.geojson"  # the western half of Area open A, which is 0.2 degrees wide
    ring = [[105.4, 20.4], [105.5, 20.4], [105.5, 20.6], [105.4, 20.6], [105.4, 20.4]]
    half.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    with running_worker(settings, database, tmp_path / "worker.log"):
        made.open(f"{address}/map?lang=en")
        made.wait(_READY)
        made.type("#file", str(half))
        made.wait("!document.getElementById('ready').hidden")
        made.click("#run")
        made.wait("document.querySelector('#result table')")
    cells = "document.querySelectorAll('#result tbody tr:first-child > *')"
    name, _, of_project, of_area = made.run(f"return [...{cells}].map((cell) => cell.textContent)")
    assert (name, of_project, of_area) == ("Area open A simulated", "100", "50")
    assert "/reports/" in made.run("return document.querySelector('#result a').href")


def test_a_key_opens_the_provinces_own_view_and_a_wrong_one_is_refused(
    page: tuple[Browser, str], database: str
) -> None:
    made, address = page
    with SyncDatabase(database) as db:
        keystore.ensure_principal(db, Principal("province-a", "jurisdiction", ("A",)))
        key = keystore.create(db, "province-a")
    made.open(f"{address}/map?layers=protected-areas,provinces&lang=en#8/20.5/105.5")
    made.wait(_READY)
    assert made.run(_DRAWN, "protected-areas") == 2
    made.click(".access summary")
    made.type("#key", "gis_wrong")
    made.click("#key-form button")
    made.wait("document.getElementById('message').textContent.includes('accept this key')")
    made.run("document.getElementById('key').value = ''; document.body.dataset.ready = ''")
    made.type("#key", key)
    made.click("#key-form button")
    made.wait(f"{_READY} && document.querySelector('.access .notice')")
    assert made.run(_DRAWN, "protected-areas") == 3  # the closed one of its own province too
    assert made.run("return localStorage.length + document.cookie.length") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/collections",
        "/collections/plots",
        "/collections/plots/items",
        _AREA,
        _AREA + "/items",
        "/nothing",
    ],
)
def test_pages_stay_inside_a_phone_and_ask_for_nothing_outside(page: tuple[Browser, str], path: str) -> None:
    made, address = page
    made.console(), made.requested()
    made.size(390, 844)
    made.open(f"{address}{path}?lang=vi" if path != "/nothing" else f"{address}{path}")
    if made.run("return Boolean(document.querySelector('[data-small-map]'))"):
        made.wait("document.querySelector('[data-small-map] canvas')")
    width = made.run("return document.documentElement.scrollWidth")
    made.size(900, 600)
    assert width <= 390
    complaints = [line for line in made.console() if "/nothing" not in line]
    outside = [url for url in made.requested() if not url.startswith((address, "data:", "blob:", "chrome"))]
    assert (complaints, outside) == ([], [])


@contextmanager
def elsewhere(folder: Path) -> Iterator[str]:
    """The files of a folder as another site has them."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


_ON_LEAFLET = """
  const layer = Object.values(window[arguments[0]]?._layers ?? {}).find((each) => each.getMaplibreMap);
  const map = layer?.getMaplibreMap();
  return map?.loaded() ? map.queryRenderedFeatures().map((each) => each.source) : [];
"""


def test_a_notebook_s_map_draws_the_layers_asked_for_with_scripts_of_the_service(
    page: tuple[Browser, str], tmp_path: Path
) -> None:
    """Rows L1, L2: MapLibre on folium's Leaflet, and no other server is asked."""
    made, address = page
    shown = Service(address).map("protected-areas", location=[20.5, 105.5], zoom_start=9)
    shown.save(str(tmp_path / "map.html"))
    with elsewhere(tmp_path) as site:
        made.open(f"{site}/map.html")
        end = time.monotonic() + 30
        while not (sources := made.run(_ON_LEAFLET, shown.get_name())):
            assert time.monotonic() < end, made.console()
            time.sleep(0.1)
        assert set(sources) == {"protected-areas"}
        ours = (site, address, "data:", "blob:", "chrome")
        assert [url for url in made.requested() if not url.startswith(ours)] == []


def test_one_script_tag_puts_the_map_into_another_site_s_page(
    page: tuple[Browser, str], tmp_path: Path
) -> None:
    made, address = page
    data = 'data-layers="plots" data-position="9/20.5/105.5"'
    tag = f'<script src="{address}/static/ui/embed.js" {data}></script>'
    (tmp_path / "page.html").write_text(f"<!doctype html><title>A page</title><p>Before</p>{tag}<p>After</p>")
    with elsewhere(tmp_path) as site:
        made.open(f"{site}/page.html")
        frame = "document.querySelector('p + script + iframe')"
        assert made.run(f"return {frame}.src") == f"{address}/map?panel=0&layers=plots#9/20.5/105.5"
        made.command("POST", "frame", id=made.run(f"return {frame}"))
        made.wait(_READY)
        assert made.run(_DRAWN, "plots") > 0
        made.command("POST", "frame", id=None)


def test_a_notebook_reads_layers_as_frames_and_hears_why_it_is_refused(page: tuple[Browser, str]) -> None:
    """Row L3 asks for pages by `bbox`; here all that matches comes as one stream."""
    gis = Service(page[1])
    assert gis.layers().loc["provinces", "features"] == 2
    found = gis.features("protected-areas", filter="name_eng = 'Area open A'")
    assert list(found["name_eng"]) == ["Area open A"]
    assert found.total_bounds.round(1).tolist() == [105.4, 20.4, 105.6, 20.6]
    with pytest.raises(ServiceRefused, match="nothing"):
        gis.features("protected-areas", filter="nothing = 1")
    with pytest.raises(ServiceRefused, match="doesn't answer"):
        Service("http://127.0.0.1:1").layers()
