"""The service as one function from a request to a response, whatever the server's protocol."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gis_service.access import rights
from gis_service.access.principal import PUBLIC, Principal
from gis_service.db.turns import CALLER
from gis_service.errors import GisError, Unauthorized
from gis_service.features.refusal import refuse
from gis_service.links import Links
from gis_service.observe import Log
from gis_service.texts import LANGUAGES
from gis_service.web import (
    account_routes,
    admin_people_routes,
    admin_routes,
    audit_routes,
    contribute_routes,
    credentials,
    csrf,
    editing,
    editing_routes,
    export_routes,
    feature_routes,
    file_routes,
    finish,
    history_routes,
    key_routes,
    negotiate,
    notice_routes,
    origin,
    pages,
    params,
    problems,
    process_routes,
    proposal_routes,
    raster_routes,
    release_routes,
    render,
    service_routes,
    sign_in,
    sign_in_routes,
    stream,
    style_routes,
    tile_routes,
    tileset_routes,
)
from gis_service.web.context import Context
from gis_service.web.credentials import Sent
from gis_service.web.lru import Lru
from gis_service.web.message import Request, Response
from gis_service.web.router import Handler, Route, Router, check_method, not_allowed
from gis_service.web.stream import Streams

DOCUMENTS_KEPT = 256
_log = Log("gis.web")

DocumentKey = tuple[str | None, ...]


class Service:
    """Answers requests; keeps documents that depend on nothing but the catalogue and the caller's class."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.router = Router(
            [
                *service_routes.routes(),
                *tile_routes.routes(),
                *tileset_routes.routes(),
                *raster_routes.routes(),
                *style_routes.routes(),
                *export_routes.routes(),
                *history_routes.routes(),
                *feature_routes.routes(),
                *editing_routes.routes(),
                *file_routes.routes(),
                *process_routes.routes(),
                *release_routes.routes(),
                *sign_in_routes.routes(),
                *account_routes.routes(),
                *notice_routes.routes(),
                *key_routes.routes(),
                *audit_routes.routes(),
                *proposal_routes.routes(),
                *contribute_routes.routes(),
                *admin_routes.routes(),
                *admin_people_routes.routes(),
            ]
        )
        self._documents: Lru[DocumentKey, Response] = Lru(DOCUMENTS_KEPT)
        self._worker = str(os.getpid())
        self._streams = Streams(context.settings.limits.export_bytes)

    def kept_tile(self, method: str, path: str, query: str | bytes, headers: Sent) -> Response | None:
        """A tile that is kept, for callers without key and session, before anything else is looked at."""
        if method != "GET" or query or not path.startswith("/xyz/"):
            return None
        return self.context.tiles.quick(path, headers)

    def quick(self, request: Request) -> Response | None:
        """A document that was rendered before, for callers without key and session; nothing is awaited."""
        if request.method != "GET" or credentials.has_any(request.headers):
            return None
        held = self._documents.get(_document_key(request, self._base(request)))
        if held is None:
            return None
        response = finish.conditional(request, held)
        self._count("kept", response.status, 0.0)
        return response

    async def answer(self, request: Request) -> Response:
        """The response, an error's too. It never raises but for a cancelled request."""
        began = time.perf_counter()
        name, request = "none", self._addressed(request)
        try:
            try:
                params.check_path(request.path)
                params.check_secrets(request.query)
                name, response, request = await self._routed(request)
            except GisError as err:
                response = await self._problem(request, err)
        except Exception as err:
            # The outermost rim: whatever went wrong is logged whole, and the caller learns a number.
            response = await self._fault(request, err)
        self._count(name, response.status, time.perf_counter() - began)
        return response

    def _count(self, name: str, status: int, seconds: float) -> None:
        """By worker: each process counts for itself, and /metrics is answered by any of them."""
        metrics = self.context.metrics
        metrics.time("gis_request_seconds", seconds, route=name, worker=self._worker)
        metrics.count("gis_requests_total", route=name, status=str(status), worker=self._worker)

    def _base(self, request: Request) -> str:
        return origin.base(self.context.settings, request.headers, request.client, request.scheme)

    def _addressed(self, request: Request) -> Request:
        # Files of the program are the same for everybody, and a browser keeps them for ever.
        private = not request.path.startswith(_ANYBODYS) and credentials.has_any(request.headers)
        lang = negotiate.spoken(request.header("accept-language"), self.context.settings.default_lang)
        links = Links(self._base(request), self.context.static.version)
        return replace(request, links=links, lang=lang, private=private)

    async def _routed(self, request: Request) -> tuple[str, Response, Request]:
        """The finished response, its route's name, and the request with all that was learnt of it."""
        tile = tile_routes.asked_tile(request.path)
        found, taken = (_TILE, tile) if tile is not None else self.router.match(request.path)
        if request.method == "OPTIONS" and (found.allowed is None or _PREFLIGHT in request.headers):
            return found.name, _options(found), request
        if found.allowed is None:
            check_method(found, request.method)
        if request.private:
            request = await self._known(request)
        CALLER.set(self._caller(request))
        if found.allowed is not None and (request.method == "OPTIONS" or request.method not in found.methods):
            # A browser first asks without credentials: then all methods are named. Here the caller's.
            methods = await found.allowed(self.context, request, taken)
            if request.method == "OPTIONS":
                return found.name, _options(found, methods), request
            if request.method not in found.methods:
                raise not_allowed(request.method, methods)
        if request.private:
            request = await csrf.checked(request)
        if found is not _TILE:
            request = self._read_parameters(request, found)
        made = await self._handled(request, found, taken)
        response = finish.conditional(request, made)
        if response.chunks is None:
            await stream.end(made.chunks)
        return found.name, response, request

    async def _known(self, request: Request) -> Request:
        """The request with who asks: by key where one was sent, else by the session of its cookie."""
        if any(name in request.headers for name in credentials.HEADERS):
            return replace(request, principal=await self._by_key(request))
        session = await self.context.access.session(request.headers)
        return request if session is None else replace(request, principal=session.principal, session=session)

    async def _by_key(self, request: Request) -> Principal:
        """Whose key it is. Wrong ones are counted, TooMany past the limit; right ones pass all the while."""
        guard = self.context.guards.keys

        def anew() -> bool:
            return not guard.is_full(sign_in.address(self.context, request))

        try:
            return await self.context.access.principal(request.headers, anew)
        except Unauthorized:
            who = sign_in.address(self.context, request)
            guard.check(who)
            await sign_in.failed(self.context, request, guard, "key", who)
            raise

    def _caller(self, request: Request) -> str:
        """Whose turn it is when requests wait: the owner of the key, else the address."""
        if request.principal is not PUBLIC:
            return request.principal.name
        return origin.client_address(self.context.settings, request.headers, request.client)

    def _read_parameters(self, request: Request, found: Route) -> Request:
        given = params.parse(request.query)
        lang = negotiate.language(
            given, request.header("accept-language"), self.context.settings.default_lang
        )
        if found.parameters is not None:
            unknown = next((name for name in given if name not in found.parameters), None)
            if unknown is not None:
                raise refuse("web.unknown-parameter", name=unknown[:100])
        return replace(request, parameters=given, lang=lang)

    async def _handled(self, request: Request, found: Route, taken: Sequence[str]) -> Response:
        handler: Handler = found.handler
        # A page of a session bears its owner's name and token: it's made for this request and for no other.
        if not found.kept or request.session is not None:
            made = await handler(self.context, request, taken)
            await self.context.reads.tell(request, found.name, taken, made)
            return await finish.finished(request, await self._streams.begun(made))
        key = _document_key(request, request.links.base)
        held = self._documents.get(key)
        if held is None:
            held = await finish.finished(request, await handler(self.context, request, taken))
            self._documents.put(key, held)
        return held

    async def _problem(self, request: Request, err: GisError) -> Response:
        if err.status >= 500:
            _log.warning("refused", path=request.path, code=err.code, reason=err.message())
        if err.status == 500:
            return await self._fault(request, err)
        lang = _lang_of(request)
        response = problems.response(err, lang, _instance(request))
        if _is_browser(request):
            if isinstance(err, Unauthorized) and not credentials.has_key(request.headers):
                return await finish.finished(request, sign_in.first(request))
            problem = problems.document(err, lang, _instance(request))
            page = render.html(
                request, pages.error(render.frame(replace(request, lang=lang)), problem), err.status
            )
            response = page.with_headers(
                *(pair for pair in response.headers if not pair[0].startswith("content-"))
            )
        return await finish.finished(request, response)

    async def _fault(self, request: Request, err: Exception) -> Response:
        """500 with a number that stands in the log beside the traceback."""
        number = secrets.token_hex(8)
        _log.error("fault", cause=err, request=number, method=request.method, path=request.path)
        response = problems.response(GisError(), _lang_of(request), _instance(request))
        return await finish.finished(request, response.with_headers(("x-request-id", number)))


