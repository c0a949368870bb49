"""What every answer gets on its way out: ETag and 304, compression, CORS, caching, security headers."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from gis_service.web import packing
from gis_service.web.message import Request, Response
from gis_service.web.packing import Packing
from gis_service.web.stream import Stream

# Row M1: on errors, 304 and OPTIONS too.
CORS = (
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        (
            "ETag, Link, Location, Retry-After, Content-Crs, OGC-NumberMatched, X-Request-Id, "
            "Accept-Ranges, Content-Disposition, Content-Range, Last-Modified, Repr-Digest, "
            "Allow, Accept-Post, Accept-Patch, Preference-Applied, Age, Cache-Status, Tile-Reduction"
        ),
    ),
)
PREFLIGHT = (
    (
        "access-control-allow-headers",
        (
            "Accept, Accept-Language, Authorization, Content-Crs, Content-Type, If-Match, If-None-Match, "
            "If-Range, Prefer, Range, X-API-Key"
        ),
    ),
    ("access-control-max-age", "86400"),
)
_OF_A_BODY = ("content-type", "content-encoding", "content-length", "content-range")
NOSNIFF = ("x-content-type-options", "nosniff")
NEGOTIATED = "Accept, Accept-Language, Accept-Encoding, Authorization, Cookie, X-API-Key"
CREDENTIALS = "Accept-Encoding, Authorization, Cookie, X-API-Key"


def etag_of(body: bytes) -> str:
    """A strong ETag of the bytes before compression; processors have instructions for SHA-256."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


async def finished(request: Request, response: Response) -> Response:
    """The answer with all its headers; compressed as the caller likes it best."""
    response = _with_caching(request, response)
    tag = response.header("etag")
    if tag is None and _is_tagged(response):
        tag = etag_of(response.body)
    chosen = _packing(request, response)
    if tag is not None:
        response = response.with_headers(("etag", variant(tag, chosen) if chosen else tag))
    if chosen is not None:
        response = await _compressed(response, chosen)
    return response.with_headers(*CORS, NOSNIFF)


def conditional(request: Request, response: Response) -> Response:
    """304 where the caller holds this very answer; no body for HEAD."""
    tag = response.header("etag")
    if tag is not None and response.status in (200, 206) and held(request.header("if-none-match") or "", tag):
        return Response(304, tuple(pair for pair in response.headers if pair[0] not in _OF_A_BODY))
    return response


def _is_tagged(response: Response) -> bool:
    """A file to keep holds the time when it was made, so that its bytes say nothing of what is new."""
    whole = response.chunks is None and response.file is None and response.body != b""
    return response.status == 200 and whole and response.header("content-disposition") is None


def _with_caching(request: Request, response: Response) -> Response:
    more = []
    if request.private:
        kept = response.status < 400 and response.header("cache-control") != "no-store"
        # Not even the back button of a shared computer shows a page of a session that has ended.
        named = request.session is not None and (response.header("content-type") or "").startswith(
            "text/html"
        )
        more.append(("cache-control", "private, no-cache" if kept and not named else "no-store"))
    elif response.header("cache-control") is None:
        more.append(("cache-control", "no-cache"))
    if response.header("vary") is None:
        more.append(("vary", NEGOTIATED))
    return response.with_headers(*more)


def _packing(request: Request, response: Response) -> Packing | None:
    if (
        (response.chunks is None and len(response.body) < packing.LEAST)
        or response.header("content-encoding") is not None
        or not packing.is_compressible(response.header("content-type") or "")
    ):
        return None
    return packing.wanted(request.header("accept-encoding") or "")


def variant(tag: str, chosen: Packing) -> str:
    """The ETag of a compressed form: a strong one differs between encodings."""
    return f'{tag[:-1]}{chosen.mark}"'


def held(header: str, tag: str) -> str | None:
    """The tag in If-None-Match that stands for ours: compared weakly (RFC 9110, 13.1.2), of any encoding."""
    for part in header[:4000].split(","):
        if part.strip() == "*":
            return tag
        if _core(part) == _core(tag):
            return part.strip()
    return None


def _core(tag: str) -> str:
    return packing.without_mark(tag.strip().removeprefix("W/").strip('"'))


async def _compressed(response: Response, chosen: Packing) -> Response:
    if response.chunks is not None:
        assert isinstance(response.chunks, Stream), "service.answer begins every stream"
        made = replace(response, chunks=response.chunks.packed(chosen.packer()))
    else:
        made = replace(response, body=await chosen.pack(response.body))
    return made.with_headers(("content-encoding", chosen.coding))
