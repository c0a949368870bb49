"""Reads layers/, styles/ and the grids in config/ into one frozen catalogue; reports all mistakes at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gis_service.catalog import icons as icon_files
from gis_service.catalog import yamlfile
from gis_service.catalog.grids import read_grids
from gis_service.catalog.icons import Icon, read_icons
from gis_service.catalog.layer import Layer
from gis_service.catalog.raster import KIND, RasterLayer
from gis_service.catalog.yamlfile import Mistake
from gis_service.errors import ConfigRefused
from gis_service.geo.grid import Grid


@dataclass(frozen=True)
class Catalog:
    """Every layer by id, every style and icon by name, and every tile matrix set by id."""

    layers: Mapping[str, Layer]
    styles: Mapping[str, Mapping[str, Any]]  # MapLibre style documents, JSON as it stands
    grids: Mapping[str, Grid]
    icons: Mapping[str, Icon]
    rasters: Mapping[str, RasterLayer] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Changes with any layer or style."""
        layers = {k: v.digest() for k, v in self.layers.items()}
        rasters = {k: v.digest for k, v in self.rasters.items()}
        text = json.dumps([layers | rasters, self.styles], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_catalog(root: Path) -> Catalog:
    """The catalogue below `root`; ConfigRefused lists all that is wrong, with file and line."""
    catalog, mistakes = read_catalog(root)
    if mistakes:
        raise ConfigRefused(*(str(mistake) for mistake in mistakes))
    return catalog


def read_catalog(root: Path) -> tuple[Catalog, list[Mistake]]:
    """What could be read and what is wrong with the rest."""
    every, mistakes = _layers(sorted((root / "layers").glob("*.yaml")))
    layers = {name: each for name, each in every.items() if isinstance(each, Layer)}
    rasters = {name: each for name, each in every.items() if isinstance(each, RasterLayer)}
    styles, more = _styles(sorted((root / "styles").glob("*.json")))
    grids, of_grids = read_grids(root)
    icons, of_icons = read_icons(root)
    catalog = Catalog(layers, styles, grids, icons, rasters)
    found = [*mistakes, *more, *of_grids, *of_icons, *_dangling(catalog)]
    return catalog, [*found, *_no_layers(root, every, mistakes)]


def _no_layers(root: Path, layers: Mapping[str, object], mistakes: list[Mistake]) -> Iterable[Mistake]:
    if not layers and not mistakes:
        yield Mistake(str(root / "layers"), 1, "holds no layer file (*.yaml)")


def _layers(paths: Iterable[Path]) -> tuple[dict[str, Layer | RasterLayer], list[Mistake]]:
    layers: dict[str, Layer | RasterLayer] = {}
    mistakes: list[Mistake] = []
    for path in paths:
        found = read_layer(path)
        if isinstance(found, Layer | RasterLayer):
            layers[found.id] = found
        else:
            mistakes += found
    return layers, mistakes


def read_layer(path: Path) -> Layer | RasterLayer | list[Mistake]:
    """The layer of one file, or all of its mistakes."""
    name = f"layers/{path.name}"
    file = yamlfile.read(path, name)
    if isinstance(file, list):
        return file
    raster = isinstance(file.data, dict) and file.data.get("kind") == KIND
    model: type[Layer | RasterLayer] = RasterLayer if raster else Layer
    try:
        layer = model.model_validate(file.data)
    except ValidationError as err:
        return [Mistake(name, file.line(_place(e["loc"])), _message(e)) for e in err.errors()]
    if layer.id != path.stem:
        return [Mistake(name, file.line(["id"]), f"id {layer.id!r} must be the file's name, {path.stem!r}")]
    return layer


def _place(loc: tuple[int | str, ...]) -> list[int | str]:
    """pydantic's place without the names it gives to the branches of a union."""
    return [step for step in loc if not (isinstance(step, str) and "[" in step)]


def _message(error: Any) -> str:  # pydantic's ErrorDetails, whose keys vary by version
    where = ".".join(str(step) for step in _place(error["loc"])) or "file"
    what = "unknown key" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    return f"{where}: {what}"


def _styles(paths: Iterable[Path]) -> tuple[dict[str, Mapping[str, Any]], list[Mistake]]:
    styles: dict[str, Mapping[str, Any]] = {}
    mistakes: list[Mistake] = []
    for path in paths:
        name = f"styles/{path.name}"
        try:
            style = json.loads(path.read_text("utf-8"))
        except json.JSONDecodeError as err:
            mistakes.append(Mistake(name, err.lineno, f"isn't JSON: {err.msg}"))
            continue
        if (
            not isinstance(style, dict)
            or style.get("version") != 8
            or not isinstance(style.get("layers"), list)
        ):
            mistakes.append(Mistake(name, 1, "isn't a MapLibre style (version 8 with a list of layers)"))
            continue
        styles[path.stem] = style
    return styles, mistakes


def _dangling(catalog: Catalog) -> Iterable[Mistake]:
    """Names that point at nothing: a layer's style, a style's source, a style layer's property."""
    for layer in catalog.layers.values():
        if layer.style is not None and layer.style not in catalog.styles:
            yield Mistake(f"layers/{layer.id}.yaml", 1, f"style: no file styles/{layer.style}.json")
    for name, style in catalog.styles.items():
        yield from _style_mistakes(f"styles/{name}.json", style, catalog.layers)
        yield from icon_files.unknown(f"styles/{name}.json", style, catalog.icons)


def _style_mistakes(file: str, style: Mapping[str, Any], layers: Mapping[str, Layer]) -> Iterable[Mistake]:
    sources = style.get("sources", {})
    for source, value in sources.items():
        if value.get("type") == "vector" and source not in layers:
            yield Mistake(file, 1, f"source {source!r}: no such layer")
    for drawn in style["layers"]:
        source = drawn.get("source")
        if source is None or source not in sources or sources[source].get("type") != "vector":
            continue
        if source in layers:
            yield from _drawn_mistakes(file, drawn, layers[source])


def _drawn_mistakes(file: str, drawn: Mapping[str, Any], layer: Layer) -> Iterable[Mistake]:
    where = f"layer {drawn.get('id')!r}"
    if drawn.get("source-layer") != layer.id:
        yield Mistake(file, 1, f"{where}: source-layer must be {layer.id!r}")
    if drawn.get("minzoom", 0) > layer.tiles.zoom[1]:
        yield Mistake(file, 1, f"{where}: minzoom lies above the layer's last zoom {layer.tiles.zoom[1]}")
    carried = {*layer.tiles.properties, "id"}
    for name in sorted(set(_properties_read(drawn)) - carried):
        yield Mistake(file, 1, f"{where}: tiles of {layer.id!r} carry no property {name!r}")


def _properties_read(value: Any) -> Iterable[str]:
    """Names that a style layer reads by ["get", name] or ["has", name] expressions."""
    if isinstance(value, list):
        if len(value) == 2 and value[0] in ("get", "has") and isinstance(value[1], str):
            yield value[1]
        else:
            for item in value:
                yield from _properties_read(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _properties_read(item)
