"""The real job worker, and the real geoprocessor, as processes for tests."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gis_service.cli import children
from gis_service.processes.geoprocessor import READY
from gis_service.settings import Settings


@contextmanager
def running_worker(settings: Settings, dsn: str, log: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker on that database until the block ends, unless the test ended it before."""
    with _running(children.worker_command(), settings, dsn, log, env) as worker:
        yield worker


@contextmanager
def running_geoprocessor(
    settings: Settings, dsn: str, log: Path, **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A geoprocessor likewise, once it's ready; what it compiles on a new machine takes half a minute."""
    with _running(children.geoprocessor_command(), settings, dsn, log, env) as engine:
        until = time.monotonic() + 180
        while f" {READY}" not in log.read_text():
            assert engine.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield engine


@contextmanager
def _running(
    command: Sequence[str], settings: Settings, dsn: str, log: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    environment = children.child_environment(settings, dsn, {**os.environ, "GIS_LOG_LEVEL": "info", **env})
    with log.open("ab") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT, cwd="/")
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)
