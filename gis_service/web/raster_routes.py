"""Raster layers: collection, map tiles on every grid, TileJSON, style, legend, and values at a place."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gis_service import __version__
from gis_service import links as media
from gis_service.access.policy import raster_view, visible_rasters
from gis_service.catalog.raster import ViewedRaster
from gis_service.errors import GisError, InvalidParameter, NotAcceptable, NotFound
from gis_service.features.refusal import refusal, refuse
from gis_service.geo import tiles as mercator
from gis_service.geo.bbox import BBox
from gis_service.geo.grid import GridTile
from gis_service.processes.raster_questions import Place
from gis_service.tiles import address, grids, legend
from gis_service.tiles import raster_documents as documents
from gis_service.tiles.raster_documents import FORMS, LEGENDS
from gis_service.web import finish, negotiate, pages, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.raster_pool import RasterUnreadable
from gis_service.web.router import PLAIN, Route, route

CACHING: Final = "public, max-age=60, must-revalidate"
_POINT: Final = re.compile(r"POINT\s*\(\s*(\S{1,40})\s+(\S{1,40}?)\s*\)", re.IGNORECASE).fullmatch
_FILE: Final = re.compile(r"([0-9]{1,10})\.([a-z]{3,4})").fullmatch


def seen(context: Context, request: Request, name: str) -> ViewedRaster | None:
    """The raster of that name as the caller sees it; None where there is none for it."""
    layer = context.catalog.rasters.get(name)
    try:
        return None if layer is None else raster_view(request.principal, layer)
    except NotFound:
        return None


def _viewed(context: Context, request: Request, name: str) -> ViewedRaster:
    """NotFound alike for what isn't there and what the caller may not know of."""
    found = seen(context, request, name)
    if found is None:
        raise refusal(NotFound, "web.no-collection", id=name[:100])
    return found


async def _described(context: Context, view: ViewedRaster) -> Mapping[str, Any]:
    return await context.rasters.described(view, view.layer.path(context.settings.data_dir))


async def _described_if_readable(context: Context, view: ViewedRaster) -> Mapping[str, Any] | None:
    """None where the file can't be read or nobody has time: the list of all layers comes nonetheless."""
    try:
        return await _described(context, view)
    except GisError as err:
        if err.status != RasterUnreadable.status:
            raise
        return None


async def listed(context: Context, request: Request) -> list[dict[str, object]]:
    """All raster collections that the caller may know of."""
    views = visible_rasters(request.principal, context.catalog.rasters.values()).values()
    return [
        documents.collection(each, await _described_if_readable(context, each), request.links, request.lang)
        for each in views
    ]


def undescribed(context: Context, request: Request) -> list[dict[str, object]]:
    """The same without a look into any file."""
    views = visible_rasters(request.principal, context.catalog.rasters.values()).values()
    return [documents.collection(each, None, request.links, request.lang) for each in views]


async def collection(context: Context, request: Request, view: ViewedRaster) -> Response:
    """One raster collection."""
    _check_present(request)
    found = await _described_if_readable(context, view)
    made = documents.collection(view, found, request.links, request.lang)
    picture = None if found is None else _overview(request, view, found)
    return render.document(request, made, media.JSON, lambda frame: pages.raster(frame, made, picture))


def _check_present(request: Request) -> None:
    """Rasters have no past."""
    if "release" in request.parameters:
        raise refuse("web.unknown-parameter", name="release")


def _overview(request: Request, view: ViewedRaster, found: Mapping[str, Any]) -> str:
    """The deepest tile that shows all of the raster."""
    first, last = documents.zooms(view.layer, found)
    for zoom in range(last, first, -1):
        x0, y0, x1, y1 = mercator.covering(BBox(*found["bbox"]), zoom)
        if (x0, y0) == (x1, y1):
            return request.links.map_xyz(view.id, "png", f"{zoom}/{x0}/{y0}")
    x0, y0, *_rest = mercator.covering(BBox(*found["bbox"]), first)
    return request.links.map_xyz(view.id, "png", f"{first}/{x0}/{y0}")


