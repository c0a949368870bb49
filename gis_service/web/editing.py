"""Features made, replaced, updated and deleted by HTTP (OGC API Features Part 4): what comes in, what out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gis_service import links as media
from gis_service.access import rights
from gis_service.access.principal import PUBLIC
from gis_service.catalog.view import ViewedLayer
from gis_service.changes import marks
from gis_service.changes.document import Way
from gis_service.changes.order import Desk, Edit, Saved
from gis_service.db import change_sql, draft_sql
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Forbidden, TooLarge, Unauthorized, UnsupportedMedia
from gis_service.features.refusal import refusal, refuse
from gis_service.geo.crs import WGS84, Crs
from gis_service.web import packing
from gis_service.web.context import Context
from gis_service.web.message import Headers, Request, Response
from gis_service.web.router import READ

BODY_BYTES: Final = 16 * 1024 * 1024  # one feature; the longest shore of the country has 4 MB
ACCEPT_POST: Final = f"{media.GEOJSON}, {media.JSON}"
MERGE_PATCH: Final = "application/merge-patch+json"
ACCEPT_PATCH: Final = f"{MERGE_PATCH}, {media.GEOJSON}, {media.JSON}"
OF_ITEMS: Final = ("POST",)
OF_ITEM: Final = ("PUT", "PATCH", "DELETE")
PARAMETERS: Final = frozenset({"lang", "f"})
_QGIS: Final = "QGIS/"


async def allowed_items(context: Context, request: Request, taken: Sequence[str]) -> Sequence[str]:
    """The methods that the caller may use on the items of a collection."""
    view = context.view(request, taken[0])
    return (*READ, *OF_ITEMS) if rights.may_edit_layer(request.principal, view.layer) else READ


async def allowed_item(context: Context, request: Request, taken: Sequence[str]) -> Sequence[str]:
    """The methods that the caller may use on one feature.

    An id that the caller doesn't see is answered as any other that isn't there. QGIS asks of one feature, the
    first, and takes what it hears for the whole layer: it hears what the caller may on features of its own.
    """
    view = await context.current_view(request, taken[0])
    if not rights.may_edit_layer(request.principal, view.layer):
        return READ
    if _QGIS not in (request.header("user-agent") or "") and marks.draft_of(taken[1]) is None:
        rows = await context.database.run(change_sql.standing(view.standing, [taken[1]]))
        if rows and not rights.may_edit(request.principal, view.layer, rows[0][3]):
            return READ
    return (*READ, *OF_ITEM)


def accepted(methods: Sequence[str]) -> Headers:
    """The media types of what may be sent, by the methods that are allowed."""
    made = [("accept-post", ACCEPT_POST)] if "POST" in methods else []
    return (*made, *([("accept-patch", ACCEPT_PATCH)] if "PATCH" in methods else []))


async def tag(context: Context, request: Request, view: ViewedLayer, identity: str) -> str | None:
    """The ETag of a feature for who may edit it; None for all others, whose answers bear the layer's version.

    Read before the feature: a tag older than the feature that it comes with is refused, a newer one would let
    an edit be lost.
    """
    if view.release is not None or not rights.may_edit_layer(request.principal, view.layer):
        return None
    name = request.principal.name
    if (new := marks.draft_of(identity)) is not None:
        found = await context.database.run(draft_sql.new_row(view.id, name, *new))
        return marks.of_draft(view, identity, found[0][0]) if found else None
    rows = await context.database.run(change_sql.standing(view.standing, [identity]))
    if not rows or not rights.may_edit(request.principal, view.layer, rows[0][3]):
        return None
    _, gid, rev, places = rows[0]
    drafted = await context.database.run(draft_sql.on_row(view.id, name, gid)) if view.draft_keys else []
    return marks.of_row(view, gid, rev, places, drafted[0][0] if drafted else None)


async def create(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """201 with the address of the new feature."""
    edit = await _edit(context, request, taken[0], ACCEPT_POST)

    def work(database: SyncDatabase) -> Saved:
        from gis_service.changes import editing  # noqa: PLC0415  # brings shapely, which readers don't need

        return editing.create(_desk(context, request, taken[0], database), edit)

    saved = await context.writer.run(request, work)
    made = _answer(request, saved, 201)
    return made.with_headers(("location", request.links.item(taken[0], saved.id)))


async def change(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """204 once the feature has the values that were sent."""
    way: Way = "replace" if request.method == "PUT" else "patch"
    edit = await _edit(context, request, taken[0], ACCEPT_POST if way == "replace" else ACCEPT_PATCH)

    def work(database: SyncDatabase) -> Saved:
        from gis_service.changes import editing  # noqa: PLC0415  # brings shapely, which readers don't need

        return editing.change(_desk(context, request, taken[0], database), taken[1], edit, way)

    return _answer(request, await context.writer.run(request, work), 204)


async def remove(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """204 once the feature is gone for the caller."""
    await _require_editor(context, request, taken[0])
    match = _match(request)

    def work(database: SyncDatabase) -> Saved:
        from gis_service.changes import editing  # noqa: PLC0415  # brings shapely, which readers don't need

        return editing.remove(_desk(context, request, taken[0], database), taken[1], match)

    return _answer(request, await context.writer.run(request, work), 204)


def wants_representation(request: Request) -> bool:
    """Whether the client prefers to be answered with the feature (RFC 7240)."""
    preferences = (request.header("prefer") or "").lower().replace(" ", "").split(",")
    return "return=representation" in [each.split(";")[0] for each in preferences]


def _desk(context: Context, request: Request, layer: str, database: SyncDatabase) -> Desk:
    return Desk(database, context.settings.workflow, context.catalog.layers, layer, request.principal)


async def _edit(context: Context, request: Request, layer: str, accept: str) -> Edit:
    """The request's document, unread; refused where its head says enough."""
    await _require_editor(context, request, layer)
    _require_media(request, accept)
    crs = await _crs(context, request)
    body = await request.read()
    if len(body) > BODY_BYTES:
        raise refusal(TooLarge, "web.body-too-large", maximum=BODY_BYTES)
    return Edit(body, crs, _match(request))


