"""The admin pages: what an administrator does there, and that nobody reaches beyond his own organisations."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gis_service.access import accounts, groups, invitations, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.groups import Group
from gis_service.access.organisations import Organisation
from gis_service.access.principal import SCOPES, Role
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import Starter
from tests.web.browser import Browser

PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("chi", "nbca", "administrator"),
    ("anh", "dept-a", "administrator"),
    ("binh", "dept-b", "administrator"),
    ("em", "dept-a", "editor"),
    ("hai", "dept-a", "reader"),
    ("hai", "dept-b", "reader"),
    ("rita", "dept-a", "reader"),
)
SECONDS = 3.0  # until which a change of rights must be seen, on a machine with other work
Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A server, the keys of its people, and what the database says."""

    url: str
    dsn: str
    keys: dict[str, str]

    def ask(self, who: str | None, method: str, path: str, **sent: object) -> httpx.Response:
        headers = {"X-API-Key": self.keys[who]} if who else {}
        return httpx.request(method, self.url + path, json=sent or None, headers=headers, timeout=30)

    def shown(self, who: str, path: str) -> Json:
        answer = self.ask(who, "GET", path)
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    def done(self, who: str, path: str, **sent: object) -> httpx.Response:
        answer = self.ask(who, "POST", path, **sent)
        assert answer.status_code in (201, 303), answer.text
        return answer

    def turns(self, key: str, status: int, path: str = "/account") -> httpx.Response:
        """The answer to a key as soon as it has this status."""
        end = time.monotonic() + SECONDS
        while True:
            answer = httpx.get(self.url + path, headers={"X-API-Key": key}, timeout=30)
            if answer.status_code == status or time.monotonic() > end:
                assert answer.status_code == status, answer.text
                return answer
            time.sleep(0.05)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with SyncDatabase(self.dsn) as database:
            return list(database.run(Query(sql, values)))

    def state(self) -> list[tuple[Any, ...]]:
        """All that administrators write, but the log."""
        return self.rows(
            """
            select 'organisation', o::text from gis.organisation o
            union all select 'membership', m::text from gis.membership m
            union all select 'invitation', i::text from gis.invitation i
            union all select 'key', k.key_id::text || coalesce(k.revoked_at::text, '') from gis.api_key k
            union all select 'account', p::text from gis.principal p
            union all select 'group', g::text from gis.species_group g
            order by 1, 2
            """
        )


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> World:
    sample.fill(database)
    with SyncDatabase(database) as db:
        organisations.create(db, Organisation("nbca", "Cục", "Agency", "central"))
        for code in ("A", "B"):
            department = Organisation(f"dept-{code.lower()}", f"Sở {code}", None, "province", "nbca", (code,))
            organisations.create(db, department)
        organisations.create(db, Organisation("board-a", "Ban A", None, "site", "dept-a", areas=("open-A",)))
        groups.create(db, Group("G-VIPERS", "Rắn lục"))
        for name in dict.fromkeys(name for name, _, _ in PEOPLE):
            email = f"{name}@example.org" if name in ("chi", "anh") else None
            accounts.create(db, NewAccount(name, display_name=f"{name.title()} Nguyễn", email=email))
        for name, organisation, role in PEOPLE:
            accounts.grant(db, name, organisation, role)
        keys = {name: keystore.create(db, name, scopes=SCOPES) for name, _, _ in PEOPLE}
        keys["chi-edits"] = keystore.create(db, "chi", "edits", scopes=("edit", "review"))
    return World(start_server(database, GIS_TRUSTED_PROXIES="127.0.0.1"), database, keys)


@pytest.fixture
def anh(world: World) -> Browser:
    browser = Browser(world.url)
    assert browser.sign_in(world.keys["anh"]).status_code == 303
    return browser


PAGES = ("/admin", "/admin/organisations", "/admin/people", "/admin/invitations", "/admin/groups")


@pytest.mark.parametrize("path", [*PAGES, "/admin/organisations/dept-a", "/admin/people/em"])
def test_whoever_administers_nothing_is_refused(world: World, path: str) -> None:
    assert world.ask(None, "GET", path).status_code == 401
    for who in ("rita", "em", "chi-edits"):
        for method in ("GET", "POST"):
            answer = world.ask(who, method, path, **({"action": "lock"} if method == "POST" else {}))
            assert answer.status_code in ((403,) if path != "/admin" else (403, 405)), (who, method)


