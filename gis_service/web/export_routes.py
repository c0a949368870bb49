"""Features in every format: pages of them, and all that a query matches as one stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from gis_service import links as media
from gis_service.db import bulk, select
from gis_service.db.pool import Database, Row
from gis_service.exchange.bulk import Bulk
from gis_service.features import formats, provenance
from gis_service.features.bulk_text import TEXTS, TextFormat
from gis_service.features.documents import Stats
from gis_service.features.formats import EXPORTS, Format
from gis_service.features.query import ItemsRequest, parse_items
from gis_service.features.refusal import refuse
from gis_service.web import negotiate, paging, releases, small_file, validators, walk
from gis_service.web.context import Context
from gis_service.web.encoder import Spool
from gis_service.web.message import Headers, Request, Response
from gis_service.web.router import Route, route
from gis_service.web.walk import Batch

PAGE_BYTES = (
    8_000_000  # of a page at most: its neighbours stand in its headers, so it's whole before it's sent
)
_FOLDER = "exports"
_NO_PAGING = ("limit", "offset", "after")

Batches = AsyncGenerator[Batch, None]
Chunks = AsyncGenerator[bytes, None]


async def export(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """All features that match, as one file."""
    view = await context.current_view(request, taken[0])
    form = negotiate.chosen(request.parameters, request.header("accept"), EXPORTS)
    for name in _NO_PAGING:
        if name in request.parameters:
            raise refuse("export.no-paging", name=name)
    asked = parse_items(view, request.parameters, await context.terms())
    await releases.check(context, request, asked.view)
    stamp = await validators.stamp(context, asked.view)
    known = validators.headers(request, asked.view, stamp, form.media)
    if (same := validators.unchanged(request, known)) is not None:
        return same
    stats = (await context.stats.of([asked.view])).get(view.id)
    matched = _counted(asked, stats)
    headers = (*_headers(request, asked, stats, form), *known, *_number("ogc-numbermatched", matched))
    return Response(200, headers, chunks=_exported(context, request, asked, stats, form))


def _exported(
    context: Context, request: Request, asked: ItemsRequest, stats: Stats | None, form: Format
) -> Chunks:
    told = provenance.provenance(asked.view, stats, request.links, request.lang)
    if form in TEXTS:
        return _text(context.export_database, asked, TEXTS[form], told)
    batches = _records(context.export_database, asked)
    return _encoded(context, _bulk(request, asked, told), batches, form)


def _encoded(context: Context, told: Bulk, batches: Batches, form: Format) -> Chunks:
    if form is formats.FGB:
        return small_file.flatgeobuf(told, batches, context.encoders)
    if form is formats.PARQUET:
        return context.encoders.stream(form.name, told, batches)
    limits = context.settings.limits
    spool = Spool(context.settings.data_dir / _FOLDER, limits.export_bytes, limits.export_seconds)
    return context.encoders.spooled(form.name, told, batches, spool)


async def _text(
    database: Database, asked: ItemsRequest, text: TextFormat, told: Mapping[str, object]
) -> Chunks:
    view, query, sent = asked.view, asked.query, 0
    yield text.head(view, query.form, told)
    fetch = walk.lines(database, view, text.line)
    async with aclosing(walk.walk(fetch, view, query, walk.LINES)) as batches:
        async for batch in batches:
            yield text.batch(batch.lines, first=not sent)
            sent += batch.count
    yield text.tail({"numberMatched": sent, "numberReturned": sent})


def _records(database: Database, asked: ItemsRequest, total: int | None = None) -> Batches:
    return walk.walk(walk.records(database, asked.view), asked.view, asked.query, walk.RECORDS, total)


def _bulk(request: Request, asked: ItemsRequest, told: Mapping[str, object]) -> Bulk:
    view, form = asked.view, asked.query.form
    return Bulk(
        name=view.id,
        title=view.title.say(request.lang),
        description=view.description.say(request.lang),
        fields=bulk.fields(view, form, request.lang),
        geometry_type=view.geometry_type if form.geometry else None,
        srid=form.crs.srid,
        metadata=told,
    )


async def respond_page(context: Context, request: Request, asked: ItemsRequest, form: Format) -> Response:
    """A page in any format but GeoJSON and HTML; its neighbours stand in `Link` headers (row Q12)."""
    stats = (await context.stats.of([asked.view.standing])).get(asked.view.id)
    held = await _page(context, asked, form)
    first, last = await _ends(context, asked, held)
    links = paging.links(request, asked, first, last, form.media)
    returned = sum(batch.count for batch in held)
    alone = last is None and not paging.begins_within(asked)
    matched = returned if alone else _counted(asked, stats)
    numbers = {"numberReturned": returned} | ({} if matched is None else {"numberMatched": matched})
    told = provenance.provenance(asked.view, stats, request.links, request.lang)
    if form in TEXTS:
        chunks = _page_text(asked, TEXTS[form], told, held, {**numbers, "links": links})
    else:
        chunks = _page_file(context, _bulk(request, asked, told), held, form)
    headers = (
        *_headers(request, asked, stats, form),
        *paging.header(links),
        *_number("ogc-numberreturned", returned),
        *_number("ogc-numbermatched", matched),
    )
    return Response(200, headers, chunks=chunks)


async def _page(context: Context, asked: ItemsRequest, form: Format) -> Sequence[Batch]:
    """The batches of a page, which ends early where it grows too heavy."""
    query, view = asked.query, asked.view
    if form in TEXTS:
        fetch = walk.lines(context.database, view, TEXTS[form].line)
        batches = walk.walk(fetch, view, query, walk.LINES, query.limit)
    else:
        batches = _records(context.database, asked, query.limit)
    held: list[Batch] = []
    most = min(PAGE_BYTES, context.settings.limits.page_bytes)
    async with aclosing(batches):
        async for batch in batches:
            held.append(batch)
            if sum(each.weight for each in held) >= most:
                break
    return held


async def _ends(
    context: Context, asked: ItemsRequest, held: Sequence[Batch]
) -> tuple[Row | None, Row | None]:
    """The rows that `prev` and `next` begin at, where there are pages beside this one."""
    view, query = asked.view, asked.query
    first = last = None
    if held and paging.begins_within(asked):
        found = await context.database.run(select.keys(view, replace(query, limit=1)))
        first = _row(found[0]) if found else None
    if held:
        following = replace(query, cursor=held[-1].last, offset=0, among=None, limit=1)
        if paging.goes_on(asked, bool(await context.database.run(select.keys(view, following)))):
            last = _row((held[-1].last.key, *held[-1].last.values))
    return first, last


def _row(key: Row) -> Row:
    """(key, *sort values) as a row of a page, whose second column is the feature."""
    return (key[0], b"", *key[1:])


async def _page_text(
    asked: ItemsRequest,
    text: TextFormat,
    told: Mapping[str, object],
    held: Sequence[Batch],
    closing: Mapping[str, object],
) -> Chunks:
    yield text.head(asked.view, asked.query.form, told)
    for number, batch in enumerate(held):
        yield text.batch(batch.lines, first=not number)
    yield text.tail(closing)


async def _page_file(context: Context, told: Bulk, held: Sequence[Batch], form: Format) -> Chunks:
    async with aclosing(_encoded(context, told, _again(held), form)) as pieces:
        async for piece in pieces:
            yield piece


async def _again(held: Sequence[Batch]) -> Batches:
    for batch in held:
        yield batch


def _counted(asked: ItemsRequest, stats: Stats | None) -> int | None:
    """How many match, where that is known without counting: of a layer asked for whole (row C4)."""
    known = asked.query.whole_layer and not asked.view.draft_keys
    return stats.count if stats is not None and known else None


def _headers(request: Request, asked: ItemsRequest, stats: Stats | None, form: Format) -> Headers:
    view = asked.view
    collection = request.links.collection(view.id)
    return (
        ("content-type", form.content_type),
        ("content-crs", f"<{asked.query.form.crs.uri}>"),
        ("content-language", request.lang),
        ("content-disposition", f'attachment; filename="{view.id}.{form.extension}"'),
        ("link", f'<{collection}>; rel="collection"; type="{media.JSON}"'),
        *provenance.header(view, stats),
    )


def _number(name: str, value: int | None) -> Headers:
    return () if value is None else ((name, str(value)),)


def routes() -> list[Route]:
    return [route("export", "/collections/{}/export", export, parameters=None)]
