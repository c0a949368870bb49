"""`./gis raster add FILE`: bring a raster in as a Cloud Optimised GeoTIFF, and declare it as a layer."""

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from gis_service.catalog.raster import FOLDER, RasterLayer
from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.geoprocessing.cog import Made

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}").fullmatch
# Told apart by people who see colours differently (Okabe and Ito), then paler for what comes after.
_COLOURS = ("#009e73", "#e69f00", "#56b4e9", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999")
_RAMP = ("#26456e", "#3a87b7", "#b4dcc9", "#e3c878", "#9a5b2e")


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take `add`, a file, the layer's id, and whether its values are classes or measured."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    add = steps.add_parser("add", help=say("raster.add", lang), description=say("raster.add", lang))
    add.add_argument("file", metavar="FILE", type=Path, help=say("raster.file", lang))
    add.add_argument("--id", metavar="LAYER", help=say("raster.id", lang))
    kind = add.add_mutually_exclusive_group()
    kind.add_argument("--classes", action="store_true", help=say("raster.classes", lang))
    kind.add_argument("--values", action="store_true", help=say("raster.values", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Make the file of a layer; whoever reads the old one goes on with it until the new one is whole."""
    from gis_service.catalog.registry import load_catalog
    from gis_service.geoprocessing import cog

    name = args.id or args.file.stem.lower().replace("_", "-").replace(".", "-")
    if not _NAME(name):
        raise Usage(context.say("raster.no-id", id=name))
    known = load_catalog(context.settings.root)
    if name in known.layers:
        raise Usage(context.say("raster.taken", id=name))
    layer = known.rasters.get(name)
    target = _target(context, name, layer)
    made = cog.make(args.file, target, _classes(args, context, layer))
    size = {"width": made.width, "height": made.height, "overviews": made.overviews}
    context.print("raster.added", path=target, **size)
    if layer is None:
        _declare(context, name, declaration(name, made))
    return 0


def _declare(context: Context, name: str, text: str) -> None:
    """Write the layer's file, or print it where the folder can't be written to."""
    path = context.settings.root / "layers" / f"{name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as err:
        sys.stderr.write(context.say("raster.declare", path=path, reason=err.strerror) + "\n")
        sys.stdout.write(text)
        return
    context.print("raster.declared", path=path)


def _target(context: Context, name: str, layer: RasterLayer | None) -> Path:
    if layer is not None:
        return layer.path(context.settings.data_dir)
    return context.settings.data_dir / FOLDER / f"{name}.tif"


def _classes(args: argparse.Namespace, context: Context, layer: RasterLayer | None) -> bool:
    """Whether the values are classes: as the layer says where it's declared, else as the caller does."""
    asked: bool | None = args.classes if args.classes or args.values else None
    declared = None if layer is None else layer.classes is not None
    if asked is None and declared is None:
        raise Usage(context.say("raster.kind"))
    if asked is not None and declared is not None and asked != declared:
        raise Usage(context.say("raster.other-kind"))
    return bool(asked if declared is None else declared)


def declaration(name: str, made: "Made") -> str:
    """A layer file to begin with: what people must know of it is left for them to write."""
    title = name.replace("-", " ").capitalize()
    document: dict[str, object] = {
        "id": name,
        "kind": "raster",
        "title": {"en": title, "vi": title},
        "description": {"en": f"{title}.", "vi": f"{title}."},
        "file": f"{name}.tif",
        **(_class_list(made.codes) if made.codes else _ramp(made.values)),
        "access": {},
        "source": {"title": {"en": title, "vi": title}, "licence": "?", "citation": "?"},
    }
    head = "# yaml-language-server: $schema=../config/schemas/raster.schema.json\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _class_list(codes: Iterable[int]) -> dict[str, object]:
    return {
        "classes": {
            code: {
                "title": {"en": f"Class {code}", "vi": f"Lớp {code}"},
                "colour": _COLOURS[at % len(_COLOURS)],
            }
            for at, code in enumerate(codes)
        }
    }


def _ramp(values: tuple[float, ...]) -> dict[str, object]:
    """Colours over the quartiles; over 0 to 1 where all values are alike."""
    found = values if len(values) > 1 else (0.0, 1.0)
    colours = [_RAMP[round(at * (len(_RAMP) - 1) / (len(found) - 1))] for at in range(len(found))]
    stops = [{"value": value, "colour": colour} for value, colour in zip(found, colours, strict=True)]
    return {"ramp": {"stops": stops}, "unit": "?"}
