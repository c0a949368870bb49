"""An offline pack: a folder whose map opens in any browser, and the archives it's made of for other programs.

Browsers let a page that was opened as a file read no other files, but run scripts. So what the map needs
comes twice: as scripts for the page, and as PMTiles, style, letters and icons for QGIS and web servers.
"""

from __future__ import annotations

import base64
import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Final

import orjson
from pmtiles.reader import MmapSource, all_tiles

from gis_service import javascript
from gis_service.catalog.registry import Catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.links import Links
from gis_service.processes import tiling
from gis_service.processes.tiling import NothingThere, Wanted
from gis_service.texts import say
from gis_service.tiles import glyphs, legend, sprites, styles
from gis_service.tiles.walk import Tell

ZIP: Final = ".zip"
RANGES: Final = (
    *range(0, 1280, 256),
    *range(7680, 8704, 256),
)  # Latin with Vietnamese, Greek, Cyrillic, signs
_PAGE: Final = Path(__file__).parent / "pack_page"
_PACKED: Final = (".pmtiles", ".png")
_WORLD: Final = BBox(-180, -85, 180, 85)
_MAPLIBRE: Final = ("maplibre-gl.mjs", "maplibre-gl-worker.mjs")
# pmtiles has no types.
_all_tiles: Final[Any] = all_tiles
_Source: Final[Any] = MmapSource


@dataclass(frozen=True)
class Pack:
    """What is packed: a style of the catalogue, the layers of a caller, where and to which zoom."""

    catalog: Catalog
    style: str
    wanted: Wanted
    lang: str


def write(database: SyncDatabase, dsn: str, pack: Pack, path: Path, tell: Tell) -> Path:
    """Make the folder and give the page to open, or the ZIP; NothingThere where no layer has anything."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        folder = unfinished / path.stem
        (folder / "map").mkdir(parents=True)
        _fill(database, dsn, pack, folder, tell)
        if path.suffix != ZIP:
            folder.rename(path)
            return path / "index.html"
        _zip(folder, unfinished / path.name).rename(path)
        return path
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _zip(folder: Path, path: Path) -> Path:
    """All in one folder, so that unpacking it strews nothing; what is packed already stays as it is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            kind = zipfile.ZIP_STORED if file.suffix in _PACKED else None
            archive.write(file, file.relative_to(folder.parent), kind)
    return path


def _fill(database: SyncDatabase, dsn: str, pack: Pack, folder: Path, tell: Tell) -> None:
    box = pack.wanted.box or tiling.extent(database, pack.wanted.views)
    if box is None:
        raise NothingThere
    seen = _tiles(database, dsn, pack, folder, tell)
    files = {**_drawing(pack, seen, database), **_letters(pack), **_icons(pack)}
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    scripts = {**files, "style.json": _style(pack, seen, database, "pack://")}
    scripts |= {name: (javascript.folder("maplibre-gl") / name).read_bytes() for name in _MAPLIBRE}
    _script(folder / "map" / "files.js", "PACK.files", scripts)
    shutil.copy(javascript.folder("maplibre-gl") / "maplibre-gl.css", folder / "map")
    shutil.copy(_PAGE / "page.js", folder / "map")
    (folder / "index.html").write_text(_page(pack, seen, box.as_tuple()), "utf-8")


def _tiles(database: SyncDatabase, dsn: str, pack: Pack, folder: Path, tell: Tell) -> dict[str, ViewedLayer]:
    """The layers that have tiles: an archive and a script of each."""
    (folder / "tiles").mkdir()
    seen: dict[str, ViewedLayer] = {}
    for view in pack.wanted.views:
        first, last = pack.wanted.zooms or view.tiles.zoom
        zooms = (max(first, view.tiles.zoom[0]), min(last, view.tiles.zoom[1]))
        wanted = Wanted([view], pack.wanted.box, zooms)
        path = folder / "tiles" / f"{view.id}.pmtiles"
        try:
            tiling.export(database, dsn, wanted, path, pack.lang, tell)
        except NothingThere:
            continue
        with path.open("rb") as file:
            tiles = {"/".join(map(str, zxy)): body for zxy, body in _all_tiles(_Source(file))}
            _script(folder / "map" / f"tiles-{view.id}.js", f"PACK.tiles[{json.dumps(view.id)}]", tiles)
        seen[view.id] = view
    if not seen:
        raise NothingThere
    return seen


