"""What an edit may hold (Part 4), over HTTP and against the database, in the world of tests.web.editors."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from gis_service.access import keystore
from gis_service.catalog.layer import ClassView
from gis_service.catalog.registry import load_catalog
from gis_service.changes import editing
from gis_service.changes.faults import FieldsRefused
from gis_service.changes.order import Desk, Edit
from gis_service.db.sync import SyncDatabase
from gis_service.geo.crs import WGS84
from gis_service.settings import Workflow
from tests.conftest import ROOT, Starter
from tests.web import editors
from tests.web.editors import AREAS, GEOJSON, PART_4, PLOTS, World, area, box, faults, shown, standing


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> Iterator[World]:
    keys = editors.fill(database)
    with httpx.Client(timeout=60) as client:
        yield World(start_server(database, GIS_WORKFLOW_DIRECT="central"), database, keys, client)


def test_the_answer_holds_the_feature_for_who_prefers_it(world: World) -> None:
    whole = world.ask("bo", "POST", AREAS, area(west=105.05, south=20.85), Prefer="return=representation")
    assert (whole.status_code, whole.headers["preference-applied"]) == (201, "return=representation")
    assert whole.headers["content-type"] == GEOJSON
    assert (whole.json()["id"], whole.json()["geometry"]) == (
        whole.headers["location"].rpartition("/")[2],
        box(105.05, 20.85),
    )
    path = whole.headers["location"].removeprefix(world.url)
    patched = world.ask(
        "bo", "PATCH", path, {"properties": {"name": "Hai"}}, Prefer="return=representation, wait=5"
    )
    assert (patched.status_code, patched.json()["properties"]["name"]) == (200, "Hai")
    small = world.ask("bo", "PATCH", path, {"properties": {"name": "Ba"}}, Prefer="return=minimal")
    assert (small.status_code, small.content) == (204, b"")


@pytest.mark.proves(PART_4 + "features")
def test_coordinates_are_read_in_the_order_of_their_authority(world: World) -> None:
    """The same place in three systems; QGIS names the system without brackets, Part 2 with them."""
    plot = {"type": "Feature", "properties": {"name": "Ô"}}
    place = [105.25, 20.25]
    system = "http://www.opengis.net/def/crs/EPSG/0/{}"
    found = []
    for crs, coordinates in (
        (None, place),
        (f"<{system.format(4326)}>", place[::-1]),
        (system.format(4326), [20.25, 105.25, 12.5]),
        (system.format(3405), [526126.39, 2239231.31]),
    ):
        body = {**plot, "geometry": {"type": "Point", "coordinates": coordinates}}
        made = world.ask("bo", "POST", PLOTS, body, **({"Content_Crs": crs} if crs else {}))
        assert made.status_code == 201, made.text
        path = made.headers["location"].removeprefix(world.url)
        found.append(shown(world, "bo", path)["geometry"]["coordinates"])
    assert found[:3] == [place] * 3, "heights are dropped, as by the loader"
    assert found[3] == pytest.approx(place, abs=0.01)
    refused = world.ask("bo", "POST", PLOTS, plot, Content_Crs=system.format(99999))
    assert refused.status_code == 400


def test_what_is_sent_back_as_it_was_read_in_metres_moves_nothing(world: World) -> None:
    """QGIS reads and writes a layer in the system that it was opened in."""
    crs = "http://www.opengis.net/def/crs/EPSG/0/3405"
    gid = world.rows("select gid from gis.plot where source_id = 'A'")[0][0]
    read = shown(world, "bo", f"{PLOTS}/{gid}?crs={crs}")
    patch = {"geometry": read["geometry"]}
    assert world.ask("bo", "PATCH", f"{PLOTS}/{gid}", patch, Content_Crs=crs).status_code == 204
    assert not world.rows("select from gis.proposed_change where gid = $1", gid)


def test_a_single_part_becomes_a_multipart_and_a_crossing_ring_is_repaired(world: World) -> None:
    bow = [[105.2, 20.85], [105.3, 20.95], [105.3, 20.85], [105.2, 20.95], [105.2, 20.85]]
    body = {**area(), "geometry": {"type": "Polygon", "coordinates": [bow]}}
    made = world.ask("bo", "POST", AREAS, body)
    assert made.status_code == 201, made.text
    seen = shown(world, "bo", made.headers["location"].removeprefix(world.url))["geometry"]
    assert (seen["type"], len(seen["coordinates"])) == ("MultiPolygon", 2), "two triangles"


SPOT = {"type": "Polygon", "coordinates": [[[105, 20]] * 4]}


@pytest.mark.proves(PART_4 + "features")
def test_what_the_table_can_t_hold_is_refused_with_its_rule(world: World) -> None:
    """Rules that the database knows; those of the document alone are in tests/unit/test_edit_documents.py."""
    for properties, pointer, rule in (
        ({"name": None}, "#/properties/name", "required"),
        ({"name": ""}, "#/properties/name", "protected_area_name_check"),
        ({"status_yr": 1700}, "#/properties/status_yr", "protected_area_status_yr_check"),
        ({"rep_area": -1}, "#/properties/rep_area", "protected_area_rep_area_check"),
    ):
        body = area("Khu", 105.35, 20.85)
        body["properties"] |= properties
        assert faults(world.ask("bo", "POST", AREAS, body)) == {(pointer, rule)}
    for geometry, rule in ((box(105, 95), "geometry-off-the-globe"), (SPOT, "geometry-beyond-repair")):
        body = {**area(), "geometry": geometry}
        assert faults(world.ask("bo", "POST", AREAS, body)) == {("#/geometry", rule)}
    many = {**area(status_yr=2**63, basis="simulated", sensitivity=1), "id": "mine", "geometry": None}
    assert faults(world.ask("bo", "POST", AREAS, many)) == {
        ("#/id", "id-given"),
        ("#/geometry", "geometry-missing"),
        ("#/properties/status_yr", "too-large"),
        ("#/properties/basis", "read-only"),
        ("#/properties/sensitivity", "unknown-property"),
    }, "all at once"


def test_a_check_s_fault_is_told_in_the_reader_s_language(world: World) -> None:
    """Inscribed is the status of world heritage alone: a rule of the checks, and of the table too."""
    body = area(
        west=105.35, south=20.85, site_type="OECM", iucn_cat="II", status="Inscribed", desig_eng="Park"
    )
    vi = world.ask("bo", "POST", AREAS, body, Accept_Language="vi").json()
    en = world.ask("bo", "POST", AREAS, body, Accept_Language="en").json()
    assert vi["title"] == "Đối tượng bị từ chối"
    assert [each["pointer"] for each in vi["errors"]] == [each["pointer"] for each in en["errors"]]
    late = world.ask("bo", "POST", AREAS, area(west=105.35, south=20.85, decision_date="2999-01-01"))
    assert faults(late) == {("#/properties/decision_date", "area-decision-date")}


def test_a_document_that_is_none_is_refused(world: World) -> None:
    for body, status in (
        (b"", 400), (b"{", 400), (b"[]", 400), (b'{"type": NaN}', 400), (b"\xff", 400), (b'"\\ud800"', 400),
        (b'{"a":' + b"[" * 100_000, 400), (b"[" * 17_000_000, 413),
    ):  # fmt: skip
        assert world.ask("bo", "POST", AREAS, body).status_code == status
    for kind, status in (("", 400), ("text/csv", 415), (f"{GEOJSON}; charset=utf-8", 201)):
        new = area(west=105.5, south=20.85)
        assert world.ask("bo", "POST", AREAS, new, Content_Type=kind).status_code == status
    strange = {f"p{number}": 1 for number in range(10_000)}
    assert len(faults(world.ask("bo", "POST", AREAS, {**area(), "properties": strange}))) == 50, (
        "a refusal stays small"
    )
    id_ = {"id": "other", "properties": {}}
    assert faults(world.ask("bo", "PATCH", f"{AREAS}/open-A", id_)) == {("#/id", "id-other")}
    assert world.ask("bo", "POST", f"{AREAS}?limit=1", area()).status_code == 400


def test_nobody_writes_or_moves_a_row_beyond_its_own_places(world: World) -> None:
    for method, path, body in (
        ("POST", AREAS, area(west=106.1, south=20.1)),
        ("POST", AREAS, area(west=102.0, south=20.1)),
        ("POST", AREAS, area(west=179.95, south=20.1)),
        ("PATCH", f"{AREAS}/open-A", {"geometry": box(106.4, 20.1)}),
        ("PATCH", f"{AREAS}/open-B", {"properties": {"name": "Của tôi"}}),
        ("DELETE", f"{AREAS}/open-B", None),
    ):
        answer = world.ask("bo", method, path, body)
        assert answer.status_code == 403, answer.text
    both = world.ask("bo", "PATCH", f"{AREAS}/open-A", {"geometry": box(105.95, 20.4)})
    assert both.status_code == 204, "of several places one must be the editor's"


def test_a_board_edits_in_its_area_and_the_buffer_round_it(world: World) -> None:
    """Open-B ends at 106.6 east; 2,000 m are 0.019 degrees there."""
    plot = {"type": "Feature", "properties": {"name": "Ô"}}
    for west, status in ((106.5, 201), (106.615, 201), (106.63, 403), (105.5, 403)):
        body = {**plot, "geometry": {"type": "Point", "coordinates": [west, 20.5]}}
        assert world.ask("ban", "POST", PLOTS, body).status_code == status, west
    move = {"geometry": box(106.8, 20.8)}
    assert world.ask("ban", "PATCH", f"{AREAS}/open-B", move).status_code == 403


def test_a_property_that_its_editor_doesn_t_see_is_neither_set_nor_emptied(world: World) -> None:
    """The layer as it would be with a property hidden from the class that edits it."""
    path = standing(world, 105.65, 20.35, mang_auth="Secret", name_eng="Old")
    layers = dict(load_catalog(ROOT).layers)
    layer = layers["protected-areas"]
    access = layer.access.model_copy(update={"jurisdiction": ClassView(hide=("mang_auth",))})
    layers[layer.id] = layer.model_copy(update={"access": access})
    with SyncDatabase(world.dsn) as database:
        desk = Desk(database, Workflow(), layers, layer.id, keystore.principal_named(database, "bo"))
        body = area("Khu mới", 105.65, 20.35, mang_auth="Mine")
        with pytest.raises(FieldsRefused) as refused:
            editing.change(desk, path.rpartition("/")[2], Edit(json.dumps(body).encode(), WGS84), "replace")
        assert [(each.pointer, each.rule) for each in refused.value.faults] == [
            ("#/properties/mang_auth", "unknown-property")
        ]
        assert "mang_auth" not in refused.value.faults[0].reason.say("en").partition("there are")[2]
        del body["properties"]["mang_auth"]
        editing.change(desk, path.rpartition("/")[2], Edit(json.dumps(body).encode(), WGS84), "replace")
    seen = shown(world, "bo", path)["properties"]
    assert (seen["mang_auth"], seen["name_eng"]) == ("Secret", None)


def test_an_edit_is_told_in_the_log_under_its_editor_s_name(world: World) -> None:
    world.ask("bo", "POST", AREAS, area(west=105.65, south=20.85), User_Agent="QGIS/34400")
    told = world.rows(
        "select actor_role, client from gis.audit where actor = 'bo' and action like 'proposal.%'"
        " order by seq desc limit 1"
    )
    assert told[0][0] == "editor"
    assert told[0][1].endswith("QGIS/34400")


@pytest.mark.proves(PART_4 + "features")
def test_the_schema_says_what_may_be_written(world: World) -> None:
    path = "/collections/protected-areas/schema"
    mine, hers = shown(world, "bo", path), shown(world, "rita", path)
    assert all(about["readOnly"] for about in hers["properties"].values())
    kept = {name for name, about in mine["properties"].items() if about.get("readOnly")}
    assert kept == {"id", "basis"}
    assert mine["additionalProperties"] is False
