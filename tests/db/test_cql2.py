"""Filters on a real database: tables of a few rows whose answers are known by heart."""

import functools
import re
from collections.abc import Iterator

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import Catalog, load_catalog
from gis_service.db import rows
from gis_service.db.cql2.compile import condition
from gis_service.db.query import Binds, Query
from gis_service.db.sync import SyncDatabase
from gis_service.features import filters
from gis_service.geo.crs import WGS84
from tests import trial
from tests.conftest import ROOT

ALL = [1, 2, 3, 4, 6]  # of the rows that have a value


@functools.cache
def catalog() -> Catalog:
    return load_catalog(ROOT)


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    with SyncDatabase(database) as connection:
        trial.fill(connection)
        yield connection


COMPARISONS = [
    ("name = 'Bạch Mã'", [1]),
    ("name <> 'Bạch Mã'", [2, 3, 4, 6]),
    ("name = 'O''Hara'", [6]),
    (r"name = 'O\'Hara'", [6]),
    ("'da lat' = name", [3]),
    ("n = 1", [1]),
    ("n <> 1", [2, 3, 4, 6]),
    ("n < 1", [4, 6]),
    ("1 > n", [4, 6]),
    ("n >= 2", [2, 3]),
    ("n = -7", [6]),
    ("id = 5", [5]),
    ("flag", [1, 3, 6]),
    ("not flag", [2, 4]),
    ("flag = false", [2, 4]),
    ("(n = 1) = true", [1]),
    ("(n = 1) = (x > 0)", [1, 3]),
    ("true", [1, 2, 3, 4, 5, 6]),
    ("false or n = 2", [2]),
    ("n = 1 and flag", [1]),
    ("n = 1 or n = 2 and flag", [1]),
    ("(n = 1 or n = 2) and not flag", [2]),
    ("not (n = 1 or n = 2)", [3, 4, 6]),
    ("n in (1, 3, 99)", [1, 3]),
    ("n not in (1, 3)", [2, 4, 6]),
    ("name in ('da lat', 'O''Hara')", [3, 6]),
    ("x in (2, 0.5)", [1, 2]),
    ("n in (1.0, 2.5)", [1]),
    ("n in (x, 1)", [1, 2]),
    ("n between 1 and 2", [1, 2]),
    ("n not between 1 and 2", [3, 4, 6]),
    ("n between x and 3", [1, 2, 3]),
    ("name is null", [5]),
    ("name is not null", ALL),
    ("geometry is null", [5]),
    ("geom is not null", ALL),
    ("n + 1 is null", [5]),
    ("n < x", [4, 6]),
    ("day < last_day", [1, 3, 6]),
    ("1 = 1.0", [1, 2, 3, 4, 5, 6]),
]


@pytest.mark.parametrize(("text", "expected"), COMPARISONS)
def test_comparisons_and_logic(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text) == expected


EXACT = [
    ("big = 9007199254740993", [1]),
    ("big = 9007199254740992", [2]),
    ("big > 9007199254740992", [1, 3]),
    ("big > 9007199254740992.0", [1, 3]),
    ("big <= 1e300", ALL),
    ("big > 1e300", []),
    ("big >= -9223372036854775808", ALL),
    ("big = 9223372036854775807", [3]),
    ("n > 2.5", [3]),
    ("n >= 2.5", [3]),
    ("n < 2.5", [1, 2, 4, 6]),
    ("n = 2.5", []),
    ("n <> 2.5", ALL),
    ("x < 9007199254740993", [1, 2, 3, 6]),
    ("x >= 9007199254740993", [4]),
    ("x = 9007199254740993", []),
    ("big = x", []),  # row 1 would be one if integers were rounded to floats first
    ("big > x", [1, 2, 3]),
    ("big + 0 = 9007199254740993", [1]),
    ("big > x * 0 + 9223372036854774784", [3]),  # the float before 2^63
]


@pytest.mark.parametrize(("text", "expected"), EXACT)
def test_integers_of_eight_bytes_are_never_rounded(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text) == expected


