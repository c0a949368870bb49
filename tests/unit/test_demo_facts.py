"""The demo is honest: every fact has its source, every circle its area, everything simulated says so."""

import math
from itertools import pairwise

import geopandas
import numpy as np
import pyproj
import pytest
import shapely

from gis_service.demo import load, occurrences, plots, provinces, ranges, simulate, sites, zones
from gis_service.demo.files import PROVINCES, SITES, SOURCES, TARGETS, UNITS, Row, rows_of

GEOD = pyproj.Geod(ellps="WGS84")
ROWS = rows_of(SITES)
KEYS = {row["key"] for row in rows_of(SOURCES)}
# Which source column answers for which cells.
ANSWERS = {
    "names_source": ("name", "name_eng"),
    "iucn_source": ("iucn_cat",),
    "decision_source": ("decision_no", "decision_date"),
    "decided_area_source": ("decided_area_ha",),
    "reported_area_source": ("reported_area_ha",),
    "coordinates_source": ("lon", "lat"),
}
COAST_KM = 5  # the generalised coast leaves out mudflats and capes
ISLAND_KM = {"cat-ba": 35}  # Natural Earth hasn't the island


def ids(rows: list[Row]) -> list[str]:
    return [row["national_code"] for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_no_fact_stands_without_its_source_and_no_source_without_its_fact(row: Row) -> None:
    for source, cells in ANSWERS.items():
        assert bool(row[source]) == any(row[cell] for cell in cells), source
        assert row[source] == "" or row[source] in KEYS


def test_every_source_has_a_title_and_is_used() -> None:
    named = {row[source] for row in ROWS for source in ANSWERS} | {"merger-2025"}
    named |= {key for row in rows_of(TARGETS) for key in row["source"].split("; ")}
    assert named - {""} == KEYS
    assert all(row["title"] for row in rows_of(SOURCES))


def test_the_facts_are_fifty_of_which_thirty_two_can_be_drawn() -> None:
    assert (len(ROWS), len(sites.drawn(ROWS)), len(set(ids(ROWS)))) == (50, 32, 50)


def test_both_coordinates_come_together_and_say_how_they_were_found() -> None:
    for row in ROWS:
        assert bool(row["lon"]) == bool(row["lat"]) == bool(row["coordinates_kind"])


@pytest.mark.parametrize("row", sites.drawn(ROWS), ids=ids(sites.drawn(ROWS)))
def test_each_place_lies_in_a_province_that_its_row_names(row: Row) -> None:
    older, _ = provinces.frames()
    named = older[older["name"].isin(row["provinces"].split("; "))]
    place = shapely.Point(float(row["lon"]), float(row["lat"]))
    if named.contains(place).any():
        return
    assert not older.contains(place).any(), "a place off the coast may lie in no other province"
    near = min(_km(place, shape) for shape in named.geometry)
    assert near < ISLAND_KM.get(row["national_code"], COAST_KM)


def _km(place: shapely.Point, shape: shapely.Geometry) -> float:
    on_shape = shapely.get_point(shapely.shortest_line(shape, place), 0)
    return float(GEOD.inv(place.x, place.y, on_shape.x, on_shape.y)[2]) / 1000


def test_every_province_that_a_row_names_exists() -> None:
    known = set(provinces.frames()[0]["name"])
    assert {name for row in ROWS for name in row["provinces"].split("; ")} <= known


def test_a_circle_has_the_stated_area_and_radius() -> None:
    circle = sites.circle(105.5, 20.3, 22_200)
    area, _ = GEOD.geometry_area_perimeter(circle)
    assert area == pytest.approx(222e6, rel=1e-3)
    radius = math.sqrt(222e6 / math.pi)
    for lon, lat in circle.exterior.coords:
        assert GEOD.inv(105.5, 20.3, lon, lat)[2] == pytest.approx(radius, abs=0.1)


def test_every_drawn_circle_agrees_with_its_area_within_a_thousandth() -> None:
    for area in sites.frame().itertuples():
        assert area.geometry.is_valid
        assert area.geometry.exterior.is_ccw
        assert GEOD.geometry_area_perimeter(area.geometry)[0] == pytest.approx(area.rep_area * 1e6, rel=1e-3)


def test_a_circle_says_that_it_is_indicative() -> None:
    assert sites.frame()["supp_info"].str.startswith("Indicative: a geodesic circle").all()
    assert load.PROTECTED.basis == "indicative"


def test_thirty_four_provinces_stand_today_and_know_their_predecessors() -> None:
    older, newer = provinces.frames()
    assert (len(older), len(newer), int(older["valid_to"].isna().sum())) == (63, 23, 11)
    ended = set(older[older["valid_to"].notna()]["code"])
    assert sorted(code for codes in newer["predecessor_codes"] for code in codes) == sorted(ended)
    assert set(newer["valid_from"].astype(str).str[:10]) == {"2025-07-01"}


def test_a_merged_province_is_the_union_of_its_predecessors() -> None:
    older, newer = provinces.frames()
    shapes = dict(zip(older["code"], older.geometry, strict=True))
    for unit in newer.itertuples():
        union = shapely.union_all([shapes[code] for code in unit.predecessor_codes])
        assert shapely.equals(union, unit.geometry)


def test_neighbouring_provinces_share_their_borders_exactly() -> None:
    older, newer = provinces.frames()
    standing = [*older[older["valid_to"].isna()].geometry, *newer.geometry]
    assert len(standing) == 34
    assert shapely.coverage_is_valid(older.geometry.values)
    assert shapely.coverage_is_valid(np.array(standing))


def test_the_file_of_provinces_is_small_and_has_the_units_of_the_table() -> None:
    units = geopandas.read_file(PROVINCES)
    assert PROVINCES.stat().st_size < 400_000
    assert list(units["code"] + units["name"]) == [row["code"] + row["name"] for row in rows_of(UNITS)]


def test_con_dao_is_in_ba_ria_vung_tau() -> None:
    older, _ = provinces.frames()
    assert list(older[older.contains(shapely.Point(106.6, 8.7))]["name"]) == ["Bà Rịa - Vũng Tàu"]


def test_the_simulation_is_the_same_every_time() -> None:
    first, second = ranges.frame(), ranges.frame()
    assert first.to_wkb().equals(second.to_wkb())
    assert occurrences.frame(first).to_wkb().equals(occurrences.frame(second).to_wkb())
    once, again = plots.simulated(sites.frame()), plots.simulated(sites.frame())
    assert (once.plots, once.measurements) == (again.plots, again.measurements)
    assert np.array_equal(once.places, again.places)


def test_no_two_simulated_taxa_share_the_words_by_which_names_are_compared() -> None:
    words = [tuple(taxon.scientific_name.lower().split()[:2]) for taxon in simulate.TAXA]
    assert len(set(words)) == 12
    assert sorted(taxon.category for taxon in simulate.TAXA if taxon.category) == [1, 2, 2, 3, 4]


def test_occurrences_lie_in_the_range_of_their_taxon_and_say_that_they_are_simulated() -> None:
    home = ranges.frame()
    found = occurrences.frame(home)
    assert (len(found), found["occurrence_id"].is_unique) == (4_000, True)
    assert found["occurrence_remarks"].str.startswith("Simulated").all()
    assert found["scientific_name"].str.startswith("Simulated").all()
    for name, records in found.groupby("scientific_name"):
        shape = home[home["sci_name"] == name].geometry.iloc[0]
        assert shapely.dwithin(shape, records.geometry.values, 1e-5).all()


def test_ranges_are_valid_and_inside_the_country() -> None:
    land = shapely.buffer(simulate.outline(), 2e-5)
    assert ranges.frame().is_valid.all()
    assert shapely.covers(land, ranges.frame().geometry.values).all()


def test_plots_lie_in_their_stratum_inside_a_protected_area() -> None:
    areas = sites.frame()
    seen = plots.simulated(areas)
    belts = {stratum.code: stratum for stratum in plots.STRATA}
    frame = shapely.buffer(shapely.union_all(areas.geometry.values), 1e-5)
    assert len(seen.plots) == 150
    assert shapely.contains_xy(frame, seen.places).all()
    for plot, (_, lat) in zip(seen.plots, seen.places, strict=True):
        assert belts[plot["stratum"]].south <= lat <= belts[plot["stratum"]].north
        assert plot["name"].startswith("Simulated")


def test_the_frames_of_the_strata_add_up_to_the_land_in_the_protected_areas() -> None:
    areas = sites.frame()
    land = shapely.intersection(shapely.union_all(areas.geometry.values), simulate.outline())
    whole = sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in shapely.get_parts(land)) / 1e6
    assert sum(plots.simulated(areas).frame_area_km2.values()) == pytest.approx(whole, rel=1e-3)


