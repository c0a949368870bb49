"""A document as JSON or, where the caller wants it, as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from gis_service import links as media
from gis_service.access import rights
from gis_service.access.principal import PUBLIC
from gis_service.web.frame import Account, Frame, content_security_policy
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html

Document = Mapping[str, object]


def document(request: Request, made: Document, kind: str, page: Callable[[Frame], str]) -> Response:
    """The document in the form that `f` or Accept asks for."""
    if wants_html(request.parameters, request.header("accept")):
        return html(request, page(frame(request)))
    return json(request, made, kind)


def json(request: Request, made: object, kind: str = media.JSON) -> Response:
    return Response(200, (("content-type", kind), ("content-language", request.lang)), orjson.dumps(made))


def html(request: Request, text: str, status: int = 200, embedded: bool = False) -> Response:
    """A page with its content security policy."""
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-language", request.lang),
        ("content-security-policy", content_security_policy(embedded)),
        ("referrer-policy", "same-origin"),
    )
    return Response(status, headers, text.encode())


def frame(request: Request) -> Frame:
    """What every page knows of its request."""
    here = request.links.here(request.path, request.query)
    csrf = request.session.csrf if request.session is not None else ""
    tier, back = request.principal.tier, form_of(request)
    return Frame(request.lang, request.links, here, tier, csrf, account(request), back)


def form_of(request: Request) -> str:
    """The page of ours whose form was sent; nothing where the browser doesn't tell one."""
    page = request.header("referer") or ""
    sent = request.method not in ("GET", "HEAD") and page.startswith(request.links.base + "/")
    return page if sent else ""


def account(request: Request) -> Account | None:
    """Who reads; None for the public."""
    principal = request.principal
    if principal is PUBLIC:
        return None
    name = request.session.display_name if request.session is not None else principal.name
    return Account(name, rights.abilities(principal))
