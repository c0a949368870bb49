"""`./gis tiles export` and `./gis tiles pack`: tiles as files, for maps without this service."""

import argparse
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.access.principal import Principal
    from gis_service.catalog.registry import Catalog
    from gis_service.catalog.view import ViewedLayer
    from gis_service.db.sync import SyncDatabase
    from gis_service.geo.bbox import BBox
    from gis_service.processes.tiling import Wanted
    from gis_service.tiles.walk import Tell

STATEMENT_MS = 600_000


def add_arguments(steps: "argparse._SubParsersAction[argparse.ArgumentParser]", lang: str) -> None:
    """Take layers, where, to which zoom, as whom, and where to write."""
    for name, target in (("export", "cli.tiles.to"), ("pack", "cli.tiles.folder")):
        words = say(f"cli.tiles.{name}", lang)
        step = steps.add_parser(name, help=words, description=words)
        step.add_argument("layers", metavar="LAYER", nargs="+", help=say("cli.tiles.which", lang))
        step.add_argument("--to", metavar="PATH", type=Path, required=True, help=say(target, lang))
        step.add_argument("--bbox", metavar="W,S,E,N", help=say("cli.tiles.bbox", lang))
        step.add_argument("--zooms", metavar="A-B", help=say("cli.tiles.zooms", lang))
        step.add_argument("--as", dest="name", metavar="USER", help=say("cli.tiles.as", lang))
    step.add_argument("--style", default="overview", help=say("cli.tiles.style", lang))


def export(args: argparse.Namespace, context: Context) -> int:
    """Write an archive; 4 where it would be empty."""
    from gis_service.processes import tiling
    from gis_service.tiles.archive import KINDS

    if args.to.suffix not in KINDS:
        raise Usage(context.say("cli.tiles.bad-kind", file=args.to))
    with _ready(args, context) as (database, dsn, wanted, _), _bars(context) as tell:
        count = tiling.export(database, dsn, wanted, args.to, context.lang, tell)
    megabytes = f"{args.to.stat().st_size / 1e6:.1f}"
    context.print("cli.tiles.exported", tiles=count, megabytes=megabytes, file=args.to)
    return 0


def pack(args: argparse.Namespace, context: Context) -> int:
    """Write an offline pack; 4 where it would be empty."""
    from gis_service.processes import pack as packing
    from gis_service.processes.pack import Pack

    if args.to.exists():
        raise Usage(context.say("cli.tiles.there", folder=args.to))
    with _ready(args, context) as (database, dsn, wanted, catalog), _bars(context) as tell:
        if args.style not in catalog.styles:
            known = ", ".join(catalog.styles)
            raise Usage(context.say("cli.tiles.no-style", style=args.style, known=known))
        chosen = Pack(catalog, args.style, wanted, context.lang)
        page = packing.write(database, dsn, chosen, args.to, tell)
    context.print("cli.tiles.zipped" if page.suffix == packing.ZIP else "cli.tiles.packed", file=page)
    return 0


@contextmanager
def _ready(
    args: argparse.Namespace, context: Context
) -> "Iterator[tuple[SyncDatabase, str, Wanted, Catalog]]":
    from gis_service.access import keystore
    from gis_service.access.principal import PUBLIC
    from gis_service.catalog.registry import load_catalog
    from gis_service.cli.reading import tell
    from gis_service.db.sync import SyncDatabase
    from gis_service.processes.tiling import Wanted

    if not args.to.absolute().parent.is_dir():
        raise Usage(context.say("cli.tiles.no-folder", folder=args.to.absolute().parent))
    catalog, box, zooms = load_catalog(context.settings.root), _box(args, context), _zooms(args, context)
    dsn = context.running_dsn()
    with SyncDatabase(dsn, STATEMENT_MS) as database:
        principal = keystore.principal_named(database, args.name) if args.name else PUBLIC
        views = _views(args, context, catalog, principal)
        yield database, dsn, Wanted(views, box, zooms), catalog
        tell(database, principal, views, "tiles")


def _views(
    args: argparse.Namespace, context: Context, catalog: "Catalog", principal: "Principal"
) -> "list[ViewedLayer]":
    from gis_service.access.policy import view

    names = [name for word in args.layers for name in word.split(",") if name]
    if strange := [name for name in names if name not in catalog.layers]:
        raise Usage(context.say("cli.no_layer", layer=strange[0], layers=", ".join(catalog.layers)))
    return [view(principal, catalog.layers[name]) for name in dict.fromkeys(names)]


def _box(args: argparse.Namespace, context: Context) -> "BBox | None":
    from gis_service.geo.bbox import BBox

    if args.bbox is None:
        return None
    try:
        box = BBox(*map(float, args.bbox.split(",")))
    except (TypeError, ValueError):
        raise Usage(context.say("cli.tiles.bad-box", value=args.bbox)) from None
    if box.crosses_antimeridian:
        raise Usage(context.say("cli.tiles.bad-box", value=args.bbox))
    return box


def _zooms(args: argparse.Namespace, context: Context) -> tuple[int, int] | None:
    from gis_service.geo.tiles import MAX_ZOOM

    if args.zooms is None:
        return None
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", args.zooms, re.ASCII)
    first, last = (int(found[1]), int(found[2])) if found else (1, 0)
    if not first <= last <= MAX_ZOOM:
        raise Usage(context.say("cli.tiles.bad-zooms", value=args.zooms, most=MAX_ZOOM))
    return first, last


@contextmanager
def _bars(context: Context) -> "Iterator[Tell]":
    """A bar for each zoom."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    bars: dict[int, TaskID] = {}
    with Progress(console=Console(stderr=True)) as progress:

        def tell(zoom: int, done: int, of: int) -> None:
            if zoom not in bars:
                bars[zoom] = progress.add_task(context.say("cli.tiles.zoom", zoom=zoom))
            progress.update(bars[zoom], completed=done, total=of)

        yield tell


STEPS: dict[str, Callable[[argparse.Namespace, Context], int]] = {"export": export, "pack": pack}
