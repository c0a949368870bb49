"""Annex A of CQL2 (OGC 21-065r2, normative): each predicate on the standard's own data gives its own count.

Every predicate is sent to a real server twice, as text and as JSON; the JSON is made by another reader, the
cql2 package. The data are in tests/annex_a. They have no arrays, so a table of our own stands in for those.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

import cql2
import httpx
import pytest

from gis_service.cli.prepare import prepare_database
from gis_service.db.sync import SyncDatabase
from gis_service.settings import load_settings
from tests import annex_a, trial
from tests.conftest import Starter

LANGUAGES = ("cql2-text", "cql2-json")
CONFORMANCE = "http://www.opengis.net/spec/cql2/1.0/conf/"
PROPERTIES: dict[str, dict[str, str]] = {
    **{name: properties for name, (_, properties) in annex_a.COLLECTIONS.items()},
    "thing": {name: str(prop.type) for name, prop in trial.THINGS.properties.items()},
}
QUERYABLES = [(c, name, kind) for c, properties in PROPERTIES.items() for name, kind in properties.items()]
VALUES = {
    "text": "'foo'",
    "boolean": "true",
    "number": "3.14",
    "integer": "1",
    "timestamp": "TIMESTAMP('2022-04-14T14:48:46Z')",
    "date": "DATE('2022-04-14')",
}
WORLD = "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"


@pytest.fixture(scope="module")
def web(
    start_server: Starter, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a server that publishes the three tables of the standard, and one with arrays."""
    root = tmp_path_factory.mktemp("annex-a")
    annex_a.write_layers(root)
    thing = trial.THINGS.layer.model_dump_json(exclude_defaults=True)
    (root / "layers" / "thing.yaml").write_text(thing, "utf-8")
    with SyncDatabase(database) as db:
        annex_a.fill(db)
        trial.fill(db)
    prepare_database(load_settings(root, {}), database)
    with httpx.Client(base_url=start_server(database, root=root), timeout=30) as client:
        yield client


def proves(*classes: str) -> list[pytest.MarkDecorator]:
    """The marks of a test that proves these classes and, since each is asked in both, both languages."""
    return [pytest.mark.proves(f"{CONFORMANCE}{name}") for name in (*classes, *LANGUAGES)]


def as_json(predicate: str) -> str:
    return json.dumps(_whole(cql2.parse_text(predicate).to_json()))


