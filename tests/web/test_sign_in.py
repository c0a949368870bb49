"""Sessions of persons: opened by key or invitation, known to all workers, ended, safe from other sites."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gis_service.access import accounts, invitations, keys, keystore, organisations, sessions
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.principal import Role, Scope
from gis_service.access.sessions import Lasting
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests.conftest import Starter
from tests.web.browser import HTML, Browser

PEOPLE: tuple[tuple[str, Role], ...] = (("lan", "administrator"), ("mai", "editor"), ("nam", "editor"))


@dataclass(frozen=True)
class World:
    """Two workers on one database."""

    one: str
    two: str
    dsn: str
    keys: dict[str, str]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with SyncDatabase(self.dsn) as database:
            return list(database.run(Query(sql, values)))

    def new_key(self, name: str, *scopes: Scope) -> str:
        with SyncDatabase(self.dsn) as database:
            return keystore.create(database, name, scopes=scopes)

    def invite(self, email: str) -> str:
        with SyncDatabase(self.dsn) as database:
            ends = datetime.now(UTC) + timedelta(days=1)
            return invitations.invite(database, email, "nbca", "reviewer", ends)


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> World:
    with SyncDatabase(database) as db:
        organisations.create(db, Organisation("nbca", "Cục", None, "central"))
        for name, role in (
            ("lan", "administrator"),
            ("mai", "editor"),
            ("nam", "editor"),
            ("oanh", "reader"),
        ):
            accounts.create(db, NewAccount(name, display_name=f"{name.title()} <b>"))
            accounts.grant(db, name, "nbca", role)  # type: ignore[arg-type]
        keys = {
            n: keystore.create(db, n, scopes=("edit", "review", "administer")) for n in ("lan", "mai", "nam")
        }
    one, two = (start_server(database, GIS_TRUSTED_PROXIES="127.0.0.1") for _ in range(2))
    return World(one, two, database, keys)


@pytest.fixture
def lan(world: World) -> Browser:
    return signed_in(world, "lan")


def signed_in(world: World, name: str) -> Browser:
    browser = Browser(world.one)
    assert browser.sign_in(world.keys[name]).status_code == 303
    return browser


def test_a_key_opens_a_session_that_every_worker_knows_at_once(world: World) -> None:
    browser = Browser(world.one)
    answer = browser.post("/sign-in", key=world.keys["lan"], next="/collections?f=html")
    assert answer.headers["location"] == world.one + "/collections?f=html"
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("gis_session"))
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert browser.at(world.two).who() == "lan"
    assert browser.who() == "lan"


def test_the_cookie_is_for_https_and_the_base_alone_where_the_service_is_reached_so(world: World) -> None:
    proxied = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "gis.example.org",
        "X-Forwarded-Prefix": "/n",
    }
    answer = httpx.post(
        world.one + "/sign-in",
        data={"key": world.keys["lan"]},
        headers={**proxied, "Origin": "https://gis.example.org", "X-Forwarded-For": "198.51.100.200"},
    )
    assert answer.headers["location"] == "https://gis.example.org/n/account"
    assert "; Path=/n; HttpOnly; SameSite=Lax; Secure" in answer.headers["set-cookie"]


def test_the_database_holds_no_token_and_the_log_tells_who_signed_in(world: World, lan: Browser) -> None:
    token = lan.cookie()
    assert token is not None
    told = world.rows("select actor, action, details::text, client from gis.audit order by seq desc limit 1")
    assert [row[:2] for row in told] == [("lan", "session.made")]
    assert token not in str(told) + str(world.rows("select s::text from gis.session s"))


def test_a_page_bears_its_reader_s_name_and_reaches_nobody_else(world: World, lan: Browser) -> None:
    mai = signed_in(world, "mai")  # of the same class, which sees the same bytes of data
    for path in ("/", "/collections", "/conformance", "/map"):
        ours, hers = lan.get(path), mai.get(path)
        assert ours.headers["cache-control"] == hers.headers["cache-control"] == "no-store", path
        assert "cookie" in ours.headers["vary"].lower()
        if path != "/map":
            assert "Lan &lt;b&gt;" in ours.text
            assert "Mai &lt;b&gt;" in hers.text
        by_nobody = httpx.get(world.one + path, headers=HTML)
        for page, foreign in (
            (hers.text, "Lan &lt"),
            (by_nobody.text, "Lan &lt"),
            (by_nobody.text, "Mai &lt"),
        ):
            assert foreign not in page, path
        assert lan.token() not in hers.text + by_nobody.text
        assert "private" not in by_nobody.headers["cache-control"]


def test_files_of_the_program_stay_public_for_who_is_signed_in(world: World, lan: Browser) -> None:
    sheet = lan.get("/").text.split('rel="stylesheet" href="')[1].partition('"')[0]
    answer = lan.get(sheet.removeprefix(world.one))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_page_for_a_key_is_kept_apart_from_that_of_another_key_of_its_class(world: World) -> None:
    pages = {
        name: httpx.get(world.one, headers={**HTML, "X-API-Key": world.keys[name]}) for name in ("mai", "nam")
    }
    assert ">mai</a>" in pages["mai"].text
    assert ">nam</a>" in pages["nam"].text
    assert ">mai</a>" not in pages["nam"].text


def test_the_menu_leads_to_what_one_may(world: World, lan: Browser) -> None:
    assert 'href="' + world.one + '/admin"' in lan.get("/").text
    mai = signed_in(world, "mai").get("/").text
    assert 'href="' + world.one + '/contribute"' in mai
    assert "/admin" not in mai
    assert "/sign-in?next=/" in httpx.get(world.one, headers=HTML).text


def test_the_account_page_tells_roles_and_sessions(world: World, lan: Browser) -> None:
    page = lan.get("/account")
    assert "administrator · Cục" in page.text
    assert "/account/keys" in page.text
    told = lan.client.get("/account").json()
    assert told["may"] == ["administer"]
    assert [each["current"] for each in told["sessions"]].count(True) == 1


def test_a_browser_that_nobody_is_signed_in_at_is_led_to_sign_in_and_back(world: World) -> None:
    """401 would open the browser's own window for a password, which people don't have."""
    public = Browser(world.one)
    form = world.one + "/proposals/1?lang=vi"
    for answer, back in (
        (public.get("/account"), "/account"),
        (public.get("/proposals?mine=yes"), "/proposals?mine%3Dyes"),
        (
            public.client.post("/proposals/1/steps", headers={**HTML, "Referer": form}),
            "/proposals/1?lang%3Dvi",
        ),
        (
            public.client.post("/proposals/1/steps", headers={**HTML, "Referer": "https://evil.example/a"}),
            "/account",
        ),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"].replace("%3F", "?") == f"{world.one}/sign-in?next={back}"
    assert httpx.get(world.one + "/account").status_code == 401
    for wrong in ({"X-API-Key": "gis_wrong"}, {"Authorization": "Digest x"}):
        assert httpx.get(world.one + "/account", headers={**HTML, **wrong}).status_code == 401


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({}, "no token, no origin"),
        ({"Origin": "{url}"}, "no token"),
        ({"Origin": "{url}", "X-CSRF-Token": "guessed"}, "a wrong token"),
        ({"X-CSRF-Token": "{token}"}, "nobody says where it came from"),
        ({"Origin": "https://evil.example", "X-CSRF-Token": "{token}"}, "another site"),
        ({"Origin": "null", "X-CSRF-Token": "{token}"}, "a sandboxed frame"),
        ({"Sec-Fetch-Site": "same-site", "Origin": "{url}", "X-CSRF-Token": "{token}"}, "a sister site"),
        ({"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "{token}"}, "another site"),
    ],
)
def test_nothing_is_written_by_cookie_but_from_our_pages(
    world: World, lan: Browser, sent: dict[str, str], reason: str
) -> None:
    headers = {name: value.format(url=world.one, token=lan.token()) for name, value in sent.items()}
    for method, path in (
        ("POST", "/sign-out"),
        ("POST", "/account"),
        ("POST", "/processes/overlap-report/execution"),
        ("DELETE", "/jobs/00000000-0000-0000-0000-000000000000"),
    ):
        answer = lan.client.request(method, path, headers=headers)
        assert answer.status_code in (403, 404), reason
        if answer.status_code == 404:
            assert "process" in path
    assert lan.who() == "lan"


def test_the_token_of_another_session_is_worth_nothing(world: World, lan: Browser) -> None:
    assert lan.post("/sign-out", csrf=signed_in(world, "mai").token()).status_code == 403


def test_the_token_comes_as_a_field_of_either_encoding_or_as_a_header(world: World) -> None:
    def url_encoded(browser: Browser) -> httpx.Response:
        return browser.post("/sign-out")

    def multipart(browser: Browser) -> httpx.Response:
        parts = {"csrf": (None, browser.token()), "session": (None, "")}
        return browser.client.post("/sign-out", files=parts, headers={"Origin": world.one})

    def header(browser: Browser) -> httpx.Response:
        headers = {"X-CSRF-Token": browser.token(), "Sec-Fetch-Site": "same-origin"}
        return browser.client.post("/sign-out", headers=headers)

    for send in (url_encoded, multipart, header):
        browser = signed_in(world, "lan")
        assert send(browser).status_code == 303, send
        assert browser.who() is None, send


def test_a_form_of_another_site_signs_nobody_in(world: World) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(world.one + "/sign-in", data={"key": world.keys["lan"]}, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_a_password_that_the_browser_keeps_is_no_way_in_for_other_sites(world: World) -> None:
    target, basic = world.one + "/processes/overlap-report/execution", ("qgis", world.keys["lan"])
    refused = httpx.post(target, auth=basic, json={}, headers={"Origin": "https://evil.example"})
    assert (refused.status_code, "public_url" in refused.text) == (403, True)
    assert httpx.post(target, auth=basic, json={}).status_code != 403  # QGIS says nothing of where it is
    assert httpx.get(world.one + "/collections", auth=basic).status_code == 200


def test_a_key_in_a_header_goes_before_the_cookie_and_needs_no_token(world: World, lan: Browser) -> None:
    answer = lan.client.get("/account", headers={"X-API-Key": world.keys["mai"]})
    assert (answer.json()["name"], answer.json()["sessions"]) == ("mai", [])


def test_signing_out_ends_the_session_everywhere_within_a_second(world: World, lan: Browser) -> None:
    copied = lan.at(world.two)
    kept = dict(lan.client.cookies)
    assert copied.who() == "lan"
    answer = lan.post("/sign-out")
    assert "gis_session=; Max-Age=0" in answer.headers["set-cookie"]
    time.sleep(1.0)
    for url in (world.one, world.two):
        assert httpx.get(url + "/account", cookies=kept).status_code == 401


def test_others_of_one_s_sessions_can_be_ended_and_nobody_else_s(world: World) -> None:
    here, there, mai = signed_in(world, "nam"), signed_in(world, "nam"), signed_in(world, "mai")
    foreign = mai.client.get("/account").json()["sessions"][0]["number"]
    assert here.post("/sign-out", session=str(foreign)).status_code == 404
    number = next(e["number"] for e in here.client.get("/account").json()["sessions"] if not e["current"])
    assert here.post("/sign-out", session=str(number)).status_code == 303
    time.sleep(1.0)
    assert (here.who(), there.who(), mai.who()) == ("nam", None, "mai")
    again = signed_in(world, "nam")
    assert again.post("/sign-out", session="others").status_code == 303
    time.sleep(1.0)
    assert (again.who(), here.who(), mai.who()) == ("nam", None, "mai")


def test_a_session_by_key_does_what_the_key_may_and_dies_with_it(world: World) -> None:
    browser, key = Browser(world.one), world.new_key("mai", "read")
    browser.sign_in(key)
    assert browser.client.get("/account").json()["may"] == []
    assert browser.at(world.two).who() == "mai"
    world.rows(
        "update gis.api_key set revoked_at = now() where sha256 = sha256($1::bytea) returning 1", key.encode()
    )
    time.sleep(1.0)
    assert browser.who() is None
    assert browser.at(world.two).who() is None


def test_a_session_ends_when_its_day_is_over_or_nobody_uses_it_or_its_account_is_locked(world: World) -> None:
    ends = (
        "update gis.session set expires_at = created_at + interval '1 ms' where session_id = $1 returning 1",
        "update gis.session set seen_at = clock_timestamp() - idle where session_id = $1 returning 1",
        """
        update gis.principal p set locked_at = now() from gis.session s
         where s.session_id = $1 and s.principal_id = p.principal_id returning 1
        """,
    )
    browsers = [signed_in(world, name) for name in ("mai", "mai", "nam")]
    for browser, change in zip(browsers, ends, strict=True):
        world.rows(change, number_of(browser))
    time.sleep(1.0)
    assert [browser.who() for browser in browsers] == [None] * 3
    assert Browser(world.two).sign_in(world.keys["nam"]).status_code == 403
    world.rows("update gis.principal set locked_at = null where name = 'nam' returning 1")


def number_of(browser: Browser) -> int:
    return next(int(e["number"]) for e in browser.client.get("/account").json()["sessions"] if e["current"])


def test_use_is_noted_once_a_minute_and_keeps_a_session_open(world: World) -> None:
    browser = signed_in(world, "nam")
    number = number_of(browser)
    earlier = (
        "update gis.session set seen_at = seen_at - interval '90 s' where session_id = $1 returning seen_at"
    )
    before, told = world.rows(earlier, number)[0][0], "select count(*) from gis.audit"
    entries = world.rows(told)
    time.sleep(1.0)
    browser.who()
    assert world.rows("select seen_at from gis.session where session_id = $1", number)[0][0] > before
    assert world.rows(told) == entries


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\r\nSet-Cookie: x=y",
        "javascript:alert(1)",
    ],
)
def test_no_address_leads_away_after_signing_in(world: World, path: str) -> None:
    answer = Browser(world.one).post("/sign-in", key=world.keys["lan"], next=path)
    assert answer.headers["location"].startswith(world.one + "/")
    assert "x=y" not in str(answer.headers.get_list("set-cookie"))


def test_an_invitation_opens_an_account_once(world: World) -> None:
    token, browser = world.invite("phuc@example.org"), Browser(world.one)
    assert browser.post("/sign-in", invitation=token, display_name="Phúc").status_code == 303
    told = browser.client.get("/account").json()
    assert (told["name"], told["title"], told["may"]) == ("phuc@example.org", "Phúc", ["review"])
    actors = world.rows(
        "select distinct actor from gis.audit where seq > (select max(seq) - 3 from gis.audit)"
    )
    assert actors == [("phuc@example.org",)]
    again = Browser(world.one).post("/sign-in", invitation=token)
    assert (again.status_code, "set-cookie" in again.headers) == (403, False)


def test_an_invitation_to_another_address_isn_t_accepted_by_who_is_signed_in(
    world: World, lan: Browser
) -> None:
    token = world.invite("quy@example.org")
    assert lan.post("/account", invitation=token).status_code == 403
    assert world.rows("select 1 from gis.principal where name = 'quy@example.org'") == []
    quy = Browser(world.one)
    quy.post("/sign-in", invitation=token)
    assert quy.post("/account", invitation=world.invite("quy@example.org")).status_code == 303


@pytest.mark.parametrize(
    "name", ["key", "api_key", "apikey", "token", "access_token", "X-API-Key", "password"]
)
def test_a_key_in_an_address_is_refused_and_told_to_be_leaked(world: World, name: str) -> None:
    for path in ("/collections", "/", "/xyz/provinces/6/50/28.mvt", "/health"):
        answer = httpx.get(world.one + path, params={name: world.keys["lan"]})
        assert (answer.status_code, "leaked" in answer.json()["detail"]) == (400, True), path
        assert world.keys["lan"] not in answer.text
    hidden = httpx.get(world.one + "/collections", params={"map": world.keys["lan"], "lang": "vi"})
    assert (hidden.status_code, "đã lộ" in hidden.json()["detail"]) == (400, True)


def test_wrong_keys_are_slowed_down_and_right_ones_pass(world: World) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7"}
    with httpx.Client(base_url=world.one, headers=headers) as client:
        statuses = [client.get("/account", headers={"X-API-Key": f"gis_{i}"}).status_code for i in range(62)]
        assert statuses == [401] * 60 + [429] * 2
        refused = client.get("/account", headers={"X-API-Key": "gis_x"})
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert client.get("/account", headers={"X-API-Key": world.keys["mai"]}).status_code == 200
        assert client.get("/collections").status_code == 200
    told = world.rows(
        "select count(*) from gis.audit where action = 'sign-in.burst' and subject = 'client:203.0.113.7'"
    )
    assert told == [(1,)]


def test_failed_sign_ins_lock_the_address_out_for_a_while(world: World) -> None:
    browser = Browser(world.one)
    wrong = [browser.post("/sign-in", csrf=None, key=f"gis_{i}").status_code for i in range(5)]
    wrong += [browser.post("/sign-in", csrf=None, invitation=f"gisinv_{i}").status_code for i in range(5)]
    assert wrong == [403] * 10
    refused = browser.sign_in(world.keys["lan"])
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
    assert Browser(world.one).sign_in(world.keys["lan"]).status_code == 303
    assert world.rows(
        "select 1 from gis.audit where action = 'sign-in.burst' and details ->> 'kind' = 'form'"
    ) == [(1,)]


def test_a_made_up_cookie_is_nobody_s(world: World) -> None:
    for value in (b"gisses_" + b"A" * 43, b"x" * 5000, b"\xc3\xa9", b""):
        headers = [(b"accept", b"text/html"), (b"cookie", b"gis_session=" + value)]
        answer = httpx.get(world.one + "/collections", headers=headers)
        assert answer.status_code == 200
        assert "csrf-token" not in answer.text


def test_the_sign_in_page_has_no_way_to_an_issuer_where_none_is_set(world: World) -> None:
    assert "/sign-in/oidc" not in Browser(world.one).get("/sign-in").text
    assert [each["way"] for each in httpx.get(world.one + "/sign-in").json()["ways"]] == ["key", "invitation"]
    assert httpx.get(world.one + "/sign-in/oidc").status_code == 404


def test_sessions_that_are_long_over_are_removed_and_stay_in_the_log(world: World) -> None:
    lasting = Lasting(whole=timedelta(hours=12), idle=timedelta(hours=2))
    with SyncDatabase(world.dsn) as db:
        tokens = [sessions.open_by_name(db, "oidc", "nam", "c", lasting) for _ in range(4)]
        open_one, ended, unused, young = (
            db.run(Query("select session_id from gis.session where sha256 = $1", (keys.hashed(each),)))[0][0]
            for each in tokens
        )
        for number, change in (
            (ended, "ended_at = now() - interval '91 days'"),
            (unused, "seen_at = now() - interval '92 days'"),
            (young, "ended_at = now() - interval '89 days'"),
        ):
            db.run(Query(f"update gis.session set {change} where session_id = $1 returning 1", (number,)))
        assert sessions.forget(db, 90) == 2
        left = {number for (number,) in db.run(Query("select session_id from gis.session"))}
    assert left >= {open_one, young}
    assert not {ended, unused} & left
    told = world.rows(
        "select subject, actor, reason from gis.audit where action = 'session.removed' order by subject"
    )
    assert told == [
        (f"session:{n}", "worker", "limits.session_days") for n in sorted((ended, unused), key=str)
    ]
