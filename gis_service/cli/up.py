"""`./gis up`: database, schema, demo, server and worker, then the addresses."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from gis_service.bootstrap.steps import Bar, Steps
from gis_service.cli import children
from gis_service.cli import supervisor as supervising
from gis_service.cli.addresses import print_addresses
from gis_service.cli.command import Context
from gis_service.cli.prepare import prepare
from gis_service.cli.runtime import RunFolder, Running, answers, require_free_port
from gis_service.db import postgres
from gis_service.db.cluster import Cluster
from gis_service.errors import MachineFault, Usage
from gis_service.texts import say

READY_SECONDS = 60


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take --detach, --port and --empty."""
    parser.add_argument("--detach", action="store_true", help=say("cli.up.detach", lang))
    parser.add_argument("--port", type=int, metavar="N", help=say("cli.up.port", lang))
    parser.add_argument("--empty", action="store_true", help=say("cli.up.empty", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Start the service, or say where it runs already."""
    context = _with_port(context, args.port)
    folder = RunFolder(context.settings.data_dir)
    lock = folder.take()
    if lock is None:
        return _already(folder, context, args.port)
    folder.end_leftovers()
    folder.forget()
    require_free_port(context.settings)
    try:
        _prepare(context, demo=not args.empty)
        return _detached(context, lock) if args.detach else _foreground(context, folder)
    except BaseException:
        if not context.settings.database_url:
            Cluster(context.settings.data_dir).stop()
        raise


def _with_port(context: Context, port: int | None) -> Context:
    if port is None:
        return context
    if not 0 < port < 65536:
        raise Usage(f"--port {port} isn't a port (1 to 65535)")
    return replace(context, settings=replace(context.settings, port=port))


def _already(folder: RunFolder, context: Context, port: int | None) -> int:
    context.print("cli.up.already")
    running = folder.running()
    if running is not None:
        if port not in (None, running.port):
            context.print("cli.up.other_port", port=running.port)
        print_addresses(context, running)
    return 0


def _prepare(context: Context, *, demo: bool) -> None:
    steps = Steps()
    prepare(context, _database(context, steps), steps, demo=demo)


def _database(context: Context, steps: Steps) -> str:
    if context.settings.database_url:
        with steps.step(context.say("cli.step.own_database")):
            return context.settings.database_url
    cluster = Cluster(context.settings.data_dir)
    with steps.step(context.say("cli.step.database")):
        cluster.start()
        cluster.create_database()
    if cluster.home != cluster.data_dir:
        moved = {"folder": cluster.home, "user": postgres.SERVICE_USER, "data_dir": cluster.data_dir}
        context.print("cli.up.moved", **moved)
    return cluster.dsn()


def _foreground(context: Context, folder: RunFolder) -> int:
    service = supervising.Supervisor(context.settings)
    service.start()
    try:
        running = folder.running()
        assert running is not None, "we hold the lock and announced ourselves"
        with Steps().step(context.say("cli.step.server")) as bar:
            _wait(context, running, bar, service.look)
    except BaseException:
        service.stop()
        raise
    if not service.stopping:
        print_addresses(context, running)
        context.print("cli.up.stop_hint")
    sys.stdout.flush()
    service.watch()
    return 0


def _detached(context: Context, lock: int) -> int:
    settings = context.settings
    log = settings.data_dir / "logs" / "supervisor.log"
    log.parent.mkdir(exist_ok=True)
    env = {
        **os.environ,
        "PYTHONPATH": children.import_path(os.environ),
        "GIS_ROOT": str(settings.root),
        "GIS_DATA": str(settings.data_dir),
        "GIS_PORT": str(settings.port),
        supervising.LOCK_VARIABLE: str(lock),
    }
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gis_service.cli.supervisor"], env=env, cwd="/", pass_fds=[lock],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    os.close(lock)
    running = Running(process.pid, settings.host, settings.port, settings.public_url)
    try:
        with Steps().step(context.say("cli.step.server")) as bar:
            _wait(context, running, bar, lambda: process.poll() is None)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    print_addresses(context, running)
    context.print("cli.up.detached_hint")
    return 0


def _wait(context: Context, running: Running, bar: Bar, alive: Callable[[], bool]) -> None:
    """Wait until the service answers; MachineFault with the server's last words when it doesn't."""
    began = time.monotonic()
    while not answers(running):
        waited = time.monotonic() - began
        if not alive() or waited > READY_SECONDS:
            log = context.settings.data_dir / "logs" / "web.log"
            said = log.read_text(errors="replace").splitlines()[-12:] if log.is_file() else []
            raise MachineFault("\n".join([f"The server doesn't answer; see {log}:", *said]))
        bar.show(waited / READY_SECONDS)
        time.sleep(0.05)
