"""Allowed values of the field are enforced by the database, and a refusal names the column."""

from collections.abc import Mapping
from typing import Any

import pytest
from psycopg import errors as pg

from tests.db.schema import Connection, ask, connected, dataset, insert, one, square


@pytest.fixture(scope="module")
def db(database: str) -> Any:
    """A connection to a database with one dataset, number 1."""
    with connected(database) as connection:
        dataset(connection)
        yield connection


SHAPES: Mapping[str, str] = {"occurrence": "POINT(1 1)", "plot": "POINT(1 1)"}
NEEDED: Mapping[str, Mapping[str, object]] = {
    "admin_unit": {"level": "province", "code": "1", "name": "One"},
    "sea_area": {"name": "Sea"},
    "protected_area": {"name": "Park"},
    "management_zone": {"zone": "strict"},
    "species_range": {"sci_name": "Naja atra"},
    "occurrence": {"scientific_name": "Naja atra"},
    "plot": {},
}


def put(db: Connection, table: str, /, **columns: object) -> None:
    """Insert a row and take it back."""
    row = {**NEEDED[table], **columns}
    with db.transaction(force_rollback=True):
        insert(db, table, source_id="x", dataset_id=1, geom=SHAPES.get(table, square(1, 1)), **row)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("admin_unit", "level", "hamlet"),
        ("sea_area", "sea_type", "lake"),
        ("protected_area", "site_type", "KBA"),
        ("protected_area", "desig_type", "Local"),
        ("protected_area", "iucn_cat", "VII"),
        ("protected_area", "realm", "Aerial"),
        ("protected_area", "no_take", "Some"),
        ("protected_area", "no_tk_area", -1),
        ("protected_area", "rep_area", -1),
        ("protected_area", "status", "Closed"),
        ("protected_area", "status_yr", 1700),
        ("protected_area", "status_yr", 3000),
        ("protected_area", "gov_type", "Robots"),
        ("protected_area", "own_type", "Nobody"),
        ("protected_area", "verif", "Verified"),
        ("protected_area", "iso3", "Vietnam"),
        ("protected_area", "national_class", "park"),
        ("protected_area", "management_level", "district"),
        ("protected_area", "basis", "guessed"),
        ("management_zone", "zone", "core"),
        ("species_range", "presence", 7),
        ("species_range", "origin", 0),
        ("species_range", "seasonal", 6),
        ("species_range", "category", "XX"),
        ("occurrence", "basis_of_record", "HUMAN_OBSERVATION"),
        ("occurrence", "occurrence_status", "maybe"),
        ("occurrence", "individual_count", -1),
        ("occurrence", "coordinate_uncertainty_in_meters", -1),
        ("plot", "plot_type", "field"),
        ("plot", "status", "open"),
    ],
)
def test_an_unknown_value_is_refused_by_the_name_of_its_column(
    db: Connection, table: str, column: str, value: object
) -> None:
    with pytest.raises(pg.CheckViolation) as refused:
        put(db, table, **{column: value})
    assert refused.value.diag.constraint_name == f"{table}_{column}_check"


@pytest.mark.parametrize(
    ("constraint", "columns"),
    [
        ("protected_area_no_tk_area_within_rep_m_area", {"no_tk_area": 2, "rep_m_area": 1}),
        (
            "protected_area_desig_type_not_applicable",
            {"desig_type": "Not Applicable", "status": "Designated"},
        ),
        ("protected_area_iucn_cat_of_oecm", {"site_type": "OECM", "iucn_cat": "II"}),
        ("protected_area_status_inscribed", {"status": "Inscribed", "desig_eng": "National Park"}),
        ("protected_area_status_adopted", {"status": "Adopted", "desig_eng": "National Park"}),
        ("protected_area_valid_to_check", {"valid_from": "2020-01-01", "valid_to": "2019-01-01"}),
    ],
)
def test_the_rules_of_the_wdpa_hold(db: Connection, constraint: str, columns: Mapping[str, object]) -> None:
    with pytest.raises(pg.CheckViolation) as refused:
        put(db, "protected_area", **columns)
    assert refused.value.diag.constraint_name == constraint


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"status": "Established", "desig_type": "Not Applicable", "iucn_cat": "Not Reported"},
        {"status": "Inscribed", "desig_eng": "World Heritage Site (natural or mixed)", "status_yr": 0},
        {"site_type": "OECM", "iucn_cat": "Not Applicable", "iso3": "VNM;LAO", "prnt_iso3": "ABNJ"},
        {"no_take": "Part", "no_tk_area": 1, "rep_m_area": 1, "rep_area": 1.5, "gov_type": "Not Reported"},
        {"decision_no": "24/2012", "decided_area_ha": 22000, "national_class": "national park"},
    ],
)
def test_rows_as_they_are_published_are_taken(db: Connection, columns: Mapping[str, object]) -> None:
    put(db, "protected_area", **columns)


