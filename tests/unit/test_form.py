"""The filter form: fields to an address of the API, and the address back to fields."""

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.layer import Layer
from gis_service.errors import InvalidParameter
from gis_service.features import form
from gis_service.features.cql2 import text
from gis_service.features.form import query, read

SITES = view(
    PUBLIC,
    Layer.model_validate(
        {
            "id": "sites",
            "title": {"en": "Sites", "vi": "Khu"},
            "description": {"en": "Sites", "vi": "Khu"},
            "table": "gis.site",
            "geometry": {"type": "Point"},
            "time": {"start": "visited", "type": "timestamp"},
            "properties": {
                "name": {"title": {"en": "Name", "vi": "Tên"}},
                "zone": {"title": {"en": "Zone", "vi": "Phân khu"}, "values": ["core", "buffer"]},
                "area": {"title": {"en": "Area", "vi": "Diện tích"}, "type": "number"},
                "year": {"title": {"en": "Year", "vi": "Năm"}, "type": "integer"},
                "decided": {"title": {"en": "Decided", "vi": "Quyết định"}, "type": "date"},
                "visited": {"title": {"en": "Visited", "vi": "Đến thăm"}, "type": "timestamp"},
                "open": {"title": {"en": "Open", "vi": "Mở"}, "type": "boolean"},
                "is": {"title": {"en": "Is", "vi": "Là"}},
            },
            "access": {"public": {}},
            "source": {"title": {"en": "Sites", "vi": "Khu"}},
        }
    ),
)
HOW = {"name.how": "contains", "is.how": "contains", "form.sent": "1"}


def asked(**fields: str) -> dict[str, str]:
    """The query string of a form of which these fields are filled; a double underscore stands for the dot."""
    filled = {name.replace("__", "."): value for name, value in fields.items()}
    return query(SITES, {"name": "", "zone": "", "area.from": "", "bbox": "", **HOW, **filled})


def test_empty_fields_are_dropped() -> None:
    assert asked() == {}
    assert asked(name="  ", limit="25", lang="vi") == {"limit": "25", "lang": "vi"}


def test_a_choice_and_a_whole_text_become_parameters_of_their_names() -> None:
    assert asked(zone="core", open="true", name="Ba Bể", name__how="is") == {
        "zone": "core",
        "open": "true",
        "name": "Ba Bể",
    }


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"area__from": "10", "area__to": "20.5"}, "area >= 10 AND area <= 20.5"),
        ({"year__to": "1999"}, "year <= 1999"),
        ({"decided__from": "1992-11-10"}, "decided >= DATE('1992-11-10')"),
        ({"name": "ba be"}, "CASEI(ACCENTI(name)) LIKE CASEI(ACCENTI('%ba be%'))"),
        ({"name": "Ba", "name__how": "begins"}, "CASEI(ACCENTI(name)) LIKE CASEI(ACCENTI('Ba%'))"),
        ({"is": "a"}, "CASEI(ACCENTI(\"is\")) LIKE CASEI(ACCENTI('%a%'))"),
        ({"name": "100%_\\"}, r"CASEI(ACCENTI(name)) LIKE CASEI(ACCENTI('%100\%\_\\%'))"),
        ({"filter": "area > 5 OR year = 3"}, "area > 5 OR year = 3"),
        ({"year__to": "9", "filter": "area > 5 OR year = 3"}, "year <= 9 AND (area > 5 OR year = 3)"),
    ],
)
def test_ends_parts_of_texts_and_an_experts_text_make_one_filter(fields: dict[str, str], text: str) -> None:
    made = asked(**fields)
    assert made == {"filter": text}
    again = read(SITES, made)
    assert query(SITES, again) == made
    assert {name.replace("__", ".") for name in fields} <= set(again)


def test_two_equal_ends_are_an_equality() -> None:
    assert asked(year__from="1992", year__to="1992") == {"year": "1992"}
    assert read(SITES, {"year": "1992"}) == {"year.from": "1992", "year.to": "1992"}


