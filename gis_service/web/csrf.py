"""Writing by cookie only from our own pages: the session's token and the browser's word whence a form came.

A browser sends cookies, and a password of Basic, with whatever another site makes it send. So both conditions
are asked of every request that could write, before any handler runs; handlers need not think of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from gis_service.errors import Forbidden, GisError
from gis_service.features.refusal import refusal
from gis_service.web import forms
from gis_service.web.message import Request

SAFE: Final = ("GET", "HEAD", "OPTIONS")
FIELD: Final = "csrf"
HEADER: Final = "x-csrf-token"


async def checked(request: Request) -> Request:
    """The request, whose body may be read again; Forbidden where it isn't shown to come from our pages."""
    if request.method in SAFE:
        return request
    session = request.session
    if session is None:
        if _by_basic(request) and _named_elsewhere(request):
            raise _elsewhere(request)
        return request
    if not from_here(request):
        raise _elsewhere(request)
    if (given := request.header(HEADER)) is None:
        body = await request.read()
        request = replace(request, read=_again(body))
        if _is_form(request):
            request = replace(request, fields=await forms.read(request))
            assert request.fields is not None
            given = request.fields.text(FIELD)
    if not hmac.compare_digest((given or "").encode(), session.csrf.encode()):
        raise refusal(Forbidden, "web.csrf-token")
    return request


def from_here(request: Request) -> bool:
    """Whether the browser says that one of our pages sent it: by either header, and by none otherwise."""
    site, origin = request.header("sec-fetch-site"), request.header("origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and origin in (None, _origin(request.links.base))


def require_from_here(request: Request) -> None:
    """Forbidden for a form of another site; for what is sent without a session, such as a sign-in."""
    if not from_here(request):
        raise _elsewhere(request)


def _origin(base: str) -> str:
    parts = urlsplit(base)
    standard = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(standard)}".lower()


def _by_basic(request: Request) -> bool:
    """Whether it came with a password that a browser keeps and sends by itself."""
    given = request.header("authorization") or ""
    return "x-api-key" not in request.headers and given.strip().lower().startswith("basic")


def _named_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site sent it; programs say nothing."""
    asked = "sec-fetch-site" in request.headers or "origin" in request.headers
    return asked and request.header("sec-fetch-site") != "none" and not from_here(request)


def _is_form(request: Request) -> bool:
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    return kind in (forms.URLENCODED, forms.MULTIPART)


def _again(body: bytes) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        return body

    return read


def _elsewhere(request: Request) -> GisError:
    return refusal(Forbidden, "web.other-origin", origin=_origin(request.links.base))
