"""`./gis serve`: become the web server, for containers and system services that supervise by themselves."""

import argparse
import os

from gis_service.cli import children
from gis_service.cli.command import Context


def add_arguments(_parser: argparse.ArgumentParser, _lang: str) -> None:
    """Take no arguments: GIS_HOST, GIS_PORT and config/server.yaml say where to listen."""


def run(_args: argparse.Namespace, context: Context) -> int:
    """Replace this process by the server; NotRunning where there is no database."""
    become(children.web_command(context.settings), context)
    return 0


def become(command: list[str], context: Context) -> None:
    """Replace this process by another that reads the very same settings."""
    env = children.child_environment(context.settings, context.running_dsn(), os.environ)
    del env[children.MARK]  # nobody of ours supervises it
    os.execve(command[0], command, env)  # noqa: S606  # no shell is meant
