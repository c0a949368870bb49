"""`up`, `status` and `down` on a real data folder, and the rude ends from which the next `up` recovers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gis_service.cli.runtime import RunFolder
from gis_service.db.cluster import Cluster
from tests.conftest import ROOT, free_port


class Place:
    """One data folder and the commands run on it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.cluster = Cluster(data_dir)
        self.folder = RunFolder(data_dir)

    def gis(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        ours = {
            "GIS_DATA": str(self.data_dir),
            "GIS_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "GIS_LANG": "en",
        }
        command = [sys.executable, "-m", "gis_service.cli", *words]
        return subprocess.run(
            command,
            env={**os.environ, **ours, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def up(self) -> None:
        """Start in the background, with no demo."""
        done = self.gis("up", "--detach", "--empty")
        assert done.returncode == 0, done.stderr

    def answer(self, path: str = "/ready") -> int:
        """Ask the server and give the status of its answer."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return int(answer.status)

    def supervisor(self) -> int:
        """Give the supervisor's process id."""
        running = self.folder.running()
        assert running is not None
        return running.pid


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="gis-up-"))
    folder.chmod(0o755)
    made = Place(folder / "data")
    yield made
    made.gis("down")
    shutil.rmtree(folder)


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until it is so, a minute at most."""
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    pytest.fail(f"waited a minute, and still not: {what}")


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in listed.split()]


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def test_nothing_runs_in_a_new_folder(place: Place) -> None:
    done = place.gis("status")
    assert done.returncode == 3
    assert "stopped" in done.stdout


def test_up_starts_everything_and_says_where(place: Place) -> None:
    done = place.gis("up", "--detach", "--empty")
    assert done.returncode == 0, done.stderr
    assert f"http://127.0.0.1:{place.port}/map" in done.stdout
    assert place.answer() == 200
    assert place.gis("status").returncode == 0


def test_a_second_up_says_that_it_runs_already(place: Place) -> None:
    place.up()
    before = place.supervisor()
    done = place.gis("up")
    assert done.returncode == 0
    assert "already" in done.stdout
    assert place.supervisor() == before


def test_a_dead_child_is_put_back(place: Place) -> None:
    place.up()
    web = next(pid for pid in children_of(place.supervisor()) if "granian" in command_line(pid))
    os.kill(web, signal.SIGKILL)
    until(lambda: web not in children_of(place.supervisor()), "the dead server is noticed")
    until(lambda: place.gis("status").returncode == 0, "the server answers again")


def test_a_dead_database_is_put_back(place: Place) -> None:
    place.up()
    dead = place.cluster.pid()
    assert dead is not None
    os.kill(dead, signal.SIGKILL)
    until(lambda: place.cluster.pid() not in (None, dead), "the database is back")
    until(lambda: place.gis("status").returncode == 0, "the server answers again")


def test_up_recovers_after_the_supervisor_was_killed(place: Place) -> None:
    place.up()
    os.kill(place.supervisor(), signal.SIGKILL)
    until(lambda: not place.folder.held(), "the lock is free")
    assert place.gis("status").returncode == 3
    place.up()
    assert place.answer() == 200


def test_up_recovers_after_everything_was_killed(place: Place) -> None:
    place.up()
    supervisor, database = place.supervisor(), place.cluster.pid()
    assert database is not None
    for pid in (supervisor, *children_of(supervisor), database):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not place.folder.held(), "the lock is free")
    place.up()
    assert place.answer() == 200


def test_two_data_folders_run_side_by_side(place: Place) -> None:
    place.up()
    other = Place(place.data_dir.parent / "other")
    try:
        other.up()
        assert (place.answer(), other.answer()) == (200, 200)
    finally:
        assert other.gis("down").returncode == 0
    assert place.answer() == 200


def test_a_taken_port_is_named_with_another(place: Place) -> None:
    other = Place(place.data_dir.parent / "taken")
    with socket.create_server(("127.0.0.1", other.port)):
        done = other.gis("up", "--detach", "--empty")
    assert done.returncode == 5
    assert f"Port {other.port} is taken" in done.stderr
    assert "--port" in done.stderr
    assert other.cluster.status() == "absent"


def test_down_stops_everything_and_may_be_repeated(place: Place) -> None:
    place.up()
    assert place.gis("down").returncode == 0
    assert place.gis("status").returncode == 3
    assert place.cluster.status() == "stopped"
    assert place.gis("down").returncode == 0


def test_ctrl_c_stops_a_service_in_the_foreground(place: Place) -> None:
    env = {
        **os.environ,
        "GIS_DATA": str(place.data_dir),
        "GIS_PORT": str(place.port),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "gis_service.cli", "up", "--empty"]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as service:
        until(lambda: place.gis("status").returncode == 0, "it answers")
        service.send_signal(signal.SIGINT)
        assert service.wait(timeout=60) == 0
    assert place.cluster.status() == "stopped"


def test_a_database_that_does_not_answer_is_said(place: Place) -> None:
    done = place.gis("up", "--detach", GIS_DATABASE_URL=f"postgresql://gis@127.0.0.1:{free_port()}/gis")
    assert done.returncode == 5
    assert "doesn't answer" in done.stderr


def test_a_database_without_postgis_is_said_with_what_to_do(place: Place, cluster: Cluster) -> None:
    cluster.query("create role plain login")
    cluster.create_database("plain")
    cluster.query("alter database plain owner to plain")
    url = cluster.dsn("plain").replace("user=gis", "user=plain")
    done = place.gis("up", "--detach", GIS_DATABASE_URL=url)
    assert done.returncode == 5
    assert "CREATE EXTENSION postgis" in done.stderr


def test_a_database_of_ones_own_serves(place: Place, fresh_database: str) -> None:
    own = Place(place.data_dir.parent / "own")
    try:
        done = own.gis("up", "--detach", "--empty", GIS_DATABASE_URL=fresh_database)
        assert done.returncode == 0, done.stderr
        assert own.answer() == 200
        assert own.cluster.status() == "absent"
    finally:
        own.gis("down", GIS_DATABASE_URL=fresh_database)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_said_and_leaves_nothing_half_made(place: Place) -> None:
    disk = place.data_dir.parent / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=25m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        small = Place(disk / "data")
        done = small.gis("up", "--detach", "--empty")
        assert done.returncode == 5
        assert "No space left" in done.stderr
        assert small.cluster.status() == "absent"
    finally:
        subprocess.run(["umount", disk], check=True)
