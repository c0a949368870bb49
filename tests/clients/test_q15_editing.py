"""Row Q15: QGIS edits for who may edit, and offers nothing to who may only read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.clients.qgis_editing import Editor
from tests.clients.qgis_oapif import CRS84, Qgis
from tests.conftest import Starter
from tests.web import editors
from tests.web.editors import AREAS, World, box

EVERYTHING = {"add features", "change attributes", "change geometries", "delete features", "patch"}
JSON = "application/json"
VN2000 = "http://www.opengis.net/def/crs/EPSG/0/4756"  # degrees, latitude first


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> Iterator[World]:
    keys = editors.fill(database)
    with httpx.Client(timeout=60) as client:
        yield World(start_server(database), database, keys, client)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as made:
        yield made


def open_for(client: httpx.Client, world: World, who: str | None, crs: str = CRS84) -> Editor:
    """The layer of protected areas with somebody's key as the password of Basic authentication."""
    if who is not None:
        client.auth = httpx.BasicAuth("any", world.keys[who])
    return Editor(client, world.url + AREAS, crs, inverted=crs == VN2000)


@pytest.mark.parametrize(("crs", "west"), [(CRS84, 105.05), (VN2000, 105.25)])
def test_q15_an_editor_adds_changes_and_deletes(
    client: httpx.Client, world: World, crs: str, west: float
) -> None:
    layer = open_for(client, world, "bo", crs)
    assert layer.capabilities() == EVERYTHING
    assert not Qgis(client, world.url).open("protected-areas").read_only, "the schema lets fields be written"
    fields = dict.fromkeys(layer.feature("open-A")["properties"])
    made = layer.add(box(west, 20.05), {**fields, "name": "Khu QGIS", "status_yr": 2001})
    assert made is not None
    identity, attributes = made
    assert (attributes["name"], attributes["site_type"]) == ("Khu QGIS", "PA"), (
        "with what the server fills in"
    )
    assert layer.change_geometry(identity, box(west, 20.05, 0.05))
    assert layer.change_attributes(identity, {"name": "Tên khác", "decision_date": "2024-05-31"})
    seen = layer.feature(identity)
    told = [seen["properties"][name] for name in ("name", "decision_date", "status_yr")]
    assert told == ["Tên khác", "2024-05-31", 2001]
    corner = seen["geometry"]["coordinates"][0][0][0]
    assert corner == pytest.approx([west, 20.05], abs=2e-7), "within the digits that are given out"
    assert layer.put(identity, {**seen, "properties": {**seen["properties"], "name": "Bằng PUT"}})
    assert layer.feature(identity)["properties"]["name"] == "Bằng PUT"
    assert layer.delete(identity)
    assert client.get(f"{world.url}{AREAS}/{identity}").status_code == 404


def test_q15_an_editor_saves_a_feature_that_stands(client: httpx.Client, world: World) -> None:
    layer = open_for(client, world, "bo")
    assert layer.change_attributes("open-A", {"name": "Khu sửa"})
    assert layer.change_geometry("open-A", box(105.4, 20.4, 0.3))
    seen = layer.feature("open-A")
    assert (seen["properties"]["name"], seen["geometry"]) == ("Khu sửa", box(105.4, 20.4, 0.3))
    assert layer.delete("open-A")
    assert client.get(f"{world.url}{AREAS}/open-A").status_code == 404
    assert [(kind, row) for kind, row, _ in world.drafted("bo")] == [("delete", "open-A")]
    (number,) = world.rows("select max(proposal_id) from gis.proposal where author = 'bo'")[0]
    submitted = world.ask("bo", "POST", f"/proposals/{number}/steps", {"action": "submit"}, Content_Type=JSON)
    assert submitted.json()["state"] == "submitted", "what was saved goes on its way by the service's pages"
    assert layer.feature("open-A")["properties"]["name"] == "Khu open A", "and what stands is shown again"


def test_q15_the_first_feature_speaks_for_all_of_them(client: httpx.Client, world: World) -> None:
    """The first feature lies in province A; QGIS asks of no other, and Binh edits those of province B."""
    layer = open_for(client, world, "binh")
    assert layer.capabilities() == EVERYTHING
    assert layer.change_attributes("open-B", {"name": "Khu của Bình"})
    assert not layer.change_attributes("open-A", {"name": "Khu của Bình"})


@pytest.mark.parametrize("who", [None, "rita", "bo-reading"])
def test_q15_a_reader_is_offered_nothing_and_refused(
    client: httpx.Client, world: World, who: str | None
) -> None:
    before = world.rows("select count(*), max(proposal_id) from gis.proposal")
    layer = open_for(client, world, who)
    assert layer.capabilities() == frozenset()
    opened = Qgis(client, world.url).open("protected-areas")
    assert opened.read_only
    assert opened.editing == {"GET", "HEAD", "OPTIONS"}
    seen = layer.feature("open-B")
    assert layer.add(box(105.05, 20.2), {"name": "Khu"}) is None
    assert not layer.change_geometry("open-B", box(106.4, 20.4))
    assert not layer.change_attributes("open-B", {"name": "Khác"})
    assert not layer.put("open-B", seen)
    assert not layer.delete("open-B")
    assert layer.feature("open-B") == seen
    assert world.rows("select count(*), max(proposal_id) from gis.proposal") == before


def test_q15_a_layer_without_features_can_be_added_to(client: httpx.Client, world: World) -> None:
    """QGIS asks of a feature `unknown_id`."""
    open_for(client, world, "bo")
    layer = Editor(client, f"{world.url}/collections/management-zones/items")
    assert layer.capabilities() == EVERYTHING
