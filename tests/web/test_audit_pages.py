"""The pages of the audit log: for the centre's auditors alone, by filters, and whether it is whole."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.principal import SCOPES, Role
from gis_service.db.audit import Actor, as_actor
from gis_service.db.sync import SyncDatabase
from tests.conftest import Starter

PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("au", "nbca", "auditor"),
    ("below", "dept-a", "auditor"),
    ("chi", "nbca", "administrator"),
    ("rita", "nbca", "reader"),
)
Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A server, and keys by name."""

    url: str
    dsn: str
    keys: dict[str, str]

    def ask(self, who: str | None, path: str, **headers: str) -> httpx.Response:
        known = {"X-API-Key": self.keys[who]} if who else {}
        return httpx.get(self.url + path, headers={**known, **headers}, timeout=30)

    def log(self, query: str = "") -> Json:
        answer = self.ask("au", f"/audit{query}")
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> World:
    with SyncDatabase(database) as db:
        db.run(as_actor(Actor("setter", "operator", "cli"), session=True))
        organisations.create(db, Organisation("nbca", "Cục", None, "central"))
        organisations.create(db, Organisation("dept-a", "Sở A", None, "province", "nbca", ("A",)))
        for name, organisation, role in PEOPLE:
            accounts.create(db, NewAccount(name))
            accounts.grant(db, name, organisation, role)
        keys = {name: keystore.create(db, name, "=1+1", scopes=SCOPES) for name, _, _ in PEOPLE}
        keys["no-read"] = keystore.create(db, "chi", "<script>")
    return World(start_server(database), database, keys)


@pytest.mark.parametrize("path", ["/audit", "/audit?f=csv", "/audit?subject=key:", "/audit/verify"])
def test_the_centre_s_auditors_alone_read_the_log(world: World, path: str) -> None:
    assert world.ask("au", path).status_code == 200
    assert world.ask(None, path).status_code == 401
    for who in ("below", "chi", "rita"):
        answer = world.ask(who, path)
        assert answer.status_code == 403
        assert "setter" not in answer.text


def test_entries_come_by_pages_from_the_newest_each_once(world: World) -> None:
    whole = world.log("?limit=10000")["entries"]
    assert [each["seq"] for each in whole] == list(range(len(whole), 0, -1))
    found, address = [], "/audit?limit=7"
    while address:
        page = world.ask("au", address).json()
        found += page["entries"]
        onward = [each["href"] for each in page["links"] if each["rel"] == "next"]
        address = onward[0].removeprefix(world.url) if onward else ""
    assert found == whole


def test_filters_by_who_what_and_when(world: World) -> None:
    def seen(query: str) -> list[str]:
        return [each["action"] for each in world.log(query)["entries"]]

    assert set(seen("?actor=setter&action=key")) == {"key.made"}
    assert seen("?subject=account:rita") == ["account.made"]
    assert seen("?subject=account:ri_a") == []
    assert seen("?subject=%25") == []
    assert seen("?actor=nobody") == []
    assert seen("?until=2000-01-01") == []
    first = world.log("?limit=10000")["entries"][-1]["at"].replace("+", "%2B")
    assert seen(f"?until={first}") == []
    assert len(seen(f"?since={first}&limit=10000")) == world.log("?limit=1")["entries"][0]["seq"]


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday", "until=2026-13-01", "limit=0", "limit=10001", "before=x", "before=0", "f=xml",
        "actor=" + "a" * 301, "x=1", "before=99999999999999999999", "lang=fr",
    ],
)  # fmt: skip
def test_what_can_t_be_answered_is_refused(world: World, query: str) -> None:
    assert world.ask("au", f"/audit?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["until=9999-12-31", "since=0001-01-01", "since=0001-01-01T00:00:00%2B14:00"]
)
def test_days_at_the_ends_of_time_break_nothing(world: World, query: str) -> None:
    assert world.ask("au", f"/audit?{query}").status_code in (200, 400)


def test_a_sheet_of_entries_holds_no_formula(world: World) -> None:
    answer = world.ask("au", "/audit?f=csv&subject=key:")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 5
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert all(len(row["hash"]) == 64 for row in rows)


def test_the_page_escapes_what_people_wrote_and_shows_no_key(world: World) -> None:
    for lang in ("en", "vi"):
        page = world.ask("au", f"/audit?f=html&lang={lang}&limit=1000").text
        assert "&lt;script&gt;" in page
        assert not [key for key in world.keys.values() if key in page]
    assert 'value="&#34;&gt;&lt;b&gt;"' in world.ask("au", "/audit?f=html&actor=%22%3E%3Cb%3E").text


def test_an_answer_is_kept_by_nobody_else(world: World) -> None:
    assert "private" in world.ask("au", "/audit").headers["cache-control"]


def test_the_log_is_verified_and_a_changed_entry_named(world: World) -> None:
    sound = world.ask("au", "/audit/verify").json()
    assert (sound["whole"], sound["faults"], sound["sleeping"]) == (True, [], [])
    assert sound["head"] == world.log("?limit=1")["head"]
    other = f"{sound['entries']}:{'0' * 64}"
    assert world.ask("au", f"/audit/verify?head={other}").json()["whole"] is False
    assert world.ask("au", "/audit/verify?head=1").status_code == 400
    with SyncDatabase(world.dsn) as db:
        db.apply(
            [
                "alter table gis.audit disable trigger keep",
                "update gis.audit set actor = 'other' where seq = 3",
                "alter table gis.audit enable trigger keep",
            ]
        )
    broken = world.ask("au", "/audit/verify").json()
    assert broken["whole"] is False
    assert len(broken["faults"]) == 1
    assert "3" in broken["faults"][0]
    assert 'role="alert"' in world.ask("au", "/audit/verify?f=html").text