def _script(path: Path, name: str, files: Mapping[str, bytes]) -> None:
    """A script that puts files, as base64, under names into an object."""
    with path.open("w", encoding="ascii") as out:
        out.write(f"{name} = {name} ?? {{}};\n")
        for key, body in files.items():
            out.write(f"{name}[{json.dumps(key)}] = '{base64.b64encode(body).decode()}';\n")


def _drawing(pack: Pack, seen: Mapping[str, ViewedLayer], database: SyncDatabase) -> dict[str, bytes]:
    document = pack.catalog.styles[pack.style]
    return {
        "style.json": _style(pack, seen, database, ""),
        "legend.svg": legend.svg(document, seen, pack.lang, "light").encode(),
    }


def _style(pack: Pack, seen: Mapping[str, ViewedLayer], database: SyncDatabase, base: str) -> bytes:
    """The style over the pack's tiles: by PMTiles addresses for other programs, by `pack:` for the page."""
    made = styles.style(pack.catalog.styles[pack.style], seen, Links(""), pack.lang)
    others = {name: source for name, source in made["sources"].items() if name not in seen}
    own = {name: _source(pack, view, database, base) for name, view in seen.items()}
    made["sources"] = {**own, **others}
    made["glyphs"] = base + "fonts/{fontstack}/{range}.pbf"
    made["sprite"] = f"{base}sprites/{sprites.SHEET}"
    return orjson.dumps(made)


def _source(pack: Pack, view: ViewedLayer, database: SyncDatabase, base: str) -> dict[str, object]:
    first, last = pack.wanted.zooms or view.tiles.zoom
    about = tiling.about(database, Wanted([view]), _WORLD, pack.lang)
    told: dict[str, object] = {
        "type": "vector",
        "attribution": escape(about.attribution),
        "minzoom": max(first, view.tiles.zoom[0]),
        "maxzoom": min(last, view.tiles.zoom[1]),
    }
    if base:
        return {**told, "tiles": [f"{base}tiles/{view.id}/{{z}}/{{x}}/{{y}}"]}
    return {**told, "url": f"pmtiles://tiles/{view.id}.pmtiles"}


def _letters(pack: Pack) -> dict[str, bytes]:
    """The ranges of letters of every font that the style's labels are in."""
    layers = pack.catalog.styles[pack.style]["layers"]
    fonts = [each.get("layout", {}).get("text-font") for each in layers]
    stacks = {tuple(each) for each in fonts if each}
    return {
        f"fonts/{','.join(stack)}/{first}-{first + glyphs.COUNT - 1}.pbf": glyphs.glyphs(stack, first)
        for stack in sorted(stacks)
        for first in RANGES
    }


def _icons(pack: Pack) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for ending, ratio in sprites.RATIOS.items():
        made[f"sprites/{sprites.SHEET}{ending}.json"] = orjson.dumps(sprites.index(pack.catalog.icons, ratio))
        made[f"sprites/{sprites.SHEET}{ending}.png"] = sprites.picture(pack.catalog.icons, ratio)
    return made


def _page(pack: Pack, seen: Mapping[str, ViewedLayer], bounds: Sequence[float]) -> str:
    names = ["files", *(f"tiles-{name}" for name in seen)]
    return (
        (_PAGE / "index.html")
        .read_text("utf-8")
        .format(
            lang=pack.lang,
            title=escape(", ".join(view.title.say(pack.lang) for view in seen.values())),
            made=escape(say("pack.made", pack.lang, day=datetime.now().astimezone().date().isoformat())),
            legend=escape(say("legend", pack.lang)),
            bounds=json.dumps(list(bounds)),
            scripts="\n".join(f'<script src="map/{name}.js"></script>' for name in names),
        )
    )