async def _require_editor(context: Context, request: Request, layer: str) -> None:
    """Unauthorized for the public, NotFound for a layer that isn't seen, Forbidden for who only reads it."""
    strange = next((name for name in request.parameters if name not in PARAMETERS), None)
    if strange is not None:
        raise refuse("web.unknown-parameter", name=strange[:100])
    view = await context.current_view(request, layer)
    allow = ", ".join(READ)
    if request.principal is PUBLIC:
        raise refusal(Unauthorized, "edit.no-key", allow=allow)
    if not rights.may_edit_layer(request.principal, view.layer):
        raise refusal(Forbidden, "edit.not-editor", name=request.principal.name, layer=view.id, allow=allow)


def _require_media(request: Request, accept: str) -> None:
    given = request.header("content-type")
    if not given or not given.strip():
        raise refuse("edit.no-content-type", accept=accept)
    if given.split(";")[0].strip().lower() not in accept.split(", "):
        raise refusal(UnsupportedMedia, "edit.content-type", given=given[:100], accept=accept)


async def _crs(context: Context, request: Request) -> Crs:
    """The system of Content-Crs, with or without the brackets of Part 2; QGIS sends it without."""
    given = request.header("content-crs")
    if given is None:
        return WGS84
    try:
        return (await context.systems()).resolve(given.strip().removeprefix("<").removesuffix(">"))
    except ValueError as err:
        raise refuse("edit.content-crs", value=given[:200]) from err


def _match(request: Request) -> frozenset[str] | None:
    """The tags of If-Match without the marks of compression; a weak one matches none (RFC 9110, 13.1.1)."""
    given = request.header("if-match")
    if given is None:
        return None
    tags = [part.strip() for part in given[:4000].split(",")]
    return frozenset(tag if tag == "*" else f'"{packing.without_mark(tag.strip(chr(34)))}"' for tag in tags)


def _answer(request: Request, saved: Saved, status: int) -> Response:
    headers = [("cache-control", "no-store"), ("content-language", request.lang)]
    if saved.tag is not None:
        headers.append(("etag", saved.tag))
    if saved.proposal is not None:
        address = f"{request.links.base}/proposals/{saved.proposal}"
        headers.append(("link", f'<{address}>; rel="related"'))
    return Response(status, tuple(headers))


def seen(request: Request) -> Request:
    """The request as the GET of what it has just written, for the answer to who wants to see it."""
    kept = {name: value for name, value in request.headers.items() if not name.startswith("if-")}
    return replace(request, method="GET", headers=kept, parameters={})
