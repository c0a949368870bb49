"""Notices by mail: whether one gets them, and the address in each mail that ends them."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service import links as media
from gis_service.access.principal import PUBLIC
from gis_service.changes import notices
from gis_service.db import notice_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound, Unauthorized
from gis_service.features.refusal import refusal
from gis_service.links import link
from gis_service.texts import say
from gis_service.web import forms, render
from gis_service.web.context import Context
from gis_service.web.frame import Document, Frame, Urls, rendered
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route


async def answer(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Whether the caller gets notices; the form switches them."""
    if request.principal is PUBLIC:
        raise Unauthorized
    if request.method == "POST":
        return await _switch(context, request)
    rows = await context.control_database.run(Query(notice_sql.STATE, (request.principal.name,)))
    on, address, given_up, waiting = rows[0] if rows else (False, None, 0, 0)
    document: Document = {
        "on": bool(on),
        "address": address,
        "sent": bool(context.settings.mail.host),
        "waiting": waiting,
        "given_up": given_up,
        "links": [
            link(request.links.notices(), "self", media.JSON),
            link(request.links.contribute() + "/feed.atom", "related", "application/atom+xml"),
        ],
    }
    return render.document(request, document, media.JSON, lambda frame: _page(frame, document))


def _page(frame: Frame, document: Document) -> str:
    urls = Urls(frame)
    return rendered(
        "notices.html", frame, "account",
        state=document, action=urls.page(frame.links.notices()), account=urls.page(frame.links.account()),
        feed=frame.links.contribute() + "/feed.atom",
    )  # fmt: skip


async def _switch(context: Context, request: Request) -> Response:
    name, on = request.principal.name, (await forms.read(request)).text("on")
    if on not in ("yes", "no"):
        raise forms.missing("on", say("notices.title", request.lang))

    def work(database: SyncDatabase) -> None:
        database.run(Query(notice_sql.SWITCH, (name, on == "yes")))

    await context.writer.run(request, work, "reader")
    return Response(303, (("location", request.links.notices()), ("cache-control", "no-store")))


async def ending(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The address in a mail: GET asks, so that programs that look at links end nothing; POST ends."""
    key = bytes((await context.control_database.run(Query(notice_sql.KEY)))[0][0])
    number = notices.opened(key, taken[0])
    if number is None:
        raise refusal(NotFound, "notices.end.unknown")
    done = request.method == "POST"
    if done:

        def work(database: SyncDatabase) -> None:
            database.run(Query(notice_sql.END, (number,)))

        await context.writer.run(request, work, "reader", "by the address in a mail")
    document: Document = {
        "title": say("notices.end.title", request.lang),
        "ended": done,
        "links": [link(request.links.account(), "related", media.JSON)],
    }
    return render.document(request, document, media.JSON, lambda frame: _ended(frame, done, taken[0]))


def _ended(frame: Frame, done: bool, token: str) -> str:
    urls = Urls(frame)
    return rendered(
        "notices_end.html", frame, "",
        done=done, action=urls.page(frame.links.end_notices(token)), account=urls.page(frame.links.account()),
    )  # fmt: skip


def routes() -> list[Route]:
    methods = ("GET", "HEAD", "POST", "OPTIONS")
    return [
        route("notices", "/account/notices", answer, methods),
        route("end-notices", "/account/notices/{}", ending, methods),
    ]
