"""Keeps the web server, the job worker and the embedded database running, and stops them together."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from gis_service.cli import children
from gis_service.cli.runtime import RunFolder
from gis_service.db.cluster import Cluster
from gis_service.errors import GisError
from gis_service.observe import Log, log_to_stderr
from gis_service.settings import Settings, load_settings

LOCK_VARIABLE = "GIS_LOCK_FD"  # the lock on the run folder, handed from `up --detach` to us
LOOK_SECONDS = 0.3
STOP_SECONDS = 15
STEADY_SECONDS = 30  # a child that lived so long starts over with short waits
LONGEST_WAIT = 30
HOPELESS_FAILURES = 3
LOG_BYTES = 20 * 1024 * 1024
log = Log("gis.supervisor")


@dataclass
class Child:
    """One process that is to be there."""

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    again_at: float = 0.0
    steady: bool = False

    def start(self, env: dict[str, str]) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        if self.log.is_file() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                self.command, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        self.started = time.monotonic()

    def look(self, env: dict[str, str]) -> None:
        """Start it anew if it died, after a wait that grows while it keeps dying."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._end_group()
            lived_long = now - self.started > STEADY_SECONDS
            self.steady = self.steady or lived_long
            self.failures = 1 if lived_long else self.failures + 1
            self.again_at = now + min(LONGEST_WAIT, 2 ** (self.failures - 1) - 1)
            log.warning("died", child=self.name, code=self.process.returncode, again_in=self.again_at - now)
            self.process = None
        if self.process is None and now >= self.again_at:
            self.start(env)

    @property
    def hopeless(self) -> bool:
        """Say whether it never lived for long and died again and again: a fault of the installation."""
        return self.failures >= HOPELESS_FAILURES and not self.steady

    def _end_group(self) -> None:
        # What it started itself must not outlive it: its workers hold the port.
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def ask_to_stop(self) -> None:
        """Send the polite signal."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop_by(self, deadline: float) -> None:
        """Wait until it is gone, then end whatever is left of it."""
        if self.process is not None:
            try:
                self.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("killed", child=self.name)
            self._end_group()
            self.process.wait()


class Supervisor:
    """Owns every process of the service in one data folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cluster = None if settings.database_url else Cluster(settings.data_dir)
        dsn = settings.database_url or Cluster(settings.data_dir).dsn()
        self.env = children.child_environment(settings, dsn, os.environ)
        self.folder = RunFolder(settings.data_dir)
        logs = settings.data_dir / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.children = (
            Child("web", children.web_command(settings), logs / "web.log"),
            Child("worker", children.worker_command(), logs / "worker.log"),
            Child("engine", children.geoprocessor_command(), logs / "engine.log"),
        )
        self.stopping = False

    def start(self) -> None:
        """Start the children and tell others where the service listens."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop_soon)
        for child in self.children:
            child.start(self.env)
        self.folder.announce(self.settings)

    def _stop_soon(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def look(self) -> bool:
        """Put back what has died, the database first since the others need it; False when we are to stop."""
        if self._database_is_there():
            for child in self.children:
                child.look(self.env)
        if any(child.hopeless for child in self.children):
            log.error("hopeless")
            self.stopping = True
        return not self.stopping

    def _database_is_there(self) -> bool:
        if self.cluster is None or self.cluster.pid() is not None:
            return True
        log.warning("died", child="database")
        try:
            self.cluster.start()
        except GisError as err:
            log.error("database", fault=err)
            return False
        return True

    def watch(self) -> None:
        """Look after all until a signal asks us to stop, then stop all."""
        while not self.stopping and self.look():
            time.sleep(LOOK_SECONDS)
        self.stop()

    def stop(self) -> None:
        """Stop the children, then the database."""
        self.folder.forget()
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.stop_by(deadline)
        if self.cluster is not None:
            self.cluster.stop()


def main() -> None:
    """Run detached: `up --detach` prepared everything and left us the lock on the run folder."""
    os.set_inheritable(int(os.environ.pop(LOCK_VARIABLE)), False)
    log_to_stderr("info")
    supervisor = Supervisor(load_settings(Path(os.environ["GIS_ROOT"]), os.environ))
    supervisor.start()
    supervisor.watch()


if __name__ == "__main__":
    main()
