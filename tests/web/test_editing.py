"""Features made, replaced, updated and withdrawn by HTTP (Part 4), in the world of tests.web.editors."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gis_service.access import keystore
from gis_service.catalog.layer import ClassView
from gis_service.catalog.registry import load_catalog
from gis_service.changes import editing, store, verdict
from gis_service.changes.faults import FieldsRefused
from gis_service.changes.order import Desk, Edit
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geo.crs import WGS84
from gis_service.settings import Workflow
from tests.conftest import ROOT, Starter
from tests.web import editors
from tests.web.editors import AREAS, GEOJSON, MERGE_PATCH, Json, World, area, box

PART_4 = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/"
READ = "GET, HEAD, OPTIONS"
ITEMS = f"{READ}, POST"
ITEM = f"{READ}, PUT, PATCH, DELETE"
PLOTS = "/collections/plots/items"


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> Iterator[World]:
    keys = editors.fill(database)
    with httpx.Client(timeout=60) as client:
        yield World(start_server(database, GIS_WORKFLOW_DIRECT="central"), database, keys, client)


def standing(world: World, west: float, south: float, **properties: object) -> str:
    """The path of a new protected area that stands, by an editor whose edits do."""
    made = world.ask("chau", "POST", AREAS, area("Khu mới", west, south, **properties))
    assert made.status_code == 201, made.text
    return made.headers["location"].removeprefix(world.url)


def shown(world: World, who: str | None, path: str) -> Json:
    answer = world.ask(who, "GET", path)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def faults(answer: httpx.Response) -> set[tuple[str, str]]:
    """Pointer and rule of each fault of a refusal."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {(each["pointer"], each["rule"]) for each in answer.json()["errors"]}


# Who may do what.


@pytest.mark.proves(PART_4 + "create-replace-delete", PART_4 + "update")
@pytest.mark.parametrize(
    ("who", "items", "own", "other"),
    [
        (None, READ, READ, READ),
        ("rita", READ, READ, READ),
        ("bo-reading", READ, READ, READ),
        ("bo", ITEMS, ITEM, READ),
        ("binh", ITEMS, READ, ITEM),
        ("ban", ITEMS, READ, ITEM),
        ("chau", ITEMS, ITEM, ITEM),
    ],
)
def test_options_name_what_the_caller_may_do(
    world: World, who: str | None, items: str, own: str, other: str
) -> None:
    for path, allow in ((AREAS, items), (f"{AREAS}/open-A", own), (f"{AREAS}/open-B", other)):
        answer = world.ask(who, "OPTIONS", path)
        assert (answer.status_code, answer.headers["allow"]) == (200, allow), path
        assert ("accept-post" in answer.headers) == ("POST" in allow)
        assert (MERGE_PATCH in answer.headers.get("accept-patch", "")) == ("PATCH" in allow)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            if method not in allow:
                refused = world.ask(who, method, path, area())
                assert refused.status_code in ({401, 405} if who is None else {403, 405}), refused.text
                assert refused.headers["allow"] == allow


def test_options_tell_nothing_of_a_hidden_row(world: World) -> None:
    """Closed-B is hidden from province A: it is answered as an id that was never there."""
    answers = [world.ask("bo", "OPTIONS", f"{AREAS}/{each}") for each in ("closed-B", "never")]
    assert [each.headers["allow"] for each in answers] == [ITEM, ITEM]
    for method in ("PUT", "PATCH", "DELETE"):
        hidden, never = (
            world.ask("bo", method, f"{AREAS}/{each}", None if method == "DELETE" else area())
            for each in ("closed-B", "never")
        )
        assert hidden.status_code == never.status_code == 404
        assert hidden.text.replace("closed-B", "never") == never.text


def test_browsers_are_told_all_methods_before_they_send_a_key(world: World) -> None:
    """A preflight carries no credentials (Fetch, 4.8): the rights are asked when the request itself comes."""
    answer = world.ask(
        None,
        "OPTIONS",
        f"{AREAS}/open-A",
        Origin="https://maps.example",
        Access_Control_Request_Method="PATCH",
    )
    assert answer.is_success
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert {"content-crs", "content-type", "if-match", "x-api-key"} <= set(allowed.split(", "))


# Drafts.


