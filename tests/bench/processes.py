"""Starting servers for a run, waiting for their first answer, weighing and ending them: by pid alone."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import client

START_TIMEOUT_S = 120.0


class BenchFault(Exception):
    """The bench can't go on; the message says why."""


@dataclass
class Server:
    """A process that the bench started, and the seconds from its start to its first answer."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    first_answer_s: float
    log: Path
    helper: "Server | None" = None  # the job worker beside ours, which is weighed apart

    def stop(self) -> None:
        """Ask it to end; what it started ends with its group."""
        if self.helper is not None:
            self.helper.stop()
        for signum, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            try:
                os.killpg(self.process.pid, signum)
                self.process.wait(patience)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue
            return


def free_port(among: range | None = None) -> int:
    """A port of 127.0.0.1 that nobody listens on, from the range if one is given."""
    for port in among or (0,):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise BenchFault("no free port")


def launch(name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> Server:
    """Start a process in a group of its own, without waiting for anything."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            list(command), env={**os.environ, **env}, stdout=out, stderr=out, start_new_session=True
        )
    return Server(name, process, 0, 0.0, log)


def start(
    name: str, command: Sequence[str], env: Mapping[str, str], port: int, probe: bytes, log: Path
) -> Server:
    """Start a server in a process group of its own and wait until the probe is answered with 200."""
    begun = time.monotonic()
    server = launch(name, command, env, log)
    server.port, process = port, server.process
    while time.monotonic() - begun < START_TIMEOUT_S:
        if process.poll() is not None:
            raise BenchFault(f"{name} ended at once with {process.returncode}:\n{tail(log)}")
        if answers(port, probe):
            server.first_answer_s = time.monotonic() - begun
            return server
        time.sleep(0.02)
    server.stop()
    raise BenchFault(f"{name} gave no answer in {START_TIMEOUT_S:.0f} s:\n{tail(log)}")


def probe(path: str, port: int) -> bytes:
    """A plain GET."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode()


def answers(port: int, probe: bytes) -> bool:
    """Whether the probe is answered with 200 now."""
    try:
        return client.ask_once("127.0.0.1", port, probe).status == 200
    except OSError:
        return False


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def descendants(pid: int) -> list[int]:
    """The processes below a pid, found by their parents' ids."""
    parent_of: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The command's name may hold spaces and brackets; the parent is the second field after it.
        parent_of[int(text.split(" ", 1)[0])] = int(text.rpartition(")")[2].split()[1])
    found, level = [], [pid]
    while level:
        level = [child for child, parent in parent_of.items() if parent in level]
        found += level
    return found


def pss_mb(pid: int) -> float:
    """The proportional set size of a process in MB, 0 for one that has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


@dataclass(frozen=True)
class Weight:
    """Memory of a server after a run: the workers summed, and the parent that keeps them."""

    workers: int
    workers_mb: float
    parent_mb: float


def weigh(server: Server) -> Weight:
    """The summed PSS of the processes below the one that was started."""
    below = [pid for pid in descendants(server.process.pid) if pss_mb(pid) > 1]
    return Weight(len(below), sum(map(pss_mb, below)), pss_mb(server.process.pid))


def cpu_s(server: Server) -> float:
    """Seconds of processor time that the processes below the server have taken so far."""
    ticks = 0
    for pid in descendants(server.process.pid):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
