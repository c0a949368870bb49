"""The run folder: who holds it, where the service listens, and what a kill -9 left behind."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from gis_service.cli.children import MARK
from gis_service.errors import MachineFault, PortTaken
from gis_service.settings import Settings

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104  # names, not a socket


@dataclass(frozen=True, slots=True)
class Running:
    """What the supervisor tells others about the service."""

    pid: int
    host: str
    port: int
    public_url: str | None

    @property
    def local_url(self) -> str:
        """The address that answers on this machine."""
        return f"http://{ANY_ADDRESS.get(self.host, self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """The address for people."""
        return self.public_url or self.local_url


class RunFolder:
    """The folder run/ of a data folder; whoever holds its lock is the one service there."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "run"
        self._file = self.path / "service.json"

    def take(self) -> int | None:
        """Take the lock, which ends with its holder, and give its descriptor; None when a service has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def held(self) -> bool:
        """Say whether a service, or the start of one, holds this folder."""
        if not self.path.is_dir():
            return False
        lock = self.take()
        if lock is None:
            return True
        os.close(lock)
        return False

    def announce(self, settings: Settings) -> Running:
        """Write down who we are and where we listen."""
        running = Running(os.getpid(), settings.host, settings.port, settings.public_url)
        aside = self._file.with_suffix(".new")
        aside.write_text(json.dumps(asdict(running)))
        aside.replace(self._file)
        return running

    def running(self) -> Running | None:
        """Read who runs here; None when nobody does."""
        if not self.held():
            return None
        try:
            return Running(**json.loads(self._file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def forget(self) -> None:
        """Remove what was announced."""
        self._file.unlink(missing_ok=True)

    def end_leftovers(self) -> None:
        """End children whose supervisor died without a word, known by their environment."""
        for hard in (signal.SIGTERM, signal.SIGKILL):
            pids = self._marked()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, hard)
            deadline = time.monotonic() + 5
            while self._marked() and time.monotonic() < deadline:
                time.sleep(0.05)

    def _marked(self) -> list[int]:
        mark = f"{MARK}={self.data_dir}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return [pid for pid in found if pid != os.getpid()]


def require_free_port(settings: Settings) -> None:
    """Refuse a port on which another program listens, naming one that is free."""
    if not _free(settings.host, settings.port):
        others = range(settings.port + 1, min(settings.port + 200, 65536))
        raise PortTaken(port=settings.port, other=next(n for n in others if _free(settings.host, n)))


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise MachineFault(
                f"Port {port} needs more rights than this user has; choose one from 1024 on."
            ) from None
        except socket.gaierror as err:
            raise MachineFault(
                f"GIS_HOST {host!r} isn't an address of this machine: {err.strerror}."
            ) from err
        except OSError:
            return False
    return True


def answers(running: Running) -> bool:
    """Say whether the service is ready to answer."""
    try:
        with urllib.request.urlopen(f"{running.local_url}/ready", timeout=5) as answer:  # noqa: S310  # our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
