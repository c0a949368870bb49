"""`./gis publish`: bulk files of layers, made beforehand, for each class of readers its own."""

import argparse
from functools import partial
from typing import TYPE_CHECKING

from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.catalog.layer import Layer
    from gis_service.features.formats import Format

FORMATS = ("gpkg", "fgb", "parquet")  # unless others are named
ALL = (*FORMATS, "pmtiles")
STATEMENT_MS = 600_000  # for a batch of the largest areas, nobody waits


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take the layers and the formats."""
    parser.add_argument("layers", metavar="LAYER", nargs="+", help=say("cli.publish.layers", lang))
    parser.add_argument(
        "--format", metavar="F", default=",".join(FORMATS), help=say("cli.publish.format", lang)
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Make the files and print a line for each; they are offered from then on."""
    from gis_service.access import keystore
    from gis_service.cli.acting import acting
    from gis_service.db.sync import SyncDatabase
    from gis_service.links import Links
    from gis_service.processes import encoding, publishing, tiling

    layers, formats = _layers(args, context), _formats(args, context)
    settings = context.settings
    links = Links(settings.public_url or f"http://{settings.host}:{settings.port}")
    place = publishing.folder(settings.data_dir)
    dsn = context.running_dsn()
    with acting(dsn, STATEMENT_MS) as catalogue, SyncDatabase(dsn, STATEMENT_MS) as rows:
        features = partial(encoding.encode, rows, links=links, most_bytes=settings.limits.export_bytes)
        encode = partial(tiling.encode, rows, dsn, features)
        classes = keystore.one_of_each_class(catalogue)
        for layer in layers:
            for policy_class, made in publishing.publish(catalogue, layer, classes, formats, place, encode):
                context.print(
                    "cli.publish.made", name=made.name, length=made.length, policy_class=policy_class
                )
    return 0


def _layers(args: argparse.Namespace, context: Context) -> "list[Layer]":
    from gis_service.catalog.registry import load_catalog

    known = load_catalog(context.settings.root).layers
    for name in args.layers:
        if name not in known:
            raise Usage(context.say("cli.no_layer", layer=name, layers=", ".join(known)))
        if not known[name].managed:
            raise Usage(context.say("cli.publish.not-managed", layer=name))
    return [known[name] for name in args.layers]


def _formats(args: argparse.Namespace, context: Context) -> "list[Format]":
    from gis_service.features.formats import named

    chosen = []
    for name in dict.fromkeys(args.format.split(",")):
        form = named(name)
        if form is None or form.name not in ALL:
            raise Usage(context.say("cli.publish.unknown-format", name=name, formats=", ".join(ALL)))
        chosen.append(form)
    return chosen
