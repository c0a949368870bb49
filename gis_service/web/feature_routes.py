"""Collections, items and one item."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import orjson

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.db import bulk, select, versions
from gis_service.db.pool import Row
from gis_service.db.select import ItemsQuery
from gis_service.errors import NotFound
from gis_service.features import documents, formats, geojson
from gis_service.features.query import ItemsRequest, feature_id, parse_item, parse_items
from gis_service.features.refusal import refusal
from gis_service.geo.crs import Crs
from gis_service.web import (
    editing,
    export_routes,
    html_routes,
    pages,
    paging,
    raster_routes,
    releases,
    render,
    schema_routes,
    validators,
    walk,
)
from gis_service.web.context import Context
from gis_service.web.finish import etag_of
from gis_service.web.message import Headers, Request, Response
from gis_service.web.negotiate import chosen, wants_html
from gis_service.web.router import Route, route
from gis_service.web.walk import Batch

BATCH = 1000  # features held in memory at once; a longer page leaves in chunks
WHOLE_BYTES = 8_000_000  # of their text: a thousand shores weigh 300 MB
FIRST = 50  # shapes read before it's known what they weigh


async def collections(context: Context, request: Request, _: Sequence[str]) -> Response:
    views = await context.current_views(request)
    stats = await context.stats.of(views.values())
    crs = await context.offered_crs()
    files = await context.published.of(views.values())
    more = await raster_routes.listed(context, request)
    made = documents.collections(views.values(), stats, request.links, request.lang, crs, files, more)
    return render.document(request, made, media.JSON, lambda frame: pages.collections(frame, made))


async def collection(context: Context, request: Request, taken: Sequence[str]) -> Response:
    if (raster := raster_routes.seen(context, request, taken[0])) is not None:
        return await raster_routes.collection(context, request, raster)
    view = await releases.viewed(context, request, taken[0], request.parameters)
    stats = (await context.stats.of([view])).get(view.id)
    crs = await context.offered_crs()
    files = () if view.release else (await context.published.of([view])).get(view.id, ())
    made = documents.collection(view, stats, request.links, request.lang, crs, files)
    return render.document(request, made, media.JSON, lambda frame: pages.collection(frame, made, view))


async def items(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A page of features."""
    view = await context.own_view(request, taken[0])
    form = chosen(request.parameters, request.header("accept"))
    if form is formats.HTML:
        return await html_routes.items(context, request, view)
    asked = parse_items(view, request.parameters, await context.terms())
    await releases.check(context, request, asked.view)
    if form is formats.JSON and _is_plain(request, asked):
        return await _stamped(context, request, asked)
    stamp = await validators.stamp(context, asked.view)
    known = validators.headers(request, asked.view, stamp, form.media)
    if (same := validators.unchanged(request, known)) is not None:
        return same
    asked = await paging.forwards(context, asked)
    if form is formats.JSON:
        first = await context.database.run(select.items(asked.view, _first(asked)))
        return await _geojson(context, request, asked, first, known)
    made = await export_routes.respond_page(context, request, asked, form)
    return made.with_headers(*known)


def _is_plain(request: Request, asked: ItemsRequest) -> bool:
    """Whether the stamp may come with the rows: nothing is asked of it before, nor of the rows."""
    backwards = asked.query.cursor is not None and asked.query.cursor.backwards
    return versions.is_kept(asked.view) and not backwards and not validators.asked(request)


async def _stamped(context: Context, request: Request, asked: ItemsRequest) -> Response:
    """A page in one statement less: the stamp of the layer and its rows are of the same snapshot."""
    statement = select.items(asked.view, _first(asked), stamped=True)
    found = await context.database.run(statement)
    if not found:  # no row brought the stamp, so it is read, and then once more whether there are rows
        stamp = await validators.stamp(context, asked.view)
        found = await context.database.run(statement)
    else:
        stamp = found[0][-1]
    known = validators.headers(request, asked.view, stamp, media.GEOJSON)
    return await _geojson(context, request, asked, [row[:-1] for row in found], known)


def _first(asked: ItemsRequest) -> ItemsQuery:
    """The first rows of a page and one more, which tells whether it goes on."""
    return replace(asked.query, limit=_step(asked) + 1)


def _step(asked: ItemsRequest) -> int:
    return min(asked.query.limit, BATCH if asked.view.geometry_type == "Point" else FIRST)


async def _geojson(
    context: Context, request: Request, asked: ItemsRequest, rows: Sequence[Row], known: Headers
) -> Response:
    view, page, step = asked.view, asked.query.limit, _step(asked)
    if len(rows) > step and page > step:
        if not _fits(rows, page):
            return _streamed(context, request, asked, rows, known)
        rest = replace(asked.query, cursor=paging.at(rows[-1]), offset=0, limit=page - step)
        rows = [*rows, *await context.database.run(select.items(view, rest))]
    return _whole(request, asked, rows, known)


