"""The contributor's pages: one's submissions, layers to contribute to, files to fill in and to send."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import orjson

from gis_service import links as media
from gis_service.access import rights
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.changes import reading, replacing
from gis_service.changes.names import MOST_NAMES, SUFFIXES, said, suffix
from gis_service.changes.sheet import MOST_FILLED, VN2000
from gis_service.changes.values import Proposal
from gis_service.db import template_sql, upload_sql
from gis_service.db.pool import Row
from gis_service.db.proposal_sql import Wanted
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, Forbidden, NotFound, Unauthorized
from gis_service.features.refusal import refusal, refuse
from gis_service.web import (
    contribute_feed,
    contribute_pages,
    forms,
    proposal_documents,
    proposal_routes,
    render,
)
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html
from gis_service.web.router import PLAIN, READ, Route, route

T = TypeVar("T")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHOWN: Final = 20
_NAMES: Final = (
    "id", "layer", "title", "filename", "size", "state", "proposal", "problem", "created", "ended",
    "replaces",
)  # fmt: skip


async def home(context: Context, request: Request, _: Sequence[str]) -> Response:
    """My submissions and their state, what came back first; the layers that I may contribute to."""
    principal = _known(request)
    layers = _layers(context, principal)

    def read(database: SyncDatabase) -> tuple[list[Proposal], list[Sequence[Any]], dict[int, str]]:
        mine = reading.listed(database, principal, Wanted(author=principal.name, limit=_SHOWN))
        files = database.run(Query(upload_sql.LIST, (principal.name, _SHOWN)))
        return mine, list(files), reading.returned(database, [each.number for each in mine])

    mine, files, returned = await context.writer.run(request, read, role="reader")
    heads = [
        {**proposal_documents.head(each, context.catalog.layers, request.links, request.lang),
         "returned": returned.get(each.number)}
        for each in mine
    ]  # fmt: skip
    heads.sort(key=lambda each: each["returned"] is None)
    made = {
        "proposals": heads,
        "uploads": [_upload(request, row) for row in files],
        "layers": [
            {
                "id": each.id,
                "title": each.title.say(request.lang),
                "href": request.links.contribute_to(each.id),
            }
            for each in layers
        ],
        "links": [
            _link(request.links.contribute(), "self"),
            {
                "href": request.links.contribute() + "/feed.atom",
                "rel": "alternate",
                "type": contribute_feed.ATOM,
            },
        ],
    }
    return render.document(request, made, media.JSON, lambda frame: contribute_pages.home(frame, made))


async def to_layer(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """What a file for a layer looks like, and the form to send one; POST takes one."""
    principal = _known(request)
    view = await _view(context, request, principal, taken[0])
    if request.method == "POST":
        return await _take(context, request, principal, view)
    made = contribute_pages.layer_document(view, principal, request.links, request.lang)
    old = await _replaced(context, request, view, request.parameters.get("replaces", ""))
    return render.document(request, made, media.JSON, lambda frame: contribute_pages.layer(frame, made, old))


async def _replaced(context: Context, request: Request, view: ViewedLayer, text: str) -> Proposal | None:
    """The draft that a file shall replace, if one shall."""
    if not text:
        return None
    number = proposal_routes.proposal_number(text)
    principal, layer = request.principal, view.layer

    def read(database: SyncDatabase) -> Proposal:
        return replacing.replaceable(database, layer, principal, number)

    return await context.writer.run(request, read, role="reader")


async def template(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A sheet to fill in, with the columns that this person may propose; or filled with rows it may edit."""
    principal = _known(request)
    view = await _view(context, request, principal, taken[0])
    srid = _srid(request, view)
    filled = await _filled(context, principal, view) if "filled" in request.parameters else None
    from gis_service.web import contribute_sheet  # noqa: PLC0415  # xlsxwriter, when somebody wants a sheet

    name = f"{view.id}.xlsx"
    headers = (
        ("content-type", contribute_sheet.XLSX),
        ("content-disposition", f'attachment; filename="{name}"'),
        ("cache-control", "no-store"),
    )
    made = contribute_sheet.template(view, request.lang, srid, filled)
    return Response(200, headers, made, keys=tuple(row[0] for row in filled or ()))


async def _filled(context: Context, principal: Principal, view: ViewedLayer) -> Sequence[Row]:
    """The rows; one more than a sheet takes, where there are more."""
    places = rights.places_edited(principal, view.layer)
    return await context.export_database.run(template_sql.editable(view, places, MOST_FILLED + 1))


