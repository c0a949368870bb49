"""`./gis down`: stop the service, what a kill -9 left of it, and its database."""

import argparse
import contextlib
import os
import signal
import time

from gis_service.bootstrap.steps import Steps
from gis_service.cli.command import Context
from gis_service.cli.runtime import RunFolder
from gis_service.db.cluster import Cluster

PATIENCE_SECONDS = 60


def add_arguments(_parser: argparse.ArgumentParser, _lang: str) -> None:
    """Take no arguments."""


def run(_args: argparse.Namespace, context: Context) -> int:
    """Stop everything of this data folder; nothing to stop is fine."""
    folder = RunFolder(context.settings.data_dir)
    with Steps().step(context.say("cli.step.down")):
        _stop_supervisor(folder)
        folder.end_leftovers()
        folder.forget()
        if not context.settings.database_url:
            Cluster(context.settings.data_dir).stop()
    context.print("cli.down.done")
    return 0


def _stop_supervisor(folder: RunFolder) -> None:
    running = folder.running()
    if running is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while folder.held() and time.monotonic() < deadline:
            time.sleep(0.05)
        if not folder.held():
            return
