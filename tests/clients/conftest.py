"""A real server on the sample world, for clients that others wrote."""

import pytest

from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import Starter

# One feature for each layer that the sample leaves empty, so that no client is right by counting nothing.
_OTHER_LAYERS = [
    f"insert into gis.{table} (source_id, dataset_id, {column}, {more}name, geom)"
    f" select 'x', dataset_id, '{value}', {given}'One',"
    " ST_Multi(ST_MakeEnvelope(105.1, 20.1, 105.3, 20.3, 4326))"
    " from gis.dataset where slug = 'open'"
    for table, column, value, more, given in (
        ("admin_unit", "level", "commune", "code, parent_code, ", "'00001', 'A', "),
        ("management_zone", "zone", "strict", "", ""),
        ("ecoregion", "code", "1", "", ""),
        ("sea_area", "code", "1", "", ""),
    )
]


@pytest.fixture(scope="module")
def service(start_server: Starter, database: str) -> str:
    """The address of a server whose layers hold the sample (see tests/sample.py)."""
    sample.fill(database)
    with SyncDatabase(database) as opened:
        opened.apply(_OTHER_LAYERS)
    return start_server(database)


# What the public counts in each collection of the sample.
PUBLIC_COUNTS = {
    "communes": 1,
    "ecoregions": 1,
    "management-zones": 1,
    "occurrences": 8,
    "plots": 2,
    "protected-areas": 2,
    "provinces": 2,
    "sea-areas": 1,
    "species-ranges": 1,
}