def test_an_administrator_sees_its_own_organisations_alone(world: World) -> None:
    def codes(who: str) -> list[tuple[str, int]]:
        found = world.shown(who, "/admin/organisations")["organisations"]
        return [(each["code"], each["depth"]) for each in found]

    assert codes("anh") == [("dept-a", 0), ("board-a", 1)]
    assert codes("chi")[:4] == [("nbca", 0), ("dept-a", 1), ("board-a", 2), ("dept-b", 1)]
    people = world.shown("anh", "/admin/people")["people"]
    assert {each["name"] for each in people} >= {"anh", "em", "hai", "rita"}
    assert not {"chi", "binh"} & {each["name"] for each in people}
    roles = {each["name"]: each["roles"] for each in people}
    assert roles["hai"] == [{"role": "reader", "organisation": "dept-a"}]
    hai = world.shown("anh", "/admin/people/hai")
    assert (hai["wholly"], "keys" in hai, "sees" in hai) == (False, False, False)
    assert "dept-b" not in str(hai)
    for path in (
        "organisations/dept-b",
        "organisations/nbca",
        "people/binh",
        "people/chi",
        "groups/G-VIPERS",
    ):
        known, never = (world.ask("anh", "GET", f"/admin/{each}") for each in (path, path[:-2] + "zz"))
        assert (known.status_code, never.status_code) == (404, 404)
        assert known.json()["detail"].replace(path[-2:], "zz") == never.json()["detail"]


def test_people_are_found_without_accents_and_by_pages(world: World) -> None:
    found = world.shown("chi", "/admin/people?q=HAI%20nguyen")["people"]
    assert [each["name"] for each in found] == ["hai"]
    of_b = world.shown("chi", "/admin/people?organisation=dept-b&after=binh")["people"]
    assert [each["name"] for each in of_b] == ["hai"]
    assert world.ask("anh", "GET", "/admin/people?organisation=dept-b").status_code == 404


REFUSED: tuple[tuple[str, dict[str, object], int], ...] = (
    # of a sibling and of the centre
    ("/admin/organisations/dept-b", {"action": "rename", "name": "x"}, 404),
    ("/admin/organisations/nbca", {"action": "rename", "name": "x"}, 404),
    ("/admin/organisations/dept-b", {"action": "move", "parent": "dept-a"}, 404),
    ("/admin/people/binh", {"action": "lock"}, 404),
    ("/admin/people/chi", {"action": "end-sessions"}, 404),
    ("/admin/people/em", {"action": "grant", "organisation": "dept-b", "role": "reader"}, 404),
    ("/admin/people/em", {"action": "grant", "organisation": "nbca", "role": "reader"}, 404),
    ("/admin/people/binh", {"action": "grant", "organisation": "dept-a", "role": "reader"}, 404),
    ("/admin/people/hai", {"action": "revoke", "organisation": "dept-b", "role": "reader"}, 404),
    ("/admin/people", {"name": "x", "organisation": "dept-b", "role": "reader"}, 404),
    ("/admin/invitations", {"action": "invite", "email": "x@e.org", "organisation": "nbca",
                            "role": "administrator"}, 404),
    # of somebody who works elsewhere too
    ("/admin/people/hai", {"action": "lock"}, 403),
    ("/admin/people/hai", {"action": "make-key"}, 403),
    ("/admin/people/hai", {"action": "end-sessions"}, 403),
    # more sight than its own
    ("/admin/organisations/dept-a", {"action": "look-after", "jurisdiction": "A,B"}, 403),
    ("/admin/organisations/board-a", {"action": "look-after", "area": "open-A", "buffer": "50000"}, 403),
    ("/admin/organisations/dept-a", {"action": "move", "parent": "board-a"}, 403),
    ("/admin/organisations/dept-a", {"action": "move"}, 403),
    ("/admin/organisations/board-a", {"action": "move"}, 403),
    ("/admin/organisations/board-a", {"action": "move", "parent": "nbca"}, 403),
    ("/admin/organisations", {"code": "x", "name": "x", "tier": "central", "parent": "dept-a"}, 403),
    ("/admin/organisations", {"code": "x", "name": "x", "tier": "province", "parent": "dept-a",
                              "jurisdiction": "B"}, 403),
    ("/admin/organisations", {"code": "x", "name": "x", "tier": "site", "parent": "dept-a"}, 403),
    ("/admin/organisations", {"code": "x", "name": "x", "tier": "partner", "parent": "dept-b"}, 403),
    ("/admin/organisations", {"code": "x", "name": "x", "tier": "partner"}, 403),
    ("/admin/people/em", {"action": "grant", "organisation": "dept-a", "role": "steward",
                          "group": "G-VIPERS"}, 403),
    ("/admin/invitations", {"action": "invite", "email": "x@e.org", "organisation": "dept-a",
                            "role": "steward", "group": "G-VIPERS"}, 403),
    ("/admin/people", {"name": "x", "organisation": "dept-a", "role": "steward", "group": "G-VIPERS"}, 403),
    ("/admin/groups", {"code": "G-NEW", "name": "x"}, 403),
    ("/admin/groups/G-VIPERS", {"name": "x", "taxon": "taxon-1"}, 404),
    # its own roles
    ("/admin/people/anh", {"action": "grant", "organisation": "dept-a", "role": "reviewer"}, 403),
    ("/admin/people/anh", {"action": "grant", "organisation": "board-a", "role": "administrator"}, 403),
    ("/admin/invitations", {"action": "invite", "email": "ANH@example.org", "organisation": "dept-a",
                            "role": "administrator"}, 403),
)  # fmt: skip


