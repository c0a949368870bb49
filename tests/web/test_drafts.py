"""An editor's own unpublished edits over the rows: for who made them in every read, and for nobody else.

Bo of province A moves and renames the open area A, withdraws the closed one and draws a new one. Of the
records (A0 to A4, categories 0 to 4) it moves A2, withdraws A0 and adds one of category 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gis_service.access import accounts, keystore, policy
from gis_service.access.accounts import NewAccount
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import Drafts, ViewedLayer
from gis_service.db import draft_sql, select
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from tests.conftest import ROOT, Starter
from tests.web import editors
from tests.web.editors import AREAS, Json, area, box

RECORDS = "/collections/occurrences/items"
OTHERS = (None, "rita", "bich", "binh", "chau", "chin", "bo-reading")
TILES = "/collections/{}/tiles/WebMercatorQuad/9/226/405"
SETTLED = tuple(  # what drafts change for nobody, their author neither
    path
    for layer in ("protected-areas", "occurrences")
    for path in (
        f"/collections/{layer}",
        f"/collections/{layer}/export?f=csv",
        f"/collections/{layer}/items?release=1",
        TILES.format(layer),
    )
)
READ = tuple(
    f"{items}{query}"
    for items in (AREAS, RECORDS)
    for query in ("?limit=50", "?limit=2", "?f=csv", "?f=html", "?bbox=105.15,20.05,105.35,20.35", "/{own}")
)


@dataclass
class Drafted:
    """The world, what everybody saw of it before the edits, and the ids of what bo drafted."""

    world: editors.World
    client: httpx.Client  # one, for to open a connection takes longer than most answers
    before: Mapping[tuple[str | None, str], tuple[int, bytes, str | None]] = field(default_factory=dict)
    area: str = ""
    record: str = ""
    gids: Mapping[str, int] = field(default_factory=dict)

    def get(self, path: str, who: str | None = "bo", **headers: str) -> httpx.Response:
        made = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(path, headers={**made, **({"X-API-Key": self.world.keys[who]} if who else {})})

    def features(self, path: str, who: str | None = "bo") -> list[Json]:
        answer = self.get(path, who)
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json()["features"]
        return found

    def ids(self, path: str, who: str | None = "bo") -> list[Any]:
        return [feature["id"] for feature in self.features(path, who)]

    def seen(self, who: str | None, path: str) -> tuple[int, bytes, str | None]:
        owned = path.replace("{own}", "open-A" if path.startswith(AREAS) else str(self.gids["A2"]))
        answer = self.get(owned, who)
        body = b"" if "f=csv" in path or "f=html" in path else answer.content.partition(b'"timeStamp"')[0]
        text = answer.text if "f=csv" in path else ""
        return answer.status_code, body + text.encode(), answer.headers.get("etag")

    def edit(self, method: str, path: str, body: object = None) -> httpx.Response:
        answer = self.world.ask("bo", method, path, body)
        assert answer.is_success, answer.text
        return answer


@pytest.fixture(scope="module")
def drafted(start_server: Starter, database: str) -> Iterator[Drafted]:
    keys = dict(editors.fill(database))
    with SyncDatabase(database) as db:
        accounts.create(db, NewAccount("bich"))
        accounts.grant(db, "bich", "dept-a", "editor")
        keys["bich"] = keystore.create(db, "bich", scopes=("edit", "review"))
    world = editors.World(start_server(database), database, keys)
    with httpx.Client(base_url=world.url, timeout=60) as client:
        yield begun(Drafted(world, client))


def begun(made: Drafted) -> Drafted:
    """The world with bo's edits."""
    made.gids = dict(made.world.rows("select source_id, gid from gis.occurrence"))
    everybody = [(who, path) for who in OTHERS for path in (*READ, *SETTLED)]
    made.before = {
        (who, path): made.seen(who, path) for who, path in (*everybody, *(("bo", p) for p in SETTLED))
    }

    made.edit(
        "PATCH", f"{AREAS}/open-A", {"properties": {"name_eng": "Renamed"}, "geometry": box(105.2, 20.1)}
    )
    made.edit("DELETE", f"{AREAS}/closed-A")
    made.area = made.edit("POST", AREAS, area("An area", 105.7, 20.2)).headers["location"].rpartition("/")[2]
    moved = {"geometry": {"type": "Point", "coordinates": [105.3, 20.3]}}
    made.edit("PATCH", f"{RECORDS}/{made.gids['A2']}", moved)
    made.edit("DELETE", f"{RECORDS}/{made.gids['A0']}")
    new = {"scientificName": "Speciosus category1", "locality": "Hollow new"}
    point = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [105.6, 20.6]},
        "properties": new,
    }
    made.record = made.edit("POST", RECORDS, point).headers["location"].rpartition("/")[2]
    return made


