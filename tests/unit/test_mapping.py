"""Fields of files find their columns, whatever the files call them."""

import datetime as dt
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.exchange import mapping, schemas, values
from gis_service.exchange.mapping import Target
from gis_service.exchange.source import Batch

AREA = (
    Target("site_id", "int8"),
    Target("site_pid", "text"),
    Target("site_type", "text"),
    Target("name", "text", required=True),
    Target("name_eng", "text"),
    Target("realm", "text"),
    Target("prnt_iso3", "text"),
    Target("status_yr", "int4"),
)
RECORD = (
    Target("occurrence_id", "text", aliases=("occurrenceID",)),
    Target("scientific_name", "text", required=True, aliases=("scientificName",)),
    Target("event_date", "timestamptz", aliases=("eventDate",)),
    Target("coordinate_uncertainty_in_meters", "float8", aliases=("coordinateUncertaintyInMeters",)),
)


def planned(fields: list[str], targets: tuple[Target, ...], table: str, **said: str) -> dict[str, str]:
    plan = mapping.plan(fields, targets, schemas.schema_for(table, fields), said)
    return {pair.source: pair.target.name for pair in plan.pairs}


def test_name_was_the_english_name_until_november_2025() -> None:
    old = planned(["WDPAID", "NAME", "ORIG_NAME", "PARENT_ISO3"], AREA, "protected_area")
    assert old == {"WDPAID": "site_id", "NAME": "name_eng", "ORIG_NAME": "name", "PARENT_ISO3": "prnt_iso3"}


def test_name_is_the_local_name_since_november_2025() -> None:
    new = planned(["SITE_ID", "NAME", "NAME_ENG", "PRNT_ISO3"], AREA, "protected_area")
    assert new == {"SITE_ID": "site_id", "NAME": "name", "NAME_ENG": "name_eng", "PRNT_ISO3": "prnt_iso3"}


def test_a_mix_of_both_versions_is_refused() -> None:
    with pytest.raises(schemas.Ambiguous):
        schemas.schema_for("protected_area", ["WDPAID", "NAME_ENG", "NAME"])


def test_a_plain_file_of_areas_keeps_its_name() -> None:
    assert planned(["name"], AREA, "protected_area") == {"name": "name"}


def one_row(fields: dict[str, object], targets: tuple[Target, ...], table: str) -> mapping.Rows:
    plan = mapping.plan(list(fields), targets, schemas.schema_for(table, list(fields)), {})
    return mapping.apply(plan, Batch(1, {name: [value] for name, value in fields.items()}, [b""]))


def test_old_codes_become_the_new_words() -> None:
    rows = one_row(
        {"WDPAID": 7877.0, "PA_DEF": "0", "MARINE": 1, "ORIG_NAME": "Cát Bà"}, AREA, "protected_area"
    )
    assert rows.columns == {
        "site_id": [7877],
        "site_type": ["OECM"],
        "realm": ["Coastal"],
        "name": ["Cát Bà"],
    }
    assert rows.ids == ["7877"]


def test_new_words_pass_unchanged() -> None:
    rows = one_row(
        {"SITE_PID": "7877_A", "SITE_TYPE": "PA", "REALM": "Marine", "NAME": "x"}, AREA, "protected_area"
    )
    assert rows.columns["site_type"] == ["PA"]
    assert rows.columns["realm"] == ["Marine"]
    assert rows.ids == ["7877_A"]


def test_darwin_core_names_match_in_any_case() -> None:
    found = planned(["OCCURRENCEID", "scientificname", "eventDate"], RECORD, "occurrence")
    assert found == {
        "OCCURRENCEID": "occurrence_id", "scientificname": "scientific_name", "eventDate": "event_date",
    }  # fmt: skip


def test_a_coarse_date_keeps_its_own_words() -> None:
    targets = (*RECORD, Target("verbatim_event_date", "text"))
    rows = one_row({"scientificName": "Pongo", "eventDate": "1998-05"}, targets, "occurrence")
    assert rows.columns["event_date"] == [dt.datetime(1998, 5, 1, tzinfo=dt.UTC)]
    assert rows.columns["verbatim_event_date"] == ["1998-05"]


def test_names_that_a_shapefile_cut_are_known_again() -> None:
    schema = schemas.schema_for("occurrence", [])
    plan = mapping.plan(["scientific", "coordinate", "occurrence"], RECORD, schema, {}, cut_names=True)
    assert [pair.target.name for pair in plan.pairs] == [
        "scientific_name", "coordinate_uncertainty_in_meters", "occurrence_id",
    ]  # fmt: skip


def test_what_the_user_says_goes_first_and_fields_are_used_once() -> None:
    found = planned(["species", "scientificName"], RECORD, "occurrence", species="scientificName")
    assert found == {"species": "scientific_name"}


def test_a_missing_column_is_named() -> None:
    plan = mapping.plan(["kind"], RECORD, schemas.schema_for("occurrence", ["kind"]), {})
    assert plan.missing == ("scientific_name",)
    assert plan.leftover == ("kind",)


