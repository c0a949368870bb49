"""Signing in by key, by invitation and at the issuer; signing out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from gis_service import links as media
from gis_service.access import sessions
from gis_service.access.identities import Vouched
from gis_service.access.keys import hashed
from gis_service.db import sign_in_sql
from gis_service.errors import Conflict, Forbidden, GisError, NotFound
from gis_service.features.refusal import refusal, refuse
from gis_service.texts import say
from gis_service.web import account_pages, cookies, csrf, forms, negotiate, problems, render, sign_in
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.openid import Flow, Issuer, IssuerDown, IssuerRefused
from gis_service.web.router import Route, route
from gis_service.web.sign_in import SignInRefused

# Faults that are shown on the page where they can be mended.
_SHOWN = (SignInRefused, IssuerRefused, IssuerDown, Forbidden, Conflict)
_PARAMETERS = ("f", "lang", "next")
_NO_STORE = ("cache-control", "no-store")


async def answer(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The ways to sign in, or what their form does."""
    return await enter(context, request, taken) if request.method == "POST" else _page(context, request)


async def enter(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Sign in with a key or an invitation."""
    csrf.require_from_here(request)
    fields = await forms.read(request)
    who, guard = sign_in.address(context, request), context.guards.attempts
    guard.check(who)
    try:
        if key := fields.text("key"):
            token = await sign_in.by_key(context, request, key)
        elif invitation := fields.text("invitation"):
            name = fields.text("display_name")
            token = await sign_in.by_invitation(context, request, invitation, name)
        else:
            raise forms.missing("key", say("sign-in.key.label", request.lang))
    except SignInRefused as err:
        await sign_in.failed(context, request, guard, "form", who)
        return _fault(context, request, err, fields.text("next"))
    return await sign_in.entered(context, request, token, sign_in.onward(fields.text("next")))


async def leave(context: Context, request: Request, _: Sequence[str]) -> Response:
    """End this session, another of one's own, or all others."""
    session = request.session
    if session is None:
        return _gone(request, request.links.landing())
    name, asked = session.principal.name, (await forms.read(request)).text("session")
    if asked == "others":
        await context.writer.run(
            request, lambda database: sessions.end_all(database, name, session.number), "reader"
        )
        return Response(303, (("location", request.links.account()), _NO_STORE))
    number = session.number if asked in ("", str(session.number)) else _number(asked)
    await context.writer.run(request, lambda database: sessions.end(database, name, number), "reader")
    if number == session.number:
        return _gone(request, request.links.landing())
    return Response(303, (("location", request.links.account()), _NO_STORE))


async def start(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Send the browser to the issuer, with what only this browser can bring back."""
    issuer, who = _issuer(context), sign_in.address(context, request)
    context.guards.starts.check(who)
    context.guards.starts.count(who)
    state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
    flow = Flow(state, nonce, verifier, request.links.sign_in_callback())
    try:
        address = await issuer.address(flow)
    except IssuerDown as err:
        return _fault(context, request, err)
    await context.control_database.run(
        sign_in_sql.begin(
            state=hashed(flow.state),
            browser=hashed(browser),
            issuer=issuer.oidc.issuer,
            nonce=flow.nonce,
            verifier=flow.verifier,
            redirect=flow.redirect,
            onward=sign_in.onward(request.parameters.get("next", "")),
        )
    )
    response = Response(303, (("location", address), _NO_STORE, ("referrer-policy", "no-referrer")))
    return response.with_headers(cookies.kept(request.links.base, cookies.SIGN_IN, browser))


async def callback(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The browser comes back from the issuer with a code."""
    issuer, who = _issuer(context), sign_in.address(context, request)
    guard = context.guards.attempts
    guard.check(who)
    try:
        flow, onward = await _flow(context, request)
        claims = await _claims(issuer, request, flow)
        identity = f"{issuer.oidc.issuer} {claims['sub']}"
        guard.check(identity)
        try:
            token = await sign_in.by_issuer(context, request, vouched(issuer, claims))
        except (SignInRefused, Forbidden):
            await sign_in.failed(context, request, guard, "identity", identity)
            raise
    except (SignInRefused, IssuerRefused, Forbidden) as err:
        await sign_in.failed(context, request, guard, "issuer", who)
        return _fault(context, request, err)
    except IssuerDown as err:
        return _fault(context, request, err)
    return await sign_in.entered(context, request, token, onward)


async def _flow(context: Context, request: Request) -> tuple[Flow, str]:
    """The sign-in that this browser began; whoever brings its state, it's gone afterwards."""
    state = request.parameters.get("state", "")
    rows = await context.control_database.run(sign_in_sql.take(hashed(state)))
    browser = cookies.value(request.headers, cookies.SIGN_IN)
    if not rows or browser is None or not secrets.compare_digest(bytes(rows[0][0]), hashed(browser)):
        raise refusal(SignInRefused, "sign-in.not-begun")
    _, nonce, verifier, redirect, onward = rows[0]
    return Flow(state, nonce, verifier, redirect), onward


async def _claims(issuer: Issuer, request: Request, flow: Flow) -> Mapping[str, Any]:
    given = request.parameters
    await issuer.check_sender(given.get("iss"))
    if "error" in given or not given.get("code"):
        raise refusal(SignInRefused, "sign-in.issuer-said", error=given.get("error", "–")[:100])
    return await issuer.claims(given["code"], flow)


def vouched(issuer: Issuer, claims: Mapping[str, Any]) -> Vouched:
    """Whom the claims name. A name with @ is taken only if it is the verified address."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        email = None
    display, name = claims.get("name"), claims.get(issuer.oidc.claim)
    if issuer.oidc.claim == "email" or (isinstance(name, str) and "@" in name):
        name = email if name == email else None
    elif isinstance(name, str) and name.strip():
        name = f"{name.strip()}@{issuer.host}"
    return Vouched(issuer.oidc.issuer, claims["sub"], email, _short(display), _short(name))


def _short(value: object) -> str | None:
    """A text that may stand in a list of people."""
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        return None
    return value.strip()


def _issuer(context: Context) -> Issuer:
    if context.issuer is None:
        raise refusal(NotFound, "web.no-page")
    return context.issuer


def _page(context: Context, request: Request, fault: str = "", onward: str = "") -> Response:
    issuer = context.issuer.oidc if context.issuer is not None else None
    asked = sign_in.onward(onward or request.parameters.get("next", ""))
    document = account_pages.ways(request, issuer)
    made = render.document(
        request,
        document,
        media.JSON,
        lambda frame: account_pages.sign_in(frame, issuer, asked, fault),
    )
    return made.with_headers(_NO_STORE)


def _fault(context: Context, request: Request, err: GisError, onward: str = "") -> Response:
    """The page again with what was wrong; for a program the problem itself."""
    assert isinstance(err, _SHOWN)
    if not negotiate.wants_html({}, request.header("accept")):
        raise err
    made = _page(context, request, problems.detail(err, request.lang), onward)
    return Response(err.status, made.headers, made.body)


def _gone(request: Request, address: str) -> Response:
    response = Response(303, (("location", address), _NO_STORE))
    return response.with_headers(cookies.dropped(request.links.base, cookies.SESSION))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise refuse("sign-in.no-session", value=text[:40])
    return int(text)


def routes() -> list[Route]:
    once = ("GET", "OPTIONS")  # a HEAD would begin, or use up, a sign-in
    return [
        route("sign-in", "/sign-in", answer, ("GET", "HEAD", "POST", "OPTIONS"), parameters=_PARAMETERS),
        route("sign-in-oidc", "/sign-in/oidc", start, once, parameters=_PARAMETERS),
        route("sign-in-callback", "/sign-in/callback", callback, once, parameters=None),
        route("sign-out", "/sign-out", leave, ("POST", "OPTIONS")),
    ]
