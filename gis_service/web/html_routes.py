"""Features as pages: the list with its form, and one feature; the data come from the API's own statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql, select
from gis_service.db.feature_text import WHOLE, Form
from gis_service.db.paging import Cursor
from gis_service.db.pool import Row
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.errors import InvalidParameter, NotFound, Timeout
from gis_service.features import documents, form
from gis_service.features.formats import EXPORTS
from gis_service.features.query import ItemsRequest, feature_id, parse_item, parse_items
from gis_service.features.refusal import refusal
from gis_service.web import (
    filter_form,
    history_page,
    history_routes,
    item_page,
    items_page,
    paging,
    releases,
    render,
    validators,
)
from gis_service.web.context import Context
from gis_service.web.frame import Document
from gis_service.web.history_page import Line
from gis_service.web.item_page import Single
from gis_service.web.items_page import Download, Found, Listing
from gis_service.web.message import Request, Response

LONGEST_PAGE = 100  # features of a page
COUNTED = 10_000  # matches are counted up to here, which an index does in some 5 ms
COUNT_MS = 1_000
FIRST_LOOK = 6  # the zoom of whose detail a shape is read to learn where it lies


async def items(context: Context, request: Request, view: ViewedLayer) -> Response:
    """The page of a query, the address that a sent form stands for, or the form with what is wrong in it."""
    given = request.parameters
    try:
        if form.sent(given):
            return _redirect(request, request.links.items(view.id, form.query(view, given)))
        asked = parse_items(view, given, await context.terms())
    except InvalidParameter as err:
        return _refused(context, request, view, err)
    await releases.check(context, request, asked.view)
    stamp = await validators.stamp(context, asked.view)
    known = validators.headers(request, asked.view, stamp, media.HTML)
    if (same := validators.unchanged(request, known)) is not None:
        return same
    made = await _listed(context, request, await paging.forwards(context, asked))
    return made.with_headers(*known)


def _redirect(request: Request, address: str) -> Response:
    headers = (("location", address), ("content-language", request.lang), ("content-type", media.HTML))
    return Response(303, headers)


def _refused(context: Context, request: Request, view: ViewedLayer, err: InvalidParameter) -> Response:
    """400, with everything that was typed still in its field."""
    frame, given = render.frame(request), request.parameters
    fault = filter_form.fault_of(view, frame, err, given)
    size = context.settings.limits.default_items
    made = filter_form.build(view, frame, given, size, fault)
    listing = Listing(view, given, made, {}, Found((), first=True, more=False))
    return render.html(request, items_page.page(frame, listing), 400)


async def _listed(context: Context, request: Request, asked: ItemsRequest) -> Response:
    """A table for people; its map asks for the geometries itself, so they aren't read here."""
    view, frame = asked.view, render.frame(request)
    size = min(asked.query.limit, LONGEST_PAGE)
    shape = replace(asked.query.form, geometry=False)
    rows = await context.database.run(select.items(view, replace(asked.query, limit=size + 1, form=shape)))
    shown, more = rows[:size], paging.goes_on(asked, len(rows) > size)
    listing = Listing(
        view=view,
        given=request.parameters,
        form=filter_form.build(view, frame, request.parameters, size),
        doc={"links": _page_links(request, asked, shown, more)},
        found=await _found(context, asked, shown, more),
        map_data=_map_data(request, asked, size) if shown else "",
        downloads=_downloads(request, asked),
    )
    page = render.html(request, items_page.page(frame, listing))
    return replace(page, keys=tuple(row[0] for row in shown))


def _page_links(
    request: Request, asked: ItemsRequest, shown: Sequence[Row], more: bool
) -> Sequence[Mapping[str, object]]:
    first = shown[0] if shown and paging.begins_within(asked) else None
    return paging.links(request, asked, first, shown[-1] if shown and more else None, media.GEOJSON)