def test_parcels_of_a_site_share_its_row(db: Connection) -> None:
    with db.transaction(force_rollback=True):
        for parcel in ("7_A", "7_B"):
            insert(
                db,
                "protected_area",
                source_id=parcel,
                dataset_id=1,
                site_id=7,
                site_pid=parcel,
                name="Sông",
                name_eng="River",
                geom=square(1, 1),
            )
        assert ask(db, "select site_id, name, name_eng from gis.protected_site") == [(7, "Sông", "River")]


def test_statuses_of_taxa_are_added_and_never_overwritten(db: Connection) -> None:
    db.execute("insert into gis.taxon (taxon_id, scientific_name) values ('t', 'Naja atra')")
    add = (
        "insert into gis.taxon_status (taxon_id, list, list_version, status, valid_from, source)"
        " values ('t', %s, %s, %s, %s, 'the list itself')"
    )
    db.execute(add, ("iucn_global", "2012", "LC", "2012-01-01"))
    db.execute(add, ("iucn_global", "2021", "VU", "2021-01-01"))
    with pytest.raises(pg.IntegrityConstraintViolation, match="never overwritten"):
        db.execute("update gis.taxon_status set status = 'EN'")
    with pytest.raises(pg.IntegrityConstraintViolation, match="never overwritten"):
        db.execute("delete from gis.taxon_status")
    db.execute("update gis.taxon_status set valid_to = '2021-01-01' where list_version = '2012'")
    with pytest.raises(pg.CheckViolation, match="taxon_status_status_check"):
        db.execute(add, ("nd84", "06/2019", "IIC", "2019-03-10"))


def test_a_target_needs_its_definition(db: Connection) -> None:
    add = (
        "insert into gis.target (code, title, definition, value, unit, year, source)"
        " values ('land', 'Land', %s, 9, 'percent', 2030, 'Decision 149/QD-TTg')"
    )
    with pytest.raises(pg.CheckViolation, match="target_definition_check"):
        db.execute(add, ("",))
    db.execute(add, ("share of the land area inside protected areas",))


def test_measured_values_are_kept_as_text_and_as_numbers(db: Connection) -> None:
    with db.transaction(force_rollback=True):
        visit = one(db, "insert into gis.visit (dataset_id, event_id) values (1, 'e') returning visit_id")
        for number, value in enumerate(["12.5", " 3e2 ", "dead", "1,5"]):
            db.execute(
                "insert into gis.measurement"
                " (dataset_id, visit_id, measurement_id, measurement_type, measurement_value)"
                " values (1, %s, %s, 'dbh', %s)",
                (visit, str(number), value),
            )
        numbers = ask(db, "select measurement_number from gis.measurement order by measurement_id")
        assert numbers == [(12.5,), (300.0,), (None,), (None,)]
    with pytest.raises(pg.CheckViolation, match="measurement_belongs_check"):
        db.execute(
            "insert into gis.measurement (dataset_id, measurement_id, measurement_type, measurement_value)"
            " values (1, 'm', 'dbh', '1')"
        )


def test_a_stratum_needs_the_area_of_its_frame(db: Connection) -> None:
    with db.transaction(force_rollback=True):
        programme = one(
            db, "insert into gis.programme (code, title) values ('p', 'P') returning programme_id"
        )
        design = one(
            db,
            "insert into gis.design (programme_id, code, title, selection_method)"
            " values (%s, 'd', 'D', 'stratified random') returning design_id",
            programme,
        )
        with pytest.raises(pg.CheckViolation, match="stratum_frame_area_km2_check"):
            db.execute(
                "insert into gis.stratum (design_id, code, title, frame_area_km2) values (%s, 's', 'S', 0)",
                (design,),
            )
