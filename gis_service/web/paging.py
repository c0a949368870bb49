"""Where a page begins and which pages lie beside it, for every form of answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gis_service.db import select
from gis_service.db.paging import Cursor
from gis_service.db.pool import Row
from gis_service.features import documents
from gis_service.features.query import ItemsRequest
from gis_service.web.context import Context
from gis_service.web.message import Request

HeaderLinks = tuple[tuple[str, str], ...]


async def forwards(context: Context, asked: ItemsRequest) -> ItemsRequest:
    """The same page read forwards: a `prev` token says where the page ends, so its rows are looked up.

    The page holds these rows alone, however many they are: those that others add or take away between the
    two statements would push its end over rows that the walk has seen already, or off rows that it hasn't.
    """
    query = asked.query
    if query.cursor is None or not query.cursor.backwards:
        return asked
    found = await context.database.run(select.keys(asked.view, replace(query, limit=query.limit + 1)))
    begins = Cursor(tuple(found[-1][1:]), found[-1][0]) if len(found) > query.limit else None
    settled = tuple(row[0] for row in found[: query.limit])
    return replace(asked, query=replace(query, cursor=begins, among=settled))


def at(row: Row, backwards: bool = False) -> Cursor:
    """The cursor of a row (key, feature, *sort values)."""
    return Cursor(tuple(row[2:]), row[0], backwards)


def links(
    request: Request, asked: ItemsRequest, first: Row | None, last: Row | None, media: str
) -> Sequence[Mapping[str, object]]:
    """The links of a page between two rows: `prev` before the first, `next` after the last, where given.

    From a page that lies before all that is left now, `next` leads to the beginning.
    """
    before = None if first is None else asked.page_parameters(at(first, backwards=True))
    after = None if last is None else asked.page_parameters(at(last))
    if asked.query.among == ():
        after = dict(asked.parameters)
    return documents.items_links(
        asked.view, request.parameters, before, after, media, request.links, request.lang
    )


def begins_within(asked: ItemsRequest) -> bool:
    """Whether rows lie before the page."""
    return asked.query.cursor is not None or asked.query.offset > 0


def goes_on(asked: ItemsRequest, more: bool) -> bool:
    """Whether rows lie behind those shown: more were read, or the page was asked for from behind it."""
    return more or asked.query.among is not None


def header(made: Sequence[Mapping[str, object]]) -> HeaderLinks:
    """The neighbouring pages for clients that read headers (row Q12)."""
    beside = [link for link in made if link["rel"] in ("next", "prev")]
    return tuple(("link", f'<{link["href"]}>; rel="{link["rel"]}"; type="{link["type"]}"') for link in beside)
