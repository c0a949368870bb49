"""What a filter compiles to: bare columns that an index answers, parameters for everything a client wrote."""

import datetime as dt

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import Principal
from gis_service.errors import InvalidParameter
from gis_service.features import filters
from gis_service.geo.crs import WGS84, epsg
from tests import trial
from tests.canaries import Canaries

# The columns of the service's own tables are of the types that their properties say.
STORED = view(Principal("centre", "full"), trial.THINGS.layer.model_copy(update={"managed": True}))
NOON = dt.datetime(2024, 5, 31, 12, tzinfo=dt.UTC)
MIDNIGHT, NEXT = trial.utc(2024, 5, 31), trial.utc(2024, 6, 1)

SNAPSHOTS: list[tuple[str, str, list[object]]] = [
    ("name = 'x'", 't."name" = $1::text', ["x"]),
    ("'x' = name", 't."name" = $1::text', ["x"]),
    ("id = 7", 't."id" = $1::int8', [7]),
    ("n > 2.5", 't."n" > $1::int8', [2]),
    ("x >= 2", 't."x" >= $1::float8', [2.0]),
    ("flag and not name is null", '(t."flag" and (not (t."name" is null)))', []),
    ("n in (1, 2)", 't."n" = any($1::int8[])', [[1, 2]]),
    ("name in ('a', 'b')", 't."name" = any($1::text[])', [["a", "b"]]),
    ("n between 1 and 2", '(t."n" >= $1::int8 and t."n" <= $2::int8)', [1, 2]),
    ("name like 'x%'", '(t."name" like $1::text)', ["x%"]),
    ("casei(name) = casei('X')", 'lower(t."name") = lower($1::text)', ["X"]),
    ("accenti(name) = 'x'", 'gis.unaccented(t."name") = $1::text', ["x"]),
    ("n + 1 = 2", '(t."n"::numeric + $1::int8::numeric) = $2::int8', [1, 2]),
    ("x / n > 2", 'gis.cql2_over(t."x"::float8, t."n"::float8) > $1::float8', [2.0]),
    ("n < x", 'gis.cql2_compare((t."n")::numeric, (t."x")::float8) < 0', []),
    ("moment = TIMESTAMP('2024-05-31T12:00:00Z')", 't."moment" = $1::timestamptz', [NOON]),
    (
        "moment = DATE('2024-05-31')",
        '(t."moment" >= $1::timestamptz and t."moment" < $2::timestamptz)',
        [MIDNIGHT, NEXT],
    ),
    ("day < TIMESTAMP('2024-05-31T12:00:00Z')", 't."day" < $1::date', [dt.date(2024, 5, 31)]),
    (
        "T_INTERSECTS(day, INTERVAL('2024-05-31', '..'))",
        """(t."day" <= 'infinity'::date and t."day" >= $1::date)""",
        [dt.date(2024, 5, 31)],
    ),
    ("A_CONTAINS(tags, ('a'))", '(t."tags" @> $1::text[])', [["a"]]),
    (
        "S_INTERSECTS(geom, POINT(1 2))",
        '(t."geom" && $1::geometry and ST_Intersects(t."geom", $1::geometry))',
        ["0101000020e6100000000000000000f03f0000000000000040"],
    ),
    (
        "S_DISJOINT(geom, POINT(1 2))",
        '(ST_Disjoint(t."geom", $1::geometry))',
        ["0101000020e6100000000000000000f03f0000000000000040"],
    ),
]


@pytest.mark.parametrize(("text", "sql", "values"), SNAPSHOTS)
def test_the_statement_s_text(text: str, sql: str, values: list[object]) -> None:
    assert trial.compiled(STORED, text) == (sql, values)


def test_the_literal_is_transformed_and_never_the_column() -> None:
    sql, _ = trial.compiled(trial.THINGS, "S_WITHIN(geom, BBOX(19, 105, 20, 106))", crs=epsg(4326))
    assert sql == '(t."geom" && $1::geometry and ST_Within(t."geom", $1::geometry))'
    sql, _ = trial.compiled(trial.METRIC, "S_WITHIN(geom, POINT(105 20))")
    once = "(select gis.cql2_transformed($1::geometry, 32648))"
    assert sql == f'(t."geom" && {once} and ST_Within(t."geom", {once}))'


def test_texts_in_tables_of_others_are_read_as_text_for_they_may_be_uuids() -> None:
    assert trial.compiled(trial.OTHERS, "id = 'x'") == ('t."id"::text = $1::text', ["x"])
    assert trial.compiled(trial.OTHERS, "A_CONTAINS(tags, ('x'))")[0] == '(t."tags"::text[] @> $1::text[])'


def test_what_a_filter_says_is_equal_and_repeats_itself_whatever_its_spacing() -> None:
    one = filters.parse(trial.THINGS, "n=1 AND name   = 'x'", "cql2-text", WGS84)
    other = filters.parse(trial.THINGS, "(n = 1) and (name='x')", "cql2-text", WGS84)
    assert one == other
    assert repr(one) == repr(other)
    assert hash(one) == hash(other)
    assert one != filters.parse(trial.THINGS, "n = 1 and name = 'y'", "cql2-text", WGS84)