@pytest.mark.parametrize(
    ("maps", "side"),
    [
        ({"nothing": "name"}, "field"),
        ({"kind": "nothing"}, "column"),
        ({"kind": "name", "type": "name"}, "twice"),
    ],
)
def test_a_mapping_of_what_is_not_there_is_refused(maps: dict[str, str], side: str) -> None:
    with pytest.raises(mapping.Unmappable) as refusal:
        mapping.plan(["kind", "type"], AREA, schemas.SITES, maps)
    assert refusal.value.side == side


def test_a_range_is_named_by_its_species_and_codes() -> None:
    targets = (
        Target("id_no", "int8"), Target("sci_name", "text"),
        Target("presence", "int2"), Target("seasonal", "int2"),
    )  # fmt: skip
    rows = one_row(
        {"ID_NO": 178491.0, "SCI_NAME": "Vipera", "PRESENCE": 1, "SEASONAL": 3}, targets, "species_range"
    )
    assert rows.ids == ["178491/1/3"]


def test_rows_without_an_id_are_named_by_what_they_hold() -> None:
    plan = mapping.plan(["name"], AREA, schemas.SITES, {})
    same, other = (mapping.apply(plan, Batch(1, {"name": ["a"]}, [wkb])).ids[0] for wkb in (b"1", b"2"))
    assert same is not None
    assert same != other
    assert same == mapping.apply(plan, Batch(9, {"name": ["a"]}, [b"1"])).ids[0]


def test_an_unfit_value_is_a_fault_with_its_field() -> None:
    rows = one_row({"NAME": "x", "SITE_ID": "1", "STATUS_YR": "soon"}, AREA, "protected_area")
    fault = rows.faults[0]
    assert fault is not None
    assert fault.code == "value"
    assert "STATUS_YR = 'soon'" in fault.say("en")


@pytest.mark.parametrize(
    ("kind", "said", "meant"),
    [
        ("text", 12.0, "12"),
        ("text", "  Ba Bể ", "Ba Bể"),
        ("int4", "2010.0", 2010),
        ("bool", "có", True),
        ("bool", 0, False),
        ("date", "5/7/2013", dt.date(2013, 7, 5)),
        ("date", "2013-07-05T08:00:00", dt.date(2013, 7, 5)),
        ("timestamptz", dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, tzinfo=dt.UTC)),
        ("timestamptz", "2019", dt.datetime(2019, 1, 1, tzinfo=dt.UTC)),
        ("timestamptz", "2019-05", dt.datetime(2019, 5, 1, tzinfo=dt.UTC)),
        ("timestamptz", "2019-05-03T10:00+07:00/2019-06", dt.datetime(2019, 5, 3, 3, tzinfo=dt.UTC)),
        ("_text", "VNM; LAO", ["VNM", "LAO"]),
        ("float8", "1e3", 1000.0),
    ],
)
def test_values_are_understood(kind: str, said: object, meant: object) -> None:
    assert values.CONVERT[kind](said) == meant


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("int4", 2**31), ("int2", 12.5), ("int8", "12x"), ("float8", math.inf), ("bool", "maybe"),
        ("date", "31/2/2020"), ("text", "a\0b"), ("text", "\ud800"), ("jsonb", "{"),
    ],
)  # fmt: skip
def test_other_values_are_refused(kind: str, said: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        values.CONVERT[kind](said)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates(), st.datetimes(),
    st.lists(st.one_of(st.none(), st.text(), st.integers())),
    st.dictionaries(st.text(), st.text(), max_size=2),
)  # fmt: skip
NAMES = st.lists(
    st.one_of(st.sampled_from(["NAME", "WDPAID", "SITE_ID", "ORIG_NAME", "PA_DEF", "STATUS_YR"]), st.text()),
    unique=True, max_size=6,
)  # fmt: skip


@settings(deadline=None)
@given(st.data(), NAMES)
def test_no_value_stops_a_batch(data: st.DataObject, fields: list[str]) -> None:
    count = data.draw(st.integers(0, 4))
    column = st.lists(ANYTHING, min_size=count, max_size=count)
    batch = Batch(1, {name: data.draw(column) for name in fields}, [b""] * count)
    try:
        schema = schemas.schema_for("protected_area", fields)
    except schemas.Ambiguous:
        return
    rows = mapping.apply(mapping.plan(fields, AREA, schema, {}), batch)
    assert {len(column) for column in rows.columns.values()} <= {count}
    assert len(rows.faults) == len(rows.ids) == len(rows.extra) == count
    for extra in rows.extra:
        assert extra is None or "\\u0000" not in extra


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2024-05-31", "2024-05-31"),
        ("31/05/2024", "2024-05-31"),
        ("2024/05/31", "2024-05-31"),  # as sheets write it
        ("2024/5/1 10:20:00", "2024-05-01"),
        ("2024/05", "2024-05-01"),
        ("2024/2025", "2024-01-01"),  # an interval of years
        ("2024-05-31/2024-06-01", "2024-05-31"),
    ],
)
def test_a_day_is_read_as_people_and_sheets_write_it(said: str, day: str) -> None:
    assert values.date(said).isoformat() == day
