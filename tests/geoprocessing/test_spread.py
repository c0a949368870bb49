"""Coverage on a Dask scheduler with two workers, one of which is killed half-way: no bit of it differs."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from gis_service.access.principal import PUBLIC
from gis_service.cli.__main__ import main
from gis_service.geoprocessing.coverage import Portion, Work, portion
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.spread import ClusterAway, NoDask, OnCluster
from gis_service.processes.geoprocessor import Geoprocessor
from gis_service.processes.resident import Question
from gis_service.processes.statistics import STATISTICS
from gis_service.settings import Settings
from tests import sample
from tests.conftest import ROOT
from tests.geoprocessing.test_engine import star

SIDE = 7  # zones in a row, and rows


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Dask's own command line, without its page."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "True",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--no-dashboard"],
        env=environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@dataclass
class Cluster:
    """A scheduler's address and the processes of its workers."""

    address: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    made = Cluster(f"tcp://127.0.0.1:{(port := free_port())}")
    place = ("--host", "127.0.0.1")
    with ExitStack() as stack:
        stack.enter_context(running("distributed.cli.dask_scheduler", *place, "--port", str(port)))
        for number in range(2):
            home = str(tmp_path_factory.mktemp(f"worker{number}"))
            worker = ("distributed.cli.dask_worker", made.address, *place, "--local-directory", home)
            made.workers.append(
                stack.enter_context(running(*worker, "--no-nanny", "--nthreads", "1", "--name", str(number)))
            )
        yield made


@pytest.fixture(scope="module")
def work() -> Work:
    """Zones side by side but for the last, which lies over others, and areas of many corners across them."""
    boxes = [
        shapely.box(105 + x / 2, 15 + y / 2, 105.5 + x / 2, 15.5 + y / 2)
        for x in range(SIDE)
        for y in range(SIDE)
    ]
    zones = engine.of_shapes(np.array([*boxes, shapely.box(105.2, 15.2, 106.8, 16.8)], object))
    stars = [star(seed, 105.1 + seed % 9 / 3, 15.1 + seed % 8 / 3, 0.2, 60) for seed in range(40)]
    with ThreadPoolExecutor(2) as threads:
        rows = np.arange(len(stars)), np.array(stars, object)
        sites = engine.build([rows], True, threads, lambda _share: None)
    assert sites.flat is not None
    atoms = np.arange(sites.flat.layer.labels, dtype=np.int32)
    counted = engine.of_labels(sites, np.zeros(sites.labels, np.int32))
    of_label = np.arange(zones.labels, dtype=np.int32)
    return Work(zones, of_label, zones.labels, [(sites.flat.layer, atoms)], len(atoms), counted)


def same(parts: list[Portion], whole: Portion) -> bool:
    """To the last bit."""
    return all(
        np.concatenate([getattr(part, each.name) for part in parts]).tobytes()
        == getattr(whole, each.name).tobytes()
        for each in fields(Portion)
    )


@pytest.mark.parametrize("size", [1, 7, 50])
def test_the_sums_of_a_zone_are_the_same_in_any_portion(work: Work, size: int) -> None:
    parts = [portion(work, first, min(first + size, work.count)) for first in range(0, work.count, size)]
    whole = portion(work, 0, work.count)
    assert whole.found.sum() > 1e9
    assert same(parts, whole)


def test_a_worker_that_is_killed_half_way_changes_nothing(scheduler: Cluster, work: Work) -> None:
    killed: list[int] = []

    def tell(done: int, of: int) -> None:
        if not killed and done < of:
            scheduler.workers[0].kill()
            scheduler.workers[0].wait()
            killed.append(done)

    dask: Any = import_module("distributed")
    with dask.Client(scheduler.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    parts = list(OnCluster(scheduler.address, tell)(work))
    assert len(killed) == 1
    assert len(parts) == 8  # four for each of two threads
    assert same(parts, portion(work, 0, work.count))


def test_without_a_scheduler_or_without_dask_it_is_said(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    with monkeypatch.context() as few:
        few.setattr("gis_service.geoprocessing.spread.SECONDS", 0.2)
        with pytest.raises(ClusterAway, match="No scheduler"):
            OnCluster(f"tcp://127.0.0.1:{free_port()}")(work)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoDask, match="pip install distributed"):
        OnCluster("tcp://127.0.0.1:1")(work)


def test_the_command_says_what_the_engine_says(
    scheduler: Cluster,
    database: str,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    sample.fill(database)
    for name, value in (("DATA", str(tmp_path)), ("DATABASE_URL", database), ("LANG", "en")):
        monkeypatch.setenv(f"GIS_{name}", value)
    engine_here = Geoprocessor.of(replace(settings, data_dir=tmp_path, database_url=database))
    inputs = STATISTICS["coverage"].check({"zones": "provinces"})
    with closing(engine_here):
        expected = engine_here.answer(Question("coverage", inputs, PUBLIC, "json")).body
    words = ["statistic", "coverage", "--zones", "provinces", "--cluster"]
    assert main([*words, scheduler.address]) == 0
    assert capfdbinary.readouterr().out.strip() == expected
    with pytest.raises(SystemExit, match="2"):
        main([*words, "nowhere"])