def test_a_province_s_administrator_reaches_no_further_and_gets_no_more(world: World) -> None:
    before = world.state()
    for path, sent, status in REFUSED:
        answer = world.ask("anh", "POST", path, **sent)
        assert answer.status_code == status, (path, sent, answer.text)
    assert world.state() == before


def test_keys_of_others_are_out_of_reach(world: World) -> None:
    number = world.rows(
        "select key_id from gis.api_key k join gis.principal p using (principal_id) where p.name = 'binh'"
    )[0][0]
    assert world.ask("anh", "POST", "/admin/people/em", action="revoke-key", key=number).status_code == 404
    assert world.ask("anh", "POST", "/admin/people/hai", action="revoke-key", key=number).status_code == 403
    assert world.ask("binh", "GET", "/admin").status_code == 200


def test_an_invitation_to_an_administrator_of_the_centre_opens_nothing_of_his(world: World) -> None:
    """Whoever invites sees the token: by it he would be the other one."""
    made = world.done(
        "anh", "/admin/invitations", action="invite", email="Chi@example.org", organisation="dept-a",
        role="reader",
    )  # fmt: skip
    assert made.status_code == 201
    browser = Browser(world.url)
    answer = browser.post("/sign-in", invitation=made.json()["token"])
    assert (answer.status_code, browser.who()) == (403, None)
    chi = Browser(world.url)
    chi.sign_in(world.keys["chi"])
    assert chi.post("/account", invitation=made.json()["token"]).status_code == 303
    assert world.shown("anh", "/admin/people/chi")["wholly"] is False


def test_the_centre_makes_organisations_and_says_what_they_look_after(world: World) -> None:
    world.done("chi", "/admin/organisations", code="dept-c", name="Sở C", name_en="Department C",
               tier="province", parent="nbca", jurisdiction="C")  # fmt: skip
    one = world.shown("chi", "/admin/organisations/dept-c")
    assert (one["jurisdictions"], one["unknownJurisdictions"], one["parent"]) == (["C"], ["C"], "nbca")
    world.done("chi", "/admin/organisations/dept-c", action="rename", name="Sở Ba")
    world.done("chi", "/admin/organisations/dept-c", action="look-after", jurisdiction="A, B")
    world.done("chi", "/admin/organisations/dept-c", action="move", parent="dept-b")
    one = world.shown("chi", "/admin/organisations/dept-c")
    assert (one["name"], one["nameEn"], one["jurisdictions"], one["parent"]) == (
        "Sở Ba", None, ["A", "B"], "dept-b",
    )  # fmt: skip
    world.done("chi", "/admin/organisations/board-a", action="look-after", area="open-A", buffer="1500")
    assert world.shown("chi", "/admin/organisations/board-a")["bufferMetres"] == 1500
    twice = world.ask("chi", "POST", "/admin/organisations", code="dept-c", name="x")
    assert (twice.status_code, twice.json()["detail"]) == (
        409, "There is an organisation of that code already.",
    )  # fmt: skip
    told = world.rows("select actor, actor_role from gis.audit where subject = 'organisation:dept-c'")
    assert set(told) == {("chi", "administrator")}


