"""`./gis tiles`: derive the generalised shapes that tiles are made of, and write tiles to files."""

import argparse
import threading
from typing import TYPE_CHECKING

from gis_service.cli import tiles_export
from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from rich.progress import Progress

    from gis_service.db.point_tables import Gathering
    from gis_service.db.tile_tables import Surface
    from gis_service.tiles import deriving


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take `build`, layers, and whether what is there is made anew."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    build = steps.add_parser(
        "build", help=say("cli.tiles.build", lang), description=say("cli.tiles.build", lang)
    )
    build.add_argument("layers", metavar="LAYER", nargs="*", help=say("cli.tiles.layers", lang))
    build.add_argument("--anew", action="store_true", help=say("cli.tiles.anew", lang))
    tiles_export.add_arguments(steps, lang)


def run(args: argparse.Namespace, context: Context) -> int:
    """The step that was named."""
    return tiles_export.STEPS.get(args.step, _build)(args, context)


def _build(args: argparse.Namespace, context: Context) -> int:
    """Build what isn't ready, or all anew; a build that was broken off goes on."""
    from rich.console import Console
    from rich.progress import Progress

    from gis_service.db.sync import SyncDatabase
    from gis_service.tiles import deriving, gathering

    dsn, console = context.running_dsn(), Console(stderr=True)
    surfaces = _surfaces(args, context)
    for found in _gatherings(args, context):
        with SyncDatabase(dsn) as database, Progress(console=console) as progress:
            if args.anew or found.name in gathering.waiting(database):
                gathering.build(database, found, _telling(progress, found.name))
        context.print("cli.tiles.built", surface=found.name)
    for surface in surfaces:
        with SyncDatabase(dsn) as database:
            deriving.begin(database, surface, args.anew)
        with Progress(console=console) as progress:
            deriving.together(dsn, surface, _telling(progress, surface.name))
        context.print("cli.tiles.built", surface=surface.name)
    return 0


def _telling(progress: "Progress", name: str) -> "deriving.Tell":
    """What moves the bar; several builders tell."""
    bar, lock = progress.add_task(name), threading.Lock()

    def tell(done: int, of: int) -> None:
        with lock:
            progress.update(bar, completed=done, total=of)

    return tell


def _gatherings(args: argparse.Namespace, context: Context) -> "list[Gathering]":
    from gis_service.catalog.registry import load_catalog
    from gis_service.db import point_tables

    known = load_catalog(context.settings.root).layers
    return [each for each in point_tables.gatherings(known.values()) if each.layer in (args.layers or known)]


def _surfaces(args: argparse.Namespace, context: Context) -> "list[Surface]":
    from gis_service.catalog.registry import load_catalog
    from gis_service.db import tile_tables

    known = load_catalog(context.settings.root).layers
    if strange := [name for name in args.layers if name not in known]:
        raise Usage(context.say("cli.no_layer", layer=strange[0], layers=", ".join(known)))
    wanted = {tile_tables.surface_of(known[name]) for name in args.layers or known}
    return [each for each in tile_tables.surfaces(known.values()) if each.name in wanted]
