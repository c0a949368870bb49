"""Collections, queryables, schema, items and one item."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import orjson

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.db import select
from gis_service.db.pool import Row
from gis_service.db.query import Query
from gis_service.errors import NotFound
from gis_service.features import documents, geojson, schemas
from gis_service.features.query import ItemsRequest, feature_id, parse_item, parse_items
from gis_service.features.refusal import refusal
from gis_service.geo.crs import CRS84
from gis_service.web import pages, render
from gis_service.web.context import Context
from gis_service.web.finish import etag_of
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html
from gis_service.web.router import Route, route

BATCH = 1000  # features held in memory at once; a longer page leaves in chunks
BATCH_BYTES = 8_000_000  # of their text: a thousand shores weigh 300 MB
FIRST = 50  # shapes read before it's known what they weigh
FOR_PEOPLE = 100  # features of a page of HTML
_LATEST = "select coalesce(max(release), 0) from gis.release"
_GEOJSON_HEADERS = (("content-type", media.GEOJSON), ("content-crs", f"<{CRS84}>"))


async def collections(context: Context, request: Request, _: Sequence[str]) -> Response:
    views = await context.current_views(request)
    stats = await context.stats.of(views.values())
    made = documents.collections(views.values(), stats, request.links, request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.collections(frame, made))


async def collection(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view = await context.current_view(request, taken[0])
    made = documents.collection(
        view, (await context.stats.of([view])).get(view.id), request.links, request.lang
    )
    schema = schemas.schema(view, request.links, request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.collection(frame, made, schema))


async def queryables(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view = context.view(request, taken[0])
    made = schemas.queryables(view, request.links, request.lang)
    return render.document(
        request, made, media.SCHEMA, lambda frame: pages.document(frame, made, str(made["title"]))
    )


async def schema(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view = context.view(request, taken[0])
    made = schemas.schema(view, request.links, request.lang)
    return render.document(
        request, made, media.SCHEMA, lambda frame: pages.document(frame, made, str(made["title"]))
    )


async def items(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A page of features."""
    view = await context.current_view(request, taken[0])
    asked = parse_items(view, request.parameters, context.settings.limits)
    view = await _at_release(context, view, asked.release)
    if wants_html(request.parameters, request.header("accept")):
        return await _items_page(context, request, view, asked)
    page = asked.query.limit
    step = min(page, BATCH if view.geometry_type == "Point" else FIRST)
    rows = await context.database.run(select.items(view, replace(asked.query, limit=step + 1)))
    if len(rows) > step and page > step:
        if _step(rows, page) < page:
            return _streamed(context, request, view, asked, rows)
        rest = replace(asked.query, after=rows[-1][0], offset=0, limit=page - step)
        rows = [*rows, *await context.database.run(select.items(view, rest))]
    return _whole(request, view, asked, rows)


