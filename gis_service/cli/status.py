"""`./gis status`: what is running, and whether it answers."""

import argparse
import sys

from gis_service.cli.addresses import print_addresses
from gis_service.cli.command import Context
from gis_service.cli.runtime import RunFolder, answers
from gis_service.db.cluster import Cluster
from gis_service.errors import NotRunning


def add_arguments(_parser: argparse.ArgumentParser, _lang: str) -> None:
    """Take no arguments."""


def run(_args: argparse.Namespace, context: Context) -> int:
    """Print the state of the service and its database; exit code 0 when it answers, 3 when it doesn't."""
    settings = context.settings
    running = RunFolder(settings.data_dir).running()
    ready = running is not None and answers(running)
    service = "cli.status.answers" if ready else "cli.status.starting" if running else "cli.status.stopped"
    logs = settings.data_dir / "logs"
    external = "external" if settings.database_url else Cluster(settings.data_dir).status()
    sys.stdout.write(f"{context.say('cli.status.service')}: {context.say(service, logs=logs)}\n")
    sys.stdout.write(f"{context.say('cli.status.database')}: {context.say(f'cli.status.{external}')}\n")
    if ready and running is not None:
        print_addresses(context, running)
    return 0 if ready else NotRunning.exit_code
