"""The leak test: no bit of a row that a class may not see changes what that class gets, on any route.

The same requests are sent before and after changes of hidden rows alone: first of province B, then of A.
Whoever sees the rows must notice the change, or the test would prove nothing. How a route joins stands in
tests/web/leaks.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from gis_service.access import accounts, keystore
from gis_service.access.accounts import NewAccount
from gis_service.db.sync import SyncDatabase
from gis_service.features.formats import FORMATS
from gis_service.processes import publishing
from gis_service.settings import Settings
from gis_service.web.assemble import assemble
from gis_service.web.validators import SETTLED_SECONDS
from tests.conftest import Starter
from tests.web.browser import Browser
from tests.web.leaks import comparing, coverage, hidden
from tests.web.leaks import world as worlds
from tests.web.leaks.ask import Ask
from tests.web.leaks.comparing import Snapshot
from tests.web.leaks.processes import PROJECT, REPORT
from tests.web.leaks.proposals import propose_of_b
from tests.web.leaks.readers import WHO, Readers
from tests.web.leaks.requests import requests
from tests.web.leaks.statistics import BY_THEIR_ROWS
from tests.web.leaks.world import World
from tests.web.worker import running_geoprocessor, running_worker

EXAMPLES, STEPS = 8, 12
HIDDEN_WORDS = (b"SECRET-", b"Recorder ", b"Hollow ", b"Observer ", b"PLOT-", b"Khu closed", b"category1")


@pytest.fixture(scope="module")
def world(
    start_server: Starter, settings: Settings, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    keys = worlds.fill(database)
    logs = tmp_path_factory.mktemp("logs")
    with (
        running_worker(settings, database, logs / "worker.log"),
        running_geoprocessor(settings, database, logs / "engine.log"),
    ):
        made = World(start_server(database), database, keys)
        worlds.settle(made, publishing.folder(settings.data_dir))
        made.job = job_of(made, "province-a")
        propose_of_b(made)
        yield made


def job_of(world: World, who: str) -> str:
    """A report that somebody asked for; its id."""
    with world.ask(who) as client:
        answer = client.post(f"{REPORT}/execution", json={"inputs": {"area": PROJECT}})
    return str(answer.headers["location"]).rpartition("/")[2]


@dataclass(frozen=True)
class Change:
    """What each principal got of all requests before and after a change, and whoever may see it of some."""

    hidden_from: tuple[tuple[str, Snapshot, Snapshot], ...]
    seen_by: tuple[tuple[str, Snapshot, Snapshot], ...]


TELLING = (
    "occurrences/items?limit=100",
    "occurrences/export?f=csv",
    "occurrences/11/",
    "plots?f=html",
    REPORT,
    *BY_THEIR_ROWS,
)


@pytest.fixture(scope="module")
def asks(world: World) -> list[Ask]:
    return requests(world)


@pytest.fixture(scope="module")
def changes(world: World, asks: list[Ask]) -> list[Change]:
    """Province B's hidden rows change, then province A's and what else is A's own."""
    some = [ask for ask in asks if any(part in ask.path for part in TELLING)]
    time.sleep(SETTLED_SECONDS + 1)  # until then answers bear no date
    before = {who: comparing.snapshot(world, who, asks) for who in ("public", "province-a")}
    made = []
    for changed, other in (("B", "province-a"), ("A", "province-b")):
        owners = ("centre", f"province-{changed.lower()}")
        owned = {who: comparing.snapshot(world, who, some) for who in owners}
        if other not in before:
            before[other] = comparing.snapshot(world, other, asks)
        world.change(*hidden.statements(changed))
        if changed == "A":
            for happen in hidden.happenings:
                happen(world)
        after = {who: comparing.snapshot(world, who, asks) for who in ("public", other)}
        since = {who: comparing.snapshot(world, who, some) for who in owners}
        made.append(
            Change(
                tuple((who, before[who], after[who]) for who in after),
                tuple((who, owned[who], since[who]) for who in owners),
            )
        )
        before = {"public": after["public"]}
    return made


def test_every_route_is_in_the_suite_or_says_why_it_shows_no_row(settings: Settings) -> None:
    service = assemble(settings, "postgresql:///nowhere")
    empty = World("", "", {}, [1, 2], [("occurrences", "occurrences.fgb")], [1], "job")
    assert coverage.missing(service, requests(empty)) == set()
    assert coverage.WITHOUT_ROWS.keys() <= coverage.known(service), "declared, and not there"
    queries = {ask.path.partition("?")[2] for ask in requests(empty)}
    assert all(any(f"f={form.name}" in query for query in queries) for form in FORMATS)


