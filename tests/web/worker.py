"""The real job worker as a process, for tests."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gis_service.cli import children
from gis_service.settings import Settings


@contextmanager
def running_worker(settings: Settings, dsn: str, log: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker on that database until the block ends, unless the test ended it before."""
    environment = children.child_environment(settings, dsn, {**os.environ, "GIS_LOG_LEVEL": "info", **env})
    with log.open("ab") as file:
        worker = subprocess.Popen(
            children.worker_command(), env=environment, stdout=file, stderr=subprocess.STDOUT, cwd="/"
        )
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.terminate()
            worker.wait(timeout=30)