def _whole(value: Any) -> Any:  # any JSON
    """The same JSON with 1 for 1.0: that reader holds every number as a float."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {name: _whole(each) for name, each in value.items()}
    return value


def ask(web: httpx.Client, collection: str, predicate: str, lang: str = "cql2-text") -> httpx.Response:
    text = predicate if lang == "cql2-text" else as_json(predicate)
    form = {"limit": "1000", "skipGeometry": "true", "properties": ""}  # ids alone
    given = {"filter": text, "filter-lang": lang, **form}
    return web.get(f"/collections/{collection}/items", params=given)


def found(web: httpx.Client, collection: str, predicate: str, lang: str = "cql2-text") -> set[int]:
    """The ids of the features that match; fails where the server refuses."""
    answer = ask(web, collection, predicate, lang)
    assert answer.status_code == 200, f"{predicate}: {answer.text}"
    return {feature["id"] for feature in answer.json()["features"]}


def in_both(web: httpx.Client, collection: str, predicate: str) -> set[int]:
    """The ids that match in text and, the very same, in JSON."""
    in_text, in_json = (found(web, collection, predicate, lang) for lang in LANGUAGES)
    assert in_text == in_json, predicate
    return in_text


def queryables(*kinds: str) -> list[tuple[str, str]]:
    """Collection and quoted name of each queryable of these types."""
    return [(collection, f'"{name}"') for collection, name, kind in QUERYABLES if kind in kinds]


@pytest.mark.parametrize(
    ("collection", "expected", "predicate"),
    [
        pytest.param(row["collection"], int(row["count"]), row["predicate"], marks=proves(row["class"]))
        for row in annex_a.rows_of("predicates.tsv")
    ],
)
def test_q6_each_predicate_of_the_standard_gives_its_count(
    web: httpx.Client, collection: str, expected: int, predicate: str
) -> None:
    assert len(in_both(web, collection, predicate)) == expected


@pytest.mark.parametrize("row", annex_a.rows_of("combinations.tsv"), ids=lambda row: "; ".join(row.values()))
@pytest.mark.proves(f"{CONFORMANCE}basic-cql2")
def test_each_combination_of_the_standard_gives_its_count(web: httpx.Client, row: dict[str, str]) -> None:
    text = "(NOT ({p2}) AND {p1}) OR ({p3} and {p4}) or not ({p1} OR {p4})".format(**row)
    assert len(in_both(web, "places", text)) == int(row["count"])


@pytest.mark.proves(f"{CONFORMANCE}basic-cql2")
def test_every_collection_says_the_type_of_each_of_its_queryables(web: httpx.Client) -> None:
    for collection, expected in PROPERTIES.items():
        properties = web.get(f"/collections/{collection}/queryables").json()["properties"]
        assert set(properties) >= set(expected)
        assert all("type" in each or "$ref" in each for each in properties.values())


@pytest.mark.parametrize(("collection", "name"), queryables(*VALUES))
@pytest.mark.proves(f"{CONFORMANCE}basic-cql2")
@pytest.mark.proves(f"{CONFORMANCE}property-property")
def test_opposite_comparisons_have_nothing_in_common(web: httpx.Client, collection: str, name: str) -> None:
    value = VALUES[PROPERTIES[collection][name.strip('"')]]
    for left, right in ((name, value), (value, name)):
        for op, opposite in (("=", "<>"), (">", "<="), ("<", ">=")):
            both = [in_both(web, collection, f"{left} {sign} {right}") for sign in (op, opposite)]
            assert not both[0] & both[1]
            assert both[0] | both[1] == found(web, collection, f"{name} is not null")


@pytest.mark.parametrize(("collection", "name"), queryables(*VALUES))
@pytest.mark.proves(f"{CONFORMANCE}property-property")
def test_a_property_equals_itself(web: httpx.Client, collection: str, name: str) -> None:
    answers = {
        op: in_both(web, collection, f"{name} {op} {name}") for op in ("<>", "<", ">", "=", ">=", "<=")
    }
    assert answers["<>"] == answers["<"] == answers[">"] == set()
    assert answers["="] == answers[">="] == answers["<="] == found(web, collection, f"{name} is not null")


@pytest.mark.parametrize("value", VALUES.values())
@pytest.mark.proves(f"{CONFORMANCE}property-property")
def test_a_value_equals_itself(web: httpx.Client, value: str) -> None:
    counts = [
        len(in_both(web, "rivers", f"{value} {op} {value}")) for op in ("<>", "<", ">", "=", ">=", "<=")
    ]
    assert counts == [0, 0, 0, 13, 13, 13]


@pytest.mark.proves(f"{CONFORMANCE}basic-cql2")
def test_null_and_not_null_part_every_collection(web: httpx.Client) -> None:
    for collection, name in [*queryables(*VALUES, "list"), *((c, "geom") for c in PROPERTIES)]:
        null, given = (in_both(web, collection, f"{name} {test}") for test in ("IS NULL", "is not null"))
        assert not null & given
        assert null | given == found(web, collection, "true")


@pytest.mark.proves(f"{CONFORMANCE}basic-cql2")
def test_true_is_everything_and_false_nothing(web: httpx.Client) -> None:
    sizes = {"countries": 177, "places": 243, "rivers": 13, "thing": 6}
    assert {name: len(in_both(web, name, "true")) for name in PROPERTIES} == sizes
    assert not any(in_both(web, name, "false") for name in PROPERTIES)


@pytest.mark.parametrize(("collection", "name"), queryables("text"))
@pytest.mark.proves(f"{CONFORMANCE}advanced-comparison-operators")
def test_patterns(web: httpx.Client, collection: str, name: str) -> None:
    patterns = ("'%'", "'_%'", "''", "'%%'", r"'\%\_'", r"'%\%\_%'")
    some, one, none, twice, escaped, inside = (in_both(web, collection, f"{name} LIKE {p}") for p in patterns)
    assert some == twice == found(web, collection, f"{name} is not null")
    assert not one & none
    assert escaped == set()
    assert inside == ({4} if collection == "thing" else set())  # 50%_\x


@pytest.mark.proves(f"{CONFORMANCE}advanced-comparison-operators")
def test_between_and_in_of_every_type(web: httpx.Client) -> None:
    for collection, name in queryables("number", "integer"):
        assert in_both(web, collection, f"{name} BETWEEN 0 AND 100") >= in_both(
            web, collection, f"{name} in (1, 2, 3)"
        )
        assert in_both(web, collection, f"{name} between 100.0 and 1.0") == set()
    members = {
        "text": "('foo', 'bar')",
        "boolean": "(true)",
        "timestamp": "(TIMESTAMP('2022-04-14T14:52:56Z'), TIMESTAMP('2022-04-14T15:52:56Z'))",
        "date": "(DATE('2022-04-14'), DATE('2022-04-15'))",
    }
    for kind, among in members.items():
        for collection, name in queryables(kind):
            assert in_both(web, collection, f"{name} in {among}") <= found(
                web, collection, f"{name} is not null"
            )


@pytest.mark.parametrize(("collection", "name"), queryables("text"))
@pytest.mark.proves(f"{CONFORMANCE}case-insensitive-comparison")
@pytest.mark.proves(f"{CONFORMANCE}accent-insensitive-comparison")
def test_folded_text(web: httpx.Client, collection: str, name: str) -> None:
    def same(first: str, second: str) -> bool:
        return in_both(web, collection, first) == in_both(web, collection, second)

    assert not in_both(web, collection, f"CASEI({name}) = casei('foo')") & in_both(
        web, collection, f"CASEI({name}) <> casei('FOO')"
    )
    assert not in_both(web, collection, f"ACCENTI({name}) = accenti('äöüéáí')") & in_both(
        web, collection, f"ACCENTI({name}) <> accenti('aoueai')"
    )
    assert same(f"CASEI({name}) LIKE casei('foo%')", f"CASEI({name}) LIKE casei('FOO%')")
    assert same(f"ACCENTI({name}) LIKE accenti('Ä%')", f"ACCENTI({name}) LIKE accenti('A%')")
    both = f"ACCENTI(CASEI({name}))"
    assert same(f"{both} = accenti(casei('ÄÉ'))", f"{both} = accenti(casei('ae'))")
    assert same(f"{both} LIKE accenti(casei('Ä%'))", f"{both} LIKE accenti(casei('a%'))")


@pytest.mark.parametrize("function", ["S_INTERSECTS", "S_DISJOINT"])
@pytest.mark.proves(f"{CONFORMANCE}basic-spatial-functions")
@pytest.mark.proves(f"{CONFORMANCE}basic-spatial-functions-plus")
@pytest.mark.proves(f"{CONFORMANCE}spatial-functions")
def test_places_beyond_the_poles_are_refused(web: httpx.Client, function: str) -> None:
    for shape in ("POINT(90 180)", "MULTIPOINT((7.02 49.92), (90 180))"):
        for collection, lang in itertools.product(PROPERTIES, LANGUAGES):
            answer = ask(web, collection, f"{function}(geom,{shape})", lang)
            assert answer.status_code == 400, answer.text
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("collection", PROPERTIES)
@pytest.mark.proves(f"{CONFORMANCE}basic-spatial-functions")
@pytest.mark.proves(f"{CONFORMANCE}spatial-functions")
def test_spatial_functions_of_whole_and_part(web: httpx.Client, collection: str) -> None:
    def of(function: str, shape: str) -> set[int]:
        return in_both(web, collection, f"{function}(geom,{shape})")

    world, line, point = "BBOX(-180,-90,180,90)", "LINESTRING(7 50, 10 51)", "POINT(7.02 49.92)"
    points, placed = "MULTIPOINT((7 50),(10 51))", found(web, collection, "geom is not null")
    assert of("S_INTERSECTS", world) == of("S_INTERSECTS", WORLD) == placed
    assert of("S_DISJOINT", world) == of("S_DISJOINT", WORLD) == set()
    for shape in (line, point):
        assert of("S_INTERSECTS", shape) | of("S_DISJOINT", shape) == placed
        assert not of("S_INTERSECTS", shape) & of("S_DISJOINT", shape)
    assert of("S_EQUALS", WORLD) == of("S_EQUALS", line) == set()
    for function in ("S_TOUCHES", "S_WITHIN", "S_CONTAINS", "S_OVERLAPS"):
        assert of(function, world) == of(function, WORLD)
    for shape in (world, line, points):
        assert not of("S_WITHIN", shape) & of("S_CONTAINS", shape)
    halves = "S_INTERSECTS(geom,BBOX(-180,-90,-90,90)) AND S_INTERSECTS(geom,BBOX(90,-90,180,90))"
    assert in_both(web, collection, halves) <= placed
    if collection in ("places", "rivers", "thing"):
        assert of("S_CROSSES", world) == of("S_CROSSES", WORLD) == set()
        assert of("S_CROSSES", line) <= of("S_INTERSECTS", line)


TEMPORAL = ("AFTER", "BEFORE", "DISJOINT", "EQUALS", "INTERSECTS")
ALLEN = (*TEMPORAL, "CONTAINS", "DURING", "FINISHEDBY", "FINISHES", "MEETS", "METBY", "OVERLAPPEDBY",
         "OVERLAPS", "STARTEDBY", "STARTS")  # fmt: skip
INSTANTS = {"timestamp": "TIMESTAMP('2022-04-24T07:59:57Z')", "date": "DATE('2022-04-24')"}
YEAR = {
    "timestamp": "INTERVAL('2021-01-01T00:00:00Z','2021-12-31T23:59:59Z')",
    "date": "INTERVAL('2021-01-01','2021-12-31')",
}


@pytest.mark.parametrize("kind", INSTANTS)
@pytest.mark.proves(f"{CONFORMANCE}temporal-functions")
def test_an_instant_is_before_after_or_meets_another(web: httpx.Client, kind: str) -> None:
    for (collection, name), other in itertools.product(queryables(kind), (INSTANTS[kind], YEAR[kind])):
        answers = {f: in_both(web, collection, f"T_{f}({name},{other})") for f in TEMPORAL}
        assert answers["DISJOINT"] == answers["AFTER"] | answers["BEFORE"]
        assert not answers["AFTER"] & answers["BEFORE"]
        assert answers["EQUALS"] <= answers["INTERSECTS"]
        given = found(web, collection, f"{name} is not null")
        assert answers["DISJOINT"] | answers["INTERSECTS"] == given


@pytest.mark.parametrize(
    ("collection", "start", "end", "kind"),
    [("places", "start", '"end"', "timestamp"), ("thing", "day", "last_day", "date")],
)
@pytest.mark.proves(f"{CONFORMANCE}temporal-functions")
def test_two_intervals_stand_in_one_relation_of_allen(
    web: httpx.Client, collection: str, start: str, end: str, kind: str
) -> None:
    span = f"INTERVAL({start},{end})"
    answers = {f: in_both(web, collection, f"T_{f}({span},{YEAR[kind]})") for f in ALLEN}
    # INTERSECTS and DISJOINT sum up; METBY and MEETS share an end, as instants also start and finish.
    relations = [answers[f] for f in ALLEN if f not in ("INTERSECTS", "DISJOINT", "MEETS", "METBY")]
    assert all(not a & b for a, b in itertools.combinations(relations, 2))
    assert not answers["INTERSECTS"] & answers["DISJOINT"]
    assert answers["INTERSECTS"] | answers["DISJOINT"] == found(
        web, collection, f"{start} is not null and {end} is not null"
    )


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("A_CONTAINS(tags,('a','b'))", {1, 4, 6}),
        ("A_CONTAINEDBY(tags,('a','b'))", {1, 2, 3, 6}),
        ("A_EQUALS(tags,('a','b'))", {1, 6}),
        ("A_OVERLAPS(tags,('a','c'))", {1, 4, 6}),
        ("A_OVERLAPS(tags,('foo','bar'))", set()),
        ("NOT A_OVERLAPS(tags,('foo','bar'))", {1, 2, 3, 4, 6}),
    ],
)
@pytest.mark.proves(f"{CONFORMANCE}array-functions")
def test_arrays_compared_as_sets(web: httpx.Client, predicate: str, expected: set[int]) -> None:
    assert in_both(web, "thing", predicate) == expected


@pytest.mark.parametrize(("collection", "name"), queryables("number", "integer"))
@pytest.mark.proves(f"{CONFORMANCE}arithmetic")
def test_arithmetic_over_each_number(web: httpx.Client, collection: str, name: str) -> None:
    given = found(web, collection, f"{name} < 1e300")  # beyond 8e307 a sum of floats may be unknown
    for text in (f"{name} + 1 > {name} - 1", f"{name} * 2 / 2 >= {name} - 1", f"{name} % 7 between -7 and 7"):
        assert in_both(web, collection, text) <= given
    assert in_both(web, collection, f"{name} - {name} = 0") == given


@pytest.mark.parametrize("text", ["O''Hara", r"O\'Hara", "\a\b\t\n\v\f\r", "Đà Lạt — 東京 🌏"])
@pytest.mark.proves(f"{CONFORMANCE}cql2-text")
def test_escapes_and_control_characters_of_text(web: httpx.Client, text: str) -> None:
    plain = text.replace("''", "'").replace(r"\'", "'")
    doubled = plain.replace("'", "''")
    assert len(found(web, "rivers", f"'{text}' = '{doubled}'")) == 13
    given = json.dumps({"op": "=", "args": [{"property": "name"}, plain]})
    answer = web.get("/collections/thing/items", params={"filter": given, "filter-lang": "cql2-json"})
    assert {each["id"] for each in answer.json()["features"]} == found(web, "thing", f"name = '{text}'")


def predicates(collection: str) -> list[str]:
    return [row["predicate"] for row in annex_a.rows_of("predicates.tsv") if row["collection"] == collection]


def combinations(collection: str, times: int = 12) -> Iterable[tuple[str, ...]]:
    """Random draws of four predicates of a collection, the same in every run."""
    draw = random.Random(f"annex a: {collection}")
    return (tuple(draw.sample(predicates(collection), 4)) for _ in range(times))


@pytest.mark.parametrize("collection", annex_a.COLLECTIONS)
@pytest.mark.proves(f"{CONFORMANCE}basic-cql2")
def test_logic_over_random_predicates_is_that_of_sets(web: httpx.Client, collection: str) -> None:
    """In Kleene's logic a row is true, false or unknown of each predicate; NOT of unknown is unknown."""
    everything = found(web, collection, "true")
    for parts in combinations(collection):
        true = [found(web, collection, part) for part in parts]
        false = [found(web, collection, f"not ({part})") for part in parts]
        p1, p2, p3, p4 = (f"({part})" for part in parts)
        text = f"((NOT {p1} AND {p2}) OR ({p3} and NOT {p4}) or not ({p1} AND {p4}))"
        expected = (false[0] & true[1]) | (true[2] & false[3]) | (false[0] | false[3])
        assert in_both(web, collection, text) == expected <= everything
