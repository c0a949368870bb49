"""Coverage of zones by protected areas, in boxes whose areas a reader can add up, read from PostGIS."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog
from gis_service.db import engine_sql
from gis_service.db.sync import SyncDatabase
from gis_service.geo import areas
from gis_service.geoprocessing import coverage
from gis_service.geoprocessing.coverage import By, Coverage
from gis_service.geoprocessing.keeper import Keeper
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.seen import seen
from tests import sample
from tests.sample import CENTRE


@pytest.fixture(scope="module")
def catalog(root: Path) -> dict[str, Layer]:
    return dict(load_catalog(root).layers)


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    """In province A beside the sample's open and closed area: category II of 2000 over IV of 1990."""
    sample.fill(database)
    with SyncDatabase(database) as made:
        oecm = "site_type = 'OECM', iucn_cat = 'Not Applicable', status_yr = 0"
        made.apply(
            [
                f"update gis.protected_area set {oecm}",
                """insert into gis.protected_area (source_id, dataset_id, public_id, name, iucn_cat,
                          status_yr, status, desig_eng, site_type, geom)
                   select name, 1, name, name, category, year, status, desig, 'PA',
                          ST_Multi(ST_MakeEnvelope(west, 20, west + 0.2, 20.1, 4326))
                     from (values ('strict', 'II', 2000, 'Designated', 'National Park', 105.0),
                                  ('wide', 'IV', 1990, 'Designated', 'Reserve', 105.1),
                                  ('twice', 'IV', 1990, 'Designated', 'Reserve', 105.1),
                                  ('planned', 'II', 2020, 'Proposed', 'National Park', 105.8),
                                  ('mab', null, 2005, 'Designated', 'UNESCO-MAB Biosphere Reserve', 105.8))
                       a (name, category, year, status, desig, west)""",
            ]
        )
        yield made


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    made = Keeper(tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


def ask(
    db: SyncDatabase,
    keeper: Keeper,
    catalog: dict[str, Layer],
    by: By,
    who: Principal = PUBLIC,
    day: date | None = None,
) -> Coverage:
    zones, sites = catalog["provinces"], catalog["protected-areas"]
    tables = {
        layer.table: surface
        for surface in engine_sql.surfaces(catalog.values())
        for layer in (zones, sites)
        if layer.table_name == surface.table
    }
    with keeper.moment(db, list(tables.values())) as held:
        zone, site = held[tables[zones.table].name], held[tables[sites.table].name]
        rows = seen(db, view(who, sites), coverage.PROPERTIES, site, keeper.kept)
        of = coverage.areas(site, rows, by, Filter())
        drawn = seen(db, view(who, zones), coverage.ZONE_PROPERTIES, zone, keeper.kept)
        return coverage.coverage(zone, drawn, by, of, day)


def box(west: float, south: float, east: float, north: float) -> float:
    return areas.box(west, south, east, north)


OPEN_A = box(105.4, 20.4, 105.6, 20.6)
TENTH = box(105, 20, 105.1, 20.1)


def test_each_place_is_counted_once_in_its_strictest_category(
    db: SyncDatabase, keeper: Keeper, catalog: dict[str, Layer]
) -> None:
    found = ask(db, keeper, catalog, "category")
    a = found.zones[0]
    assert a.name == "Province A"
    assert a.area_m2 == pytest.approx(box(105, 20, 106, 21))
    assert a.covered_m2 == pytest.approx(3 * TENTH + OPEN_A)
    assert a.naive_m2 == pytest.approx(6 * TENTH + OPEN_A)
    assert a.several_m2 == pytest.approx(2 * TENTH)
    assert [(part.value, part.first_m2, part.inclusive_m2) for part in a.parts] == [
        ("II", pytest.approx(2 * TENTH), pytest.approx(2 * TENTH)),
        ("IV", pytest.approx(TENTH), pytest.approx(2 * TENTH)),
        ("Not Applicable", pytest.approx(OPEN_A), pytest.approx(OPEN_A)),
        (None, 0, 0),  # the biosphere reserve's, which doesn't count
    ]
    assert found.counted.excluded == {"report.excluded.mab": 1, "report.excluded.status": 1}
    assert a.gap_m2(0.3) == pytest.approx(0.3 * a.area_m2 - a.covered_m2)
    assert found.zones[1].gap_m2(0.01) == 0


def test_a_year_is_that_in_which_a_place_was_first_protected(
    db: SyncDatabase, keeper: Keeper, catalog: dict[str, Layer]
) -> None:
    parts = {part.value: part.first_m2 for part in ask(db, keeper, catalog, "year").zones[0].parts}
    expected = {1990: 2 * TENTH, 2000: TENTH, 2005: 0, 2020: 0, None: OPEN_A}
    assert parts == {year: pytest.approx(size) for year, size in expected.items()}
    assert list(parts) == [1990, 2000, 2005, 2020, None]


def test_what_has_no_order_is_told_inclusive_alone(
    db: SyncDatabase, keeper: Keeper, catalog: dict[str, Layer]
) -> None:
    parts = ask(db, keeper, catalog, "designation").zones[0].parts
    assert {part.value: part.inclusive_m2 for part in parts}["Reserve"] == pytest.approx(2 * TENTH)
    assert all(part.first_m2 is None for part in parts)


def test_zones_that_don_t_overlap_are_summed(
    db: SyncDatabase, keeper: Keeper, catalog: dict[str, Layer]
) -> None:
    found = ask(db, keeper, catalog, "site_type")
    assert found.together is not None
    assert found.together.covered_m2 == pytest.approx(sum(zone.covered_m2 for zone in found.zones))
    assert found.together.share == pytest.approx((3 * TENTH + 2 * OPEN_A) / (2 * box(105, 20, 106, 21)))


def test_who_sees_more_is_told_more(db: SyncDatabase, keeper: Keeper, catalog: dict[str, Layer]) -> None:
    seen_by_all = ask(db, keeper, catalog, "category").zones
    closed = ask(db, keeper, catalog, "category", CENTRE).zones
    more = [one.covered_m2 - other.covered_m2 for one, other in zip(closed, seen_by_all, strict=True)]
    assert more == [pytest.approx(box(105.4, 20.7, 105.6, 20.9))] * 2


def test_an_answer_holds_what_was_committed_before_it(
    db: SyncDatabase, keeper: Keeper, catalog: dict[str, Layer]
) -> None:
    before = ask(db, keeper, catalog, "category").zones[1]
    half = "ST_Multi(ST_MakeEnvelope(106.4, 20.4, 106.5, 20.6, 4326))"
    db.apply([f"update gis.protected_area set geom = {half} where public_id = 'open-B'"])
    after = ask(db, keeper, catalog, "category").zones[1]
    assert before.covered_m2 == pytest.approx(OPEN_A)
    assert after.covered_m2 == pytest.approx(OPEN_A / 2)
    db.apply(["delete from gis.protected_area where public_id = 'open-B'"])
    assert ask(db, keeper, catalog, "category").zones[1].covered_m2 == 0


def test_another_keeper_goes_on_from_what_was_stored(
    db: SyncDatabase, keeper: Keeper, catalog: dict[str, Layer], tmp_path: Path
) -> None:
    expected = ask(db, keeper, catalog, "category")
    first = Keeper(tmp_path)
    assert ask(db, first, catalog, "category") == expected
    first.close()
    stored = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    second = Keeper(tmp_path)
    assert ask(db, second, catalog, "category") == expected
    second.close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == stored  # nothing was built
