"""One's own keys: made and revoked while signed in, doing no more than the session that makes them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.own_keys import MOST_OPEN
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests.conftest import Starter
from tests.web.browser import Browser

JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class World:
    """A server, and keys by name."""

    url: str
    dsn: str
    keys: dict[str, str]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with SyncDatabase(self.dsn) as database:
            return list(database.run(Query(sql, values)))

    def browser(self, key: str) -> Browser:
        made = Browser(self.url)
        assert made.sign_in(self.keys[key]).status_code == 303
        return made


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> World:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with SyncDatabase(database) as db:
        organisations.create(db, Organisation("nbca", "Cục", None, "central"))
        for name in ("lan", "mai", "many"):
            accounts.create(db, NewAccount(name))
            accounts.grant(db, name, "nbca", "editor")
        keys = {
            "lan": keystore.create(db, "lan", "old desk", scopes=("edit",)),
            "reads": keystore.create(db, "lan", "reads"),
            "a-day": keystore.create(db, "lan", "a day", tomorrow, ("edit",)),
            **{name: keystore.create(db, name, scopes=("edit",)) for name in ("mai", "many")},
        }
    return World(start_server(database, GIS_TRUSTED_PROXIES="127.0.0.1"), database, keys)


def made(answer: httpx.Response) -> str:
    """The key on the page that shows it once."""
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found = re.findall(r"gis_[A-Za-z0-9_-]{43}", answer.text)
    assert len(found) == 1
    return str(found[0])


def status(world: World, key: str) -> int:
    return httpx.get(world.url + "/account", headers={"X-API-Key": key, **JSON}).status_code


def numbered(world: World, label: str) -> int:
    return int(world.rows("select key_id from gis.api_key where label = $1", label)[0][0])


def test_a_key_is_made_shown_once_opens_and_is_revoked(world: World) -> None:
    lan, until = world.browser("lan"), datetime.now(UTC).date() + timedelta(days=30)
    key = made(lan.post("/account/keys", action="make", label="QGIS <b>", scope="edit", until=str(until)))
    page = lan.get("/account/keys").text
    assert "QGIS &lt;b&gt;" in page
    assert key not in page
    assert world.rows("select scopes, expires_at::date from gis.api_key where label = 'QGIS <b>'") == [
        (["edit", "read"], until)
    ]
    shown = httpx.get(world.url + "/account", headers={"X-API-Key": key, **JSON})
    assert (shown.json()["name"], shown.json()["scopes"]) == ("lan", ["edit", "read"])
    number = numbered(world, "QGIS <b>")
    assert lan.post("/account/keys", action="revoke", key=str(number)).status_code == 303
    assert world.rows(
        "select action, actor from gis.audit where subject = $1 order by seq", f"key:{number}"
    ) == [("key.made", "lan"), ("key.revoked", "lan")]
    assert key not in str(world.rows("select * from gis.audit"))


def test_a_key_does_no_more_than_the_session_that_makes_it(world: World) -> None:
    before = world.rows("select count(*) from gis.api_key")
    reads = world.browser("reads")
    assert reads.post("/account/keys", action="make", scope="edit").status_code == 409
    lan = world.browser("lan")
    assert lan.post("/account/keys", action="make", scope="administer").status_code == 409
    assert lan.post("/account/keys", action="make", scope="root").status_code == 400
    assert world.rows("select count(*) from gis.api_key") == before


def test_an_administrator_s_key_for_a_day_is_followed_by_an_own_one(world: World) -> None:
    key = made(world.browser("a-day").post("/account/keys", action="make", label="own", scope="edit"))
    assert status(world, key) == 200
    assert world.rows("select expires_at from gis.api_key where label = 'own'") == [(None,)]


def test_a_day_that_is_over_is_refused(world: World) -> None:
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    answer = world.browser("lan").post("/account/keys", action="make", until=yesterday)
    assert 400 <= answer.status_code < 500
    assert 'role="alert"' in answer.text


def test_a_key_makes_and_revokes_no_keys(world: World) -> None:
    headers = {"X-API-Key": world.keys["lan"], **JSON}
    for sent in ({"action": "make"}, {"action": "revoke", "key": str(numbered(world, "old desk"))}):
        assert httpx.post(world.url + "/account/keys", json=sent, headers=headers).status_code == 403
    assert status(world, world.keys["lan"]) == 200
    assert httpx.get(world.url + "/account/keys", headers=JSON).status_code == 401
    assert httpx.post(world.url + "/account/keys", json={"action": "make"}).status_code == 401


def test_nobody_revokes_the_key_of_another(world: World) -> None:
    mai = world.browser("mai")
    number = numbered(world, "old desk")
    assert mai.post("/account/keys", action="revoke", key=str(number)).status_code == 404
    assert mai.post("/account/keys", action="revoke", key="-1").status_code == 400
    assert "old desk" not in mai.get("/account/keys").text
    assert world.rows("select revoked_at from gis.api_key where key_id = $1", number) == [(None,)]


def test_a_form_without_the_session_s_token_does_nothing(world: World) -> None:
    before = world.rows("select count(*) from gis.api_key")
    assert world.browser("lan").post("/account/keys", csrf=None, action="make").status_code == 403
    assert world.rows("select count(*) from gis.api_key") == before


def test_an_account_holds_so_many_open_keys(world: World) -> None:
    with SyncDatabase(world.dsn) as db:
        for _ in range(MOST_OPEN - 1):
            keystore.create(db, "many")
    answer = world.browser("many").post("/account/keys", action="make")
    assert answer.status_code == 409
    assert str(MOST_OPEN) in answer.text
