"""A real server on the sample world, for clients that others wrote."""

import pytest

from tests import sample
from tests.conftest import Starter


@pytest.fixture(scope="module")
def service(start_server: Starter, database: str) -> str:
    """The address of a server whose layers hold the sample (see tests/sample.py)."""
    sample.fill(database)
    return start_server(database)


# What the public counts in each collection of the sample.
PUBLIC_COUNTS = {
    "communes": 0,
    "ecoregions": 0,
    "management-zones": 0,
    "occurrences": 8,
    "plots": 2,
    "protected-areas": 2,
    "provinces": 2,
    "sea-areas": 0,
    "species-ranges": 1,
}
