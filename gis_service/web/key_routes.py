"""One's own API keys: listed, made, revoked. By a session alone: a key makes no keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gis_service import links as media
from gis_service.access import own_keys
from gis_service.access.keystore import ListedKey
from gis_service.access.principal import PUBLIC, SCOPES
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, Forbidden, InvalidParameter, Unauthorized
from gis_service.features.refusal import refusal
from gis_service.links import link
from gis_service.texts import say
from gis_service.web import admin_acts, admin_forms, forms, problems, render
from gis_service.web.admin_acts import FRESH, Refused
from gis_service.web.context import Context
from gis_service.web.forms import Fields
from gis_service.web.frame import Document, Frame, Urls, rendered
from gis_service.web.message import Request, Response
from gis_service.web.release_pages import when
from gis_service.web.router import Route, route


async def answer(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The caller's keys; POST makes one, which is shown this once, or revokes one."""
    if request.principal is PUBLIC:
        raise Unauthorized
    if request.method != "POST":
        return await _listing(context, request, FRESH)
    if request.session is None:
        raise refusal(Forbidden, "keys.needs-session")
    fields = await forms.read(request)
    try:
        return await _act(context, request, fields)
    except (Conflict, InvalidParameter) as err:
        if not admin_acts.for_people(request):
            raise
        refused = Refused(problems.detail(err, request.lang), fields)
        return replace(await _listing(context, request, refused), status=err.status)


async def _act(context: Context, request: Request, fields: Fields) -> Response:
    name = request.principal.name
    if admin_forms.choice(fields, "make", "revoke") == "revoke":
        number = admin_forms.number(fields, "key")
        await context.writer.run(request, lambda database: own_keys.revoke(database, name, number), "reader")
        return admin_acts.onward(request, request.links.account_keys())
    assert request.session is not None
    session, label = request.session.number, admin_forms.optional(fields, "label")
    until, scopes = admin_forms.day(fields, "until"), admin_forms.scopes(fields)
    key = await context.writer.run(
        request,
        lambda database: own_keys.create(database, name, session, label, until, {"read", *scopes}),
        "reader",
    )
    return admin_acts.secret(request, {"name": name, "key": key}, lambda frame: _made(frame, key))


async def _listing(context: Context, request: Request, refused: Refused) -> Response:
    name = request.principal.name

    def work(database: SyncDatabase) -> list[ListedKey]:
        return own_keys.listed(database, name)

    found = await context.writer.run(request, work, "reader")
    document: Document = {
        "title": say("account.keys", request.lang),
        "keys": [_told(each) for each in found],
        "links": [
            link(request.links.account_keys(), "self", media.JSON),
            link(request.links.account(), "up", media.JSON),
        ],
    }
    return render.document(request, document, media.JSON, lambda frame: _page(frame, request, found, refused))


def _told(each: ListedKey) -> dict[str, object]:
    return {
        "number": each.number,
        "label": each.label,
        "scopes": list(each.scopes),
        "created": each.created.isoformat(),
        "expires": each.expires.isoformat() if each.expires else None,
        "revoked": each.revoked.isoformat() if each.revoked else None,
    }


def _page(frame: Frame, request: Request, found: Sequence[ListedKey], refused: Refused) -> str:
    urls = Urls(frame)
    rows = [
        {
            "number": each.number,
            "label": each.label,
            "scopes": each.scopes,
            "created": when(each.created),
            "expires": when(each.expires) if each.expires else "",
            "revoked": when(each.revoked) if each.revoked else "",
            "open": each.revoked is None and (each.expires is None or each.expires > datetime.now(UTC)),
        }
        for each in found
    ]
    return rendered(
        "account_keys.html", frame, "account",
        rows=rows, fault=refused.fault, given=refused, session=request.session is not None,
        scopes=[each for each in SCOPES if each != "read" and each in request.principal.scopes],
        here=urls.page(frame.links.account_keys()), account=urls.page(frame.links.account()),
        sign_in=urls.page(frame.links.sign_in()),
    )  # fmt: skip


def _made(frame: Frame, key: str) -> str:
    return rendered(
        "account_key.html", frame, "account", key=key, back=Urls(frame).page(frame.links.account_keys())
    )


def routes() -> list[Route]:
    return [route("account-keys", "/account/keys", answer, ("GET", "HEAD", "POST", "OPTIONS"))]