REFUSALS = [
    ("nothing = 1", "at 1: layer thing has no property 'nothing'"),
    ('"n"" or 1=1" = 1', "has no property 'n\" or 1=1'"),
    ("name = xyz", "at 8: layer thing has no property 'xyz'"),
    ("n = 'x'", "at 5: text can't be compared with integer"),
    ("name = 1", "at 8: integer can't be compared with text"),
    ("n in (1, 'x')", "at 10: text can't be compared with integer"),
    ("n between 1 and 'x'", "text can't be compared with integer"),
    ("flag = 1", "integer can't be compared with boolean"),
    ("flag between false and true", "true and false have no range"),
    ("moment = '2024-05-31'", "text can't be compared with timestamp"),
    ("moment = 2024", "integer can't be compared with timestamp"),
    ("tags = 'a'", "list can't be compared"),
    ("geom = 1", "geometry can't be compared"),
    ("geom = POINT(1 2)", "can't stand here"),
    ("n", "at 1: this is no condition"),
    ("1", "at 1: this is no condition"),
    ("n and flag", "at 1: this is no condition"),
    ("n + 1", "at 3: this is no condition"),
    ("name + 1 = 2", "at 1: a value of type number is expected, not text"),
    ("casei(n) = 'x'", "at 7: a value of type text is expected, not integer"),
    ("n like 'x'", "at 1: a value of type text is expected, not integer"),
    ("name like name", "at 11: the pattern of LIKE must be a text"),
    ("n in ()", "IN needs a list"),
    ("A_CONTAINS(name, ('a'))", "a value of type list is expected, not text"),
    ("A_CONTAINS(tags, (1))", "a value of type text is expected, not integer"),
    ("T_AFTER(name, DATE('2024-05-31'))", "a value of type timestamp is expected, not text"),
    ("S_INTERSECTS(name, POINT(1 2))", "at 14: a geometry is expected"),
    ("S_INTERSECTS(geom, 'POINT(1 2)')", "at 20: a geometry is expected"),
    ("S_INTERSECTS(geom)", "s_intersects takes 2 arguments, not 1"),
    ("S_INTERSECTS(geom, POINT(181 2))", "at 20: 181, 2 is no longitude and latitude"),
    ("S_INTERSECTS(geom, BBOX(1, 2, 3))", "a bbox has four numbers"),
    ("S_INTERSECTS(geom, BBOX(1, 5, 3, 4))", "the lower corner of a bbox comes first"),
    ("S_INTERSECTS(geom, LINESTRING(1 2, 1 2))", "a line needs two different positions"),
    ("S_INTERSECTS(geom, POLYGON((0 0, 1 0, 1 1, 0 1)))", "must end where it begins"),
    ("S_INTERSECTS(geom, POLYGON((0 0, 1 0, 0 0)))", "needs four positions"),
    ("S_INTERSECTS(geom, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "isn't valid: Self-intersection[0.5 0.5]"),
    (
        "S_INTERSECTS(GEOMETRYCOLLECTION(POINT(5 5), LINESTRING(1 1, 2 2)), BBOX(170, 0, -170, 1))",
        "two geometry collections",
    ),
]


@pytest.mark.parametrize(("text", "reason"), REFUSALS)
def test_types_and_names_are_checked_before_the_database_is_asked(text: str, reason: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        filters.parse(trial.THINGS, text, "cql2-text", WGS84)
    assert reason in str(caught.value)


def test_a_pattern_must_not_end_with_half_an_escape() -> None:
    with pytest.raises(InvalidParameter, match="escapes nothing"):
        filters.parse(trial.THINGS, "name LIKE 'x\\'", "cql-text", WGS84)


def test_the_cross_of_systems_is_refused_where_it_makes_no_sense() -> None:
    for text, reason in (
        ("S_INTERSECTS(geom, BBOX(500001, 0, 500000, 1))", "the lower corner"),
        ("S_INTERSECTS(geom, POINT(1e9 0))", "outside of every projected system"),
    ):
        with pytest.raises(InvalidParameter, match=reason):
            filters.parse(trial.THINGS, text, "cql2-text", epsg(32648))


def test_no_literal_is_ever_seen_in_the_text_of_a_statement() -> None:
    for seed in range(50):
        canaries = Canaries(seed)
        sql, _ = trial.compiled(trial.THINGS, _with(canaries))
        canaries.check(sql)


def _with(canaries: Canaries) -> str:
    """A filter that holds a literal in every place where one may stand."""
    moment = canaries.moment().isoformat().replace("+00:00", "Z")
    ends = sorted([canaries.day().isoformat(), canaries.day().isoformat()])
    west, south = canaries.longitude(), canaries.latitude()
    return " or ".join(
        [
            f"name = '{canaries.text()}'",
            f"casei(accenti(name)) like casei(accenti('%{canaries.text()}_'))",
            f"name in ('{canaries.text()}', '{canaries.text()}')",
            f"n > {canaries.integer()}",
            f"n <= {canaries.number()}",
            f"x = {canaries.integer()}",
            f"n + {canaries.integer()} * x between {canaries.number()} and {canaries.integer()}",
            f"n in ({canaries.integer()}, {canaries.number()})",
            f"{canaries.integer()} = {canaries.integer()}",
            f"day = DATE('{canaries.day()}')",
            f"moment > TIMESTAMP('{moment}')",
            f"moment = DATE('{canaries.day()}')",
            f"T_DURING(INTERVAL(day, '{canaries.day()}'), INTERVAL('{ends[0]}', '{ends[1]}'))",
            f"A_OVERLAPS(tags, ('{canaries.text()}', '{canaries.text()}'))",
            f"S_INTERSECTS(geom, POINT({canaries.longitude()} {canaries.latitude()}))",
            f"S_WITHIN(geom, BBOX({west}, {south}, {west + 1}, {south + 1}))",
            f"S_CROSSES(geom, LINESTRING(1 1, {canaries.longitude()} {canaries.latitude()}))",
        ]
    )
