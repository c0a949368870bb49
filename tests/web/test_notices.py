"""Notices by mail, sent to a real SMTP server: to whom, what they hold, and that none is lost.

The people of tests.web.releasing: bo edits for province A, phan reviews there, chi at the centre.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from gis_service.access import accounts
from gis_service.catalog.layer import Layer
from gis_service.changes import notices, store
from gis_service.changes.notices import Letter, Told
from gis_service.changes.propose import Asked, Draft, propose
from gis_service.changes.values import Action, Proposal
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import ConfigRefused
from gis_service.processes import mailing
from gis_service.settings import Mail, Settings, load_settings
from tests import sample
from tests.conftest import Starter, free_port
from tests.web import releasing
from tests.web.releasing import FLOW, who

MAIL = Mail(sender="Nature data <gis@example.org>", security="none", wait_seconds=0)


class Box:
    """What a mail server took; it refuses the addresses in `refused`."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.refused: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        # Mail programs look for it as it is, not encoded to fit a line.
        assert b"\r\nList-Unsubscribe: <https://gis.example.org/" in (envelope.original_content or b"")
        made: Any = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.taken.append(made)
        return "250 OK"

    def empty(self) -> dict[str, EmailMessage]:
        """The letters since the last look, by address."""
        found = {str(each["To"]): each for each in self.taken}
        assert len(found) == len(self.taken), "one letter a person"
        self.taken.clear()
        return found


@dataclass
class World:
    """The database, a mail server, and the settings that name it."""

    db: SyncDatabase
    dsn: str
    keys: dict[str, str]
    layers: dict[str, Layer]
    box: Box
    settings: Settings

    def send(self, **mail: Any) -> dict[str, EmailMessage]:
        """One round of the worker; the letters that came."""
        settings = replace(self.settings, mail=replace(self.settings.mail, **mail))
        mailing.send(self.dsn, settings, self.layers)
        return self.box.empty()

    def draft(self, title: str = "Sửa tên") -> Proposal:
        asked = [Asked("update", "open-A", {"name": title})]
        author = who(self.db, "bo")
        return propose(self.db, FLOW, self.layers["protected-areas"], author, Draft(title), asked)

    def take(self, proposal: Proposal, action: Action, by: str) -> Proposal:
        layer = self.layers[proposal.layer]
        return store.take(self.db, FLOW, layer, proposal, action, who(self.db, by), "Secret words")

    def mails(self) -> list[tuple[int, bool, bool, str | None]]:
        ended = "sent_at is not null, given_up_at is not null"
        sql = f"select attempts, {ended}, fault from gis.mail order by mail_id"
        return [(row[0], row[1], row[2], row[3]) for row in self.db.run(Query(sql))]


@pytest.fixture(scope="module")
def made(database: str, settings: Settings) -> Iterator[World]:
    sample.fill(database)
    with SyncDatabase(database) as db:
        keys = releasing.people(db)
        db.apply(["update gis.principal set email = name || '@example.vn', language = 'vi'"])
        db.apply(["update gis.principal set language = 'en' where name = 'chi'"])
        yield World(db, database, keys, releasing.layers(), Box(), settings)


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """Nothing due, everybody wants notices, and a server that listens."""
    made.db.apply(
        ["delete from gis.notice", "delete from gis.mail", "update gis.principal set notices = true"]
    )
    made.box.refused.clear()
    port = free_port()
    server = Controller(made.box, hostname="127.0.0.1", port=port)
    server.start()
    made.settings = replace(
        made.settings, public_url="https://gis.example.org", mail=replace(MAIL, host="127.0.0.1", port=port)
    )
    yield made
    server.stop()


