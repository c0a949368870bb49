"""Whatever interrupts a load, nothing of it stays and the next one runs."""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gis_service.db.cluster import Cluster
from gis_service.db.migrate import migrate
from gis_service.errors import DatabaseDown, DiskFull
from gis_service.exchange.load import load
from gis_service.exchange.request import LoadRequest, LoadResult
from tests.db.loads import DATASET, LAYERS, ROOT, ask, names, one, parks, put, square

OLD = parks({"a": square(0), "b": square(2)})
NEW = parks({"a": square(0.5), "c": square(4)})

# Loads the frame in file 2 into database 1, and waits for ever at step 3.
WAITING = """
import sys, time
from pathlib import Path
from gis_service.exchange.load import load
from gis_service.exchange.request import LoadRequest
from tests.db.loads import DATASET, LAYERS

def show(step, done, total):
    if step == sys.argv[3]:
        print(step, flush=True)
        time.sleep(600)

load(LoadRequest(Path(sys.argv[2]), LAYERS["protected-areas"], DATASET, id_field="code"), sys.argv[1], show)
"""


def counts(dsn: str) -> list[int]:
    """How much there is of everything that a load writes."""
    tables = ("gis.protected_area", "gis_history.protected_area", "gis.load", "gis.release", "gis.quarantine")
    return [one(dsn, f"select count(*) from {table}") for table in tables]


@pytest.mark.parametrize("step", ["read", "merge", "commit"])
def test_a_load_killed_at_any_step_leaves_nothing(fresh_database: str, tmp_path: Path, step: str) -> None:
    put(fresh_database, OLD)
    before = counts(fresh_database)
    NEW.to_file(tmp_path / "new.gpkg", engine="pyogrio")
    words = [sys.executable, "-c", WAITING, fresh_database, str(tmp_path / "new.gpkg"), step]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline().decode().strip() == step
        child.kill()
    assert counts(fresh_database) == before
    assert names(fresh_database) == [("a", "Park a"), ("b", "Park b")]
    result = put(fresh_database, NEW)
    assert (result.counts.superseded, result.counts.inserted, result.counts.withdrawn) == (1, 1, 1)
    assert one(fresh_database, "select count(*) from pg_class where relname like 'gis_load%%'") == 0


def test_a_lost_connection_is_named_and_leaves_nothing(fresh_database: str) -> None:
    put(fresh_database, OLD)
    before = counts(fresh_database)

    def cut(step: str, _done: int, _total: int | None) -> None:
        if step == "merge":
            ask(fresh_database, "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'gis-load' and datname = current_database()")  # fmt: skip

    with pytest.raises(DatabaseDown) as fault:
        load(LoadRequest(NEW, LAYERS["protected-areas"], DATASET, id_field="code"), fresh_database, cut)
    assert fault.value.exit_code == 5
    assert counts(fresh_database) == before


def test_two_loads_of_one_file_at_once_are_one(fresh_database: str) -> None:
    results: list[LoadResult] = []
    threads = [threading.Thread(target=lambda: results.append(put(fresh_database, OLD))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.seen_before for result in results) == [False, True, True]
    assert one(fresh_database, "select count(*) from gis.release") == 1


def test_readers_see_the_old_rows_until_the_load_is_whole(fresh_database: str) -> None:
    put(fresh_database, OLD)
    seen: list[list[tuple[str, str]]] = []

    def look(step: str, _done: int, _total: int | None) -> None:
        if step == "commit":
            seen.append(names(fresh_database))

    load(LoadRequest(NEW, LAYERS["protected-areas"], DATASET, id_field="code"), fresh_database, look)
    assert seen == [[("a", "Park a"), ("b", "Park b")]]
    assert [row[0] for row in names(fresh_database)] == ["a", "c"]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 120 MB, half of it free under a new cluster; skipped where we may not mount one."""
    disk = Path(tempfile.mkdtemp(prefix="gis-disk-"))
    words = ["mount", "-t", "tmpfs", "-o", "size=120m,mode=755", "none", str(disk)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        disk.rmdir()
        pytest.skip("mounting a small disk needs root and the right to mount")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
        disk.rmdir()


def test_a_full_disk_is_named_and_leaves_nothing(small_disk: Path) -> None:
    cluster = Cluster(small_disk, durable=False)
    cluster.start()
    try:
        cluster.create_database("gis")
        migrate(cluster.dsn())
        put(cluster.dsn(), OLD)
        before = counts(cluster.dsn())
        random = np.random.default_rng(7)
        words = [random.bytes(500_000).hex() for _ in range(150)]  # nothing that compression makes small
        with pytest.raises(DiskFull) as fault:
            put(cluster.dsn(), parks({str(at): square(at) for at in range(150)}, supp_info=words))
        assert fault.value.exit_code == 5
        assert counts(cluster.dsn()) == before
        assert put(cluster.dsn(), NEW).counts.withdrawn == 1
    finally:
        cluster.stop()


def test_a_dead_database_is_named(cluster: Cluster) -> None:
    with pytest.raises(DatabaseDown):
        put(cluster.dsn("no_such_database"), OLD)
