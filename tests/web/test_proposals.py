"""Proposals over HTTP: read by whom they concern, taken from step to step, published.

The world of tests.web.releasing: bo edits and phan reviews for province A, binh reads for B, chi reviews for
the centre, duc reads there; here lam edits and quy reviews for B, chau edits for the centre.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest
import shapely

from gis_service.access import accounts, keystore
from gis_service.access.accounts import NewAccount
from gis_service.access.principal import SCOPES
from gis_service.changes.propose import Asked, Draft, propose
from gis_service.db import audit, reads_sql
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import Starter
from tests.web import releasing

LARGER = shapely.to_wkb(shapely.MultiPolygon([shapely.box(105.4, 20.4, 105.7, 20.6)]))
MORE = (("lam", "dept-b", "editor"), ("quy", "dept-b", "reviewer"), ("chau", "nbca", "editor"))


@dataclass(frozen=True)
class World:
    url: str
    dsn: str
    keys: dict[str, str]

    def ask(self, name: str, **headers: str) -> httpx.Client:
        key = {"X-API-Key": self.keys[name]} if name in self.keys else {}
        return httpx.Client(base_url=self.url, headers={**key, **headers}, timeout=60)

    def draft(
        self, *asked: Asked, who: str = "bo", layer: str = "protected-areas", title: str = "Sửa"
    ) -> int:
        with SyncDatabase(self.dsn) as db:
            known = releasing.layers()[layer]
            return propose(db, releasing.FLOW, known, releasing.who(db, who), Draft(title), asked).number

    def step(self, who: str, number: int, action: str, **more: object) -> httpx.Response:
        with self.ask(who) as client:
            return client.post(f"/proposals/{number}/steps", json={"action": action, **more})


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> World:
    sample.fill(database)
    with SyncDatabase(database) as db:
        keys = releasing.people(db)
        for name, organisation, role in MORE:
            accounts.create(db, NewAccount(name))
            accounts.grant(db, name, organisation, role)  # type: ignore[arg-type]  # a Role
            keys[name] = keystore.create(db, name, scopes=SCOPES)
        keys["reading"] = keystore.create(db, "phan", scopes=("read",))
    return World(start_server(database), database, keys)


def renamed(name: str, area: str = "open-A") -> Asked:
    return Asked("update", area, {"name": name})


def test_a_correction_goes_from_the_province_to_a_release(world: World) -> None:
    number = world.draft(
        renamed("Khu đã sửa"), Asked("update", "closed-A", {"name": "Khu hai"}), title="Hai khu"
    )
    assert world.step("bo", number, "submit", comment="xin duyệt").json()["state"] == "submitted"
    returned = world.step("phan", number, "return", comment="ghi rõ nguồn").json()
    assert (returned["state"], returned["may"]) == ("draft", [])
    assert world.step("bo", number, "submit").status_code == 200
    accepted = world.step("phan", number, "accept", leave_out={"2": "chưa có quyết định"}).json()
    assert (accepted["state"], accepted["next"], accepted["places"]) == (
        "province_review",
        "central_approval",
        ["A"],
    )
    assert world.step("chi", number, "approve").json()["may"] == ["publish", "return", "reject"]
    would = world.step("chi", number, "publish", dry_run=True).json()
    assert [(each["table"], each["changed"]) for each in would["tables"]] == [("protected_area", 1)]
    made = world.step("chi", number, "publish", name="Tháng 11").json()
    assert made["published"] == [number]
    names = {
        each["properties"]["name"]
        for each in httpx.get(f"{world.url}/collections/protected-areas/items").json()["features"]
    }
    assert "Khu đã sửa" in names
    with world.ask("bo") as client:
        told = client.get(f"/proposals/{number}").json()
    assert (told["state"], told["release"], told["next"], told["may"]) == (
        "published",
        made["release"],
        None,
        [],
    )
    acts = [(each["who"], each["action"]) for each in told["events"]]
    assert acts == [
        ("bo", "propose"), ("bo", "submit"), ("phan", "return"), ("bo", "submit"), ("phan", "accept"),
        ("chi", "approve"), ("chi", "publish"),
    ]  # fmt: skip


def test_a_change_is_told_before_and_after_in_words_and_hectares(world: World) -> None:
    number = world.draft(Asked("update", "open-A", {"name_eng": "Larger"}, LARGER), title="Lớn hơn")
    world.step("bo", number, "submit")
    with world.ask("phan", **{"Accept-Language": "vi"}) as client:
        found = client.get(f"/proposals/{number}/changes").json()
    (change,) = found["features"]
    told = change["properties"]
    assert told["differences"] == [
        {"property": "name_eng", "title": "Tên tiếng Anh", "before": "Area open A", "after": "Larger"}
    ]
    # A box of 0.2 degrees grows to 0.3: half of it comes to it, nothing goes.
    assert told["hectaresAfter"] / told["hectaresBefore"] == pytest.approx(1.5, rel=1e-9)
    assert told["hectaresAdded"] == pytest.approx(told["hectaresBefore"] / 2, rel=1e-9)
    assert told["hectaresRemoved"] == 0
    assert shapely.geometry.shape(change["geometry"]).bounds == (105.4, 20.4, 105.7, 20.6)
    assert shapely.geometry.shape(change["before"]).bounds == (105.4, 20.4, 105.6, 20.6)
    world.step("bo", number, "withdraw")


def test_a_draft_is_its_organisation_s_affair_until_it_is_submitted(world: World) -> None:
    number = world.draft(renamed("Riêng"), title="Riêng của tỉnh A")
    everybody = ("bo", "phan", "quy", "chi", "duc", "binh", "public")
    assert {who: _status(world, who, number) for who in everybody} == {
        "bo": 200, "phan": 200, "quy": 404, "chi": 404, "duc": 404, "binh": 404, "public": 401,
    }  # fmt: skip
    world.step("bo", number, "submit")
    assert {who: _status(world, who, number) for who in everybody[:-1]} == {
        "bo": 200, "phan": 200, "quy": 404, "chi": 200, "duc": 404, "binh": 404,
    }  # fmt: skip
    with world.ask("quy") as client:
        assert number not in [
            each["number"] for each in client.get("/proposals?limit=100").json()["proposals"]
        ]
    world.step("bo", number, "withdraw")


def _status(world: World, who: str, number: int) -> int:
    with world.ask(who) as client:
        return client.get(f"/proposals/{number}").status_code


@pytest.mark.parametrize(
    ("who", "action", "status"),
    [
        ("bo", "accept", 403), ("bo", "approve", 409), ("phan", "approve", 409), ("chi", "accept", 403),
        ("phan", "withdraw", 403), ("phan", "publish", 409), ("quy", "accept", 404), ("duc", "accept", 404),
        ("binh", "reject", 404), ("phan", "return", 400), ("phan", "dance", 400), ("phan", "comment", 400),
        ("reading", "accept", 403), ("public", "accept", 401),
    ],
)  # fmt: skip
def test_a_step_that_isn_t_somebody_s_to_take_is_refused(
    world: World, sent: int, who: str, action: str, status: int
) -> None:
    refused = world.step(who, sent, action)
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.fixture(scope="module")
def sent(world: World) -> int:
    """A proposal that waits for the province."""
    number = world.draft(renamed("Chờ duyệt"), title="Chờ")
    assert world.step("bo", number, "submit").status_code == 200
    return number


def test_what_waits_for_a_reviewer_comes_first(world: World, sent: int) -> None:
    waiting = {}
    for who in ("bo", "phan", "quy", "chi"):
        with world.ask(who) as client:
            waiting[who] = [
                each["number"] for each in client.get("/proposals?waiting=yes").json()["proposals"]
            ]
    assert waiting == {"bo": [], "phan": [sent], "quy": [], "chi": []}


def test_of_eight_reviewers_at_once_one_is_the_first(world: World) -> None:
    number = world.draft(renamed("Đua"), title="Đua")
    revision = world.step("bo", number, "submit").json()["revision"]
    with ThreadPoolExecutor(8) as threads:
        took = list(
            threads.map(
                lambda _: world.step("phan", number, "accept", revision=revision).status_code, range(8)
            )
        )
    assert sorted(took) == [200, *[409] * 7]
    world.step("chi", number, "reject", comment="đủ rồi")


def test_a_proposal_over_two_provinces_shows_each_its_own_side(world: World) -> None:
    number = world.draft(renamed("A mới"), renamed("B mới", "open-B"), who="chau", title="Hai tỉnh")
    world.step("chau", number, "submit")
    shown = {}
    for who in ("phan", "quy", "chi"):
        with world.ask(who) as client:
            changes = client.get(f"/proposals/{number}/changes").json()["features"]
        shown[who] = [[each["before"] for each in change["properties"]["differences"]] for change in changes]
        assert [change["properties"]["seen"] for change in changes] == [bool(each) for each in shown[who]]
    assert [len(each) for each in shown["phan"]] == [1, 0]
    assert shown["quy"] == [[], ["Khu open B"]]
    assert shown["chi"] == [shown["phan"][0], shown["quy"][1]]
    assert world.step("phan", number, "accept").status_code == 403
    world.step("chau", number, "withdraw")


def test_a_form_does_what_the_api_does(world: World) -> None:
    number = world.draft(renamed("Biểu mẫu"), Asked("update", "closed-A", {"name": "Hai"}), title="Biểu mẫu")
    world.step("bo", number, "submit")
    with world.ask("phan", Accept="text/html") as client:
        page = client.get(f"/proposals/{number}")
        assert page.status_code == 200
        assert "Biểu mẫu" in page.text
        sent = {"action": "accept", "out": "2", "reason-2": "chưa rõ", "comment": "được"}
        answer = client.post(f"/proposals/{number}/steps", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{world.url}/proposals/{number}")
        without = client.post(f"/proposals/{number}/steps", data={"action": "accept", "out": "1"})
        assert without.status_code == 400
        for came, leads in ((f"{world.url}/proposals/{number}", True), ("https://evil.example/", False)):
            wrong = {"action": "accept", "out": "1"}
            refused = client.post(f"/proposals/{number}/steps", data=wrong, headers={"Referer": came})
            assert (f'<a class="button" href="{came}">' in refused.text) == leads
        assert "chưa rõ" in client.get(f"/proposals/{number}").text
    with world.ask("chi", Accept="text/html") as client:
        client.post(f"/proposals/{number}/steps", data={"action": "approve"})
        tried = client.post(f"/proposals/{number}/steps", data={"action": "try"})
        assert tried.status_code == 200
        assert "protected_area" in tried.text
        made = client.post("/proposals", data={"action": "publish", "proposal": str(number)})
        assert (made.status_code, made.headers["location"].startswith(f"{world.url}/releases/")) == (
            303,
            True,
        )


def test_a_comment_is_an_event_without_a_step(world: World, sent: int) -> None:
    before = world.step("phan", sent, "comment", comment="đang xem").json()
    assert before["state"] == "submitted"
    assert before["events"][-1]["comment"] == "đang xem"


@pytest.mark.parametrize(
    "body",
    [
        {"action": "accept", "leave_out": [1]}, {"action": "accept", "leave_out": {"1": " "}},
        {"action": "accept", "leave_out": {"x": "why"}}, {"action": "accept", "revision": "first"},
        {"action": "accept", "revision": 2**70}, {"action": "reject", "comment": "x" * 6000}, {},
    ],
)  # fmt: skip
def test_a_step_that_can_t_be_understood_changes_nothing(
    world: World, sent: int, body: dict[str, object]
) -> None:
    with world.ask("phan") as client:
        revision = client.get(f"/proposals/{sent}").json()["revision"]
        assert client.post(f"/proposals/{sent}/steps", json=body).status_code in (400, 404)
        assert client.get(f"/proposals/{sent}").json()["revision"] == revision


@pytest.mark.parametrize(
    "path", ["/proposals/0", "/proposals/x", f"/proposals/{2**63}", "/proposals/99999/changes"]
)
def test_a_number_that_is_no_proposal_s_is_not_found(world: World, path: str) -> None:
    with world.ask("chi") as client:
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("query", ["state=gone", "before=x", "limit=-1", "page=1", "sort=x"])
def test_a_bad_list_is_refused_by_name(world: World, query: str) -> None:
    with world.ask("chi") as client:
        refused = client.get(f"/proposals?{query}")
    assert refused.status_code == 400
    assert query.partition("=")[0] in refused.json()["detail"]


def test_who_looks_at_a_sensitive_row_in_a_proposal_is_told(world: World) -> None:
    with SyncDatabase(world.dsn) as db:
        gid = sample.scalar(db, "select gid from gis.occurrence where source_id = 'A1'")
        number = world.draft(Asked("update", str(gid), {"individualCount": 9}), layer="occurrences")
        with world.ask("phan") as client:
            client.get(f"/proposals/{number}")  # tells of the proposal, and shows no row
            assert client.get(f"/proposals/{number}/changes").status_code == 200
        db.run(reads_sql.SEAL_ALL)
        told = [row for row in db.run(audit.entries(actor="phan", subject="layer:")) if row[4][:5] == "read."]
    assert [(row[4], row[5]) for row in told] == [("read.proposal", "layer:occurrences")]
    assert json.loads(told[0][10])["rows"] == 1