def _fits(rows: Sequence[Row], page: int) -> bool:
    """Whether a page may be held at once, if its features weigh what these do."""
    return page <= BATCH and sum(len(row[1]) for row in rows) / len(rows) * page <= WHOLE_BYTES


def _whole(request: Request, asked: ItemsRequest, rows: Sequence[Row], known: Headers) -> Response:
    shown = rows[: asked.query.limit]
    more, within = paging.goes_on(asked, len(rows) > len(shown)), paging.begins_within(asked)
    links = _page_links(request, asked, shown[0] if shown else None, shown[-1] if shown and more else None)
    matched = None if more or within else len(shown)
    features = geojson.body([row[1] for row in shown])
    body = geojson.HEAD + features + geojson.tail(len(shown), matched, links)
    if not known:  # a table without versions: of what the page says, apart from its time stamp
        known = (("etag", "W/" + etag_of(features + orjson.dumps([links, matched]))),)
    headers = (*_headers(request, asked.query.form.crs), *known, *paging.header(links))
    counted = () if matched is None else (("ogc-numbermatched", str(matched)),)
    return Response(200, (*headers, *counted), body, keys=tuple(row[0] for row in shown))


def _headers(request: Request, crs: Crs) -> Headers:
    return (
        ("content-type", media.GEOJSON),
        ("content-crs", f"<{crs.uri}>"),
        ("content-language", request.lang),
    )


def _page_links(
    request: Request, asked: ItemsRequest, first: Row | None, last: Row | None
) -> Sequence[Mapping[str, object]]:
    begin = first if paging.begins_within(asked) else None
    return paging.links(request, asked, begin, last, media.GEOJSON)


def _streamed(
    context: Context, request: Request, asked: ItemsRequest, first: Sequence[Row], known: Headers
) -> Response:
    headers = (*_headers(request, asked.query.form.crs), *known)
    return Response(200, headers, chunks=_chunks(context, request, asked, first))


async def _chunks(
    context: Context, request: Request, asked: ItemsRequest, rows: Sequence[Row]
) -> AsyncIterator[bytes]:
    """The page in batches, the next of them read while one is sent; flat in memory, bounded in bytes."""
    view, query, shown = asked.view, asked.query, [row[1] for row in rows[:-1]]
    held = Batch(len(shown), sum(map(len, shown)), paging.at(rows[-2]), lines=shown)
    sent = weight = 0
    fetch = walk.lines(context.database, view, bulk.json_line)
    async with aclosing(walk.walk(fetch, view, query, BATCH, query.limit, held)) as batches:
        async for batch in batches:
            yield (b"," if sent else geojson.HEAD) + geojson.body(batch.lines)
            sent, weight, last = sent + batch.count, weight + batch.weight, batch.last
            if weight >= context.settings.limits.page_bytes:
                break
    beyond = select.keys(view, replace(query, cursor=last, offset=0, limit=1))
    more = paging.goes_on(asked, bool(await context.database.run(beyond)))
    matched = None if more or paging.begins_within(asked) else sent
    end = (last.key, b"", *last.values) if more else None
    yield geojson.tail(sent, matched, _page_links(request, asked, rows[0], end))


async def item(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One feature by its id."""
    view = await context.own_view(request, taken[0])
    if wants_html(request.parameters, request.header("accept")):
        return await html_routes.item(context, request, view, taken[1])
    view, form = parse_item(view, request.parameters, (await context.terms()).systems)
    await releases.check(context, request, view)
    tag = await editing.tag(context, request, view, taken[1])
    if validators.named(request):
        known = _validators(request, view, tag, await validators.stamp(context, view))
        if (same := validators.unchanged(request, known)) is not None:
            return same
    identity = feature_id(view, taken[1])
    rows = [] if identity is None else await context.database.run(select.item(view, identity, form))
    if not rows:
        raise refusal(NotFound, "web.no-feature", layer=view.id, id=taken[1][:200])
    links = documents.item_links(view, taken[1], request.parameters, request.links, request.lang)
    key, feature, told, *stamp = rows[0]
    body = geojson.feature(feature, links)
    known = _validators(request, view, tag, "".join(stamp))
    if (same := validators.unchanged(request, known)) is not None:
        return same
    return Response(200, (*_headers(request, form.crs), *known), body, keys=(key,) if told else ())


def _validators(request: Request, view: ViewedLayer, tag: str | None, stamp: str) -> Headers:
    """The tag of the feature for who may edit it, and that of the layer for all others."""
    if tag is not None:
        return (("etag", tag),)
    return validators.headers(request, view, stamp, media.GEOJSON, weak=False)


def routes() -> list[Route]:
    return [
        route("collections", "/collections", collections),
        route("collection", "/collections/{}", collection, parameters=releases.PARAMETERS),
        *schema_routes.routes(),
    ]
