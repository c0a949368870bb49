"""`./gis work`: become the job worker, for containers and system services that supervise by themselves."""

import argparse

from gis_service.cli import children
from gis_service.cli.command import Context
from gis_service.cli.serve import become


def add_arguments(_parser: argparse.ArgumentParser, _lang: str) -> None:
    """Take no arguments."""


def run(_args: argparse.Namespace, context: Context) -> int:
    """Replace this process by the worker; NotRunning where there is no database."""
    become(children.worker_command(), context)
    return 0