async def tilesets(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view = _viewed(context, request, taken[0])
    box = BBox(*(await _described(context, view))["bbox"])
    every = [each for each in await context.grids.every() if await context.grids.limits(each, box)]
    made = documents.tileset_list(view, every, request.links, request.lang)
    heading = view.layer.title.say(request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def tileset(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view, on = _viewed(context, request, taken[0]), await context.grids.named(taken[1])
    found = await _described(context, view)
    limits = await context.grids.limits(on, BBox(*found["bbox"]))
    made = documents.tileset(view, on, found, limits, request.links, request.lang)
    heading = view.layer.title.say(request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A tile in the order of OGC API Tiles; 404 outside the limits of the tileset (row C8)."""
    name, grid, matrix, row, column = taken
    view, on = _viewed(context, request, name), await context.grids.named(grid)
    number = _FILE(column)
    form = _form(request, number[2] if number else None)
    try:
        asked = address.grid_tile(on, matrix, row, number[1] if number else column)
    except NotFound as err:
        raise refusal(NotFound, "web.no-tile", reason=err.detail[:200]) from err
    _, last = documents.zooms(view.layer, await _described(context, view))
    if asked.level > last or not await _reached(context, view, asked):
        raise refusal(NotFound, "tiles.outside", matrix=matrix[:100])
    return await _drawn(context, request, view, asked, form)


async def xyz_tile(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A tile of WebMercatorQuad in the order of slippy maps; 204 where the raster isn't (row M4).

    Unless the layer says where it ends, cells grow beyond the zoom that TileJSON tells: QGIS doesn't know it.
    """
    name, z, x, file = taken
    number = _FILE(file)
    if number is None or number[2] not in FORMS:
        raise refusal(NotFound, "web.no-page")
    view = _viewed(context, request, name)
    try:
        address.tile(z, x, number[1])
        asked = address.grid_tile(await context.grids.named(grids.GRID), str(int(z)), number[1], x)
    except NotFound as err:
        raise refusal(NotFound, "web.no-tile", reason=err.detail[:200]) from err
    last = view.layer.zoom[1] if view.layer.zoom else mercator.MAX_ZOOM
    if asked.level > last or not await _reached(context, view, asked):
        return Response(204, (("cache-control", CACHING),))
    return await _drawn(context, request, view, asked, number[2])


async def _reached(context: Context, view: ViewedRaster, asked: GridTile) -> bool:
    """Whether the raster has a picture there, which is known without drawing any."""
    found = await _described(context, view)
    if asked.level < documents.zooms(view.layer, found)[0]:
        return False
    limits = await context.grids.limits(asked.grid, BBox(*found["bbox"]))
    at = limits.get(asked.matrix.id)
    return at is not None and at[0] <= asked.column <= at[2] and at[1] <= asked.row <= at[3]


def _form(request: Request, ending: str | None) -> str:
    """png or webp, by the address, `f`, or Accept."""
    known = ", ".join(FORMS)
    asked = ending or request.parameters.get("f")
    if asked is not None:
        found = next((form for form, kind in FORMS.items() if asked in (form, kind)), None)
        if found is None:
            raise refuse("export.unknown-format", value=asked[:100], known=known)
        return found
    weights = negotiate.preferences(request.header("accept") or "*/*")
    anything = max(weights.get("*/*", 0.0), weights.get("image/*", 0.0))
    liked = {form: weights.get(kind, anything) for form, kind in FORMS.items()}
    best = max(liked, key=lambda form: (liked[form], form == "png"))
    if liked[best] <= 0:
        raise NotAcceptable(", ".join(FORMS.values()))
    return best


async def _drawn(
    context: Context, request: Request, view: ViewedRaster, asked: GridTile, form: str
) -> Response:
    """The picture. The file and the layer make its tag, so that 304 costs no look into the file."""
    box = asked.box()
    place = Place(box.as_tuple(), asked.grid.crs.srid, asked.matrix.pixels, form)
    path = view.layer.path(context.settings.data_dir)
    question = context.rasters.question(view, path, place=place)
    told = "|".join(map(str, (__version__, view.layer.digest, question.stamp, *asked.key, form)))
    tag = f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'
    headers = (("cache-control", CACHING), ("content-type", FORMS[form]), ("etag", tag))
    if (held := finish.held(request.header("if-none-match") or "", tag)) is not None:
        return Response(304, (("cache-control", CACHING), ("etag", held)))
    return Response(200, headers, await context.rasters.picture(tag, question))


async def tilejson(context: Context, request: Request, view: ViewedRaster) -> Response:
    """TileJSON of pictures, at the address that layers of features have theirs at."""
    _check_present(request)
    found = await _described(context, view)
    return render.json(request, documents.tilejson(view, found, request.links, request.lang))


async def style(context: Context, request: Request, taken: Sequence[str]) -> Response:
    view = _viewed(context, request, taken[0])
    return render.json(request, documents.style(view, request.links, request.lang), media.STYLE)


async def legend_picture(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The legend in the reader's language; as PNG with two dots to a pixel."""
    view = _viewed(context, request, taken[0])
    file = request.path.rsplit("/", 1)[1]
    theme = request.parameters.get("theme", "light")
    if theme not in legend.THEMES:
        raise refusal(InvalidParameter, "web.theme", known=", ".join(legend.THEMES))
    drawing = documents.legend_svg(view, request.lang, theme)
    body = drawing.encode() if file.endswith(".svg") else await asyncio.to_thread(legend.png, drawing, 2)
    return Response(200, (("content-type", LEGENDS[file]), ("content-language", request.lang)), body)


async def position(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The value at a place, asked as OGC API Environmental Data Retrieval asks."""
    view, at = _viewed(context, request, taken[0]), _place(request.parameters.get("coords", ""))
    question = context.rasters.question(view, view.layer.path(context.settings.data_dir), at=at)
    said = (await context.rasters.ask(question)).said
    made = documents.value_at(view, at, said["value"], request.links, request.lang)
    heading = view.layer.title.say(request.lang)
    return render.document(request, made, media.GEOJSON, lambda frame: pages.document(frame, made, heading))


def _place(coords: str) -> tuple[float, float]:
    """Longitude and latitude of `POINT(108.2 16.1)`."""
    found = _POINT(coords.strip())
    try:
        lon, lat = (float(found[1]), float(found[2])) if found else (999.0, 999.0)
    except ValueError:
        lon, lat = 999.0, 999.0
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise refuse("raster.coords")
    return lon, lat


def routes() -> list[Route]:
    base, cell = "/collections/{}/map", "{}/{}/{}/{}"
    legends = [
        route(f"raster-{file}", f"{base}/{file}", legend_picture, parameters=(*PLAIN, "theme"))
        for file in LEGENDS
    ]
    return [
        route("map-tile", f"{base}/tiles/{cell}", tile),
        route("map-tileset", f"{base}/tiles/{{}}", tileset),
        route("map-tilesets", f"{base}/tiles", tilesets),
        route("map-style", f"{base}/style.json", style),
        *legends,
        route("position", "/collections/{}/position", position, parameters=(*PLAIN, "coords")),
        route("map-xyz-tile", f"/xyz/{cell}", xyz_tile),
    ]