def text(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


def test_those_are_told_whose_turn_it_is_and_the_author_of_what_others_did(world: World) -> None:
    sent = world.take(world.draft(), "submit", "bo")
    assert set(world.send()) == {"phan@example.vn"}
    accepted = world.take(sent, "accept", "phan")
    told = world.send()
    assert set(told) == {"bo@example.vn", "chi@example.vn"}
    assert "It waits for your decision." in text(told["chi@example.vn"])
    assert "chờ" not in text(told["bo@example.vn"]).split("-- \n")[0]
    world.take(accepted, "return", "chi")
    assert set(world.send()) == {"bo@example.vn"}
    assert world.send() == {}


def test_a_letter_names_the_proposal_and_the_step_and_nothing_else(world: World) -> None:
    sent = world.take(world.draft("Đổi tên khu"), "submit", "bo")
    letter = world.send()["phan@example.vn"]
    assert letter["Subject"] == f"[{sent.number}] Đổi tên khu: gửi duyệt"
    assert letter["From"] == "Nature data <gis@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = text(letter)
    assert f"https://gis.example.org/proposals/{sent.number}\n" in body
    assert "Secret words" not in body


def test_what_happens_within_a_while_comes_in_one_letter(world: World) -> None:
    first, second = (world.take(world.draft(title), "submit", "bo") for title in ("Một", "Hai"))
    told = world.send()
    assert told["phan@example.vn"]["Subject"] == "2 diễn biến của các đề xuất"
    assert all(f"/proposals/{each.number}" in text(told["phan@example.vn"]) for each in (first, second))


def test_a_server_that_is_down_loses_nothing(world: World) -> None:
    world.take(world.draft(), "submit", "bo")
    assert world.send(port=1) == {}
    ((attempts, sent, given_up, fault),) = world.mails()
    assert (attempts, sent, given_up) == (1, False, False)
    assert "refused" in str(fault)
    assert world.send() == {}, "not before its time"
    world.db.apply(["update gis.mail set next_at = now()"])
    assert set(world.send()) == {"phan@example.vn"}
    assert world.mails() == [(2, True, False, None)]


def test_after_days_it_is_given_up(world: World) -> None:
    world.take(world.draft(), "submit", "bo")
    world.send(port=1)
    world.db.apply(["update gis.mail set next_at = now(), made_at = now() - interval '6 days'"])
    world.send(port=1)
    assert world.mails()[0][:3] == (2, False, True)


def test_an_address_that_isn_t_taken_keeps_nobody_else_from_theirs(world: World) -> None:
    world.box.refused.add("bo@example.vn")
    sent = world.take(world.draft(), "submit", "bo")
    world.take(sent, "accept", "phan")
    assert set(world.send()) == {"chi@example.vn"}
    assert (1, False, True, "550 no such mailbox") in world.mails()


def test_nothing_is_said_in_the_clear_to_a_server_without_tls(world: World) -> None:
    world.take(world.draft(), "submit", "bo")
    assert world.send(security="starttls") == {}
    assert "STARTTLS" in str(world.mails()[0][3])


def test_a_worker_killed_before_it_wrote_down_what_it_sent_sends_the_same_again(world: World) -> None:
    world.take(world.draft(), "submit", "bo")
    first = world.send()["phan@example.vn"]
    world.db.apply(["update gis.mail set sent_at = null, claimed_until = now() + interval '1 minute'"])
    assert world.send() == {}, "another worker may be at it"
    world.db.apply(["update gis.mail set claimed_until = now() - interval '1 second'"])
    assert world.send()["phan@example.vn"]["Message-ID"] == first["Message-ID"]


def test_who_may_no_longer_read_a_proposal_isn_t_told_of_it(world: World) -> None:
    world.take(world.draft(), "submit", "bo")
    world.send(port=1)
    accounts.revoke(world.db, "phan", "dept-a", "reviewer")
    try:
        world.db.apply(["update gis.mail set next_at = now()"])
        assert world.send() == {}
        assert world.mails() == []
    finally:
        accounts.grant(world.db, "phan", "dept-a", "reviewer")


def test_a_step_that_isn_t_taken_tells_nobody(world: World) -> None:
    draft = world.draft()
    with contextlib.suppress(ZeroDivisionError), world.db.transaction():
        world.take(draft, "submit", "bo")
        raise ZeroDivisionError
    assert world.send() == {}


def test_without_a_server_nothing_is_kept_for_later(world: World) -> None:
    world.take(world.draft(), "submit", "bo")
    world.send(host="")
    assert world.send() == {}


@pytest.mark.parametrize(
    "title",
    [
        "Tên\r\nBcc: all@example.org",
        "Tên\x85Bcc: all@example.org",
        "Tên\u2028Bcc: all@example.org",
        "=?utf-8?q?a=0d=0aBcc:_all@example.org?=",  # the library decodes it, and folds what it decoded
        "=?utf-8?q?=0aBcc:_all@example.org?= b",
        "=?utf-8?q?=ff?=",
    ],
)
def test_nobody_s_words_begin_a_header(world: World, title: str) -> None:
    proposal = replace(world.draft(), title=title)
    at = world.db.run(Query("select now()"))[0][0]
    letter = Letter((1,), 1, 7, "phan", "phan@example.vn", "vi", (Told(proposal, "submit", "bo", at, True),))
    lines = mailing.written(letter, world.settings, b"key").as_bytes().split(b"\n\n")[0].split(b"\n")
    assert [line.partition(b":")[0] for line in lines if not line.startswith(b" ")] == [
        b"Subject", b"From", b"To", b"Date", b"Message-ID", b"Auto-Submitted", b"List-Unsubscribe",
        b"List-Unsubscribe-Post", b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version",
    ]  # fmt: skip


@pytest.mark.parametrize("odd", ["phan@[1", "phan@example.vn,all", "phan@a>", "=?utf-8?q?all?=@example.vn"])
def test_what_isn_t_one_address_gets_no_mail_and_keeps_nobody_from_theirs(world: World, odd: str) -> None:
    world.db.apply([f"update gis.principal set email = '{odd}' where name = 'phan'"])
    try:
        sent = world.take(world.draft(), "submit", "bo")
        assert world.send() == {}
        assert world.mails() == [(1, False, True, f"'{odd}' isn't one address")]
        world.take(sent, "accept", "phan")
        assert set(world.send()) == {"chi@example.vn", "bo@example.vn"}
    finally:
        world.db.apply(["update gis.principal set email = 'phan@example.vn' where name = 'phan'"])


def test_a_server_s_name_that_is_none_loses_nothing(world: World) -> None:
    world.take(world.draft(), "submit", "bo")
    assert world.send(host="127..1") == {}
    assert world.mails()[0][:3] == (1, False, False)


def test_settings_of_mail_go_together(world: World, tmp_path: Any) -> None:
    with pytest.raises(ConfigRefused, match="host and sender go together"):
        load_settings(tmp_path, {"GIS_MAIL_HOST": "mail.example.org"})
    with pytest.raises(ConfigRefused, match="isn't one address"):
        load_settings(tmp_path, {"GIS_MAIL_HOST": "m", "GIS_MAIL_SENDER": "a@b.org, c@d.org"})


@pytest.fixture(scope="module")
def url(made: World, start_server: Starter) -> str:
    return start_server(made.dsn)


def test_one_switches_one_s_notices(world: World, url: str) -> None:
    with httpx.Client(base_url=url, headers={"X-API-Key": world.keys["phan"]}) as client:
        assert client.get("/account/notices").json()["on"] is True
        assert client.post("/account/notices", data={"on": "no"}).status_code == 303
        assert client.get("/account/notices").json()["on"] is False
        assert "Thông báo đang tắt" in client.get("/account/notices?f=html&lang=vi").text
        assert client.post("/account/notices", data={"on": "perhaps"}).status_code == 400
    world.take(world.draft(), "submit", "bo")
    assert world.send() == {}
    assert httpx.get(f"{url}/account/notices").status_code == 401


def test_the_address_in_a_mail_ends_them_by_a_post_alone(world: World, url: str) -> None:
    world.take(world.draft(), "submit", "bo")
    end = (
        str(world.send()["phan@example.vn"]["List-Unsubscribe"])
        .strip("<>")
        .replace("https://gis.example.org", url)
    )
    assert httpx.get(end, headers={"Accept": "text/html"}).status_code == 200
    told = "select notices from gis.principal where name = 'phan'"
    assert world.db.run(Query(told))[0][0] is True
    assert httpx.post(end, data={"List-Unsubscribe": "One-Click"}).json()["ended"] is True
    assert world.db.run(Query(told))[0][0] is False
    log = "select subject, reason from gis.audit order by seq desc limit 1"
    assert world.db.run(Query(log))[0] == ("account:phan", "by the address in a mail")
    forged = end[:-1] + ("0" if end[-1] != "0" else "1")
    for bad in (forged, f"{url}/account/notices/1-0", f"{url}/account/notices/x"):
        assert httpx.post(bad).status_code == 404


def test_a_token_opens_its_own_account_alone() -> None:
    key = b"k" * 32
    assert notices.opened(key, notices.token(key, 12)) == 12
    assert notices.opened(key, notices.token(b"x" * 32, 12)) is None
    assert notices.opened(key, "13" + notices.token(key, 12)[2:]) is None
    assert notices.opened(key, "-") is None
