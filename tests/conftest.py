"""Fixtures for all tests: a PostGIS of their own, a database per module, a real server."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gis_service.cli import children
from gis_service.db.cluster import Cluster
from gis_service.settings import Settings, load_settings
from tests.conformance import pytest_collection_modifyitems, pytest_runtest_logreport, pytest_sessionfinish

# Hooks of pytest, which finds them in this module.
__all__ = ["pytest_collection_modifyitems", "pytest_runtest_logreport", "pytest_sessionfinish"]

ROOT = Path(__file__).parents[1]
TEMPLATE = "template_gis"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data are absent: no folder ../shared/data beside this checkout")
    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostGIS cluster of this test run alone; nothing in it outlives the run, so it needn't be durable."""
    folder = Path(tempfile.mkdtemp(prefix="gis-test-"))
    folder.chmod(0o755)  # the database's user must be able to enter
    made = Cluster(folder, durable=False)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def settings(cluster: Cluster) -> Settings:
    """The checkout's settings, with the data folder of this test run."""
    return load_settings(ROOT, {"GIS_DATA": str(cluster.data_dir)})


@pytest.fixture(scope="session")
def template(cluster: Cluster, settings: Settings) -> str:
    """The name of a database with all migrations and the wall of roles, and no rows of features."""
    from gis_service.cli.prepare import prepare_database

    cluster.create_database(TEMPLATE)
    prepare_database(settings, cluster.dsn(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="module")
def database(cluster: Cluster, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of this test module's own, cloned from the template."""
    with clone(cluster, template) as dsn:
        yield dsn


@pytest.fixture
def fresh_database(cluster: Cluster, template: str) -> Iterator[str]:
    """The address of a database of this one test's own, cloned from the template."""
    with clone(cluster, template) as dsn:
        yield dsn


@pytest.fixture
def bare_database(cluster: Cluster) -> Iterator[str]:
    """The address of a database that nobody has migrated."""
    with clone(cluster, "template1") as dsn:
        yield dsn


@contextmanager
def clone(cluster: Cluster, template: str) -> Iterator[str]:
    """A database copied from another for as long as the block lasts."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    cluster.create_database(name, template)
    try:
        yield cluster.dsn(name)
    finally:
        cluster.drop_database(name)


Starter = Callable[..., str]


@pytest.fixture(scope="module")
def start_server(settings: Settings) -> Iterator[Starter]:
    """A function that starts the real web server and gives its address: `start_server(dsn, GIS_X="1")`.

    With `root`, a folder of other layers than the checkout's; with `data_dir`, a data folder of its own.
    """
    running: list[subprocess.Popen[bytes]] = []

    def start(
        dsn: str, *, root: Path = ROOT, workers: int = 1, data_dir: Path = settings.data_dir, **env: str
    ) -> str:
        port = free_port()
        ours = replace(settings, port=port, workers=workers, root=root, data_dir=data_dir)
        # Tiles are drawn when a test asks for them: to draw all low zooms for each server takes a while.
        environment = children.child_environment(
            ours, dsn, {**os.environ, "GIS_TILES_WARM_ZOOMS": "0", **env}
        )
        log = settings.data_dir / f"server-{port}.log"
        with log.open("wb") as file:
            server = subprocess.Popen(
                children.web_command(ours), env=environment, stdout=file, stderr=subprocess.STDOUT, cwd="/"
            )
        running.append(server)
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(server, url, log)
        return url

    yield start
    for server in running:
        server.terminate()
    for server in running:
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def server(start_server: Starter, database: str) -> str:
    """The address of a real web server on this module's database."""
    return start_server(database)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait for /ready to answer 200; fails with the server's log when it dies or is too late."""
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the server at {url} didn't become ready:\n{log.read_text(errors='replace')[-4000:]}")


PROVINCE = "VN-01"


@pytest.fixture(scope="module")
def keys(database: str) -> dict[str, str | None]:
    """The API keys of the three principals in this module's database: public (none), province, centre."""
    from gis_service.access import keystore
    from gis_service.access.principal import Principal
    from gis_service.db.sync import SyncDatabase

    made: dict[str, str | None] = {"public": None}
    with SyncDatabase(database) as db:
        province = Principal("province", "jurisdiction", (PROVINCE,))
        for principal in (province, Principal("centre", "full")):
            keystore.ensure_principal(db, principal)
            made[principal.name] = keystore.create(db, principal.name)
    return made
