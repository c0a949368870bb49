"""The embedded cluster starts, stops, and comes back from every rude end."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.db import postgres
from gis_service.db.cluster import SOCKET_NAME, SOCKET_PATH_LIMIT, Cluster
from gis_service.errors import MachineFault


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="gis-cluster-"))
    folder.chmod(0o755)
    made = Cluster(folder)
    yield made
    made.stop()
    shutil.rmtree(folder)


def test_it_starts_stops_and_says_so(own: Cluster) -> None:
    assert own.status() == "absent"
    own.start()
    assert own.status() == "running"
    own.start()
    own.stop()
    assert own.status() == "stopped"


def test_its_settings_are_durable_and_it_has_no_network_address(own: Cluster) -> None:
    own.start()
    names = (
        "fsync", "full_page_writes", "jit", "listen_addresses", "data_checksums", "default_toast_compression"
    )  # fmt: skip
    told = own.query("select " + ", ".join(f"current_setting('{name}')" for name in names))
    assert told == "on|on|off||on|lz4"


def test_committed_rows_survive_kill_9(own: Cluster) -> None:
    own.start()
    own.create_database("kept")
    own.query("create table t as select 7 as n", "kept")
    pid = own.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while own.pid() == pid:
        time.sleep(0.01)
    own.start()
    assert own.query("select n from t", "kept") == "7"


def test_a_pid_file_that_names_a_stranger_does_not_stop_it(own: Cluster) -> None:
    own.start()
    own.stop()
    (own.pg / "postmaster.pid").write_text(f"{os.getpid()}\n{own.pg}\n1\n5432\n\n\n")
    (own.socket_dir / f"{SOCKET_NAME}.lock").write_text(f"{os.getpid()}\n{own.pg}\n")
    own.start()
    assert own.status() == "running"


def test_a_kill_while_it_was_being_made_leaves_nothing_half_made(own: Cluster) -> None:
    own.start()
    (own.home / "pg.making").mkdir(exist_ok=True)
    own.stop()
    own.pg.rename(own.home / "pg.aside")
    own.start()
    assert own.status() == "running"
    assert not (own.home / "pg.making").exists()


def test_only_its_user_enters_the_folder_of_its_socket(own: Cluster) -> None:
    own.start()
    assert own.socket_dir.stat().st_mode & 0o777 == 0o700


def test_the_path_of_a_socket_stays_within_the_systems_limit() -> None:
    deep = Cluster(Path("/nowhere", "d" * 120))
    assert len(str(deep.socket_dir / SOCKET_NAME)) < SOCKET_PATH_LIMIT


def test_two_data_folders_never_share_a_socket() -> None:
    one, other = (Cluster(Path("/nowhere", letter * 120)) for letter in "de")
    assert one.socket_dir != other.socket_dir


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps its database elsewhere")
def test_a_folder_closed_to_the_databases_user_moves_the_files_aside() -> None:
    closed = Path(tempfile.mkdtemp(prefix="gis-closed-"))
    try:
        assert Cluster(closed / ".gis").home.parent == Path("/var/lib/gis-service")
    finally:
        closed.rmdir()


def test_memory_is_shared_out_with_a_ceiling() -> None:
    small = postgres.configuration(Path("/s"), Path("/l"), 2 * 1024**3, durable=True)
    large = postgres.configuration(Path("/s"), Path("/l"), 256 * 1024**3, durable=True)
    assert "shared_buffers = 512MB" in small
    assert "shared_buffers = 4096MB" in large


def test_data_of_a_version_that_is_not_here_are_refused() -> None:
    with pytest.raises(MachineFault, match="PostgreSQL 9"):
        postgres.fit_for(9, postgres.find_postgres())
