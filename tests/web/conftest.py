"""A server on the small world of tests.sample, for every module here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest

from gis_service.access import keystore
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import Starter


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
