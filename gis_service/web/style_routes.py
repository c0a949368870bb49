"""The list of styles, each as a MapLibre style and a legend, and the icons and letters they draw with."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gis_service import links as media
from gis_service.errors import InvalidParameter, NotFound
from gis_service.features.refusal import refusal
from gis_service.texts import say
from gis_service.tiles import glyphs, legend, sprites, styles
from gis_service.tiles.fonts import fonts
from gis_service.web import pages, releases, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.router import PLAIN, Route, route

KEPT_A_WEEK: Final = "public, max-age=604800"
_RANGE: Final = re.compile(r"(\d{1,5})-(\d{1,5})\.pbf", re.ASCII).fullmatch
_SPRITE: Final = re.compile(re.escape(sprites.SHEET) + r"(@2x|@3x|)\.(json|png)").fullmatch
_THEMED: Final = (*releases.PARAMETERS, "theme")


async def style_list(context: Context, request: Request, _: Sequence[str]) -> Response:
    made = styles.style_list(context.catalog.styles, context.views(request).keys(), request.links)
    heading = say("web.styles", request.lang)
    return render.document(request, made, media.JSON, lambda frame: pages.document(frame, made, heading))


async def style(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A MapLibre style with absolute addresses (row V2)."""
    seen = context.views(request)
    document = _document(context, taken[0].removesuffix(".json"), seen)
    release = await releases.asked(context, request, seen.values())
    made = styles.style(document, seen, request.links, request.lang, _theme(request), release)
    return render.json(request, made, media.STYLE)


async def legend_picture(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The legend of a style in the reader's language; as PNG with two dots to a pixel."""
    name, file = taken
    if file not in styles.LEGENDS:
        raise refusal(NotFound, "web.no-page")
    seen = context.views(request)
    drawing = legend.svg(_document(context, name, seen), seen, request.lang, _theme(request))
    body = drawing.encode() if file.endswith(".svg") else await asyncio.to_thread(legend.png, drawing, 2)
    return Response(200, (("content-type", styles.LEGENDS[file]), ("content-language", request.lang)), body)


def _document(context: Context, name: str, seen: Mapping[str, object]) -> Mapping[str, Any]:
    document = context.catalog.styles.get(name)
    if document is None or not styles.visible(document, seen.keys()):
        raise refusal(NotFound, "web.no-style", id=name[:100])
    return document


def _theme(request: Request) -> str:
    asked = request.parameters.get("theme", "light")
    if asked not in legend.THEMES:
        raise refusal(InvalidParameter, "web.theme", known=", ".join(legend.THEMES))
    return asked


async def letters(_context: Context, _request: Request, taken: Sequence[str]) -> Response:
    """256 letters of the first font of a stack that has each."""
    stack, first = taken[0].split(","), _first(taken[1])
    if len(stack) > glyphs.MOST_FONTS or not any(name in fonts() for name in stack):
        raise refusal(NotFound, "web.no-font", font=taken[0][:100], known=", ".join(fonts()))
    body = await asyncio.to_thread(glyphs.glyphs, stack, first)
    return Response(200, (("content-type", media.GLYPHS), ("cache-control", KEPT_A_WEEK)), body)


def _first(range_: str) -> int:
    """The first letter of `256-511.pbf` and its like; NotFound for what is no range of MapLibre's."""
    found = _RANGE(range_)
    first, last = (int(found[1]), int(found[2])) if found else (1, 0)
    if first % glyphs.COUNT or last != first + glyphs.COUNT - 1 or last > glyphs.HIGHEST:
        raise refusal(NotFound, "web.no-letters", range=range_[:100])
    return first


async def sprite(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """The sheet of icons, or where each lies in it (row V3)."""
    if (found := _SPRITE(taken[0])) is None:
        raise refusal(NotFound, "web.no-page")
    icons, ratio = context.catalog.icons, sprites.RATIOS[found[1]]
    if found[2] == "json":
        return render.json(request, sprites.index(icons, ratio))
    body = await asyncio.to_thread(sprites.picture, icons, ratio)
    return Response(200, (("content-type", media.PNG),), body)


def routes() -> list[Route]:
    return [
        route("styles", "/styles", style_list, kept=True),
        route("style", "/styles/{}", style, kept=True, parameters=_THEMED),
        route("legend", "/styles/{}/{}", legend_picture, kept=True, parameters=(*PLAIN, "theme")),
        route("letters", "/fonts/{}/{}", letters),
        route("sprite", "/sprites/{}", sprite),
    ]
