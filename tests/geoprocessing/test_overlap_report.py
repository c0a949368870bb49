"""The overlap report over a world of boxes, whose answers a reader can compute by hand."""

import json
import re
from datetime import date

import pytest
import shapely

from gis_service.access.principal import Principal
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Timeout
from gis_service.geo import areas
from gis_service.geoprocessing.budget import Budget
from gis_service.reports import as_csv, as_html, as_json
from tests.geoprocessing.conftest import Reporter

CENTRE = Principal("centre", "full")
ELSEWHERE = Principal("elsewhere", "jurisdiction", ("ELSEWHERE",))
PROJECT = shapely.box(105, 10, 106, 11)

_DATASETS = """
insert into gis.dataset (slug, title, title_vi, licence, redistribution, citation, basis) values
  ('facts', 'Facts', 'Dữ kiện', 'CC-BY-4.0', true, 'Facts (2025)', 'published'),
  ('circles', 'Circles', null, 'CC0-1.0', true, 'Circles', 'indicative'),
  ('closed', 'Closed', null, 'All rights reserved', false, 'Closed', 'published')
"""
# West half; a copy of its southern half; two parcels of one site, one of them outside; proposed; MAB; ended.
_AREAS = """
insert into gis.protected_area
    (source_id, dataset_id, public_id, site_id, name, desig_eng, status, valid_from, valid_to, geom)
  select a.id, d.dataset_id, a.id, a.site, a.name, a.desig, a.status, '1990-01-01', a.ended::date,
         ST_Multi(ST_MakeEnvelope(a.w, a.s, a.e, a.n, 4326))
    from gis.dataset d join (values
      ('west', 1, 'facts', 'West', 'National Park', 'Designated', null, 104.5, 10, 105.5, 11),
      ('copy', 2, 'circles', 'Copy', 'Nature Reserve', 'Designated', null, 105, 10, 105.5, 10.5),
      ('two-a', 3, 'facts', 'Two', 'Nature Reserve', null, null, 105.5, 10, 105.75, 11),
      ('two-b', 3, 'facts', 'Two', 'Nature Reserve', null, null, 110, 10, 110.25, 11),
      ('plan', 4, 'facts', 'Plan', 'National Park', 'Proposed', null, 105.75, 10, 106, 11),
      ('mab', 5, 'facts', 'Mab', 'UNESCO-MAB Biosphere Reserve', 'Designated', null, 105, 10, 106, 11),
      ('gone', 6, 'facts', 'Gone', 'National Park', 'Designated', '2001-01-01', 105.75, 10, 106, 11),
      ('near', 7, 'facts', 'Near', 'National Park', 'Designated', null, 107, 10, 107.5, 11),
      ('shut', 8, 'closed', 'Shut', 'National Park', 'Designated', null, 105.75, 10, 106, 10.5)
    ) a (id, site, slug, name, desig, status, ended, w, s, e, n) on a.slug = d.slug
"""
_RANGES = """
insert into gis.species_range
    (source_id, dataset_id, public_id, sci_name, presence, origin, seasonal, category, geom)
  select r.id, d.dataset_id, r.id, r.name, r.presence, 1, 1, 'EN',
         ST_Multi(ST_MakeEnvelope(r.w, r.s, r.e, r.n, 4326))
    from gis.dataset d join (values
      ('wide-1', 'Alpha lata', 1, 104, 10, 108, 11),
      ('wide-2', 'Alpha lata', 1, 112, 10, 116, 11),
      ('extinct', 'Beta perdita', 5, 105, 10, 106, 11)
    ) r (id, name, presence, w, s, e, n) on d.slug = 'facts'
"""
_SENSITIVE = """
insert into gis.taxon (taxon_id, scientific_name) values ('g', 'Gamma secreta');
"""
_LIST = """
insert into gis.sensitivity (taxon_id, category, reason, review_date) values ('g', 3, 'trade', '2030-01-01')
"""
_RECORDS = """
insert into gis.occurrence (source_id, dataset_id, scientific_name, event_date, occurrence_status, geom)
  select r.id, d.dataset_id, r.name, r.day::timestamptz, r.status,
         ST_SetSRID(ST_MakePoint(r.x, r.y), 4326)
    from gis.dataset d join (values
      ('1', 'Alpha lata', '2019-05-01', 'present', 105.2, 10.2),
      ('2', 'Alpha lata', '2024-03-09', null, 105.3, 10.2),
      ('3', 'Alpha lata', null, 'present', 106, 10.5),
      ('4', 'Alpha lata', '2025-01-01', 'absent', 105.4, 10.2),
      ('5', 'Alpha lata', '2025-01-01', 'present', 106.2, 10.2),
      ('6', 'Gamma secreta', '2024-01-01', 'present', 105.2, 10.7)
    ) r (id, name, day, status, x, y) on d.slug = 'facts'
"""
_PLOTS = """
insert into gis.plot (source_id, dataset_id, location_id, name, stratum, last_visit, geom)
  select p.id, d.dataset_id, p.id, p.id, 'evergreen', p.visit::date,
         ST_SetSRID(ST_MakePoint(p.x, 10.55), 4326)
    from gis.dataset d join (values ('P1', '2023-06-30', 105.55), ('P2', null, 106.55)) p (id, visit, x)
      on d.slug = 'facts'
"""