def _step(rows: Sequence[Row], left: int) -> int:
    """How many more features may be held at once, if they weigh what these do."""
    weight = sum(len(row[1]) for row in rows) // len(rows) + 1
    return min(left, BATCH, max(1, BATCH_BYTES // weight))


def _whole(request: Request, view: ViewedLayer, asked: ItemsRequest, rows: Sequence[Row]) -> Response:
    shown = rows[: asked.query.limit]
    alone = len(rows) == len(shown) and asked.query.after is None and asked.query.offset == 0
    links = _page_links(request, view, asked, shown[-1][0] if len(rows) > len(shown) else None)
    features = geojson.body([row[1] for row in shown])
    tail = geojson.tail(len(shown), len(shown) if alone else None, links)
    body = geojson.HEAD + features + tail
    # Of what the page says, apart from its time stamp: a counter of edits would tell of rows that are hidden.
    tag = etag_of(features + orjson.dumps([links, alone]))
    headers = (*_GEOJSON_HEADERS, ("etag", "W/" + tag), ("content-language", request.lang))
    matched = (("ogc-numbermatched", str(len(shown))),) if alone else ()
    return Response(200, (*headers, *_link_header(links), *matched), body)


async def _items_page(context: Context, request: Request, view: ViewedLayer, asked: ItemsRequest) -> Response:
    """A table for people; its map asks for the geometries itself, so they aren't decoded here."""
    page = min(asked.query.limit, FOR_PEOPLE)
    rows = await context.database.run(select.items(view, replace(asked.query, limit=page + 1)))
    shown = rows[:page]
    alone = len(rows) == len(shown) and asked.query.after is None and asked.query.offset == 0
    links = _page_links(request, view, asked, shown[-1][0] if len(rows) > len(shown) else None)
    features = geojson.body([geojson.without_geometry(row[1]) for row in shown])
    body = geojson.HEAD + features + geojson.tail(len(shown), len(shown) if alone else None, links)
    made = documents.collection(view, None, request.links, request.lang)
    schema = schemas.schema(view, request.links, request.lang)
    return render.html(request, pages.items(render.frame(request), orjson.loads(body), made, schema))


def _streamed(
    context: Context, request: Request, view: ViewedLayer, asked: ItemsRequest, first: Sequence[Row]
) -> Response:
    headers = (*_GEOJSON_HEADERS, ("content-language", request.lang))
    return Response(200, headers, chunks=_chunks(context, request, view, asked, first))


async def _chunks(
    context: Context, request: Request, view: ViewedLayer, asked: ItemsRequest, first: Sequence[Row]
) -> AsyncIterator[bytes]:
    """The page in batches, each found by the last key of the one before; flat in memory, bounded in bytes."""
    rows, sent, last, step, weight = first, 0, None, len(first) - 1, 0
    yield geojson.HEAD
    while rows:
        shown = rows[:step]
        last, more = shown[-1][0], len(rows) > step
        batch = geojson.body([row[1] for row in shown])
        yield (b"," if sent else b"") + batch
        sent += len(shown)
        weight += len(batch)
        if not more or sent >= asked.query.limit or weight >= context.settings.limits.page_bytes:
            break
        step = _step(rows, asked.query.limit - sent)
        following = replace(asked.query, after=last, offset=0, limit=step + 1)
        rows = await context.database.run(select.items(view, following))
    else:
        more = False
    alone = not more and asked.query.after is None and asked.query.offset == 0
    yield geojson.tail(
        sent, sent if alone else None, _page_links(request, view, asked, last if more else None)
    )


def _page_links(
    request: Request, view: ViewedLayer, asked: ItemsRequest, last: int | None
) -> Sequence[Mapping[str, object]]:
    following = None if last is None else asked.next_parameters(last)
    return documents.items_links(view, request.parameters, following, request.links, request.lang)


def _link_header(links: Sequence[Mapping[str, object]]) -> tuple[tuple[str, str], ...]:
    """The next page for clients that read headers (row Q12)."""
    following = [link for link in links if link["rel"] == "next"]
    return tuple(("link", f'<{link["href"]}>; rel="next"; type="{link["type"]}"') for link in following)


async def item(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One feature by its id."""
    view = await context.current_view(request, taken[0])
    view = await _at_release(context, view, parse_item(view, request.parameters))
    identity = feature_id(view, taken[1])
    rows = [] if identity is None else await context.database.run(select.item(view, identity))
    if not rows:
        raise refusal(NotFound, "web.no-feature", layer=view.id, id=taken[1][:200])
    links = documents.item_links(view, taken[1], request.parameters, request.links, request.lang)
    body = geojson.feature(rows[0][1], links)
    if wants_html(request.parameters, request.header("accept")):
        made = documents.collection(view, None, request.links, request.lang)
        schema = schemas.schema(view, request.links, request.lang)
        return render.html(request, pages.item(render.frame(request), orjson.loads(body), made, schema))
    return Response(200, (*_GEOJSON_HEADERS, ("content-language", request.lang)), body)


async def _at_release(context: Context, view: ViewedLayer, release: int | None) -> ViewedLayer:
    """The view as of a past release; NotFound for one that hasn't been opened."""
    if release is None:
        return view
    latest = (await context.database.run(Query(_LATEST, (), view.role)))[0][0]
    if release > latest:
        raise refusal(NotFound, "web.no-such-release", value=release)
    return view.at_release(release)


def routes() -> list[Route]:
    return [
        route("collections", "/collections", collections),
        route("collection", "/collections/{}", collection),
        route("queryables", "/collections/{}/queryables", queryables, kept=True),
        route("schema", "/collections/{}/schema", schema, kept=True),
        route("items", "/collections/{}/items", items, plain=False),
        route("item", "/collections/{}/items/{*}", item, plain=False),
    ]