def test_a_province_s_administrator_makes_what_sees_no_more_than_the_public(world: World) -> None:
    world.done("anh", "/admin/organisations", code="ngo-a", name="Hội A", tier="partner", parent="dept-a")
    world.done("anh", "/admin/organisations/ngo-a", action="rename", name="Hội bạn A")
    world.done("anh", "/admin/organisations/ngo-a", action="move", parent="board-a")
    assert world.shown("anh", "/admin/organisations/ngo-a")["parent"] == "board-a"


def test_roles_are_given_and_ended_and_count_within_a_second(world: World) -> None:
    until = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    world.done("anh", "/admin/people/rita", action="grant", organisation="board-a", role="administrator",
               until=until)  # fmt: skip
    held = [each for each in world.shown("anh", "/admin/people/rita")["memberships"] if each["held"]]
    assert [(each["role"], each["organisation"]) for each in held] == [
        ("reader", "dept-a"), ("administrator", "board-a"),
    ]  # fmt: skip
    assert (held[1]["grantedBy"], held[1]["until"][:10]) == ("anh", until)
    (ending,) = world.shown("anh", "/admin/people?state=ending")["people"]
    assert ending["name"] == "rita"
    seen = world.turns(world.keys["rita"], 200, "/admin/organisations").json()
    assert seen["organisations"][0]["code"] == "board-a"
    assert world.ask("rita", "POST", "/admin/people/anh", action="lock").status_code == 404
    world.done("anh", "/admin/people/rita", action="revoke", organisation="board-a", role="administrator")
    # At once, though the worker's own view of rights may be a second old.
    assert world.ask("rita", "GET", "/admin/organisations").status_code == 403


def test_a_locked_account_is_refused_and_opens_again(world: World) -> None:
    world.done("anh", "/admin/people/em", action="lock")
    world.turns(world.keys["em"], 401)
    assert world.shown("anh", "/admin")["locked"] == 1
    (locked,) = world.shown("anh", "/admin/people?state=locked")["people"]
    assert locked["name"] == "em"
    world.done("anh", "/admin/people/em", action="unlock")
    world.turns(world.keys["em"], 200)


def test_the_last_administrator_of_the_centre_stays(world: World) -> None:
    for sent in (
        {"action": "lock"},
        {"action": "revoke", "organisation": "nbca", "role": "administrator"},
        {"action": "grant", "organisation": "nbca", "role": "administrator", "until": "2999-01-01"},
    ):
        answer = world.ask("chi", "POST", "/admin/people/chi", **sent)
        assert (answer.status_code, "last administrator" in answer.json()["detail"]) == (409, True)


def test_a_program_gets_an_account_with_a_key_that_is_shown_once(world: World) -> None:
    name = "camera/traps of A"
    world.done("anh", "/admin/people", name=name, organisation="dept-a", role="editor")
    path = "/admin/people/camera%2Ftraps%20of%20A"
    made = world.done("anh", path, action="make-key", label="field", scope=["edit"])
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    shown = world.shown("anh", path)
    (key,) = shown["keys"]
    assert (key["scopes"], key["label"], key["expires"], key["open"]) == (
        ["edit", "read"],
        "field",
        None,
        True,
    )
    assert made.json()["key"] not in str(shown)
    assert world.turns(made.json()["key"], 200).json()["name"] == name
    world.done("anh", path, action="revoke-key", key=key["number"])
    world.turns(made.json()["key"], 401)