@pytest.fixture(scope="module", autouse=True)
def world(database: str) -> None:
    with SyncDatabase(database) as db:
        db.apply([_DATASETS, _SENSITIVE, _LIST, _AREAS, _RANGES, _RECORDS, _PLOTS])
        db.apply(["select gis.ensure_jurisdiction_role('ELSEWHERE')"])


def test_each_site_has_its_overlap_and_both_shares(report: Reporter) -> None:
    rows = {area.name: area for area in report(PROJECT).areas}
    half = areas.box(105, 10, 105.5, 11)
    assert rows["West"].overlap_m2 == pytest.approx(half, rel=1e-12)
    assert rows["West"].share_of_project == pytest.approx(0.5)
    assert rows["West"].share_of_area == pytest.approx(0.5)
    assert rows["Copy"].overlap_m2 == pytest.approx(areas.box(105, 10, 105.5, 10.5), rel=1e-12)
    assert rows["Copy"].share_of_area == pytest.approx(1)


def test_the_parcels_of_a_site_count_together_and_the_far_one_counts_in_its_whole(report: Reporter) -> None:
    two = next(area for area in report(PROJECT).areas if area.name == "Two")
    assert two.share_of_project == pytest.approx(0.25)
    assert two.area_m2 == pytest.approx(areas.box(105.5, 10, 106, 11), rel=1e-12)
    assert two.share_of_area == pytest.approx(0.5)


def test_the_flat_total_counts_a_place_once_and_the_naive_sum_counts_it_twice(report: Reporter) -> None:
    totals = report(PROJECT).totals
    flat, twice = areas.box(105, 10, 105.75, 11), areas.box(105, 10, 105.5, 10.5)
    assert totals.flat_m2 == pytest.approx(flat, rel=1e-12)
    assert totals.naive_m2 == pytest.approx(flat + twice, rel=1e-12)
    assert totals.counted == 3
    assert (totals.indicative, totals.basis) == (1, "indicative")


def test_what_does_not_count_is_listed_with_its_reason(report: Reporter) -> None:
    found = report(PROJECT, as_of=date(2025, 7, 1))
    reasons = {area.name: area.excluded for area in found.areas if area.excluded}
    assert reasons == {
        "Plan": "report.excluded.status",
        "Mab": "report.excluded.mab",
        "Gone": "report.excluded.ended",
    }
    assert {(each.reason, each.n) for each in found.method.excluded if each.layer == "protected-areas"} == {
        ("report.excluded.status", 1),
        ("report.excluded.mab", 1),
        ("report.excluded.ended", 1),
    }


def test_an_area_that_has_ended_counts_on_a_day_when_it_stood(report: Reporter) -> None:
    rows = {area.name: area for area in report(PROJECT, as_of=date(2000, 1, 1)).areas}
    assert rows["Gone"].excluded is None


def test_a_stricter_status_filter_leaves_out_what_has_no_status(report: Reporter) -> None:
    rows = {area.name: area for area in report(PROJECT, status_filter="wcmc2020").areas}
    assert rows["Two"].excluded == "report.excluded.status"
    assert rows["West"].excluded is None


def test_restricted_rows_are_not_in_the_public_edition(report: Reporter) -> None:
    assert "Shut" not in {area.name for area in report(PROJECT).areas}
    assert "Shut" in {area.name for area in report(PROJECT, CENTRE).areas}


def test_the_area_that_is_met_is_nearest_and_the_next_one_has_its_distance(report: Reporter) -> None:
    first, second, *_ = report(PROJECT).nearest
    assert (first.name, first.distance_m, first.bearing_deg) == ("West", 0.0, None)
    assert second.name == "Near"
    # One degree of longitude at 11 north, where it is shortest.
    assert second.distance_m == pytest.approx(109_287, abs=100)
    assert second.bearing_deg == pytest.approx(90, abs=0.2)


