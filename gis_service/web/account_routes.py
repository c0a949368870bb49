"""One's own account: who am I, my roles, my sessions, an invitation to accept."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service import links as media
from gis_service.access import invitations, sessions
from gis_service.access.principal import PUBLIC
from gis_service.access.sessions import ListedSession
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Forbidden, RuleBroken, Unauthorized
from gis_service.features.refusal import refusal
from gis_service.texts import say
from gis_service.web import account_pages, forms, render, sign_in
from gis_service.web.called import called
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route


async def answer(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The account, or what its form does."""
    return await (accept if request.method == "POST" else account)(context, request, taken)


async def account(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Who asks."""
    if request.principal is PUBLIC:
        raise Unauthorized
    found = await _sessions(context, request)
    document = account_pages.account_document(request, found)
    principal = request.principal
    codes = {*principal.places, *(grant.organisation for grant in principal.roles)}
    named = await called(context, request.lang, codes)
    return render.document(
        request, document, media.JSON, lambda frame: account_pages.account(frame, request, found, named)
    )


async def accept(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Accept an invitation to one's own address."""
    if request.session is None:
        raise refusal(Forbidden, "account.needs-session")
    name, token = request.session.principal.name, (await forms.read(request)).text("invitation")
    if not token:
        raise forms.missing("invitation", say("sign-in.invitation.label", request.lang))
    who, guard = sign_in.address(context, request), context.guards.attempts
    guard.check(who)

    def work(database: SyncDatabase) -> None:
        with database.transaction():
            if invitations.accept(database, token) != name:
                raise refusal(Forbidden, "account.other-address")

    try:
        await context.writer.run(request, work, "reader")
    except (RuleBroken, Forbidden):
        await sign_in.failed(context, request, guard, "invitation", who)
        raise
    return Response(303, (("location", request.links.account()), ("cache-control", "no-store")))


async def _sessions(context: Context, request: Request) -> list[ListedSession]:
    """The account's sessions, for who came with one; a key tells no more than itself."""
    if request.session is None:
        return []
    rows = await context.control_database.run(sessions.listing(request.session.principal.name))
    return [ListedSession(*row) for row in rows]


def routes() -> list[Route]:
    return [
        route("account", "/account", answer, ("GET", "HEAD", "POST", "OPTIONS")),
    ]