def test_the_key_of_a_person_that_another_has_made_lasts_a_day(world: World) -> None:
    world.done("anh", "/admin/people/em", action="make-key", until="2099-01-01", scope=["edit"])
    newest = world.shown("anh", "/admin/people/em")["keys"][-1]
    left = datetime.fromisoformat(newest["expires"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(days=1)
    told = world.rows(
        "select actor from gis.audit where subject = $1 and action = 'key.made'", f"key:{newest['number']}"
    )
    assert told == [("anh",)]


def test_invitations_are_listed_and_withdrawn(world: World) -> None:
    made = world.done("anh", "/admin/invitations", action="invite", email="moi@example.org",
                      organisation="dept-a", role="reviewer", days="3").json()  # fmt: skip
    assert made["href"] == f"{world.url}/sign-in#invitation={made['token']}"
    listed = world.shown("anh", "/admin/invitations")
    (one,) = (each for each in listed["invitations"] if each["email"] == "moi@example.org")
    assert (one["role"], one["invitedBy"], one["open"]) == ("reviewer", "anh", True)
    assert made["token"] not in str(listed)
    assert "moi@example.org" not in str(world.shown("binh", "/admin/invitations?state=all"))
    withdraw = {"action": "withdraw", "invitation": one["number"]}
    assert world.ask("binh", "POST", "/admin/invitations", **withdraw).status_code == 404
    world.done("anh", "/admin/invitations", **withdraw)
    assert Browser(world.url).post("/sign-in", invitation=made["token"]).status_code == 403
    closed = world.shown("anh", "/admin/invitations?state=all")["invitations"]
    assert [each["open"] for each in closed if each["number"] == one["number"]] == [False]


def test_groups_of_species_are_the_centre_s(world: World) -> None:
    world.done("chi", "/admin/groups", code="G-TURTLES", name="Rùa", taxon="taxon-1")
    world.done("chi", "/admin/people/em", action="grant", organisation="dept-a", role="steward",
               group="G-TURTLES")  # fmt: skip
    one = world.shown("chi", "/admin/groups/G-TURTLES")
    assert (one["taxa"], one["stewards"]) == (["taxon-1"], ["em"])
    world.done("chi", "/admin/groups/G-TURTLES", name="Rùa", name_en="Turtles", taxon="")
    assert world.shown("chi", "/admin/groups/G-TURTLES")["taxa"] == []
    assert world.shown("anh", "/admin/groups")["groups"] == []


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/admin/organisations", {}),
        ("/admin/organisations", {"code": "x", "name": "x", "tier": "empire"}),
        ("/admin/organisations/dept-a", {"action": "rename"}),
        ("/admin/organisations/dept-a", {"action": "burn"}),
        ("/admin/organisations/board-a", {"action": "look-after", "buffer": "-1"}),
        ("/admin/people/em", {"action": "grant", "organisation": "dept-a", "role": "king"}),
        ("/admin/people/em", {"action": "grant", "organisation": "dept-a", "role": "reader",
                              "until": "soon"}),
        ("/admin/people/em", {"action": "revoke-key", "key": "1; drop"}),
        ("/admin/people/em", {"action": "make-key", "scope": ["everything"]}),
        ("/admin/invitations", {"action": "invite", "email": "x@e.org", "organisation": "dept-a",
                                "role": "reader", "days": "365"}),
        ("/admin/people", {"name": "x" * 301, "organisation": "dept-a", "role": "reader"}),
    ],
)  # fmt: skip
def test_a_form_that_says_nothing_sensible_is_refused(world: World, path: str, sent: Json) -> None:
    answer = world.ask("chi", "POST", path, **sent)
    assert answer.status_code == 400, answer.text
    vietnamese = world.ask("chi", "POST", f"{path}?lang=vi", **sent)
    assert vietnamese.json()["detail"] != answer.json()["detail"]


def test_the_pages_work_by_forms_and_keep_what_was_typed(world: World, anh: Browser) -> None:
    for path in (*PAGES, "/admin/organisations/dept-a", "/admin/people/em", "/admin/people/hai"):
        for lang in ("vi", "en"):
            page = anh.get(f"{path}?lang={lang}")
            assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
    bad = anh.post("/admin/organisations", code="no good", name="<b>Tên</b>", tier="partner", parent="dept-a")
    assert bad.status_code == 409
    assert 'role="alert"' in bad.text
    assert 'value="&lt;b&gt;Tên&lt;/b&gt;"' in bad.text
    good = anh.post("/admin/organisations?lang=vi", code="ok", name="Tên", tier="partner", parent="dept-a")
    assert good.headers["location"] == f"{world.url}/admin/organisations/ok?lang=vi"
    invited = anh.post("/admin/invitations", action="invite", email="m@example.org", organisation="dept-a",
                       role="reader")  # fmt: skip
    assert (invited.status_code, invited.headers["cache-control"]) == (201, "no-store")
    assert "/sign-in#invitation=gisinv_" in invited.text
    assert anh.post("/admin/people/em", csrf=None, action="lock").status_code == 403


def test_an_address_whose_account_is_there_tells_the_invited_what_to_do(world: World) -> None:
    with SyncDatabase(world.dsn) as database:
        ends = datetime.now(UTC) + timedelta(days=1)
        token = invitations.invite(database, "anh@example.org", "dept-b", "reader", ends)
    page = Browser(world.url).post("/sign-in", invitation=token)
    assert "accept the invitation on the page of your account" in page.text
