"""Sends what people are to be told by SMTP (RFC 5321), each letter until a server has taken it."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Final

from gis_service.catalog.layer import Layer
from gis_service.changes import notices
from gis_service.changes.notices import Letter, Told
from gis_service.db import notice_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.links import Links
from gis_service.observe import Log
from gis_service.settings import Mail, Settings
from gis_service.texts import say

SERVER_SECONDS: Final = 30
# One mailbox (RFC 5321 4.1.2, letters of RFC 6531), unquoted: in a header nothing else can be read into it.
_MAILBOX: Final = re.compile(r"""[^\x00-\x20\x7f-\xa0()<>\[\],;:@"\\]+@[\w-]+(\.[\w-]+)*""")
_log = Log("gis.worker")


class _Whole(EmailPolicy):
    """Lines of a mail; an address in a header stays whole, for mail programs know no encoded one."""

    def fold(self, name: str, value: str) -> str:
        whole = name == "List-Unsubscribe"
        return f"{name}: {value}{self.linesep}" if whole else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        whole = name == "List-Unsubscribe"
        return self.fold(name, value).encode("ascii") if whole else super().fold_binary(name, value)


_LINES: Final = _Whole()


def send(dsn: str, settings: Settings, layers: Mapping[str, Layer]) -> None:
    """Address what happened and send what is due; a server that is down ends the round and loses nothing."""
    with SyncDatabase(dsn) as database:
        if not settings.mail.host:
            notices.forget(database)
            return
        while notices.address(database, settings.workflow, layers, settings.mail.wait_seconds):
            pass
        key = bytes(database.run(Query(notice_sql.KEY))[0][0])
        while letter := notices.next_letter(database, settings.workflow, layers):
            if not _deliver(database, settings, key, letter):
                break
        notices.clear(database)


def _deliver(database: SyncDatabase, settings: Settings, key: bytes, letter: Letter) -> bool:
    """Send one letter; False where the next one would fare no better now."""
    mail = settings.mail
    try:
        message = written(letter, settings, key)
    except (ValueError, MessageError) as err:
        _put_off(database, mail, letter, str(err), final=True)
        return True
    try:
        with _server(mail) as server:
            server.send_message(message, to_addrs=[letter.address])
    except smtplib.SMTPRecipientsRefused as err:
        code, words = next(iter(err.recipients.values()))
        _put_off(database, mail, letter, f"{code} {_plain(words)}", final=code >= 500)
        return True
    except (smtplib.SMTPException, OSError, ValueError) as err:  # ValueError: a name or password not in ASCII
        _put_off(database, mail, letter, str(err) or type(err).__name__, final=False)
        return False
    notices.sent(database, letter)
    return True


def _put_off(database: SyncDatabase, mail: Mail, letter: Letter, fault: str, final: bool) -> None:
    given_up = notices.failed(database, letter, fault, final, mail.give_up_days)
    say_it = _log.error if given_up else _log.warning
    say_it("mail given up" if given_up else "mail not sent", account=letter.name, reason=fault)


@contextmanager
def _server(mail: Mail) -> Iterator[smtplib.SMTP]:
    """The server, spoken to as the settings say; without its TLS nothing is said to it."""
    context = ssl.create_default_context()
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=SERVER_SECONDS, context=context)
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=SERVER_SECONDS)
    with server:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.user:
            server.login(mail.user, mail.password)
        yield server


def written(letter: Letter, settings: Settings, key: bytes) -> EmailMessage:
    """The letter as a message. It names proposals and steps, and holds nothing of rows nor of comments."""
    links = Links((settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/"))
    end = links.end_notices(notices.token(key, letter.number))
    message = EmailMessage(_LINES)
    message["Subject"] = _subject(letter)
    message["From"] = settings.mail.sender
    message["To"] = _mailbox(letter.address)
    message["Date"] = format_datetime(datetime.now(UTC))
    host = parseaddr(settings.mail.sender)[1].rpartition("@")[2]
    message["Message-ID"] = (
        f"<notice-{letter.mails[0]}-{letter.mails[-1]}@{host}>"  # the same when sent twice
    )
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{end}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    paragraphs = [_paragraph(each, links, letter.lang) for each in letter.told]
    foot = say("notices.foot", letter.lang, account=links.notices(), end=end)
    message.set_content("\n\n".join([*paragraphs, f"-- \n{foot}"]) + "\n", cte="quoted-printable")
    return message


def _mailbox(address: str) -> Address:
    if "=?" in address or not _MAILBOX.fullmatch(address):
        raise ValueError(f"{address!r} isn't one address")
    user, _, domain = address.rpartition("@")
    return Address(username=user, domain=domain)


def _subject(letter: Letter) -> str:
    last = letter.told[-1]
    if len({each.proposal.number for each in letter.told}) == 1:
        return f"[{last.proposal.number}] {_line(last.proposal.title)}: {_did(last, letter.lang)}"
    return say("notices.several", letter.lang, n=len(letter.told))


def _paragraph(told: Told, links: Links, lang: str) -> str:
    proposal = told.proposal
    head = say(
        "notices.step", lang,
        number=proposal.number, title=_line(proposal.title), who=_line(told.who), did=_did(told, lang),
    )  # fmt: skip
    lines = [head, links.proposal(proposal.number)]
    if told.waits:
        lines.insert(1, say("notices.waits", lang))
    return "\n".join(lines)


def _did(told: Told, lang: str) -> str:
    return say(f"proposals.did.{told.action}", lang)


def _line(text: str) -> str:
    """Somebody's words as one line: no header begins in them, nor in what they decode to (RFC 2047)."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    return line.replace("=?", "= ?")[:200]


def _plain(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
