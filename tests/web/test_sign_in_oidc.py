"""Signing in at an issuer of OpenID Connect: whom it lets in, and what it doesn't believe."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from gis_service.access import invitations, organisations
from gis_service.access.organisations import Organisation
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Oidc
from gis_service.web.openid import Flow, Issuer, IssuerDown
from tests.conftest import Starter
from tests.web import provider as issuers
from tests.web.browser import Browser
from tests.web.provider import Json, Provider, ec_key, hs256, rsa_key, signed, unsigned


@dataclass(frozen=True)
class World:
    """Two workers that ask one issuer."""

    one: str
    two: str
    dsn: str
    provider: Provider

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with SyncDatabase(self.dsn) as database:
            return list(database.run(Query(sql, values)))

    def invite(self, email: str) -> str:
        with SyncDatabase(self.dsn) as database:
            ends = datetime.now(UTC) + timedelta(days=1)
            return invitations.invite(database, email, "nbca", "editor", ends)


@pytest.fixture(scope="module")
def whole(start_server: Starter, database: str) -> Iterator[World]:
    with SyncDatabase(database) as db:
        organisations.create(db, Organisation("nbca", "Cục", None, "central"))
    with issuers.running() as provider:
        env = {
            "GIS_TRUSTED_PROXIES": "127.0.0.1",
            "GIS_OIDC_ISSUER": provider.issuer,
            "GIS_OIDC_CLIENT_ID": issuers.CLIENT,
            "GIS_OIDC_CLIENT_SECRET": issuers.SECRET,
            "GIS_OIDC_TITLE_EN": "Sign in at the ministry",
        }
        one, two = (start_server(database, **env, GIS_OIDC_REGISTER=yes) for yes in ("no", "yes"))
        yield World(one, two, database, provider)


@pytest.fixture
def world(whole: World) -> World:
    """The world with an issuer that does as it should, and a person who was invited."""
    whole.provider.mint, whole.provider.answer = None, {}
    whole.provider.person = person()
    whole.invite(str(whole.provider.person["email"]))
    return whole


def person(**claims: object) -> Json:
    name = secrets.token_hex(4)
    return {
        "sub": f"subject-{name}",
        "email": f"{name}@example.org",
        "email_verified": True,
        "name": "Hoa",
        **claims,
    }


def test_a_person_who_was_invited_signs_in_and_is_known_by_the_subject_from_then_on(world: World) -> None:
    browser, email = Browser(world.one), world.provider.person["email"]
    answer = browser.by_issuer("/sign-in/oidc?next=/collections")
    assert (answer.status_code, answer.headers["location"]) == (303, world.one + "/collections")
    told = browser.client.get("/account").json()
    assert (told["name"], told["title"], told["may"]) == (email, "Hoa", ["contribute"])
    told = world.rows("select distinct actor from gis.audit where seq > (select max(seq) - 4 from gis.audit)")
    assert told == [(email,)]
    world.provider.person = {
        "sub": world.provider.person["sub"],
        "email": "moved@example.org",
        "email_verified": True,
    }
    again = Browser(world.one)
    assert again.by_issuer().status_code == 303
    assert again.who() == email


def test_the_way_there_begins_at_one_worker_and_ends_at_another(world: World) -> None:
    browser = Browser(world.one)
    there = browser.at(world.two)
    address = browser.forth()
    there.client.cookies = browser.client.cookies
    assert there.back(address).status_code == 303
    assert there.at(world.one).who() == world.provider.person["email"]


def test_what_is_sent_to_the_issuer_is_bound_to_the_sign_in(world: World) -> None:
    begun = Browser(world.one).get("/sign-in/oidc")
    assert "no-store" in begun.headers["cache-control"]
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith("gis_sign_in=")
    assert "HttpOnly; SameSite=Lax" in cookie
    query = {name: values[0] for name, values in parse_qs(urlsplit(begun.headers["location"]).query).items()}
    assert (query["redirect_uri"], query["code_challenge_method"]) == (
        world.one + "/sign-in/callback",
        "S256",
    )
    assert all(len(query[name]) == 43 for name in ("state", "nonce", "code_challenge"))
    assert "Sign in at the ministry" in Browser(world.one).get("/sign-in").text


def test_an_answer_is_taken_once_and_in_the_browser_that_asked(world: World) -> None:
    browser, thief = Browser(world.one), Browser(world.one)
    first, second = browser.forth(), thief.forth()
    assert thief.back(first).status_code == 403  # another's answer, which is now used up
    assert browser.back(first).status_code == 403
    address = browser.forth()
    assert browser.back(address).status_code == 303
    fresh = Browser(world.one)
    fresh.client.cookies.set("gis_sign_in", browser.client.cookies.get("gis_sign_in") or "")
    for again in (browser, browser.at(world.two), fresh, Browser(world.one)):
        answer = again.back(address)
        assert (answer.status_code, "gis_session=gisses" in str(answer.headers)) == (403, False)
    assert thief.back(second.replace("state=", "state=x")).status_code == 403


def test_a_code_of_one_sign_in_is_worth_nothing_in_another(world: World) -> None:
    """Injected into the victim's own sign-in, it fails for the verifier that it was asked for with."""
    code = parse_qs(urlsplit(Browser(world.one).forth()).query)["code"][0]
    browser = Browser(world.one)
    world.provider.answer = {"code": code}
    assert browser.by_issuer().status_code == 403
    assert browser.who() is None