@pytest.mark.parametrize("number", [0, 1], ids=["in-b", "in-a"])
def test_what_is_hidden_in_a_province_changes_nothing_elsewhere(changes: list[Change], number: int) -> None:
    for _, before, after in changes[number].hidden_from:
        comparing.unchanged(before, after)


@pytest.mark.parametrize("number", [0, 1], ids=["in-b", "in-a"])
def test_whoever_sees_the_rows_notices_the_change(changes: list[Change], number: int) -> None:
    for who, before, after in changes[number].seen_by:
        noticed = comparing.noticed(before, after)
        for part in TELLING:
            assert any(part in ask for ask in noticed), f"{who} didn't notice a change in {part}"


def test_no_answer_to_the_public_holds_a_hidden_word(changes: list[Change]) -> None:
    _, answers, _ = changes[0].hidden_from[0]
    for ask, (_, _, told, body) in answers.items():
        found = [
            word
            for word in HIDDEN_WORDS
            if word in body + told.encode() and word.decode().strip() not in str(ask).replace("%20", " ")
        ]
        assert not found, f"{ask}: {found}"


def test_nobody_is_told_who_else_has_an_account(changes: list[Change]) -> None:
    for who, answers, _ in changes[0].hidden_from:
        others = [name for name in ("province-a", "province-b") if name != who]
        for ask, (_, _, told, body) in answers.items():
            unasked = [name.encode() for name in others if name not in ask.path]
            assert not [name for name in unasked if name in body + told.encode()], f"{who}: {ask}"


def test_principals_count_what_is_theirs(world: World) -> None:
    counted = {}
    for who in world.keys:
        with world.ask(who) as client:
            counted[who] = [
                len(client.get(f"/collections/{layer}/items?limit=100").json()["features"])
                for layer in ("protected-areas", "occurrences", "plots", "species-ranges")
            ]
    of_a_province = [3, 9, 2, 3]
    assert counted == {
        "public": [2, 8, 2, 1],
        "province-a": of_a_province,
        "province-b": of_a_province,
        "centre": [4, 10, 2, 4],
    }


def test_a_wrong_key_is_refused_and_not_taken_for_the_public(world: World) -> None:
    answer = httpx.get(f"{world.url}/collections/plots/items", headers={"X-API-Key": "gis_wrong"})
    assert answer.status_code == 401


def test_answers_that_aren_t_public_may_not_be_shared_by_caches(world: World) -> None:
    with world.ask("centre") as client:
        for path in ("/collections/plots/items", "/xyz/provinces/6/50/28.mvt", "/collections"):
            answer = client.get(path)
            assert "private" in answer.headers["cache-control"], path
            assert "authorization" in answer.headers["vary"].lower(), path


def test_readers_who_share_a_server_learn_nothing_of_each_other(world: World, changes: list[Change]) -> None:
    assert changes, "what was published for the public is as it was"
    with ExitStack() as stack:
        Readers.world = world
        Readers.clients = {who: stack.enter_context(world.ask(who)) for who in WHO}
        Readers.known = {who: {} for who in WHO}
        run_state_machine_as_test(
            Readers,
            settings=hypothesis.settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None
            ),
        )
        assert Readers.known["public"], "what the public was answered stands"


PERSONAL = (
    "/", "/api?f=html", "/collections?f=html", "/collections/plots?f=html", "/map", "/releases?f=html",
    "/collections/plots/items?f=html", "/collections/plots/items/{}?f=html", "/conformance?f=html",
    "/collections/plots/items", "/collections/plots/export?f=json", "/account",
)  # fmt: skip


def test_what_a_browser_keeps_of_one_person_isn_t_confirmed_to_the_next(world: World) -> None:
    """Two of one class sign in; their pages bear names and tokens, so a tag of one is none of the other's."""
    names = ("first-of-a", "second-of-a")
    with SyncDatabase(world.dsn) as database:
        for name in names:
            accounts.create(database, NewAccount(name))
            accounts.grant(database, name, "dept-a", "reader")
        keys = {name: keystore.create(database, name) for name in names}
    plot = world.numbers("select gid from gis.plot where source_id = 'A'")[0]
    one, other = (Browser(world.url) for _ in names)
    for browser, (name, key) in zip((one, other), keys.items(), strict=True):
        assert browser.sign_in(key).status_code == 303
        assert browser.who() == name
    for path in (each.format(plot) for each in PERSONAL):
        first, second = one.get(path), other.get(path)
        assert b"second-of-a" not in first.content, path
        assert b"first-of-a" not in second.content, path
        if first.content != second.content:
            again = other.get(path, **{"If-None-Match": first.headers.get("etag", "none")})
            assert again.status_code == 200, path
            since = first.headers.get("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT")
            assert other.get(path, **{"If-Modified-Since": since}).status_code == 200, path
