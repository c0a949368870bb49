"""Releases over HTTP: what each class may know of them, undoing them, and the history of a feature.

The world is that of tests.web.releasing, and every number here can be counted there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from gis_service.access import policy
from gis_service.access.principal import PUBLIC
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import Starter
from tests.web import releasing
from tests.web.releasing import History, counts, get

SECRETS = ("Hidden", "chi", "phan", "Speciosus category1")
UNSEEN = (
    "update gis.occurrence set locality = 'Hidden ' || gid, recorded_by = 'Hidden' where source_id like 'B%'",
    "update gis.protected_area set name = 'Hidden ' || gid where source_id = 'closed-B'",
    "delete from gis.protected_area where source_id = 'closed-B'",
)
AREA = "/collections/protected-areas/items"


@pytest.fixture(scope="module")
def history(start_server: Starter, database: str) -> History:
    keys, proposal = releasing.make(database)
    return History(start_server(database), database, keys, proposal)


@pytest.fixture(scope="module")
def public(history: History) -> Iterator[httpx.Client]:
    with history.ask() as client:
        yield client


def numbers(history: History, who: str, **given: int) -> list[int]:
    return [each["release"] for each in get(history, who, "/releases", **given)["releases"]]


def test_each_class_knows_the_releases_that_changed_what_it_sees(history: History) -> None:
    """Release 3 changed a record of category 1 in province B."""
    assert numbers(history, "public") == [4, 2, 1]
    assert numbers(history, "bo") == [4, 2, 1]
    assert numbers(history, "binh") == [4, 3, 2, 1]
    assert numbers(history, "duc") == [4, 3, 2, 1]


def test_the_list_is_walked_by_its_own_links(history: History, public: httpx.Client) -> None:
    seen, address = [], "/releases?limit=1&lang=vi"
    while address:
        page = public.get(address).json()
        seen += page["releases"]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert [(each["release"], each.get("name")) for each in seen] == [(4, None), (2, "Tháng Năm"), (1, None)]
    assert public.get("/releases?before=2&lang=en").json()["numberReturned"] == 1
    for wrong in ("before=0", "before=x", "limit=0", "limit=-1", "before=99999999999", "colour=red"):
        assert public.get(f"/releases?{wrong}").status_code == 400, wrong


def test_counts_are_of_rows_that_the_class_sees(history: History) -> None:
    first = {who: counts(get(history, who, "/releases/1")) for who in ("public", "bo", "duc")}
    assert [first[who]["occurrences"][0] for who in first] == [8, 9, 10]
    assert [first[who]["protected-areas"][0] for who in first] == [2, 3, 4]
    assert "communes" not in first["duc"], "which shares its table with the provinces"
    for who in first:
        changed = counts(get(history, who, "/releases/4"))
        assert changed == {"protected-areas": (0, 0, 1), "occurrences": (0, 1, 0)}
    assert counts(get(history, "binh", "/releases/3")) == {"occurrences": (0, 1, 0)}


def test_loads_are_told_with_their_counts_to_who_sees_all_rows(history: History) -> None:
    loads = {who: get(history, who, "/releases/1", lang="en")["loads"] for who in ("public", "bo", "duc")}
    told = {"dataset": "open", "title": "Open sample", "layer": None, "version": "2026-05"}
    assert loads["public"] == loads["bo"] == [told]
    assert [(each["dataset"], each["inserted"]) for each in loads["duc"]] == [("open", 20), ("closed", 20)]
    with history.ask("duc", Accept="text/html") as client:
        assert "20 new, 0 changed, 0 withdrawn, 0 in quarantine" in client.get("/releases/1?lang=en").text
    with history.ask(Accept="text/html") as client:
        page = client.get("/releases/1?lang=en").text
    assert ("Open sample" in page, "Closed sample" in page, "20 new" in page) == (True, False, False)


def test_a_release_that_changed_nothing_visible_is_none(history: History, public: httpx.Client) -> None:
    for name in ("3", "5", "0", "x", "99999999999", "1.0", "%31%20"):
        answer = public.get(f"/releases/{name}")
        assert answer.status_code == 404, name
    plain = public.get("/releases/3").json()
    assert plain == json.loads(json.dumps(public.get("/releases/5").json()).replace("5", "3"))


def test_what_lies_behind_a_release_is_for_the_centre(history: History) -> None:
    """Checksums for who sees every row; note, author and proposals for who decides."""
    seen = {who: get(history, who, "/releases/2") for who in ("public", "bo", "phan", "duc", "chi")}
    for who in ("public", "bo", "phan"):
        assert {"tables", "note", "madeBy", "proposals"} & seen[who].keys() == set(), who
        assert not [word for word in SECRETS if word in json.dumps(seen[who])], who
    assert {"tables", "note", "madeBy", "proposals"} & seen["duc"].keys() == {"tables"}
    (table,) = seen["chi"]["tables"]
    with SyncDatabase(history.dsn) as database:
        assert table["sha256"] == sample.scalar(
            database, "select encode(gis.rows_checksum('protected_area', 2), 'hex')"
        )
    assert (table["table"], table["inserted"], table["changed"], table["withdrawn"]) == (
        "protected_area", 0, 1, 0,
    )  # fmt: skip
    assert (seen["chi"]["note"], seen["chi"]["madeBy"]) == ("Hidden note", "chi")
    (proposal,) = seen["chi"]["proposals"]
    assert (proposal["number"], proposal["author"], proposal["organisation"]) == (
        history.proposal, "bo", "dept-a",
    )  # fmt: skip
    assert (proposal["taken"], proposal["leftOut"], proposal["checks"]["fault"]) == (1, 1, 1)
    assert sum(proposal["rules"]["fault"].values()) == 1


def test_the_role_of_a_class_reads_no_more_than_its_releases(history: History) -> None:
    """The second wall: were a route to forget who asks, the database wouldn't."""
    role = policy.class_role(PUBLIC)
    with SyncDatabase(history.dsn) as database:
        assert database.run(Query("select release from gis.release order by 1", (), role)) == [
            (1,),
            (2,),
            (4,),
        ]
        for sql in (
            "select note from gis.release", "select made_by from gis.release",
            "select opened_by from gis.release", "select 1 from gis.release_manifest",
            "select 1 from gis.proposal", "select locality from gis.occurrence",
            "select locality from gis_history.occurrence", "select geom from gis_history.occurrence",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.run(Query(sql, (), role))
        secret = "select count(*) from gis_history.occurrence where sensitivity = 1"  # B's, since release 3
        roles = ("gis_public", "gis_j_a", "gis_j_b", "gis_full")
        assert [database.run(Query(secret, (), each))[0][0] for each in roles] == [0, 0, 1, 1]


def test_pages_say_the_same(history: History) -> None:
    with history.ask("chi", Accept="text/html") as client:
        listed, one = client.get("/releases?lang=en").text, client.get("/releases/2?lang=en").text
        vi = client.get("/releases/2?lang=vi").text
    assert re.findall(r'<h2><a href="[^"]*/releases/(\d+)', listed) == ["4", "3", "2", "1"]
    for word in ("May", "Hidden note", "chi", "faults 1, warnings", "Undo release 2", "as of release 2"):
        assert word in one, word
    assert "Tháng Năm" in vi
    assert 'name="dry_run" value="yes"' in vi
    with history.ask("public", Accept="text/html") as client:
        page = client.get("/releases/2?lang=en").text
    assert "May" in page
    assert not [word for word in (*SECRETS, "Undo release") if f">{word}" in page]


def test_the_history_of_a_feature_tells_what_the_reader_sees(history: History) -> None:
    made = get(history, "public", f"{AREA}/open-A/history")
    assert [(each["release"], each["event"], each.get("name")) for each in made["versions"]] == [
        (2, "changed", "May"),
        (1, "added", None),
    ]
    (difference,) = made["versions"][0]["differences"]
    assert (difference["property"], difference["before"], difference["after"]) == (
        "name",
        "Khu open A",
        "Khu mới",
    )
    assert made["versions"][0]["moved"] is False
    links = {each["rel"]: each["href"] for each in made["versions"][0]["links"]}
    assert httpx.get(links["item"]).json()["properties"]["name"] == "Khu mới"
    assert httpx.get(links["predecessor-version"]).json()["properties"]["name"] == "Khu open A"
    gone = get(history, "public", f"{AREA}/open-B/history")
    assert [(each["release"], each["event"]) for each in gone["versions"]] == [(4, "withdrawn"), (1, "added")]


def test_a_hidden_change_is_no_version(history: History) -> None:
    with SyncDatabase(history.dsn) as database:
        rows = database.run(Query("select source_id, public_id from gis.occurrence"))
    ids: dict[str, str] = dict(rows)
    address = "/collections/occurrences/items/{}/history"
    assert len(get(history, "duc", address.format(ids["B1"]))["versions"]) == 2
    assert len(get(history, "binh", address.format(ids["B1"]))["versions"]) == 2
    assert len(get(history, "public", address.format(ids["B2"]))["versions"]) == 2
    with history.ask() as client:
        for name in (ids["B1"], "999999", "x"):
            assert client.get(address.format(name)).status_code == 404, name
        assert client.get(f"{AREA}/closed-A/history").status_code == 404


def test_single_features_lead_to_their_versions(public: httpx.Client) -> None:
    """RFC 5829, 2 and 3."""
    now = {each["rel"]: each["href"] for each in public.get(f"{AREA}/open-A").json()["links"]}
    past = {each["rel"]: each["href"] for each in public.get(f"{AREA}/open-A?release=1").json()["links"]}
    assert now["version-history"].endswith("/open-A/history")
    assert ("latest-version" in now, past["latest-version"]) == (False, now["self"].partition("?")[0])
    page = public.get(f"{AREA}/open-A?f=html&lang=en").text
    assert re.search(r'items/open-A\?release=2[^"]*">Changed in release 2</a>', page)
    whole = public.get(f"{AREA}/open-A/history?f=html&lang=en").text
    assert "<del>Khu open A</del> → <ins>Khu mới</ins>" in whole


def test_only_reviewers_of_the_centre_undo(history: History) -> None:
    for who, status in (("public", 401), ("bo", 403), ("phan", 403), ("duc", 403)):
        with history.ask(who) as client:
            for number in ("2", "3", "77"):
                assert client.post(f"/releases/{number}/rollback", json={}).status_code == status, who
    with history.ask("chi") as client:
        for number in ("1", "3", "77", "x"):
            assert client.post(f"/releases/{number}/rollback", json={}).status_code == 404, number
        assert client.get("/releases/2/rollback").status_code == 405
    assert numbers(history, "duc") == [4, 3, 2, 1]


def test_hidden_changes_change_nothing_that_others_get(history: History) -> None:
    """The idea of tests/web/test_leaks.py over the routes of releases; only the centre and B notice."""
    before = {who: everything(history, who) for who in ("public", "bo", "duc")}
    with SyncDatabase(history.dsn) as database:
        for sql in UNSEEN:
            database.apply([sql])
    after = {who: everything(history, who) for who in before}
    for who in ("public", "bo"):
        assert after[who] == before[who], who
    assert after["duc"] != before["duc"]
    assert numbers(history, "duc") == [7, 6, 5, 4, 3, 2, 1]


def everything(history: History, who: str) -> dict[str, tuple[int, str | None, str]]:
    """Status, ETag and body of every route of releases."""
    paths = [f"/releases{rest}" for rest in ("", "?limit=2", "?before=4", "?f=html")]
    paths += [f"/releases/{number}{form}" for number in (2, 3, 5) for form in ("", "?f=html")]
    paths += [f"{AREA}/{name}/history" for name in ("open-A", "open-B", "closed-A", "closed-B")]
    paths += [f"{AREA}?release={number}" for number in (3, 4, 5, 7)]
    paths += [f"/collections/occurrences/items/{number}/history" for number in range(7, 17)]
    with history.ask(who) as client:
        answers = {path: client.get(path) for path in paths}
    return {
        path: (each.status_code, each.headers.get("etag"), re.sub(r'"timeStamp":"[^"]*"', "", each.text))
        for path, each in answers.items()
    }


def test_undoing_is_tried_refused_and_done(history: History) -> None:
    """Last, for it changes what the tests before it count."""
    with history.ask("chi") as chi:
        tried = chi.post("/releases/2/rollback", json={"dry_run": True})
        assert (tried.status_code, tried.json()["dryRun"]) == (200, True)
        assert [(each["table"], each["changed"]) for each in tried.json()["tables"]] == [
            ("protected_area", 1)
        ]
        page = chi.post(
            "/releases/2/rollback", data={"dry_run": "yes", "note": "Sai"}, headers={"Accept": "text/html"}
        )
        assert 'value="Sai"' in page.text
        newest = numbers(history, "duc")[0]

        done = chi.post("/releases/2/rollback", data={"note": "Sai"}, headers={"Accept": "text/html"})
        assert (done.status_code, done.headers["location"]) == (303, f"{history.url}/releases/{newest + 1}")
        assert chi.get(f"{AREA}/open-A").json()["properties"]["name"] == "Khu open A"
        assert chi.get(f"{AREA}/open-A?release=2").json()["properties"]["name"] == "Khu mới"
        undone, again = (
            get(history, "public", "/releases/2"),
            get(history, "public", f"/releases/{newest + 1}"),
        )
        assert (undone["undoneBy"], again["undoes"]) == (newest + 1, 2)

        lost = chi.post("/releases/2/rollback", json={})
        assert (lost.status_code, lost.headers["content-type"]) == (409, "application/problem+json")
        with SyncDatabase(history.dsn) as database:
            gid = sample.scalar(database, "select gid from gis.protected_area where source_id = 'open-A'")
        assert (lost.json()["gids"], lost.json()["count"]) == ([gid], 1)
        assert numbers(history, "duc")[0] == newest + 1, "what is refused makes no release"
        assert 'value="yes"' not in chi.get("/releases/2?f=html").text