def test_an_answer_older_than_ten_minutes_is_refused(world: World) -> None:
    browser = Browser(world.one)
    address = browser.forth()
    world.rows("update gis.sign_in set expires_at = now() - interval '1 s' returning 1")
    assert browser.back(address).status_code == 403


@pytest.mark.parametrize(
    "answer", [{"iss": "https://evil.example"}, {"error": "access_denied", "code": ""}, {"code": "made-up"}]
)
def test_other_answers_are_refused(world: World, answer: Json) -> None:
    world.provider.answer = answer
    assert Browser(world.one).by_issuer().status_code == 403


Forge = Callable[[Provider, Json], str]
NOW = time.time
FORGED: dict[str, Forge] = {
    "alg none": lambda p, c: unsigned(c),
    "HS256 with the public key": lambda p, c: hs256(p.keys[0].pem(), c, p.keys[0].kid),
    "HS256 with the secret": lambda p, c: hs256(issuers.SECRET.encode(), c, p.keys[0].kid),
    "a key of one's own": lambda p, c: signed(rsa_key(p.keys[0].kid), c),
    "a key of one's own beside it": lambda p, c: signed(own := rsa_key("own"), c, jwk=own.jwk()),
    "an unknown kid": lambda p, c: signed(p.keys[0], c, kid="other"),
    "no kid among several": lambda p, c: signed(p.keys[0], c, kid=None),
    "the kid of the other kind": lambda p, c: signed(p.keys[0], c, kid=p.keys[1].kid),
    "RS512 said": lambda p, c: signed(p.keys[0], c, alg="RS512"),
    "a critical header": lambda p, c: signed(p.keys[0], c, crit=["b64"], b64=False),
    "changed afterwards": lambda p, c: changed(signed(p.keys[0], c)),
    "expired": lambda p, c: signed(p.keys[0], {**c, "exp": int(NOW()) - 61}),
    "of the future": lambda p, c: signed(p.keys[0], {**c, "iat": int(NOW()) + 120, "exp": int(NOW()) + 900}),
    "not yet": lambda p, c: signed(p.keys[0], {**c, "nbf": int(NOW()) + 120}),
    "without an end": lambda p, c: signed(p.keys[0], without(c, "exp")),
    "another issuer": lambda p, c: signed(p.keys[0], {**c, "iss": p.issuer + "/"}),
    "another audience": lambda p, c: signed(p.keys[0], {**c, "aud": "other"}),
    "several audiences": lambda p, c: signed(p.keys[0], {**c, "aud": ["other", issuers.CLIENT]}),
    "made for another": lambda p, c: signed(p.keys[0], {**c, "azp": "other"}),
    "another nonce": lambda p, c: signed(p.keys[0], {**c, "nonce": "other"}),
    "no nonce": lambda p, c: signed(p.keys[0], without(c, "nonce")),
    "no subject": lambda p, c: signed(p.keys[0], {**c, "sub": ""}),
    "a subject that is a number": lambda p, c: signed(p.keys[0], {**c, "sub": 7}),
    "no token": lambda p, c: "x.y",
}


def without(claims: Json, name: str) -> Json:
    return {key: value for key, value in claims.items() if key != name}


def changed(token: str) -> str:
    header, claims, seal = token.split(".")
    return f"{header}.{claims[:-8]}AAAA{claims[-4:]}.{seal}"


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_isn_t_right_opens_nothing(world: World, name: str) -> None:
    world.provider.mint = lambda claims: FORGED[name](world.provider, claims)
    browser = Browser(world.one)
    answer = browser.by_issuer()
    assert (answer.status_code, browser.cookie(), browser.who()) == (403, None, None)
    assert "accepted" in answer.text


@pytest.mark.parametrize(
    "right",
    [
        lambda p, c: signed(p.keys[1], c),
        lambda p, c: signed(p.keys[0], {**c, "exp": int(NOW()) - 30}),
        lambda p, c: signed(p.keys[0], {**c, "iat": int(NOW()) + 30}),
        lambda p, c: signed(p.keys[0], {**c, "aud": ["other", issuers.CLIENT], "azp": issuers.CLIENT}),
    ],
    ids=["ES256", "a clock that is slow", "a clock that is fast", "several audiences, made for us"],
)
def test_a_token_that_is_right_though_different_is_believed(world: World, right: Forge) -> None:
    world.provider.mint = lambda claims: right(world.provider, claims)
    assert Browser(world.one).by_issuer().status_code == 303