def test_the_author_sees_rows_changed_gone_and_new(drafted: Drafted) -> None:
    found = {feature["id"]: feature for feature in drafted.features(AREAS)}
    assert set(found) == {"open-A", "open-B", drafted.area}
    assert drafted.area.startswith("draft-")
    assert drafted.area.endswith("-3")
    proposal = int(drafted.area.split("-")[1])
    assert {name: each.get("proposal") for name, each in found.items()} == {
        "open-A": proposal, "open-B": None, drafted.area: proposal,
    }  # fmt: skip
    assert found["open-A"]["properties"]["name_eng"] == "Renamed"
    assert found["open-A"]["properties"]["name"] == "Khu open A"
    assert found["open-A"]["geometry"] == box(105.2, 20.1)
    assert found[drafted.area]["properties"]["name"] == "An area"
    assert found[drafted.area]["properties"]["site_type"] == "PA"  # the table's default
    assert drafted.get(AREAS).json()["numberMatched"] == 3


def test_ids_that_are_numbers_give_way_to_the_draft_s(drafted: Drafted) -> None:
    """Of 9 records that province A sees (5 own, 4 of B) one is gone and one is new."""
    found = {feature["id"]: feature for feature in drafted.features(f"{RECORDS}?limit=50")}
    assert len(found) == 9
    assert drafted.gids["A0"] not in found
    assert found[drafted.gids["A2"]]["geometry"]["coordinates"] == [105.3, 20.3]
    new = found[drafted.record]
    assert new["geometry"]["coordinates"] == [105.6, 20.6]
    assert (new["properties"]["locality"], new["properties"]["basis"]) == ("Hollow new", "published")


def test_boxes_and_filters_find_what_would_stand(drafted: Drafted) -> None:
    old, new = "bbox=105.41,20.41,105.59,20.59", "bbox=105.21,20.11,105.29,20.19"
    assert drafted.ids(f"{AREAS}?{old}") == []
    assert drafted.ids(f"{AREAS}?{old}", None) == ["open-A"]
    assert drafted.ids(f"{AREAS}?{new}") == ["open-A"]
    assert drafted.ids(f"{AREAS}?{new}", None) == []
    assert drafted.ids(f"{AREAS}?name_eng=Renamed") == ["open-A"]
    assert drafted.ids(f"{AREAS}?name_eng=Area+open+A") == []
    assert drafted.ids(f"{AREAS}?filter=name LIKE 'An%25'") == [drafted.area]
    assert drafted.ids(f"{AREAS}?id={drafted.area}") == [drafted.area]
    assert drafted.ids(f"{RECORDS}?bbox=105.25,20.25,105.35,20.35") == [drafted.gids["A2"]]
    assert drafted.ids(f"{RECORDS}?filter=S_WITHIN(geometry, BBOX(105.55,20.55,105.65,20.65))") == [
        drafted.record
    ]
    assert drafted.ids(f"{AREAS}?datetime=2020-01-01T00:00:00Z&bbox={new[5:]}") == ["open-A"]