def _srid(request: Request, view: ViewedLayer) -> int | None:
    """The system of metres that the sheet's coordinates shall be in; None for degrees."""
    text = request.parameters.get("crs")
    if text is None:
        return None
    found = next((srid for srid in VN2000 if text == f"EPSG:{srid}"), None)
    if found is None or view.geometry_type != "Point" or "filled" in request.parameters:
        known = ", ".join(f"EPSG:{srid}" for srid in VN2000)
        raise refuse("contribute.template-crs", value=text[:40], known=known)
    return found


async def upload(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """How far a file is; once it is a draft, the way there."""
    principal, identity = _known(request), taken[0]
    rows: list[Sequence[Any]] = []
    if _UUID.fullmatch(identity):
        query = Query(upload_sql.ONE, (identity, principal.name))
        rows = list(await context.database.run(query))
    if not rows:
        raise refusal(NotFound, "contribute.no-upload")
    made = _upload(request, rows[0])
    for_people = wants_html(request.parameters, request.header("accept"))
    if made["state"] == "drafted" and for_people:
        return _see_other(request, request.links.proposal(made["proposal"]))
    return render.document(request, made, media.JSON, lambda frame: contribute_pages.upload(frame, made))


async def _take(context: Context, request: Request, principal: Principal, view: ViewedLayer) -> Response:
    """Keep a file for the worker; the answer says where to look."""
    fields = await forms.read(request)
    file = fields.files.get("file")
    if file is None or not file.content:
        raise forms.missing("file", contribute_pages.word("file", request.lang))
    title = fields.text("title")
    if not title:
        raise forms.missing("title", contribute_pages.word("title", request.lang))
    if not suffix(file.filename):
        raise refuse("contribute.suffix", name=file.filename[:100], known=", ".join(SUFFIXES))
    old = await _replaced(context, request, view, fields.text("replaces"))
    values = (
        principal.name, view.id, fields.text("organisation") or None, title[:500],
        fields.text("note")[:5000] or None, file.filename[-200:], fields.text("id_column") or "id",
        fields.text("crs") or None, request.lang, file.content,
        old.number if old else None, upload_sql.MOST_WAITING,
    )  # fmt: skip
    if any(len(str(value)) > MOST_NAMES for value in values[6:8]):
        raise refuse("contribute.too-long")
    made = await context.writer.run(request, lambda database: database.run(Query(upload_sql.KEEP, values)))
    if not made:
        raise refusal(Conflict, "contribute.waiting", most=upload_sql.MOST_WAITING)
    address = request.links.upload(str(made[0][0]))
    if wants_html(request.parameters, request.header("accept")):
        return _see_other(request, address)
    answer = render.json(
        request, {"id": made[0][0], "state": "waiting", "links": [_link(address, "monitor")]}
    )
    return Response(202, (*answer.headers, ("location", address)), answer.body)


async def _view(context: Context, request: Request, principal: Principal, name: str) -> ViewedLayer:
    view = await context.current_view(request, name)
    if not rights.may_edit_layer(principal, view.layer):
        raise refusal(Forbidden, "change.no-editor", name=principal.name, layer=name)
    return view


def _layers(context: Context, principal: Principal) -> list[Layer]:
    return [each for each in context.catalog.layers.values() if rights.may_edit_layer(principal, each)]


def _upload(request: Request, row: Sequence[Any]) -> dict[str, Any]:
    made = dict(zip(_NAMES, row, strict=True))
    problem = made.pop("problem")
    made["problem"] = said(orjson.loads(problem), request.lang) if problem else None
    made["links"] = [_link(request.links.upload(made["id"]), "self")]
    if made["proposal"]:
        made["links"].append(_link(request.links.proposal(made["proposal"]), "related"))
    return made


def _link(href: str, rel: str) -> dict[str, str]:
    return {"href": href, "rel": rel, "type": media.JSON}


def _known(request: Request) -> Principal:
    if request.principal is PUBLIC:
        raise Unauthorized
    return request.principal


def _see_other(request: Request, address: str) -> Response:
    headers = (("location", address), ("content-language", request.lang), ("cache-control", "no-store"))
    return Response(303, headers)


def routes() -> list[Route]:
    return [
        route("contribute", "/contribute", home),
        route("feed", "/contribute/feed.atom", contribute_feed.feed, parameters=("lang",)),
        route("upload", "/contribute/uploads/{}", upload),
        route("template", "/contribute/{}/template.xlsx", template, parameters=("lang", "crs", "filled")),
        route("contribute-to", "/contribute/{}", to_layer, (*READ, "POST"), parameters=(*PLAIN, "replaces")),
    ]
