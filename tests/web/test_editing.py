"""Who edits what by HTTP (Part 4), what becomes of it, several edits at once, in the world of web.editors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gis_service.access import keystore
from gis_service.catalog.registry import load_catalog
from gis_service.changes import store, verdict
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Workflow
from tests.conftest import ROOT, Starter
from tests.web import editors
from tests.web.editors import AREAS, MERGE_PATCH, PART_4, Json, World, area, box, shown, standing

READ = "GET, HEAD, OPTIONS"
ITEMS = f"{READ}, POST"
ITEM = f"{READ}, PUT, PATCH, DELETE"


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> Iterator[World]:
    keys = editors.fill(database)
    with httpx.Client(timeout=60) as client:
        yield World(start_server(database, GIS_WORKFLOW_DIRECT="central"), database, keys, client)


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


def test_hidden_rows_change_nothing_that_an_editor_gets(world: World) -> None:
    """Bo asks and is refused alike, with the same tags, whatever becomes of rows in B that it doesn't see."""
    gids = world.rows(
        "select 'occurrences', gid from gis.occurrence where source_id in ('A2', 'B0', 'B1', 'B2')"
        " union all select 'plots', gid from gis.plot"
    )
    paths = [f"/collections/{layer}/items/{gid}" for layer, gid in gids]
    paths += [f"{AREAS}/{name}" for name in ("open-B", "closed-A", "closed-B")]
    beside = {**area(), "geometry": box(105.95, 20.7, 0.3), "properties": {"name": None}}

    def seen() -> list[object]:
        found: list[object] = []
        for path in paths:
            read, options = world.ask("bo", "GET", path), world.ask("bo", "OPTIONS", path)
            found.append((path, read.status_code, read.headers.get("etag"), options.headers["allow"]))
        refused = (world.ask("bo", "PATCH", path, {}) for path in paths)
        found += [(each.status_code, each.text) for each in refused if each.status_code != 204]
        return [*found, world.ask("bo", "POST", AREAS, beside).text]

    before = seen()
    with SyncDatabase(world.dsn) as database:
        moved = "set geom = ST_Translate(geom, 0.01, 0)"  # within the cell that others see
        database.apply(
            [
                "update gis.protected_area set name = 'Khác' where public_id = 'closed-B'",
                "update gis.occurrence set locality = 'Elsewhere' where source_id like 'B%'",
                f"update gis.occurrence {moved} where source_id in ('B1', 'B2')",
                f"update gis.plot {moved} where source_id = 'B'",
            ]
        )
    assert seen() == before


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


def test_the_tag_of_a_compressed_answer_is_as_good(world: World) -> None:
    path = standing(world, 105.05, 20.5, desig_eng="long " * 1000)
    read = world.ask("bo", "GET", path, Accept_Encoding="gzip")
    plain = world.ask("bo", "GET", path, Accept_Encoding="identity")
    assert read.headers["content-encoding"] == "gzip"
    assert read.headers["etag"] != plain.headers["etag"], "strong tags differ by coding"
    patch = {"properties": {"name": "Mới"}}
    assert world.ask("bo", "PATCH", path, patch, If_Match=read.headers["etag"]).status_code == 204
    assert world.ask("bo", "PATCH", path, patch, If_Match=plain.headers["etag"]).status_code == 412


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
