"""Which class is told of a change on the map, and where. Places are those of tests.sample."""

from collections.abc import Iterator, Mapping

import pytest

from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests import sample

Boxes = Mapping[str, list[list[float]]]
_NOTED = """
select class, boxes from gis_tiles.change
 where table_name = $1 and xact = (select max(xact) from gis_tiles.change) order by number
"""


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as opened:
        yield opened


def noted(db: SyncDatabase, table: str, *statements: str) -> Boxes:
    """The boxes that statements of one transaction leave, by class; no box where none is told."""
    before = sample.scalar(db, "select count(*) from gis_tiles.change")
    db.apply(list(statements))
    if sample.scalar(db, "select count(*) from gis_tiles.change") == before:
        return {}
    return {
        name: [flat[n : n + 4] for n in range(0, len(flat), 4)]
        for name, flat in db.run(Query(_NOTED, (table,)))
    }


def joined(boxes: list[list[float]]) -> list[float]:
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def test_a_moved_area_is_told_to_all_who_see_it_where_it_was_and_where_it_is(db: SyncDatabase) -> None:
    found = noted(
        db,
        "gis.protected_area",
        "update gis.protected_area set geom = ST_Translate(geom, 0, 0.25) where source_id = 'open-A'",
    )
    both = [[105.4, 20.4, 105.6, 20.6], [105.4, 20.65, 105.6, 20.85]]
    assert found == {name: [pytest.approx(box) for box in both] for name in ("full", "public", "j:A")}


def test_a_hidden_area_is_told_to_its_own_province_and_the_centre_alone(db: SyncDatabase) -> None:
    found = noted(
        db, "gis.protected_area", "update gis.protected_area set name = 'X' where source_id = 'closed-B'"
    )
    assert set(found) == {"full", "j:B"}


def test_what_moves_within_its_public_cell_is_no_news_to_the_public(db: SyncDatabase) -> None:
    """Category 2 is shown on a grid of 0.1 degree."""
    found = noted(
        db,
        "gis.occurrence",
        "update gis.occurrence set geom = ST_Translate(geom, 0.01, 0) where source_id = 'A2'",
    )
    assert set(found) == {"full", "j:A"}
    assert pytest.approx([105.0532345, 20.0512345, 105.0632345, 20.0512345]) == joined(found["full"])


def test_the_public_is_told_the_cell_and_not_the_place(db: SyncDatabase) -> None:
    found = noted(
        db,
        "gis.occurrence",
        "update gis.occurrence set geom = ST_Translate(geom, 0.1, 0) where source_id = 'B2'",
    )
    assert found["public"] == [pytest.approx([106.05, 20.05] * 2), pytest.approx([106.15, 20.05] * 2)]


def test_what_tiles_do_not_carry_is_no_news(db: SyncDatabase) -> None:
    assert (
        noted(db, "gis.occurrence", "update gis.occurrence set locality = 'Elsewhere', recorded_by = 'Z'")
        == {}
    )


def test_a_row_that_is_hidden_from_now_on_is_told_to_the_public(db: SyncDatabase) -> None:
    found = noted(
        db, "gis.protected_area", "update gis.dataset set redistribution = false where slug = 'open'"
    )
    assert pytest.approx([106.4, 20.4, 106.6, 20.6]) in found["public"]
    assert "full" not in found
    noted(db, "gis.protected_area", "update gis.dataset set redistribution = true where slug = 'open'")


def test_thousands_of_rows_leave_few_boxes_that_hold_them_all(db: SyncDatabase) -> None:
    many = """
    insert into gis.occurrence (source_id, dataset_id, scientific_name, taxon_id, geom)
      select 'many' || n, d.dataset_id, 'Speciosus category0', 'taxon-0',
             ST_SetSRID(ST_MakePoint(102 + n % 80 / 10.0, 8 + n / 80 / 4.0), 4326)
        from gis.dataset d, generate_series(0, 4799) n where d.slug = 'open'
    """
    boxes = noted(db, "gis.occurrence", many)["public"]
    assert 4 < len(boxes) <= 81
    places = db.run(Query("select ST_X(geom), ST_Y(geom) from gis.occurrence where source_id like 'many%'"))
    assert all(any(w <= x <= e and s <= y <= n for w, s, e, n in boxes) for x, y in places)
    gone = noted(db, "gis.occurrence", "delete from gis.occurrence where source_id like 'many%'")["public"]
    assert gone == boxes


def test_derived_shapes_that_become_ready_are_told_to_all(db: SyncDatabase) -> None:
    found = noted(
        db,
        "gis.protected_area",
        "update gis_tiles.surface set ready = not ready where table_name = 'protected_area'",
    )
    assert found == {"*": [[-180, -90, 180, 90]]}


def test_a_reader_that_may_have_missed_what_was_thrown_away_can_tell(db: SyncDatabase) -> None:
    snapshot = sample.scalar(db, "select pg_current_snapshot()::text")
    noted(db, "gis.protected_area", "update gis.protected_area set name = 'Y' where source_id = 'open-B'")
    missed = Query(
        "select pruned >= pg_snapshot_xmin($1::pg_snapshot) from gis_tiles.change_log", (snapshot,)
    )
    assert db.run(missed) == [(False,)]
    db.run(Query("select gis_tiles.prune_changes('1 day', 0)"))
    assert db.run(missed) == [(True,)]
    assert sample.scalar(db, "select count(*) from gis_tiles.change") == 0