def test_trees_dont_get_thinner_between_visits() -> None:
    seen = plots.simulated(sites.frame())
    by_tree: dict[str, list[float]] = {}
    for measured in seen.measurements:
        if measured["measurement_type"] == "dbh":
            by_tree.setdefault(measured["organism_id"], []).append(float(measured["measurement_value"]))
    assert all(len(values) == 2 for values in by_tree.values())
    assert all(before <= after for values in by_tree.values() for before, after in pairwise(values))


def test_zones_fill_their_circle_without_overlap() -> None:
    parts = zones.zones_of(105, 20, 1e8)
    inner = [parts[zone] for zone in ("strict", "restoration", "service")]
    whole = shapely.union_all(inner)
    assert shapely.area(whole) == pytest.approx(float(shapely.area(inner).sum()), rel=1e-9)
    assert shapely.area(shapely.intersection(parts["buffer"], whole)) < 1e-12
    assert zones.frame(sites.frame())["name"].str.contains("simulated").all()


def test_every_simulated_data_set_says_so_in_both_languages() -> None:
    for dataset in (load.ZONES, load.RANGES, load.OCCURRENCES, load.PLOTS):
        assert dataset.basis == "simulated"
        assert str(dataset.title).startswith("Simulated")
        assert "mô phỏng" in str(dataset.title_vi)
