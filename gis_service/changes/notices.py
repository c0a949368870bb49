"""Whom a step of a proposal concerns, and whether one may still be told of it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from gis_service.access import keystore
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.changes import reading, store, workflow
from gis_service.changes.values import Proposal
from gis_service.db import notice_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from gis_service.settings import Workflow

MOST: Final = 50  # steps at a time, and steps in one mail
KEPT_DAYS: Final = 30  # mails that were sent or given up
_FOR_REVIEWERS: Final = frozenset({"submit", "accept", "approve", "comment"})
_FOR_AUTHOR: Final = frozenset(
    {"accept", "approve", "publish", "return", "reject", "comment", "refuse", "rollback"}
)


@dataclass(frozen=True)
class Told:
    """A step as somebody is told of it; `waits` where the proposal now waits for the reader."""

    proposal: Proposal
    action: str
    who: str
    at: datetime
    waits: bool


@dataclass(frozen=True)
class Letter:
    """What one person is to be told; its mails stand or fall together."""

    mails: tuple[int, ...]
    attempts: int
    number: int  # of the account
    name: str
    address: str
    lang: Literal["vi", "en"]
    told: tuple[Told, ...]


def address(database: SyncDatabase, flow: Workflow, layers: Mapping[str, Layer], wait_seconds: int) -> int:
    """Address steps of which nobody has been told yet; how many there were."""
    with database.transaction():
        taken = database.run(Query(notice_sql.TAKE, (MOST,)))
        reviewers = _reviewers(database) if taken else []
        for event, _, action, number in taken:
            proposal = store.numbered(database, number)
            names = set(_concerned(database, flow, layers, proposal, action, reviewers))
            database.run(Query(notice_sql.ADDRESS, (event, sorted(names), wait_seconds)))
    return len(taken)


def _reviewers(database: SyncDatabase) -> list[Principal]:
    return [keystore.principal_of(*row) for row in database.run(Query(notice_sql.REVIEWERS))]


def _concerned(
    database: SyncDatabase,
    flow: Workflow,
    layers: Mapping[str, Layer],
    proposal: Proposal,
    action: str,
    reviewers: Sequence[Principal],
) -> Iterable[str]:
    """Its author where others act, and those whose turn it is now."""
    if action in _FOR_AUTHOR:
        yield proposal.author
    layer = layers.get(proposal.layer)
    if action in _FOR_REVIEWERS and proposal.state in workflow.UNDER_WAY and layer is not None:
        places = store.places(database, proposal.number)
        for each in reviewers:
            if reading.waits_for(flow, proposal, layer, each, places):
                yield each.name


def next_letter(database: SyncDatabase, flow: Workflow, layers: Mapping[str, Layer]) -> Letter | None:
    """What the person who waits longest is to be told, held for a while; None where nothing is due.

    Rights are those of this moment: what the person may no longer read is dropped without a word.
    """
    while rows := database.run(Query(notice_sql.CLAIM, (MOST,))):
        mails, attempts, (_, _, _, number, name, email, lang, wanted, *_) = (
            [row[0] for row in rows], max(row[1] for row in rows), rows[0],
        )  # fmt: skip
        principal = keystore.principal_named(database, name)
        told = {row[0]: _told(database, flow, layers, principal, row) for row in rows} if wanted else {}
        kept = {mail: each for mail, each in told.items() if each is not None}
        if gone := [mail for mail in mails if mail not in kept]:
            database.run(Query(notice_sql.DROP, (gone,)))
        if kept:
            return Letter(tuple(kept), attempts, number, name, email, lang, tuple(kept.values()))
    return None


def _told(
    database: SyncDatabase,
    flow: Workflow,
    layers: Mapping[str, Layer],
    principal: Principal,
    row: Sequence[object],
) -> Told | None:
    number, action, _, who, at = row[8:]
    try:
        proposal = reading.one(database, principal, int(str(number)))
    except NotFound:
        return None
    layer = layers.get(proposal.layer)
    if layer is None:
        return None
    places = store.places(database, proposal.number)
    waits = reading.waits_for(flow, proposal, layer, principal, places)
    return Told(proposal, str(action), str(who), at, waits)  # type: ignore[arg-type]  # a timestamp


def sent(database: SyncDatabase, letter: Letter) -> None:
    database.run(Query(notice_sql.SENT, (list(letter.mails),)))


def failed(database: SyncDatabase, letter: Letter, fault: str, final: bool, days: int) -> bool:
    """Try again later, later each time, up to four hours; whether any of it is given up."""
    seconds = min(60 * 2 ** min(letter.attempts - 1, 10), 4 * 3600)
    rows = database.run(Query(notice_sql.FAILED, (list(letter.mails), fault[:500], seconds, final, days)))
    return any(given_up for _, given_up in rows)


def forget(database: SyncDatabase) -> None:
    """Let go of steps that nobody will be told of: without a mail server, or long since."""
    database.run(Query(notice_sql.FORGET))


def clear(database: SyncDatabase) -> None:
    database.run(Query(notice_sql.OLD, (KEPT_DAYS,)))


def token(key: bytes, number: int) -> str:
    """What ends an account's notices without signing in, and does nothing else."""
    return f"{number}-{hmac.new(key, f'end notices of {number}'.encode(), hashlib.sha256).hexdigest()[:40]}"


def opened(key: bytes, given: str) -> int | None:
    """The account of a token; None for one that isn't ours."""
    number, _, _ = given.partition("-")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    return int(number) if hmac.compare_digest(token(key, int(number)), given) else None