@pytest.mark.parametrize(
    ("low", "high", "period"),
    [
        ("2020-01-01", "", "2020-01-01/.."),
        ("", "2020-12-31", "../2020-12-31"),
        ("2020-01-01", "2020-12-31", "2020-01-01/2020-12-31"),
        ("2020-01-01", "2020-01-01", "2020-01-01"),
    ],
)
def test_the_time_of_the_layer_is_asked_for_by_datetime(low: str, high: str, period: str) -> None:
    made = asked(datetime__from=low, datetime__to=high)
    assert made == {"datetime": period}
    assert query(SITES, read(SITES, made)) == made


def test_the_property_that_datetime_asks_of_has_no_fields_of_its_own() -> None:
    names = [group.name for group in form.groups(SITES)]
    assert names == [
        "datetime",
        "name",
        "zone",
        "area",
        "year",
        "decided",
        "open",
        "is",
        "id",
        "bbox",
        "filter",
    ]
    assert form.groups(SITES)[0].titled_as == "visited"
    assert query(SITES, read(SITES, {"visited": "2020-01-01"})) == {"datetime": "2020-01-01"}


def test_sorting_is_a_name_and_a_direction_and_several_keys_stay_as_they_are() -> None:
    assert asked(sortby="area", sort__order="down") == {"sortby": "-area"}
    assert asked(sortby="area") == {"sortby": "area"}
    assert read(SITES, {"sortby": "-area"}) == {"sortby": "area", "sort.order": "down"}
    assert query(SITES, read(SITES, {"sortby": "-area,+name"})) == {"sortby": "-area,+name"}


def test_pages_are_forgotten_and_release_and_language_are_not() -> None:
    given = {"release": "3", "after": "token", "offset": "7", "lang": "vi", "bbox": "1,2,3,4", "crs": "x"}
    expected = {"bbox": "1,2,3,4", "release": "3", "lang": "vi", "crs": "x"}
    assert query(SITES, read(SITES, given)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "area>=10",
        "area >= 10 OR area <= 5",
        "NOT area >= 10 AND year <= 3",
        "nothing >= 10",
        "area BETWEEN 1 AND 2",
        "CASEI(ACCENTI(name)) LIKE CASEI(ACCENTI('a_b%'))",
        "area >= 10 AND area >= 11",
        "name = 'a AND (b' AND area >= 10",
        "area >= 10 AND (",
    ],
)
def test_a_filter_that_the_form_would_not_write_so_stays_with_the_experts(text: str) -> None:
    assert read(SITES, {"filter": text}) == {"filter": text}
    json = {"filter": "area >= 10", "filter-lang": "cql2-json"}
    assert read(SITES, json) == json


def test_half_an_experts_text_can_not_break_out_of_its_brackets() -> None:
    with pytest.raises(InvalidParameter):
        asked(year__to="9", filter="area > 5) OR (year = 3")


def test_an_experts_json_can_not_be_joined_with_fields() -> None:
    with pytest.raises(InvalidParameter, match="cql2-json"):
        query(SITES, {"year.to": "9", "filter": "{}", "filter-lang": "cql2-json"})


@pytest.mark.parametrize("fields", [{"year__from": "1.5"}, {"area__to": "many"}, {"decided__from": "soon"}])
def test_an_end_that_is_not_of_its_type_is_refused_by_name(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter, match=next(iter(fields)).partition("__")[0]):
        asked(**fields)


@pytest.mark.parametrize(
    "value", ["'", "\\", "\\'", "''", "\\''", "%'", "a\\", "' OR 1=1 --", "'))", '"', "AND"]
)
def test_hostile_texts_come_back_as_they_were_typed(value: str) -> None:
    made = asked(name=value)
    assert read(SITES, made) == {"name": value, "name.how": "contains"}
    tree = repr(text.read(made["filter"]))
    assert tree.count("op=") == 5  # like, twice casei and accenti: nothing broke out of the literal


def test_the_features_id_can_be_asked_for_too() -> None:
    assert query(SITES, read(SITES, {"id": "a/1", "zone": "core"})) == {"zone": "core", "id": "a/1"}


def test_a_filter_is_taken_away_and_the_others_stay() -> None:
    given = {"filter": "area >= 10 AND year <= 3", "zone": "core", "lang": "vi", "after": "token"}
    groups = {group.name: group for group in form.groups(SITES)}
    assert form.without(SITES, given, groups["area"]) == {"zone": "core", "filter": "year <= 3", "lang": "vi"}
    assert form.without(SITES, given, groups["zone"]) == {"filter": given["filter"], "lang": "vi"}