@pytest.mark.proves(PART_4 + "create-replace-delete", PART_4 + "features")
def test_a_new_feature_is_seen_by_its_author_alone(world: World) -> None:
    made = world.ask("bo", "POST", AREAS, area("Khu thử", 105.05, 20.05, status_yr=1999))
    path = made.headers["location"].removeprefix(world.url)
    assert (made.status_code, made.content) == (201, b"")
    assert path.startswith(f"{AREAS}/draft-")
    seen = shown(world, "bo", path)
    assert seen["id"] == path.rpartition("/")[2]
    assert seen["geometry"] == box(105.05, 20.05)
    told = {name: seen["properties"][name] for name in ("name", "status_yr", "site_type", "iucn_cat")}
    assert told == {"name": "Khu thử", "status_yr": 1999, "site_type": "PA", "iucn_cat": None}, (
        "with defaults"
    )
    for who in (None, "rita", "binh", "chau"):
        assert world.ask(who, "GET", path).status_code == 404
        assert "Khu thử" not in world.ask(who, "GET", f"{AREAS}?limit=100").text
    for who in ("binh", "chau"):
        assert world.ask(who, "DELETE", path).status_code == 404, "somebody else's draft isn't there"
    assert world.ask("bo", "DELETE", path).status_code == 204
    assert world.ask("bo", "GET", path).status_code == 404
    assert world.ask("bo", "DELETE", path).status_code == 404


@pytest.mark.proves(PART_4 + "update")
def test_edits_of_one_feature_are_one_change_and_undone_are_none(world: World) -> None:
    path = standing(world, 105.2, 20.05, name_eng="Old", status_yr=1990)
    name = path.rpartition("/")[2]
    before = shown(world, "bo", path)["properties"]

    def mine() -> list[Json]:
        sql = 'select c."values" from gis.proposed_change c join gis.proposal p using (proposal_id)'
        where = " where p.author = 'bo' and p.state = 'draft' and c.gid = $1"
        return [dict(values) for (values,) in world.rows(sql + where, int(name))]

    for properties in ({"name": "Một"}, {"name": "Hai", "status_yr": 1991}, {"name_eng": None}):
        assert world.ask("bo", "PATCH", path, {"properties": properties}).status_code == 204
    assert mine() == [{"name": "Hai", "status_yr": 1991, "name_eng": None}]
    after = shown(world, "bo", path)["properties"]
    assert after == {**before, "name": "Hai", "status_yr": 1991, "name_eng": None}, "and nothing else"
    assert shown(world, "rita", path)["properties"] == before, "nobody else knows"
    undo = {"properties": {"name": "Khu mới", "status_yr": 1990, "name_eng": "Old"}}
    assert world.ask("bo", "PATCH", path, undo).status_code == 204
    assert mine() == []


def test_a_withdrawn_feature_is_gone_for_its_editor_until_the_draft_is_decided(world: World) -> None:
    path = standing(world, 105.35, 20.05)
    assert world.ask("bo", "PATCH", path, {"properties": {"name": "Khác"}}).status_code == 204
    assert world.ask("bo", "DELETE", path).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        body = {"properties": {"name": "Nữa"}} if method == "PATCH" else None
        assert world.ask("bo", method, path, body).status_code == 404
    assert world.ask("rita", "GET", path).status_code == 200
    assert ("delete", "{}") in world.rows(
        """select c.operation, c."values"::text from gis.proposed_change c where c.gid = $1""",
        int(path.rpartition("/")[2]),
    )


@pytest.mark.proves(PART_4 + "create-replace-delete")
def test_put_replaces_all_that_it_may(world: World) -> None:
    """What it doesn't name is empty then; a column that is never empty stays as it is."""
    path = standing(world, 105.5, 20.05, name_eng="Old", status_yr=1990, site_type="OECM")
    read = shown(world, "bo", path)
    assert world.ask("bo", "PUT", path, read).status_code == 204, "what was read may be sent back"
    assert not world.rows(
        "select from gis.proposed_change c join gis.proposal p using (proposal_id)"
        " where c.gid = $1 and p.state = 'draft'",
        int(path.rpartition("/")[2]),
    ), "and changes nothing"
    assert world.ask("bo", "PUT", path, {**read, "id": "other"}).status_code == 422
    new = {"type": "Feature", "geometry": box(105.5, 20.05, 0.05), "properties": {"name": "Tên"}}
    assert world.ask("bo", "PUT", path, new).status_code == 204
    seen = shown(world, "bo", path)
    values = {name: value for name, value in seen["properties"].items() if value is not None}
    assert values.pop("basis") == "published", "of the data set"
    assert values == {"name": "Tên", "site_type": "OECM"}
    assert seen["geometry"] == box(105.5, 20.05, 0.05)