@pytest.mark.parametrize("order", ["", "&sortby=name", "&sortby=-name"])
def test_pages_bring_each_feature_once_there_and_back(drafted: Drafted, order: str) -> None:
    def walk(path: str, rel: str) -> Iterator[Any]:
        while path:
            page = drafted.get(path).json()
            yield from [feature["id"] for feature in page["features"]]
            beside = [link["href"] for link in page["links"] if link["rel"] == rel]
            path = beside[0].removeprefix(drafted.world.url) if beside else ""
            last.append(page)

    last: list[Json] = []
    forth = list(walk(f"{AREAS}?limit=1{order}", "next"))
    end = next(link["href"] for link in last[-1]["links"] if link["rel"] == "self")
    back = list(walk(end.removeprefix(drafted.world.url), "prev"))
    by_name = ["open-B", "open-A", drafted.area]  # An area < Khu open A < Khu open B
    expected = {"": {tuple(forth)}, "&sortby=name": {tuple(by_name[::-1])}, "&sortby=-name": {tuple(by_name)}}
    assert tuple(forth) in expected[order]
    assert sorted(map(str, forth)) == sorted(["open-A", "open-B", drafted.area])
    assert back == forth[::-1]


def test_a_page_goes_on_where_it_was_though_a_draft_is_edited_meanwhile(drafted: Drafted) -> None:
    page = drafted.get(f"{RECORDS}?limit=2").json()
    drafted.edit("PATCH", f"{RECORDS}/{drafted.record}", {"properties": {"locality": "Hollow new"}})
    drafted.edit("PATCH", f"{RECORDS}/{drafted.record}", {"properties": {"individualCount": 3}})
    beyond = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert len(drafted.features(beyond.removeprefix(drafted.world.url))) == 2


def test_single_features_are_found_by_the_ids_of_drafts(drafted: Drafted) -> None:
    for items, name in ((AREAS, drafted.area), (RECORDS, drafted.record)):
        one = drafted.get(f"{items}/{name}")
        assert (one.status_code, one.json()["id"]) == (200, name)
        assert one.json()["proposal"] == int(name.split("-")[1])
    assert drafted.get(f"{AREAS}/closed-A").status_code == 404
    assert drafted.get(f"{RECORDS}/{drafted.gids['A0']}").status_code == 404
    assert drafted.get(f"{AREAS}/draft-1-999").status_code == 404
    for who in OTHERS:
        assert drafted.get(f"{AREAS}/{drafted.area}", who).status_code == 404, who
        assert drafted.get(f"{RECORDS}/{drafted.record}", who).status_code == 404, who


def test_pages_for_people_and_other_formats_show_them_too(drafted: Drafted) -> None:
    page = drafted.get(f"{AREAS}?f=html&lang=en").text
    assert drafted.area in page
    assert "Renamed" in page
    one = drafted.get(f"{AREAS}/{drafted.area}?f=html&lang=en")
    assert (one.status_code, "An area" in one.text) == (200, True)
    assert "unpublished" in one.text
    assert drafted.get(f"{RECORDS}/{drafted.record}?f=html").status_code == 200
    lines = drafted.get(f"{RECORDS}?f=csv").text.splitlines()
    assert len(lines) == 1 + 9
    assert any(line.startswith(f'"{drafted.record}",') for line in lines)
    assert drafted.get(f"{AREAS}?f=fgb").status_code == 200
    assert drafted.get(f"{AREAS}?f=jsonfg").json()["numberReturned"] == 3


def test_tags_change_with_each_edit_and_hold_between_them(drafted: Drafted) -> None:
    first = drafted.get(AREAS)
    assert "last-modified" not in first.headers
    assert drafted.get(AREAS, If_None_Match=first.headers["etag"]).status_code == 304
    drafted.edit("PATCH", f"{AREAS}/{drafted.area}", {"properties": {"name_eng": "An area"}})
    second = drafted.get(AREAS, If_None_Match=first.headers["etag"])
    assert second.status_code == 200
    assert first.headers["etag"] != second.headers["etag"]
    one = drafted.get(f"{AREAS}/{drafted.area}")
    stale = drafted.world.ask(
        "bo", "PATCH", f"{AREAS}/{drafted.area}", {"properties": {"name_eng": "x"}}, If_Match='"none"'
    )
    assert stale.status_code == 412
    fresh = drafted.world.ask(
        "bo", "PATCH", f"{AREAS}/{drafted.area}", {"properties": {"desig": "x"}}, If_Match=one.headers["etag"]
    )
    assert fresh.status_code == 204


