"""Tilesets of collections and of the dataset, the grids that they stand on, and TileJSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gis_service import links as media
from gis_service.catalog.view import ViewedLayer
from gis_service.features import documents
from gis_service.features.documents import Stats
from gis_service.geo import grid as geo_grid
from gis_service.geo.bbox import BBox
from gis_service.geo.grid import Grid
from gis_service.texts import say
from gis_service.tiles import address, grids
from gis_service.tiles.grids import Tileset
from gis_service.tiles.tilejson import tilejson as tilejson_document
from gis_service.web import pages, raster_routes, releases, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route
from gis_service.web.tile_grids import Limits

COLLECTIONS = "collections"
_OF_DATASET = (*releases.PARAMETERS, COLLECTIONS)


async def tilejson(context: Context, request: Request, taken: Sequence[str]) -> Response:
    if (raster := raster_routes.seen(context, request, taken[0])) is not None:
        return await raster_routes.tilejson(context, request, raster)
    ids = address.layer_ids(taken[0])
    views = [await releases.viewed(context, request, name, request.parameters) for name in ids]
    stats = await context.stats.of(views)
    boxes = [stats[view.id].bbox if view.id in stats else None for view in views]
    credit = [documents.attribution(view, stats.get(view.id), request.lang) for view in views]
    return render.json(request, tilejson_document(views, boxes, credit, request.links, request.lang))


async def tilesets(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view = await releases.viewed(context, request, taken[0], request.parameters)
    found = [Tileset(on, [view], query=view.past) for on in await context.grids.every()]
    return await _listed(context, request, found, request.links.tilesets(view.id, view.past))


async def tileset(context: Context, request: Request, taken: Sequence[str]) -> Response:
    on = await context.grids.named(taken[1])
    view = await releases.viewed(context, request, taken[0], request.parameters)
    return await _described(context, request, Tileset(on, [view], query=view.past))


async def dataset_tilesets(context: Context, request: Request, _: Sequence[str]) -> Response:
    found = [await _of_dataset(context, request, on) for on in await context.grids.every()]
    return await _listed(context, request, found, request.links.dataset_tilesets())


async def dataset_tileset(context: Context, request: Request, taken: Sequence[str]) -> Response:
    on = await context.grids.named(taken[0])
    return await _described(context, request, await _of_dataset(context, request, on))


async def _of_dataset(context: Context, request: Request, on: Grid) -> Tileset:
    epoch = await context.access.epoch()
    views = await dataset_views(context, request, lambda asked, name: context.view_at(asked, name, epoch))
    query = {name: request.parameters[name] for name in _OF_DATASET[-2:] if name in request.parameters}
    return Tileset(on, views, of_dataset=True, query=query)


async def dataset_views(
    context: Context, request: Request, view_of: Callable[[Request, str], ViewedLayer]
) -> list[ViewedLayer]:
    """The layers that `collections` names, by ids or addresses; else all, as many as a tile may have.

    Those that have no past are shown as they are where all are asked for.
    """
    given, begins = request.parameters.get(COLLECTIONS), request.links.collections() + "/"
    if given is not None:
        ids = address.layer_ids(",".join(each.removeprefix(begins) for each in given.split(",")))
        if "release" in request.parameters:
            return [await releases.viewed(context, request, name, request.parameters) for name in ids]
        return [view_of(request, name) for name in ids]
    names = list(context.views(request))[: address.MAX_LAYERS]
    views = [view_of(request, name) for name in names]
    release = await releases.asked(context, request, views)
    if release is None:
        return views
    return [view.at_release(release) if view.layer.managed else view for view in views]


async def _listed(context: Context, request: Request, found: Sequence[Tileset], at: str) -> Response:
    """The tilesets that hold something: of grids that show the layers at all, and lie where they are."""
    shown = []
    for each in found:
        limits, _ = await _limits(context, each)
        if any(matrix.id in limits for matrix in each.matrices()):
            shown.append(each)
    made = grids.tileset_list(shown, at, request.links, request.lang)
    heading = found[0].title(request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def _described(context: Context, request: Request, of: Tileset) -> Response:
    limits, box = await _limits(context, of)
    bounds = None if box is None else box.as_tuple()
    made = grids.tileset(of, bounds, limits, request.links, request.lang)
    heading = of.title(request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def _limits(context: Context, of: Tileset) -> tuple[Limits, BBox | None]:
    """Where what the caller sees lies in each matrix, of all layers together, and in degrees."""
    stats = await context.stats.of(of.views)
    boxes = [box_of(stats.get(view.id)) for view in of.views]
    each = [await context.grids.limits(of.on, box) for box in boxes]
    found = {m.id: geo_grid.joined(limits.get(m.id) for limits in each) for m in of.on.matrices}
    known = [box for box in boxes if box is not None]
    around = geo_grid.around(known) if known else None
    return {name: at for name, at in found.items() if at is not None}, around


def box_of(stats: Stats | None) -> BBox | None:
    """Where the rows are that the caller sees; None where there are none, or too many to look."""
    return None if stats is None or stats.bbox is None else BBox(*stats.bbox)


async def grid_list(context: Context, request: Request, _: Sequence[str]) -> Response:
    made = grids.grid_list(await context.grids.every(), request.links, request.lang)
    heading = say("web.grids", request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def grid(context: Context, request: Request, taken: Sequence[str]) -> Response:
    on = await context.grids.named(taken[0])
    made, heading = grids.grid(on, request.lang), grids.grid_title(on, request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


def routes() -> list[Route]:
    return [
        route("tileset", "/collections/{}/tiles/{}", tileset, parameters=releases.PARAMETERS),
        route("tilesets", "/collections/{}/tiles", tilesets, parameters=releases.PARAMETERS),
        route("dataset-tileset", "/tiles/{}", dataset_tileset, parameters=_OF_DATASET),
        route("dataset-tilesets", "/tiles", dataset_tilesets, parameters=_OF_DATASET),
        route("tilejson", "/xyz/{}/tilejson.json", tilejson, parameters=releases.PARAMETERS),
        route("grids", "/tileMatrixSets", grid_list),
        route("grid", "/tileMatrixSets/{}", grid),
    ]