@pytest.mark.proves(PART_4 + "create-replace-delete")
def test_put_and_patch_make_nothing(world: World) -> None:
    for headers in ({}, {"If_Match": '"xyz"'}):
        assert world.ask("bo", "PUT", f"{AREAS}/new-one", area(), **headers).status_code == 404
        assert (
            world.ask("bo", "PATCH", f"{AREAS}/draft-999-1", {"properties": {}}, **headers).status_code == 404
        )


def test_a_change_of_a_row_that_somebody_published_meanwhile_waits_for_a_look(world: World) -> None:
    path = standing(world, 105.65, 20.05)
    assert world.ask("bo", "PATCH", path, {"properties": {"name": "Của Bo"}}).status_code == 204
    assert world.ask("chau", "PATCH", path, {"properties": {"name_eng": "By Chau"}}).status_code == 204
    refused = world.ask("bo", "PATCH", path, {"properties": {"status_yr": 2000}})
    assert refused.status_code == 409, refused.text
    answer = world.ask("bo", "GET", path)
    seen = answer.json()["properties"]
    assert (seen["name"], seen["name_eng"]) == ("Của Bo", "By Chau")
    patch = {"properties": {"status_yr": 2000}}
    assert world.ask("bo", "PATCH", path, patch, If_Match=answer.headers["etag"]).status_code == 204


# Edits that stand at once.


def test_an_edit_of_a_direct_tier_is_a_release(world: World) -> None:
    releases = world.rows("select max(release) from gis.release")[0][0]
    path = standing(world, 105.8, 20.05)
    assert "draft" not in path
    assert world.ask("chau", "PATCH", path, {"properties": {"name": "Tên sau"}}).status_code == 204
    assert shown(world, "rita", path)["properties"]["name"] == "Tên sau"
    same = world.ask("chau", "PATCH", path, {"properties": {"name": "Tên sau"}})
    assert same.status_code == 204
    assert world.ask("chau", "DELETE", path).status_code == 204
    assert world.ask("rita", "GET", path).status_code == 404
    assert world.ask("chau", "DELETE", path).status_code == 404, "a withdrawn row"
    made = world.rows(
        "select p.channel, p.state, p.release - $1, m.inserted, m.changed, m.withdrawn"
        " from gis.proposal p join gis.release_manifest m using (release)"
        " where p.author = 'chau' and p.release > $1 order by p.release",
        releases,
    )
    assert made == [
        ("direct", "published", 1, 1, 0, 0),
        ("direct", "published", 2, 0, 1, 0),
        ("direct", "published", 3, 0, 0, 1),
    ], "nothing was made of an edit that changes nothing"


@pytest.mark.parametrize("who", ["chin", "chau-editing"])
def test_only_who_may_publish_edits_directly(world: World, who: str) -> None:
    """Chin is no reviewer, and a key that doesn't review publishes nothing: their edits wait in a draft."""
    made = world.ask(who, "POST", AREAS, area(west=106.1, south=20.05))
    assert "/items/draft-" in made.headers["location"]
    assert world.ask(who, "DELETE", made.headers["location"].removeprefix(world.url)).status_code == 204


def test_a_province_s_boundary_moves_at_once_with_all_that_follows_it(world: World) -> None:
    """What waits for the commit, the rows' jurisdictions among it, runs by the service's rights."""
    path = "/collections/provinces/items/province-B"
    ring = [[106, 20], [107.05, 20], [107.05, 21], [106, 21], [106, 20]]
    patch = {"geometry": {"type": "Polygon", "coordinates": [ring]}}
    made = world.ask("chau", "PATCH", path, patch)
    assert made.status_code == 204, made.text
    assert shown(world, None, path)["geometry"]["coordinates"] == [[ring]]
    assert world.ask("binh", "POST", AREAS, area(west=107.06, south=20.1)).status_code == 403
    new = world.ask("binh", "POST", AREAS, area(west=107.02, south=20.1))
    assert new.status_code == 201, "it meets the province where it has grown"
    assert world.ask("binh", "DELETE", new.headers["location"].removeprefix(world.url)).status_code == 204