ARITHMETIC = [
    ("n + 1 = 2", [1]),
    ("n - 1 = 2", [3]),
    ("-n = 7", [6]),
    ("n * n = 49", [6]),
    ("n / 2 = 0.5", [1]),
    ("n / 0 = 1", []),
    ("not (n / 0 = 1)", []),
    ("n / 0 is null", [1, 2, 3, 4, 5, 6]),
    ("n div 2 = 1", [2, 3]),
    ("n div 2 = -3", [6]),
    ("n div 0 is not null", []),
    ("n % 2 = 1", [1, 3]),
    ("n % 2 = -1", [6]),
    ("x % 2 = 0.5", [1]),
    ("n ^ 2 = 9", [3]),
    ("2 ^ 3 ^ 2 = 64 and n = 1", [1]),
    ("2 + 3 * 2 ^ 2 = 14 and n = 1", [1]),
    ("(2 + 3) * 2 = 10 and n = 1", [1]),
    ("x * 10 is null", [4, 5]),  # beyond the range of floats
    ("x * 1e-300 * 1e-300 = 0", [1, 2, 3, 6]),
    ("n ^ 0.5 is null", [5, 6]),  # the root of -7
    ("0 ^ n is null", [5, 6]),  # 0 to the power of -7
    ("10 ^ 400 > n", []),
    ("big * big * big > 0 and n <> 1", [2, 3]),
    ("big + 1 > 9223372036854775807", [3]),
    ("x / n > 1e307", []),
]


@pytest.mark.parametrize(("text", "expected"), ARITHMETIC)
def test_arithmetic_never_fails(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text) == expected