async def _found(context: Context, asked: ItemsRequest, shown: Sequence[Row], more: bool) -> Found:
    rows: Sequence[Document] = [orjson.loads(row[1]) for row in shown]
    first = not paging.begins_within(asked)
    if first and not more:
        return Found(rows, first, more, matched=len(rows))
    wanted = replace(asked.query, cursor=None, offset=0, among=None)
    counting = replace(select.count(asked.view, wanted, at_most=COUNTED + 1), timeout_ms=COUNT_MS)
    try:
        count = int((await context.database.run(counting))[0][0])
    except Timeout:
        return Found(rows, first, more)
    if count > COUNTED:
        return Found(rows, first, more, more_than=COUNTED)
    return Found(rows, first, more, matched=count)


def _map_data(request: Request, asked: ItemsRequest, size: int) -> str:
    """This very page as GeoJSON without properties; the map adds the detail that it needs."""
    kept = {name: value for name, value in asked.parameters.items() if name not in ("f", "lang", "crs")}
    begin, plain = asked.query.cursor, replace(asked, query=replace(asked.query, form=WHOLE))
    after = {} if begin is None else {"after": plain.page_parameters(begin)["after"]}
    offset = {"offset": str(asked.query.offset)} if asked.query.offset else {}
    more = {"limit": str(size), "properties": "", "f": "json"}
    return request.links.items(asked.view.id, {**kept, **more, **after, **offset})


def _downloads(request: Request, asked: ItemsRequest) -> Sequence[Download]:
    """All that matches, in every format."""
    kept = {name: value for name, value in asked.parameters.items() if name not in ("f", "lang", "limit")}
    return [
        Download(
            each.name,
            f"page.format.{each.name}",
            request.links.export(asked.view.id, {**kept, "f": each.name}),
            each.media,
        )
        for each in EXPORTS
    ]


async def item(context: Context, request: Request, view: ViewedLayer, name: str) -> Response:
    """One feature, drawn with as much detail as its map shows."""
    view, _ = parse_item(view, request.parameters, (await context.terms()).systems)
    await releases.check(context, request, view)
    identity = feature_id(view, name)
    rows = [] if identity is None else await context.database.run(_coarse(view, identity, FIRST_LOOK))
    if identity is None or not rows:
        raise refusal(NotFound, "web.no-feature", layer=view.id, id=name[:200])
    feature = orjson.loads(rows[0][1])
    box = item_page.bounds(feature["geometry"])
    if box is not None and view.geometry_type != "Point":
        level = item_page.fitting_zoom(box) + 1
        feature = orjson.loads((await context.database.run(_coarse(view, identity, level)))[0][1])
    links = documents.item_links(view, name, request.parameters, request.links, request.lang)
    single = Single(
        view=view,
        feature={**feature, "links": links},
        stats=(await context.stats.of([view.standing])).get(view.id),
        before=await _beside(context, view, rows[0][0], backwards=True),
        after=await _beside(context, view, rows[0][0], backwards=False),
        coarse=(await context.database.run(report_sql.coarse(view, identity)))[0][0],
        history=await _history(context, request, view, name),
    )
    page = render.html(request, item_page.page(render.frame(request), single))
    return replace(page, keys=(rows[0][0],))


async def _history(context: Context, request: Request, view: ViewedLayer, name: str) -> Sequence[Line]:
    """The newest of what releases did to it, whichever of them it is read as of."""
    if not view.layer.managed or "/" in name:
        return ()
    found, _ = await history_routes.steps(context, view.of_today, name)
    return history_page.short(render.frame(request), view, name, found)


def _coarse(view: ViewedLayer, identity: str | int, zoom: int) -> Query:
    return select.item(view, identity, Form(zoom_level=zoom))


async def _beside(context: Context, view: ViewedLayer, key: int, backwards: bool) -> str:
    """The id of the feature before or after by key; nothing at the ends."""
    query = ItemsQuery(limit=1, cursor=Cursor((), key, backwards), form=Form(properties=(), geometry=False))
    rows = await context.database.run(select.items(view, query))
    return str(orjson.loads(rows[0][1])["id"]) if rows else ""
