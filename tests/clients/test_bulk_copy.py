"""GDAL copies a layer of two million features, each exactly once, by the pages of `items`."""

import numpy as np
import pyogrio
import pytest

from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.conftest import Starter

ROWS = 2_000_000
# As the loader leaves them, but with the triggers at rest: one statement instead of an hour of them.
_FILL = f"""
insert into gis.occurrence
  (gid, public_id, source_id, dataset_id, rev, release_from, basis, restricted, jurisdiction, scientific_name,
   taxon_id, individual_count, event_date, geom)
select n, 'many-' || n, 'many-' || n, d.dataset_id, 1, 1, 'simulated', false, '{{}}', 'Speciosus category0',
       'taxon-0', n % 1000, timestamptz '2000-01-01 00:00Z' + n % 9000 * interval '1 day', place
  from generate_series(1000, {ROWS + 999}) n
  join gis.dataset d on d.slug = 'open',
       lateral ST_SetSRID(ST_MakePoint(102 + n % 8000 / 1000.0, 9 + n / 8000 / 20.0), 4326) place
"""


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_gdal_copies_two_million_features_each_once(start_server: Starter, fresh_database: str) -> None:
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database, timeout_ms=600_000) as database:
        database.apply(["set local session_replication_role = replica", _FILL])
        database.apply(["analyze gis.occurrence"])
    url = f"OAPIF:{start_server(fresh_database)}/collections/occurrences"
    seen = np.zeros(ROWS + 1000, dtype=np.uint8)
    with pyogrio.open_arrow(
        url, PAGE_SIZE="10000", columns=[], batch_size=50_000, return_fids=True, use_pyarrow=True
    ) as source:
        for batch in source[1]:
            np.add.at(seen, batch.column("OGC_FID").to_numpy(), 1)
    assert seen[1000:].min() == seen[1000:].max() == 1
