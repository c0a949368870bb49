"""`./gis tile`: what is in a vector tile, decoded for a person."""

import argparse
import json
import sys

from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take a layer and z/x/y."""
    parser.add_argument("layer", help=say("cli.tile.layer", lang))
    parser.add_argument("zxy", metavar="Z/X/Y", help=say("cli.tile.zxy", lang))
    parser.add_argument("--as", dest="name", metavar="PRINCIPAL", help=say("cli.tile.as", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the features of the tile as a principal sees it, the public unless named."""
    import mapbox_vector_tile

    from gis_service.access import keystore
    from gis_service.access.policy import view
    from gis_service.access.principal import PUBLIC
    from gis_service.catalog.registry import load_catalog
    from gis_service.cli.reading import tell
    from gis_service.db import tilesql
    from gis_service.db.sync import SyncDatabase
    from gis_service.geo.tiles import Tile

    catalog = load_catalog(context.settings.root)
    if args.layer not in catalog.layers:
        raise Usage(context.say("cli.no_layer", layer=args.layer, layers=", ".join(catalog.layers)))
    try:
        z, x, y = (int(part) for part in args.zxy.split("/"))
        tile = Tile(z, x, y)
    except ValueError as err:
        raise Usage(f"{args.zxy}: {err}") from err
    with SyncDatabase(context.running_dsn()) as database:
        principal = keystore.principal_named(database, args.name) if args.name else PUBLIC
        seen = view(principal, catalog.layers[args.layer])
        body = bytes(database.run(tilesql.compose([seen], z).at(tile))[0][0])
        tell(database, principal, [seen], "tiles")
    decoded = mapbox_vector_tile.decode(body)
    features = [each for layer in decoded.values() for each in layer["features"]]
    context.print("cli.tile.count", bytes=len(body), features=len(features))
    for each in features:
        sys.stdout.write(json.dumps({"id": each.get("id"), **each["properties"]}, ensure_ascii=False) + "\n")
    return 0
