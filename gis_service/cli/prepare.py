"""`./gis prepare`: bring a database up to the code: schema, the wall of roles, the demo and its keys."""

import argparse

from gis_service.bootstrap.steps import Steps
from gis_service.cli.command import Context
from gis_service.settings import Settings
from gis_service.texts import say


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take --empty."""
    parser.add_argument("--empty", action="store_true", help=say("cli.up.empty", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Prepare the database that is running, as containers and system services do before they start."""
    prepare(context, context.running_dsn(), Steps(), demo=not args.empty)
    return 0


def prepare(context: Context, dsn: str, steps: Steps, *, demo: bool) -> None:
    """Do all that a database needs before it is served; what is done already is left alone."""
    with steps.step(context.say("cli.step.migrate")):
        prepare_database(context.settings, dsn)
    if demo:
        from gis_service.cli.demo import load_demo_once
        from gis_service.cli.demo_keys import make_keys

        if load_demo_once(context, dsn, steps):
            make_keys(context.settings, dsn)


def prepare_database(settings: Settings, dsn: str) -> list[str]:
    """Migrate and raise the wall of the layer files; gives the migrations that were new. Safe to repeat."""
    from gis_service.access import wall
    from gis_service.catalog.registry import load_catalog
    from gis_service.db.migrate import migrate
    from gis_service.db.sync import SyncDatabase

    applied = migrate(dsn)
    with SyncDatabase(dsn) as database:
        wall.apply(database, load_catalog(settings.root).layers.values())
    return applied
