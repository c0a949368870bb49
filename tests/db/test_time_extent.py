"""When a layer's rows hold: an end that one row leaves open is open for the layer."""

from datetime import date

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.db import select
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import ROOT

PROVINCES = view(PUBLIC, load_catalog(ROOT).layers["provinces"])


@pytest.mark.parametrize(
    ("a", "b", "extent"),
    [
        (("null", "'2025-06-30'"), ("'2025-07-01'", "null"), (None, None)),
        (("'2004-01-01'", "'2025-06-30'"), ("'2025-07-01'", "null"), (date(2004, 1, 1), None)),
        (
            ("'2004-01-01'", "'2025-06-30'"),
            ("'2008-08-01'", "'2020-01-01'"),
            (date(2004, 1, 1), date(2025, 6, 30)),
        ),
        (("'0044-03-15 BC'", "'2025-06-30'"), ("'2025-07-01'", "'infinity'"), (None, None)),
    ],
)
def test_an_open_end_of_a_row_is_one_of_the_layer(
    fresh_database: str, a: tuple[str, str], b: tuple[str, str], extent: tuple[date | None, date | None]
) -> None:
    """Provinces before and after a reform: without this the extent would end before it begins."""
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as database:
        for code, (begin, end) in (("A", a), ("B", b)):
            database.apply(
                [f"update gis.admin_unit set valid_from = {begin}, valid_to = {end} where code = '{code}'"]
            )
        assert database.run(select.time_extent(PROVINCES))[0] == extent