def test_keys_that_the_issuer_changes_are_read_again(world: World) -> None:
    assert Browser(world.one).by_issuer().status_code == 303
    old = world.provider.keys
    world.provider.keys = [rsa_key("three"), ec_key("four")]
    world.provider.mint = lambda claims: signed(world.provider.keys[0], claims)
    assert Browser(world.one).by_issuer().status_code == 303
    world.provider.mint = lambda claims: signed(old[0], claims)
    assert Browser(world.one).by_issuer().status_code == 403, "a key that was withdrawn"


def test_a_weak_key_is_not_believed(world: World) -> None:
    kept, weak = world.provider.keys, rsa_key("weak", 1024)
    world.provider.keys = [weak]
    world.provider.mint = lambda claims: signed(weak, claims)
    assert Browser(world.one).by_issuer().status_code == 403
    world.provider.keys = kept


def test_nobody_gets_an_account_who_wasn_t_invited(world: World) -> None:
    invited = str(world.provider.person["email"])
    for claims in (
        person(),
        person(email=invited, email_verified=False),
        person(email=invited, email_verified="true"),
        without(person(email=invited), "email_verified"),
    ):
        world.provider.person = claims
        browser = Browser(world.one)
        answer = browser.by_issuer()
        assert (answer.status_code, browser.who()) == (403, None)
        assert "invitation" in answer.text
    assert world.rows("select 1 from gis.principal where name = $1", invited) == []


def test_an_address_that_changes_hands_opens_nobody_else_s_account(world: World) -> None:
    assert Browser(world.one).by_issuer().status_code == 303
    world.provider.person = {**world.provider.person, "sub": "the next owner of the address"}
    assert Browser(world.one).by_issuer().status_code == 403


def test_an_account_that_accepted_by_token_is_found_by_the_same_verified_address(world: World) -> None:
    world.provider.person = person()
    email = str(world.provider.person["email"])
    Browser(world.one).post("/sign-in", invitation=world.invite(email))
    browser = Browser(world.one)
    assert browser.by_issuer().status_code == 303
    assert browser.who() == email


def test_a_locked_account_stays_locked(world: World) -> None:
    assert Browser(world.one).by_issuer().status_code == 303
    world.rows(
        "update gis.principal set locked_at = now() where name = $1 returning 1",
        world.provider.person["email"],
    )
    answer = Browser(world.one).by_issuer()
    assert (answer.status_code, "locked" in answer.text) == (403, True)


def test_who_registers_gets_an_account_without_rights_and_nobody_s_name(world: World) -> None:
    """The second worker registers whom it doesn't know."""
    world.provider.person = person()
    browser = Browser(world.two)
    assert browser.by_issuer().status_code == 303
    told = browser.client.get("/account").json()
    assert (told["name"], told["roles"], told["tier"]) == (world.provider.person["email"], [], "public")
    for claims in (person(email_verified=False), person(email=world.provider.person["email"])):
        world.provider.person = claims
        assert Browser(world.two).by_issuer().status_code == 403


def test_its_tokens_are_no_keys(world: World) -> None:
    key = world.provider.keys[0]
    token = signed(key, world.provider.claims("n"))
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-API-Key": token}):
        assert httpx.get(world.one + "/collections", headers=headers).status_code == 401


def test_failures_of_one_identity_are_slowed_down(world: World) -> None:
    world.provider.person = person()
    statuses = [Browser(world.one).by_issuer().status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]
    told = world.rows(
        "select details ->> 'kind' from gis.audit where action = 'sign-in.burst' order by seq desc limit 1"
    )
    assert told == [("identity",)]


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": "http://192.0.2.1/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"elsewhere": True},
    ],
    ids=[
        "calls itself otherwise",
        "plain http to another machine",
        "no address",
        "no keys",
        "sends elsewhere",
    ],
)
def test_an_issuer_that_describes_itself_wrongly_is_not_gone_to(described: Json) -> None:
    with issuers.running() as provider:
        provider.described = described
        assert way_to(provider.issuer) is None


def test_an_issuer_that_doesn_t_answer_is_told_as_such() -> None:
    assert way_to("http://127.0.0.1:9") is None


def way_to(address: str) -> str | None:
    """Where the browser would be sent; None for IssuerDown."""
    issuer = Issuer(Oidc(address, issuers.CLIENT))
    try:
        return asyncio.run(issuer.address(Flow("state", "nonce", "verifier", "http://127.0.0.1/callback")))
    except IssuerDown:
        return None
    finally:
        issuer.close()