_PREFLIGHT = "access-control-request-method"
_ANYBODYS = ("/static/", "/fonts/", "/sprites/")  # who asks makes no difference
_TILE = Route("tile", ("xyz",), tile_routes.xyz_tile)


def _options(found: Route, methods: Sequence[str] | None = None) -> Response:
    """What may be done here: by anybody at all, or by this caller. Part 4 of Features wants 200 for it."""
    allow = ", ".join(found.methods if methods is None else methods)
    headers = (("allow", allow), ("access-control-allow-methods", allow), *finish.PREFLIGHT, *finish.CORS)
    if methods is None:
        return Response(204, (*headers, ("cache-control", "no-store")))
    return Response(200, (*headers, *editing.accepted(methods), ("cache-control", "no-store")))


def _document_key(request: Request, base: str) -> DocumentKey:
    """All that a kept document depends on. `principal` is the public's until a key was read."""
    principal = request.principal
    return (
        base,
        request.path,
        request.query,
        request.header("accept"),
        request.header("accept-language"),
        request.header("accept-encoding"),
        "" if principal is PUBLIC else _reader(principal),
        "private" if request.private else "",
    )


def _reader(principal: Principal) -> str:
    """What a document shows of who reads it with a key: the class, the way to what it may do, its name."""
    tiers, may = rights.editing_tiers(principal), sorted(rights.abilities(principal))
    return "|".join((principal.policy_class, tiers, *may, principal.name))


def _lang_of(request: Request) -> str:
    """The language of a refusal, which may be about the parameters: `lang` counts where it's plain."""
    asked: Mapping[str, str] = dict(
        pair.split("=", 1) for pair in request.query.split("&") if pair.count("=") == 1
    )
    lang = asked.get("lang", "")
    return lang if lang in LANGUAGES else request.lang


def _is_browser(request: Request) -> bool:
    accept = request.header("accept") or ""
    return "text/html" in accept and "f=json" not in request.query


def _instance(request: Request) -> str:
    """The path that was asked for, as text that is safe in any document."""
    return request.path[:200].encode("utf-8", "replace").decode()