# On its way.


def test_a_draft_goes_on_its_way_and_the_next_edit_begins_another(world: World) -> None:
    """Submitted, it is no draft any more; returned, it is one, but edits go on in the one begun since."""
    one, two = standing(world, 106.1, 20.2), standing(world, 106.25, 20.2)
    patch = {"properties": {"name": "Của Bình"}}
    assert world.ask("binh", "PATCH", one, patch).status_code == 204
    layers = load_catalog(ROOT).layers
    with SyncDatabase(world.dsn) as database:
        binh, phong = (keystore.principal_named(database, name) for name in ("binh", "phong"))
        (number,) = [each.number for each in store.listed(database, "draft") if each.author == "binh"]
        draft = store.numbered(database, number)
        sent = verdict.submit(database, Workflow(), layers, draft, binh)
        assert shown(world, "binh", one)["properties"]["name"] == "Khu mới", "it is under review"
        assert world.ask("binh", "PATCH", two, patch).status_code == 204
        layer = layers["protected-areas"]
        store.take(database, Workflow(), layer, sent, "return", phong, "once more")
        channels = Query("select channel, state from gis.proposal where author = 'binh' order by proposal_id")
        assert database.run(channels) == [("file", "draft"), ("features", "draft")]
        assert world.ask("binh", "PATCH", two, {"properties": {"name": "Nữa"}}).status_code == 204
        assert database.run(channels) == [("file", "draft"), ("features", "draft")]
        assert store.numbered(database, number).changes == 1


# Optimistic locking.


@pytest.mark.proves(PART_4 + "optimistic-locking-etags")
@pytest.mark.parametrize(("who", "west"), [("bo", 105.05), ("chau", 105.2)])
def test_a_tag_that_has_changed_is_refused(world: World, who: str, west: float) -> None:
    path = standing(world, west, 20.2)
    tag = world.ask(who, "GET", path).headers["etag"]
    assert tag.startswith('"'), "a strong one"
    patch = {"properties": {"name": "Mới"}}
    for wrong in ('"0"', f"W/{tag}", '"0", "1"'):
        assert world.ask(who, "PATCH", path, patch, If_Match=wrong).status_code == 412
        assert world.ask(who, "PUT", path, area(west=west, south=20.2), If_Match=wrong).status_code == 412
        assert world.ask(who, "DELETE", path, If_Match=wrong).status_code == 412
    assert shown(world, who, path)["properties"]["name"] == "Khu mới"
    made = world.ask(who, "PATCH", path, patch, If_Match=f'"0", {tag}')
    assert made.status_code == 204
    second = made.headers["etag"]
    assert second != tag
    assert world.ask(who, "GET", path).headers["etag"] == second
    assert world.ask(who, "GET", path, If_None_Match=second).status_code == 304
    put = world.ask(who, "PUT", path, area("Ba", west, 20.2), If_Match=second)
    assert (put.status_code, put.headers["etag"] != second) == (204, True)
    assert world.ask(who, "PATCH", path, patch).status_code == 204, "without If-Match nothing is compared"
    assert world.ask(who, "PATCH", path, {"properties": {"name": "Bốn"}}, If_Match="*").status_code == 204
    last = world.ask(who, "GET", path).headers["etag"]
    assert world.ask(who, "DELETE", path, If_Match=last).status_code == 204
    assert world.ask(who, "GET", path).status_code == 404


def test_an_edit_of_another_row_leaves_the_tag(world: World) -> None:
    one, two = standing(world, 105.35, 20.2), standing(world, 105.5, 20.2)
    tag = world.ask("bo", "GET", one).headers["etag"]
    assert world.ask("bo", "PATCH", two, {"properties": {"name": "Khác"}}).status_code == 204
    assert world.ask("bo", "GET", one).headers["etag"] == tag


