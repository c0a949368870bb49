"""A server on the small world of tests.sample, for every module here."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import httpx
import pytest

from gis_service.access import keystore
from gis_service.cli import children
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings
from tests import sample
from tests.conftest import Starter, free_port


@dataclass(frozen=True)
class Sample:
    """A server on the sample and the keys of the two principals that have one."""

    url: str
    dsn: str
    keys: Mapping[str, str]


@pytest.fixture(scope="module")
def sampled(start_server: Starter, database: str) -> Sample:
    sample.fill(database)
    with SyncDatabase(database) as db:
        for principal in (sample.PROVINCE_A, sample.CENTRE):
            keystore.ensure_principal(db, principal)
        keys = {p.name: keystore.create(db, p.name) for p in (sample.PROVINCE_A, sample.CENTRE)}
    return Sample(start_server(database), database, keys)


@pytest.fixture(scope="module")
def web(sampled: Sample) -> Iterator[httpx.Client]:
    """A client of the public."""
    with httpx.Client(base_url=sampled.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def centre(sampled: Sample) -> Iterator[httpx.Client]:
    """A client of the centre, which sees every row."""
    with httpx.Client(
        base_url=sampled.url, timeout=30, headers={"X-API-Key": sampled.keys["centre"]}
    ) as client:
        yield client


@pytest.fixture
def start_unready(settings: Settings) -> Iterator[Starter]:
    """A function that starts a server which needn't become ready, and gives its address once it's alive."""
    running: list[subprocess.Popen[bytes]] = []

    def start(dsn: str) -> str:
        ours = replace(settings, port=free_port(), workers=1)
        environment = children.child_environment(ours, dsn, os.environ)
        with (settings.data_dir / f"unready-{ours.port}.log").open("wb") as log:
            command = children.web_command(ours)
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd="/"))
        url = f"http://127.0.0.1:{ours.port}"
        for _ in range(300):
            try:
                httpx.get(f"{url}/health").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return url
        pytest.fail(f"no server at {url}")

    yield start
    for server in running:
        server.terminate()
        server.wait(timeout=20)