TEXTS = [
    ("name like 'B%'", [1]),
    ("name like '%a%'", [3, 6]),
    ("name not like '%a%'", [1, 2, 4]),
    ("name like 'd_ lat'", [3]),
    (r"name like '50\%\_\\x'", [4]),
    (r"name like '50\%%'", [4]),
    ("casei(name) = casei('BẠCH MÃ')", [1]),
    ("casei(name) like casei('BẠCH%')", [1]),
    ("name like casei('BẠCH%')", []),
    ("accenti(name) = accenti('Bach Mã')", [1]),
    ("accenti(name) = 'Da Lat'", [2]),
    ("accenti(name) = accenti('\N{LATIN CAPITAL LETTER ETH}à Lạt')", [2]),
    ("casei(accenti(name)) = casei(accenti('ĐÀ LẠT'))", [2, 3]),
    ("accenti(casei(name)) like accenti(casei('Đà%'))", [2, 3]),
    ("casei(name) in (casei('DA LAT'), casei('O''HARA'))", [3, 6]),
    ("casei(name) is null", [5]),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_texts_with_wildcards_case_and_vietnamese_accents(
    db: SyncDatabase, text: str, expected: list[int]
) -> None:
    assert trial.ids(db, text) == expected


TIMES = [
    ("day = DATE('2020-06-15')", [2]),
    ("day > DATE('2020-06-15')", [3, 4]),
    ("moment = TIMESTAMP('2020-01-01T12:00:00Z')", [1]),
    ("moment = TIMESTAMP('2020-01-01T19:00:00+07:00')", [1]),
    ("moment = DATE('2020-01-01')", [1]),
    ("moment <> DATE('2020-01-01')", [2, 3, 4, 6]),
    ("moment > DATE('2020-01-01')", [2, 3, 4]),
    ("moment >= DATE('2020-01-01')", [1, 2, 3, 4]),
    ("moment <= DATE('2020-01-01')", [1, 6]),
    ("moment < DATE('2020-01-01')", [6]),
    ("DATE('2020-01-01') < moment", [2, 3, 4]),
    ("moment <= DATE('9999-12-31')", ALL),
    ("day = TIMESTAMP('2020-06-15T23:00:00Z')", [2]),
    ("day = moment", [1, 2, 3, 6]),
    ("day <= moment", [1, 2, 3, 6]),
    ("moment between TIMESTAMP('2020-01-01T00:00:00Z') and DATE('2020-06-15')", [1, 2]),
    ("day in (DATE('2020-01-01'), DATE('2021-01-01'))", [1, 3]),
    ("moment in (DATE('2020-01-01'), TIMESTAMP('2021-01-01T00:00:00Z'))", [1, 3]),
    ("day = DATE('9999-12-31')", [4]),
    ("T_AFTER(moment, DATE('2020-12-31'))", [3, 4]),
    ("T_BEFORE(moment, DATE('2020-06-15'))", [1, 6]),
    ("T_EQUALS(day, DATE('2020-06-15'))", [2]),
    ("T_EQUALS(moment, DATE('2020-01-01'))", [1]),
    ("T_DISJOINT(day, INTERVAL('2020-01-01', '2020-12-31'))", [3, 4, 6]),
    ("T_INTERSECTS(day, INTERVAL('2020-01-01', '2020-12-31'))", [1, 2]),
    ("T_INTERSECTS(day, INTERVAL('2020-06-15', '..'))", [2, 3, 4]),
    ("T_INTERSECTS(day, INTERVAL('..', '2020-06-15'))", [1, 2, 6]),
    ("T_INTERSECTS(day, INTERVAL('..', '..'))", ALL),
    ("T_INTERSECTS(INTERVAL(day, last_day), DATE('2020-06-15'))", [1, 2]),
    ("T_INTERSECTS(INTERVAL(day, last_day), INTERVAL('2020-12-31', '2021-01-01'))", [1, 3]),
    ("T_DURING(INTERVAL(day, last_day), INTERVAL('2019-12-31', '2021-01-01'))", [1, 2]),
    ("T_DURING(moment, INTERVAL('2020-01-01T12:00:00Z', '2021-01-01T00:00:00Z'))", [2]),
    ("T_CONTAINS(INTERVAL(day, last_day), INTERVAL('2020-02-01', '2020-03-01'))", [1]),
    ("T_STARTS(INTERVAL(day, last_day), INTERVAL('2020-01-01', '..'))", [1]),
    ("T_STARTEDBY(INTERVAL(day, last_day), INTERVAL('2020-01-01', '2020-01-31'))", [1]),
    ("T_FINISHES(INTERVAL(day, last_day), INTERVAL('2019-01-01', '2020-12-31'))", [1]),
    ("T_FINISHEDBY(INTERVAL(day, last_day), INTERVAL('2020-12-01', '2020-12-31'))", [1]),
    ("T_MEETS(INTERVAL(day, last_day), INTERVAL('2020-12-31', '2022-01-01'))", [1]),
    ("T_METBY(INTERVAL(day, last_day), INTERVAL('2010-01-01', '2020-01-01'))", [1]),
    ("T_OVERLAPS(INTERVAL(day, last_day), INTERVAL('2020-06-15', '2021-06-01'))", [1]),
    ("T_OVERLAPPEDBY(INTERVAL(day, last_day), INTERVAL('2019-06-15', '2020-06-01'))", [1]),
]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_days_instants_and_intervals(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text) == expected


ARRAYS = [
    ("A_CONTAINS(tags, ('a', 'b'))", [1, 4, 6]),
    ("A_CONTAINS(tags, ('c'))", [4]),
    ("A_CONTAINS(tags, ['c'])", [4]),
    ("A_EQUALS(tags, ('a', 'b'))", [1, 6]),
    ("A_EQUALS(tags, ())", [3]),
    ("A_CONTAINEDBY(tags, ('a', 'b'))", [1, 2, 3, 6]),
    ("A_OVERLAPS(tags, ('c', 'b'))", [1, 2, 4, 6]),
    ("not A_OVERLAPS(tags, ('c', 'b'))", [3]),
    ("A_CONTAINS(tags, (name))", []),
]


@pytest.mark.parametrize(("text", "expected"), ARRAYS)
def test_arrays_are_sets(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text) == expected


LOOSE = [
    ("name ILIKE 'DA LAT'", [3]),
    ("flag = 1", [1, 3, 6]),
    ("flag <> 1", [2, 4]),
    ("name NOT ILIKE 'da%'", [1, 2, 4, 6]),
    ("moment >= '2020-06-15T'", [2, 3, 4]),
    ("day = '2020-06-15'", [2]),
    ("day >= '2020/06/15'", [2, 3, 4]),
    ("moment = '2020-01-01T12:00:00'", [1]),
    ("moment = '2020/01/01 12:00:00'", [1]),
    ("moment = '2020-01-01T19:00:00+07'", [1]),
    ("(name = 'da lat') AND (moment <= '2021-01-01T00:00:00Z')", [3]),
    ("NOT (name = 'da lat')", [1, 2, 4, 6]),
    ("(name IS NULL)", [5]),
    (r"name LIKE '50\%%'", [4]),
    ("n >= 1 AND x < 1.5", [1, 3]),
]


@pytest.mark.parametrize(("text", "expected"), LOOSE)
def test_g6_what_gdal_pushes_down_as_cql_text(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text, "cql-text") == expected


Q7 = [
    ("\"last_day\" > DATE('2020-12-31')", [3, 4]),
    ("CASEI(name) LIKE CASEI('bẠCH%')", [1]),
    ("S_INTERSECTS(geom,BBOX(104,19,106,21))", [1, 2]),
    ("S_INTERSECTS(geom,POINT(105 20))", [1]),
    (
        "(moment >= TIMESTAMP('2020-01-01T00:00:00Z')) AND (moment < TIMESTAMP('2020-02-01T00:00:00.000Z'))",
        [1],
    ),
    ('("name" IS NULL)', [5]),
    ("((n) ^ (2)) = 9", [3]),
    ("((n % 2) = 1) AND (((x) > (0)))", [1]),
    ("(n = 1) AND (flag = true)", [1]),
]


@pytest.mark.parametrize(("text", "expected"), Q7)
def test_q7_what_qgis_pushes_down_as_cql2_text(db: SyncDatabase, text: str, expected: list[int]) -> None:
    assert trial.ids(db, text) == expected


def documented() -> list[tuple[str, str, str]]:
    """(language, layer, filter) of every example in docs/filter.md."""
    text = (ROOT / "docs" / "filter.md").read_text("utf-8")
    blocks = re.findall(r"^```(cql2|cql-text) (\S+)\n(.*?)^```", text, re.M | re.S)
    languages = {"cql2": "cql2-text", "cql-text": "cql-text"}
    return [(languages[kind], layer, line) for kind, layer, lines in blocks for line in lines.splitlines()]


@pytest.mark.parametrize(("lang", "layer", "text"), documented())
def test_every_example_of_the_documentation_runs(db: SyncDatabase, lang: str, layer: str, text: str) -> None:
    viewed = view(PUBLIC, catalog().layers[layer])
    binds = Binds()
    source = rows.relation(viewed, binds)
    where = condition(viewed, filters.parse(viewed, text, lang, WGS84), binds)
    assert db.run(Query(f"select count(*) from {source} where {where}", tuple(binds.values), viewed.role))


def test_the_json_example_of_the_documentation_says_what_the_text_says() -> None:
    text = (ROOT / "docs" / "filter.md").read_text("utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```", text, re.M | re.S)
    areas = view(PUBLIC, catalog().layers["protected-areas"])
    same = "iucn_cat = 'II' and S_INTERSECTS(geometry, BBOX(105, 20, 107, 22))"
    assert filters.parse(areas, example, "cql2-json", WGS84) == filters.parse(areas, same, "cql2-text", WGS84)


@pytest.mark.parametrize(
    "text",
    [
        "id = '00000000-0000-0000-0000-000000000007'",
        "name in ('seven', 'eight') and casei(name) like 'sev%'",
        "n in (7, 8) and n + x > 7.6 and n > x",
        "x = 0.7 and x in (0.7, 1) and x * 10 between 6.9 and 7.1",
        "moment = TIMESTAMP('2024-05-31T12:00:00Z') and moment = DATE('2024-05-31')",
        "moment in (TIMESTAMP('2024-05-31T12:00:00Z')) and T_BEFORE(moment, INTERVAL('2024-06-01', '..'))",
        "A_EQUALS(tags, ('b', 'a')) and A_CONTAINS(tags, (name)) = false",
    ],
)
def test_columns_of_other_types_in_tables_of_others(db: SyncDatabase, text: str) -> None:
    """A uuid, a varchar, a smallint, a numeric, a timestamp without a zone (UTC), a varchar[]."""
    found = db.run(trial.query(trial.OTHERS, text))
    assert [str(row[0]) for row in found] == ["00000000-0000-0000-0000-000000000007"]