@pytest.mark.parametrize(("who", "west"), [("bo", 105.65), ("chau", 105.8)])
def test_of_twelve_at_once_one_wins(world: World, who: str, west: float) -> None:
    path = standing(world, west, 20.2)
    tag = world.ask(who, "GET", path).headers["etag"]
    together = threading.Barrier(12)

    def edit(number: int) -> int:
        together.wait()
        patch = {"properties": {"name": f"Khu {number}"}}
        return world.ask(who, "PATCH", path, patch, If_Match=tag).status_code

    with ThreadPoolExecutor(12) as threads:
        made = sorted(threads.map(edit, range(12)))
    assert made == [204] + [412] * 11


# What comes in.


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


LINE = {"type": "LineString", "coordinates": [[105, 20], [106, 21]]}
OPEN = {"type": "Polygon", "coordinates": [[[105, 20], [105.1, 20], [105.1, 20.1], [105, 20.1]]]}
DEEP = {"type": "Polygon", "coordinates": [[[[[[105, 20]]]]]]}
SPOT = {"type": "Polygon", "coordinates": [[[105, 20]] * 4]}
WORDS = {"type": "Polygon", "coordinates": [[["105", "20"], [1, 1], [2, 2], ["105", "20"]]]}


@pytest.mark.proves(PART_4 + "features")
@pytest.mark.parametrize(
    ("properties", "rule"),
    [
        ({"name": 7}, "not-text"),
        ({"name": None}, "required"),
        ({"name": ""}, "protected_area_name_check"),
        ({"name": "a\x00b"}, "nul"),
        ({"name": "x" * 100_001}, "too-long"),
        ({"name": {"__proto__": {}}}, "not-text"),
        ({"status_yr": 2**63}, "too-large"),
        ({"status_yr": 2**70}, "too-large"),
        ({"status_yr": 1990.5}, "not-integer"),
        ({"status_yr": True}, "not-integer"),
        ({"status_yr": 1700}, "protected_area_status_yr_check"),
        ({"rep_area": "12"}, "not-number"),
        ({"rep_area": -1}, "protected_area_rep_area_check"),
        ({"iucn_cat": "VII"}, "not-allowed"),
        ({"decision_date": "2024-02-30"}, "not-date"),
        ({"decision_date": "20240131"}, "not-date"),
        ({"basis": "simulated"}, "read-only"),
        ({"__proto__": 1}, "unknown-property"),
        ({"sensitivity": 1}, "unknown-property"),
        ({"restricted": False}, "unknown-property"),
        ({"dataset_id": 1}, "unknown-property"),
        ({"jurisdiction": ["A"]}, "unknown-property"),
        ({"geom": "POINT(0 0)"}, "unknown-property"),
    ],
)
def test_each_property_is_refused_by_its_rule(world: World, properties: Json, rule: str) -> None:
    body = area(west=105.35, south=20.85)
    body["properties"] |= properties
    (name,) = properties
    assert (f"#/properties/{name}", rule) in faults(world.ask("bo", "POST", AREAS, body))


@pytest.mark.proves(PART_4 + "features")
@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"type": "FeatureCollection"}, ("#/type", "not-feature")),
        ({"id": "mine"}, ("#/id", "id-given")),
        ({"properties": []}, ("#/properties", "not-object-member")),
        ({"geometry": None}, ("#/geometry", "geometry-missing")),
        ({"geometry": []}, ("#/geometry", "not-object-member")),
        ({"geometry": LINE}, ("#/geometry/type", "geometry-type")),
        ({"geometry": {"type": "GeometryCollection"}}, ("#/geometry/type", "geometry-type")),
        ({"geometry": OPEN}, ("#/geometry/coordinates/0", "geometry-open")),
        ({"geometry": DEEP}, ("#/geometry/coordinates/0", "geometry-short")),
        ({"geometry": WORDS}, ("#/geometry/coordinates/0/0", "geometry-position")),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, ("#/geometry/coordinates", "geometry-empty")),
        ({"geometry": box(105, 95)}, ("#/geometry", "geometry-off-the-globe")),
        ({"geometry": SPOT}, ("#/geometry", "geometry-beyond-repair")),
        ({"crs": {"type": "name"}}, ("#/crs", "crs-member")),
    ],
)  # fmt: skip
def test_each_member_is_refused_by_its_rule(world: World, members: Json, fault: tuple[str, str]) -> None:
    assert fault in faults(world.ask("bo", "POST", AREAS, {**area(), **members}))


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
