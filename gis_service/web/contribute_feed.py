"""The feed of somebody's proposals: what others did with them, what waits for a review (Atom, RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from gis_service.access.principal import PUBLIC, Principal
from gis_service.changes import reading
from gis_service.changes.values import Proposal
from gis_service.db import proposal_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Unauthorized
from gis_service.links import Links
from gis_service.texts import say
from gis_service.web.context import Context
from gis_service.web.message import Request, Response

ATOM: Final = "application/atom+xml"
MOST: Final = 50  # things that others did; what waits comes besides
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


@dataclass(frozen=True)
class Entry:
    """One thing to know; `identity` is its own for ever, so that a reader shows it once."""

    identity: str
    href: str
    title: str
    text: str
    at: datetime


async def feed(context: Context, request: Request, _: Sequence[str]) -> Response:
    """What others did with my proposals and what waits for me. No key in an address: Basic."""
    principal = request.principal
    if principal is PUBLIC:
        raise Unauthorized
    flow, layers = context.settings.workflow, context.catalog.layers

    def read(database: SyncDatabase) -> list[Entry]:
        waiting = reading.waiting(database, flow, layers, principal)
        return [*_waiting(request, waiting), *_done(database, request, principal)]

    entries = await context.writer.run(request, read, role="reader")
    entries.sort(key=lambda each: each.at, reverse=True)
    headers = (("content-type", f"{ATOM}; charset=utf-8"), ("content-language", request.lang))
    return Response(200, headers, _xml(request.links, request.lang, entries).encode())


def _waiting(request: Request, proposals: Iterable[Proposal]) -> Iterable[Entry]:
    for each in proposals:
        href, at = request.links.proposal(each.number), each.changed or each.created
        title = say("contribute.feed.waits", request.lang, number=each.number, title=each.title)
        if at is not None:
            yield Entry(f"{href}#revision-{each.revision}", href, title, each.note or "", at)


def _done(database: SyncDatabase, request: Request, principal: Principal) -> Iterable[Entry]:
    query = Query(proposal_sql.DONE_BY_OTHERS, (principal.name, MOST))
    for event, number, title, action, comment, at in database.run(query):
        href = request.links.proposal(number)
        did = say(f"proposals.did.{action}", request.lang)
        told = say("contribute.feed.did", request.lang, number=number, title=title, did=did)
        yield Entry(f"{href}#event-{event}", href, told, comment or "", at)


def _xml(links: Links, lang: str, entries: Sequence[Entry]) -> str:
    here = links.contribute() + "/feed.atom"
    at = entries[0].at if entries else datetime(1970, 1, 1, tzinfo=UTC)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{lang}">'
        f"<id>{_text(here)}</id><title>{_text(say('contribute.feed', lang))}</title>"
        f"<updated>{at.isoformat()}</updated><author><name>{_text(say('page.service', lang))}</name></author>"
        f'<link rel="self" type="{ATOM}" href={quoteattr(here)}/>'
        f'<link rel="alternate" type="text/html" href={quoteattr(links.contribute())}/>'
        f"{''.join(map(_entry, entries))}</feed>\n"
    )


def _entry(each: Entry) -> str:
    return (
        f"<entry><id>{_text(each.identity)}</id><title>{_text(each.title)}</title>"
        f"<updated>{each.at.isoformat()}</updated>"
        f'<link rel="alternate" type="text/html" href={quoteattr(each.href)}/>'
        f'<content type="text">{_text(each.text)}</content></entry>'
    )


def _text(said: str) -> str:
    return escape(_NO_XML.sub("", said))
