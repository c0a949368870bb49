"""What an answer costs tells of no hidden row either: proved by plans and rows read, not by the clock."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db import select, tilesql
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering
from tests import sample

BOX = BBox(105.5, 20.5, 105.6, 20.6)
# Many records of the highest category in the box, and as many that anybody sees elsewhere.
_MANY = """
insert into gis.occurrence (source_id, dataset_id, scientific_name, taxon_id, geom)
  select 'many' || n, d.dataset_id, 'Speciosus category' || category, 'taxon-' || category,
         ST_SetSRID(ST_MakePoint(x + (n % 97) / 1000.0, 20.5 + (n % 89) / 1000.0), 4326)
    from gis.dataset d, generate_series(1, 6000) n,
         lateral (select case when n % 2 = 0 then 1 else 0 end as category,
                         case when n % 2 = 0 then 105.5 else 106.5 end as x) c
   where d.slug = 'open'
"""


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as opened:
        opened.apply([_MANY])
        opened.apply(["analyze gis.occurrence"])
        yield opened


@pytest.fixture(scope="module")
def occurrences(root: Path) -> ViewedLayer:
    return view(PUBLIC, load_catalog(root).layers["occurrences"])


def removed(db: SyncDatabase, query: Query) -> int:
    """How many rows the statement read and then left out."""
    (row,) = db.run(dataclasses.replace(query, sql="explain (analyze, format json) " + query.sql))
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return sum(_removed(plan[0]["Plan"]))


def _removed(node: dict[str, Any]) -> Iterator[int]:
    yield sum(int(node[key]) for key in node if key.startswith("Rows Removed by"))
    for below in node.get("Plans", ()):
        yield from _removed(below)


def test_a_box_and_a_tile_over_rows_of_the_highest_category_read_none_of_them(
    db: SyncDatabase, occurrences: ViewedLayer
) -> None:
    """The index of what the public sees holds no place of theirs, so not even their number costs time."""
    for query in (
        select.items(occurrences, ItemsQuery(limit=100, bbox=BOX)),
        select.count(occurrences, ItemsQuery(bbox=BOX)),
        tilesql.compose([occurrences], 14).at(Tile(14, *covering(BOX, 14)[:2])),
    ):
        assert removed(db, query) == 0


def test_a_single_hidden_row_costs_what_one_that_never_was_costs(
    db: SyncDatabase, occurrences: ViewedLayer
) -> None:
    hidden = sample.scalar(db, "select gid from gis.occurrence where source_id = 'A1'")
    assert isinstance(hidden, int)
    for gid, rows in ((hidden, 1), (10_000_000, 0)):
        query = select.item(occurrences, gid)
        assert db.run(query) == []
        assert removed(db, query) <= rows, "one row is looked at, and no answer is made of it"
