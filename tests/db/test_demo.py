"""The demo goes through the loader that users' files go through, and a second load changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.demo.load import DemoSummary, load_demo

ROWS = {
    "admin_unit": 86,
    "protected_area": 32,
    "management_zone": 24,
    "species_range": 12,
    "occurrence": 4_000,
    "plot": 150,
    "sea_area": 0,
    "ecoregion": 0,
}


@pytest.fixture(scope="module")
def first(database: str, root: Path) -> DemoSummary:
    return load_demo(database, root)


@pytest.fixture
def db(database: str, first: DemoSummary) -> Iterator[SyncDatabase]:
    with SyncDatabase(database) as connection:
        yield connection


@pytest.mark.parametrize(("table", "count"), ROWS.items())
def test_each_layer_holds_its_rows(db: SyncDatabase, table: str, count: int) -> None:
    assert db.run(Query(f"select count(*) from gis.{table}")) == [(count,)]


def test_the_summary_tells_what_was_loaded(first: DemoSummary) -> None:
    assert first.changed
    assert (first.sites_known, first.sites_drawn, first.taxa, first.visits, first.targets) == (
        50,
        32,
        12,
        300,
        4,
    )


def test_a_second_load_changes_nothing(database: str, root: Path, db: SyncDatabase) -> None:
    state = Query(
        """
        select (select max(release) from gis.release), (select count(*) from gis.visit),
               (select count(*) from gis.measurement), (select count(*) from gis.target),
               (select count(*) from gis.sensitivity), (select sum(version) from gis.layer_version)
        """
    )
    before = db.run(state)
    second = load_demo(database, root)
    assert not second.changed
    assert all(each.seen_before for each in second.loads)
    assert db.run(state) == before


def test_every_row_says_what_it_is(db: SyncDatabase) -> None:
    for table, basis in (
        ("protected_area", "indicative"),
        ("management_zone", "simulated"),
        ("species_range", "simulated"),
        ("occurrence", "simulated"),
        ("plot", "simulated"),
    ):
        assert db.run(Query(f"select distinct basis from gis.{table}")) == [(basis,)]


def test_the_provinces_of_today_are_thirty_four(db: SyncDatabase) -> None:
    today = "valid_to is null or valid_to > current_date"
    assert db.run(Query(f"select count(*) from gis.admin_unit where {today}")) == [(34,)]


def test_a_circle_has_the_area_that_its_decision_states(db: SyncDatabase) -> None:
    worst = db.run(
        Query(
            """
            select max(abs(ST_Area(geom::geography) / 10000 / coalesce(decided_area_ha, rep_area * 100) - 1))
              from gis.protected_area
            """
        )
    )
    assert worst[0][0] < 1e-3


def test_rights_follow_from_the_province_of_today(db: SyncDatabase) -> None:
    sql = "select jurisdiction from gis.protected_area where national_code = $1"
    assert db.run(Query(sql, ("ba-be",))) == [(["08", "19"],)]  # Bắc Kạn is part of Thái Nguyên now
    assert db.run(Query(sql, ("con-dao",))) == [(["79"],)]


def test_the_public_sees_sensitive_taxa_by_their_category(db: SyncDatabase) -> None:
    rows = db.run(
        Query(
            """
            select sensitivity, count(geom_public) > 0, bool_and(geom_public = geom) is true
              from gis.occurrence group by sensitivity order by sensitivity
            """
        )
    )
    assert rows == [
        (0, True, True),
        (1, False, False),
        (2, True, False),
        (3, True, False),
        (4, True, False),
    ]


def test_a_taxon_may_be_sensitive_in_one_province_alone(db: SyncDatabase) -> None:
    rows = db.run(
        Query(
            """
            select '15' = any(jurisdiction), array_agg(distinct sensitivity)
              from gis.occurrence where taxon_id = 'SIM-05' group by 1 order by 1
            """
        )
    )
    assert rows == [(False, [0]), (True, [2])]


def test_every_plot_has_a_stratum_of_the_design_and_two_visits(db: SyncDatabase) -> None:
    rows = db.run(
        Query(
            """
            select s.code, s.planned_plots::bigint, count(distinct p.gid), count(v.visit_id)
              from gis.plot p join gis.stratum s using (stratum_id) join gis.visit v on v.plot_gid = p.gid
             group by 1, 2 order by 1
            """
        )
    )
    assert rows == [("centre", 50, 50, 100), ("north", 55, 55, 110), ("south", 45, 45, 90)]


def test_targets_carry_their_definition_and_source(db: SyncDatabase) -> None:
    rows = db.run(
        Query("select code, value, value_to from gis.target where code like 'vn-2030-%' order by 1")
    )
    assert ("vn-2030-land", 9.0, None) in rows
    assert ("vn-2030-sea", 3.0, 5.0) in rows
    assert db.run(Query("select bool_and(source like '%149/QĐ-TTg%') from gis.target")) == [(True,)]
