"""A real server on the sample world, for clients that others wrote."""

from collections.abc import Iterator

import httpx
import pytest

from gis_service.access import keystore
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.clients.qgis_oapif import Layer, Qgis
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

# Values to filter by; A is the western protected area that the public sees, B the eastern.
_VALUES = [
    """update gis.protected_area p
          set iucn_cat = v.iucn_cat, status_yr = v.year, rep_area = v.area, decision_date = v.decided::date,
              valid_from = v.decided::date, desig = v.desig, management_board = v.board
         from (values ('open-A', 'II', 1990, 12.5, '2001-02-03', 'Vườn quốc gia', null),
                      ('open-B', 'Ib', 2010, 20.0, '2020-01-05', 'Khu dự trữ', 'Ban A+B & C'))
           as v (id, iucn_cat, year, area, decided, desig, board)
        where p.public_id = v.id""",
    # Counts 0 to 4 in A, 10 to 14 in B; dates in the middle of January to May, of 2024 in A and 2023 in B.
    """update gis.occurrence
          set individual_count = right(source_id, 1)::int + case when source_id ~ '^B' then 10 else 0 end,
              event_date = make_timestamptz(case when source_id ~ '^B' then 2023 else 2024 end,
                                            right(source_id, 1)::int + 1, 15, 12, 0, 0, 'UTC')""",
]


@pytest.fixture(scope="module")
def centre_key(database: str) -> str:
    """An API key of the centre, made before the server starts, for a new one is known only after a second."""
    with SyncDatabase(database) as opened:
        keystore.ensure_principal(opened, sample.CENTRE)
        return keystore.create(opened, sample.CENTRE.name)


@pytest.fixture(scope="module")
def service(start_server: Starter, database: str, centre_key: str) -> str:
    """The address of a server whose layers hold the sample (see tests/sample.py)."""
    sample.fill(database)
    with SyncDatabase(database) as opened:
        opened.apply(_OTHER_LAYERS + _VALUES)
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


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as made:
        yield made


@pytest.fixture
def qgis(client: httpx.Client, service: str) -> Qgis:
    return Qgis(client, service)


@pytest.fixture(scope="module")
def areas(client: httpx.Client, service: str) -> Layer:
    return Qgis(client, service).open("protected-areas")