def test_nobody_else_sees_anything_of_it(drafted: Drafted) -> None:
    """To the byte and the tag: the organisation's other editor, its reader, the neighbour, the centre."""
    for who in OTHERS:
        for path in (*READ, *SETTLED):
            assert drafted.seen(who, path) == drafted.before[who, path], (who, path)


@pytest.mark.parametrize("path", SETTLED)
def test_tiles_exports_descriptions_and_the_past_stay_without_drafts(drafted: Drafted, path: str) -> None:
    assert drafted.seen("bo", path) == drafted.before["bo", path]


def drafted_view(db: SyncDatabase, layer: str) -> ViewedLayer:
    bo = keystore.principal_named(db, "bo")
    seen = policy.view(bo, load_catalog(ROOT).layers[layer])
    found = db.run(draft_sql.opened(layer, "bo"))
    return policy.with_drafts(bo, seen, Drafts("bo", tuple(key for _, _, key in found)))


def test_drafts_come_out_of_the_database_for_their_key_alone_and_as_far_as_the_role_reads(
    drafted: Drafted,
) -> None:
    with SyncDatabase(drafted.world.dsn) as db:
        key = drafted_view(db, "occurrences").draft_keys[0]
        asked = (
            "select locality, sensitivity, ST_X(geom), ST_X(geom_public) from gis.draft_rows_occurrence($1)"
        )
        mine = [
            row for row in db.run(Query(asked + " order by 1", ([key],), "gis_j_a")) if row[0] == "Hollow new"
        ]
        assert mine == [("Hollow new", 1, 105.6, None)]  # the sensitivity that the list gives; withheld
        hidden = db.run(Query(asked + " where draft_id is not null", ([key],), "gis_public"))
        assert hidden == [(None, 1, None, None)]
        other = "00000000-0000-4000-8000-000000000000"
        assert db.run(Query(asked, ([other],), "gis_j_a")) == []
        with pytest.raises(Exception, match="permission denied"):
            db.run(Query("select draft_key from gis.proposal", role="gis_j_a"))
        somebody = keystore.principal_named(db, "bich")
        plain = policy.view(somebody, load_catalog(ROOT).layers["occurrences"])
        assert policy.with_drafts(somebody, plain, Drafts("bo", (key,))) is plain


def test_standing_rows_are_still_found_by_their_indexes(drafted: Drafted) -> None:
    with SyncDatabase(drafted.world.dsn) as db:
        seen = drafted_view(db, "protected-areas")
        db.apply(["set enable_seqscan = off", "set enable_sort = off"])
        for query, index in (
            (ItemsQuery(limit=5), "protected_area_pkey"),
            (ItemsQuery(limit=5, bbox=BBox(105.4, 20.4, 105.5, 20.5)), "protected_area_geom_idx"),
        ):
            asked = select.items(seen, query)
            plan = db.run(Query("explain " + asked.sql, asked.params, asked.role))
            assert index in "\n".join(line for (line,) in plan), plan
        one = select.item(seen, "open-B")
        plan = db.run(Query("explain " + one.sql, one.params, one.role))
        assert "protected_area_public_id_key" in "\n".join(line for (line,) in plan), plan


def test_a_draft_that_is_closed_is_no_longer_laid_over(drafted: Drafted) -> None:
    plots = "/collections/plots/items"
    gid = drafted.ids(plots)[0]
    drafted.edit("PATCH", f"{plots}/{gid}", {"properties": {"stratum": "swamp"}})
    assert drafted.get(f"{plots}/{gid}").json()["properties"]["stratum"] == "swamp"
    with SyncDatabase(drafted.world.dsn) as db:
        db.apply(["update gis.proposal set state = 'withdrawn' where layer = 'plots' and author = 'bo'"])
    assert drafted.get(f"{plots}/{gid}").json()["properties"]["stratum"] == "evergreen"
