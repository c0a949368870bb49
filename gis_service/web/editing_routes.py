"""The features of a collection and one feature: read by all who see them, written by who may edit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gis_service.web import editing, feature_routes
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import READ, Route, route


async def items(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A page of features, or a new one."""
    if request.method != "POST":
        return await feature_routes.items(context, request, taken)
    made = await editing.create(context, request, taken)
    identity = (made.header("location") or "").rpartition("/items/")[2]
    return await _preferred(context, request, [taken[0], identity], made)


async def item(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One feature: read, replaced, updated or withdrawn."""
    if request.method == "DELETE":
        return await editing.remove(context, request, taken)
    if request.method in ("PUT", "PATCH"):
        return await _preferred(context, request, taken, await editing.change(context, request, taken))
    return await feature_routes.item(context, request, taken)


async def _preferred(context: Context, request: Request, taken: Sequence[str], made: Response) -> Response:
    """The answer with the feature in it for who prefers that."""
    if not editing.wants_representation(request):
        return made
    shown = await feature_routes.item(context, editing.seen(request), taken)
    kept = tuple(pair for pair in shown.headers if pair[0] in ("content-type", "content-crs"))
    answer = made.with_headers(*kept, ("preference-applied", "return=representation"))
    return replace(answer, status=made.status if made.status == 201 else 200, body=shown.body)


def routes() -> list[Route]:
    return [
        route(
            "items",
            "/collections/{}/items",
            items,
            (*READ, *editing.OF_ITEMS),
            parameters=None,
            allowed=editing.allowed_items,
        ),
        route(
            "item",
            "/collections/{}/items/{*}",
            item,
            (*READ, *editing.OF_ITEM),
            parameters=None,
            allowed=editing.allowed_item,
        ),
    ]