def test_a_project_far_from_everything_has_only_the_nearest(report: Reporter) -> None:
    found = report(shapely.box(120, 10, 121, 11))
    assert found.areas == ()
    assert found.totals.flat_m2 == 0
    assert found.nearest[0].name == "Two"


def test_a_range_has_its_share_and_extinct_ones_are_left_out(report: Reporter) -> None:
    found = report(PROJECT)
    (row,) = found.ranges
    assert row.scientific_name == "Alpha lata"
    assert row.share_of_project == pytest.approx(1)
    assert row.share_of_range == pytest.approx(1 / 8)
    assert [each.n for each in found.method.excluded if each.layer == "species-ranges"] == [1]


def test_records_on_the_edge_count_absences_do_not_and_the_last_day_is_told(report: Reporter) -> None:
    alpha = next(row for row in report(PROJECT).recorded if row.scientific_name == "Alpha lata")
    assert (alpha.records, alpha.last_date, alpha.generalised) == (3, date(2024, 3, 9), False)
    assert alpha.category == "EN"


def test_few_records_of_a_sensitive_species_are_told_to_the_centre_alone(report: Reporter) -> None:
    def gamma(principal: Principal, **settings: int) -> tuple[int | None, bool]:
        rows = report(PROJECT, principal, **settings).recorded
        row = next(row for row in rows if row.scientific_name == "Gamma secreta")
        return row.records, row.generalised

    assert gamma(Principal("public", "public")) == (None, True)
    assert gamma(CENTRE) == (1, False)
    assert [gamma(Principal("public", "public"), small_count=k) for k in (1, 2)] == [(1, True), (None, True)]


def test_plots_inside_come_with_their_last_visit(report: Reporter) -> None:
    (plot,) = report(PROJECT, CENTRE).plots
    assert (plot.name, plot.last_visit, plot.generalised) == ("P1", date(2023, 6, 30), False)
    for reader in (Principal("public", "public"), ELSEWHERE):
        (coarse,) = report(PROJECT, reader).plots
        assert (coarse.name, coarse.generalised) == (None, True)


def test_equal_questions_have_equal_hashes_and_bytes_and_other_readers_other_ones(report: Reporter) -> None:
    one, again, other = report(PROJECT), report(PROJECT), report(PROJECT, CENTRE)
    assert one.reproducibility_hash == again.reproducibility_hash
    assert as_csv.render(one) == as_csv.render(again)
    assert one.reproducibility_hash != other.reproducibility_hash


def test_every_format_says_the_same_numbers(report: Reporter) -> None:
    found, drawing = report.both(PROJECT)
    document = json.loads(as_json.render(found))
    assert document["totals"]["flat_m2"] == found.totals.flat_m2
    assert [row["overlap_m2"] for row in document["protected_areas"]] == [a.overlap_m2 for a in found.areas]
    table = as_csv.render(found).decode("utf-8-sig")
    assert f"flat_total,,,,,indicative,,{found.totals.flat_m2!r}" in table
    page = as_html.render(found, drawing, "en").decode()
    assert f"{found.totals.flat_m2 / 1e6:,.2f}" in page


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_page_asks_nobody_for_anything(report: Reporter, lang: str) -> None:
    page = as_html.render(*report.both(PROJECT), lang).decode()
    assert f'<html lang="{lang}">' in page
    for asks in ("<link", "<iframe", "@import", "url(", "sourceMappingURL", "fetch("):
        assert asks not in page, asks
    assert not re.search(r"<(script|img)[^>]*\ssrc=", page)


def test_names_and_titles_cannot_carry_script_into_the_page(report: Reporter, database: str) -> None:
    name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    insert = f"""
        insert into gis.protected_area (source_id, dataset_id, public_id, name, geom)
          select 'evil', dataset_id, 'evil', '{name}', ST_Multi(ST_MakeEnvelope(120, 20, 120.5, 20.5, 4326))
            from gis.dataset where slug = 'facts'"""
    with SyncDatabase(database) as db:
        db.apply([insert])
    page = as_html.render(*report.both(shapely.box(120, 20, 121, 21), title=name[:180]), "en").decode()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<\\/script>" not in page or "alert" not in page.split("<\\/script>")[1][:20]


def test_a_used_up_budget_stops_the_work(database: str, report: Reporter) -> None:
    with pytest.raises(Timeout):
        Budget(seconds=-1).check()
