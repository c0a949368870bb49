"""Opening a session: what every way to sign in shares, and what is told of those who fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import orjson

from gis_service.access import invitations, sessions
from gis_service.access.accounts import Language
from gis_service.access.identities import Vouched, resolve
from gis_service.access.principal import Principal
from gis_service.access.sessions import Lasting
from gis_service.db.audit import Actor, as_actor
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import GisError, RuleBroken, Unauthorized
from gis_service.features.refusal import refusal
from gis_service.web import cookies, guards, origin
from gis_service.web.context import Context
from gis_service.web.guards import Guard
from gis_service.web.message import Request, Response

_TELL = "select gis.record_audit('sign-in.burst', $1, $2::jsonb)"
LONGEST_NEXT: Final = 2_000


class SignInRefused(GisError):
    """{detail}"""

    status, code, exit_code = 403, "sign-in-refused", 2


def address(context: Context, request: Request) -> str:
    """What failures of a client are counted by."""
    return guards.network(origin.client_address(context.settings, request.headers, request.client))


async def failed(context: Context, request: Request, guard: Guard, kind: str, who: str) -> None:
    """Count a failure; the one that fills the window is told by the log, with all that came before it."""
    if not guard.count(who):
        return
    details = orjson.dumps({"kind": kind, "failures": guard.most, "seconds": guard.seconds}).decode()
    tell = Query(_TELL, (f"client:{who}", details))
    await context.writer.run(request, lambda database: database.run(tell), "reader")


async def by_key(context: Context, request: Request, key: str) -> str:
    """The token of a session of the key's account."""
    rows = await context.control_database.run(sessions.owner(key))
    if not rows:
        raise refusal(SignInRefused, "sign-in.wrong-key")
    name = str(rows[0][0])
    context.guards.sessions.check(name)
    known = replace(request, principal=Principal(name, "public"))
    client, length = context.writer.actor(known, "reader").client, lasting(context)
    try:
        token = await context.writer.run(
            known, lambda database: sessions.open_by_key(database, key, client, length), "reader"
        )
    except Unauthorized as err:
        raise refusal(SignInRefused, "sign-in.wrong-key") from err
    context.guards.sessions.count(name)
    return token


async def by_invitation(context: Context, request: Request, token: str, display_name: str) -> str:
    """The token of a session of the account that the invitation opens, made where there is none."""

    def accept(database: SyncDatabase, actor: Actor) -> str:
        _act(database, replace(actor, name=invitations.invited(database, token)))
        return invitations.accept(database, token, display_name or None, _language(request))

    return await _opened_after(context, request, "invitation", accept)


async def by_issuer(context: Context, request: Request, who: Vouched) -> str:
    """The token of a session of the account of whom the issuer vouches for."""

    def find(database: SyncDatabase, actor: Actor) -> str:
        _act(database, replace(actor, name=who.email or who.subject))
        return resolve(database, who, _language(request), context.settings.oidc.register)

    return await _opened_after(context, request, "oidc", find)


async def _opened_after(
    context: Context,
    request: Request,
    method: sessions.Method,
    find: Callable[[SyncDatabase, Actor], str],
) -> str:
    actor = context.writer.actor(request, "reader")

    def work(database: SyncDatabase) -> tuple[str, str]:
        with database.transaction():
            name = find(database, actor)
            context.guards.sessions.check(name)
            _act(database, replace(actor, name=name))
            client, length = actor.client, lasting(context)
            return name, sessions.open_by_name(database, method, name, client, length)

    try:
        name, token = await context.writer.run(request, work, "reader")
    except Unauthorized as err:
        raise refusal(SignInRefused, "sign-in.locked") from err
    except RuleBroken as err:
        if "key" not in err.values:
            raise
        raise refusal(SignInRefused, str(err.values["key"])) from err
    context.guards.sessions.count(name)
    return token


def lasting(context: Context) -> Lasting:
    limits = context.settings.limits
    return Lasting(timedelta(hours=limits.session_hours), timedelta(minutes=limits.session_idle_minutes))


async def entered(context: Context, request: Request, token: str, onward: str) -> Response:
    """The way on with the new session's cookie; a session that was open in this browser ends."""
    if (before := request.session) is not None:
        name = before.principal.name
        await context.writer.run(
            request, lambda database: sessions.end(database, name, before.number), "reader"
        )
    base = request.links.base
    response = Response(303, (("location", base + onward), ("cache-control", "no-store")))
    return response.with_headers(
        cookies.kept(base, cookies.SESSION, token), cookies.dropped(base, cookies.SIGN_IN)
    )


def first(request: Request) -> Response:
    """Send a browser that brought no key to sign in, and then back to the page that it is or was on."""
    links, back = request.links, request.header("referer") or ""
    if request.method in ("GET", "HEAD"):
        back = links.here(request.path, request.query)
    asked = links.sign_in({"next": onward(back.removeprefix(links.base))})
    return Response(303, (("location", asked), ("cache-control", "no-store")))


def onward(text: str) -> str:
    """Where to go after signing in: a path of this service, its base not included."""
    plain = text.isascii() and text.isprintable() and not any(each in text for each in ' \\"<>^`{|}')
    if text.startswith("/") and plain and len(text) <= LONGEST_NEXT:
        return text
    return "/account"


def _act(database: SyncDatabase, actor: Actor) -> None:
    """From here on the transaction acts under that name."""
    database.run(as_actor(actor))


def _language(request: Request) -> Language:
    return "vi" if request.lang == "vi" else "en"
