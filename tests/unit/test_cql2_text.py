"""CQL2 text as a tree: the JSON of the standard, and refusals that name the place."""

import random
from typing import Any

import pytest
from cql2 import parse_text

from gis_service.errors import InvalidParameter
from gis_service.features import filters
from gis_service.features.cql2 import json_text, limits


def tree(text: str, lang: str = "cql2-text") -> Any:
    return json_text.write(filters.read(text, lang))


def refused(text: str, lang: str = "cql2-text") -> str:
    with pytest.raises(InvalidParameter) as caught:
        filters.read(text, lang)
    return str(caught.value)


def a(op: str, *args: object) -> dict[str, object]:
    return {"op": op, "args": list(args)}


A, B, C = ({"property": name} for name in "abc")

SENTENCES = [
    ("a = 9007199254740993", a("=", A, 9007199254740993)),
    ("a = -1.50", a("=", A, -1.5)),
    ("a = 1e3", a("=", A, 1000.0)),
    ("a = .5", a("=", A, 0.5)),
    ("A = a", a("=", {"property": "A"}, A)),
    ("\"quoted id\" <> 'it''s'", a("<>", {"property": "quoted id"}, "it's")),
    (r"a = 'it\'s'", a("=", A, "it's")),
    (r"a = 'C:\x'", a("=", A, r"C:\x")),
    ("diện_tích > 1", a(">", {"property": "diện_tích"}, 1)),
    ("a=1 and b=2 AND c=3", a("and", a("=", A, 1), a("=", B, 2), a("=", C, 3))),
    ("a or b and not c", a("or", A, a("and", B, a("not", C)))),
    ("((a AND b) AND c)", a("and", A, B, C)),
    ("a + b * c > 1", a(">", a("+", A, a("*", B, C)), 1)),
    ("a - b - c = 0", a("=", a("-", a("-", A, B), C), 0)),
    ("a ^ 2 % 3 div 4 = 0", a("=", a("div", a("%", a("^", A, 2), 3), 4), 0)),
    ("-a = - 1", a("=", a("*", -1, A), -1)),
    ("a NOT LIKE 'x%'", a("not", a("like", A, "x%"))),
    ("a is not NULL", a("not", a("isNull", A))),
    ("a Between 1 AND 2 AND b", a("and", a("between", A, 1, 2), B)),
    ("a NOT IN (1, 'x')", a("not", a("in", A, [1, "x"]))),
    ("CASEI(a) LIKE casei('x%')", a("like", a("casei", A), a("casei", "x%"))),
    ("A_ContainedBy(a, ('x', 'y'))", a("a_containedBy", A, ["x", "y"])),
    ("A_EQUALS(a, ())", a("a_equals", A, [])),
    ("a_overlaps(a, ['x'])", a("a_overlaps", A, ["x"])),
    ("date = DATE('2024-05-31')", a("=", {"property": "date"}, {"date": "2024-05-31"})),
    (
        "a < TIMESTAMP('2024-05-31T12:00:00.5+07:00')",
        a("<", A, {"timestamp": "2024-05-31T05:00:00.500000Z"}),
    ),
    (
        "T_DURING(INTERVAL(a, '..'), INTERVAL('2024-05-31', '2024-06-01T00:00:00Z'))",
        a("t_during", {"interval": [A, ".."]}, {"interval": ["2024-05-31", "2024-06-01T00:00:00Z"]}),
    ),
    ("S_INTERSECTS(a, BBOX(-1, 2, 3, 4))", a("s_intersects", A, {"bbox": [-1, 2, 3, 4]})),
    ("S_WITHIN(a, POINT Z (1 2 3))", a("s_within", A, {"type": "Point", "coordinates": [1, 2, 3]})),
    (
        "S_WITHIN(a, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(1 2, 3 4)))",
        a(
            "s_within",
            A,
            {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Point", "coordinates": [1, 2]},
                    {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
                ],
            },
        ),
    ),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_text_becomes_the_json_of_the_standard(text: str, expected: object) -> None:
    assert tree(text) == expected


def test_g6_cql_text_knows_ilike_and_leaves_backslashes_alone() -> None:
    assert tree("a ILIKE 'x%'", "cql-text") == a("ilike", A, "x%")
    assert tree("a NOT ILIKE 'x%'", "cql-text") == a("not", a("ilike", A, "x%"))
    assert tree(r"a = 'C:\'", "cql-text") == a("=", A, "C:\\")
    assert "ILIKE" in refused("a ILIKE 'x%'")


REFUSALS = [
    ("", "at 1: it ends where a value"),
    ("a =", "at 4: it ends where a value"),
    ("a b", "at 3: 'b' stands where AND, OR is expected"),
    ("a = 1 = 2", "at 7: '='"),
    ("(a = 1", "at 7: it ends where ) is expected"),
    ("a = 1)", "at 6: ')'"),
    ("a = 'x", "at 5: the ' that begins here is never closed"),
    ("a = $1", "at 5: '$' means nothing here"),
    ("a; drop table x", "at 2: ';' means nothing here"),
    ("a IS 1", "at 6: '1' stands where NULL is expected"),
    ("a NOT 1", "at 7: '1' stands where LIKE, IN, BETWEEN is expected"),
    ("and", "at 1: 'and' stands where a value"),
    ("a in 1", "at 6: '1' stands where ( is expected"),
    ("pg_sleep(9) = 1", "at 1: there is no function or operator 'pg_sleep'"),
    ("a = 9223372036854775808", "at 5: an integer must lie between"),
    ("a = -9223372036854775809", "at 5: an integer"),
    ("a = 1e400", "at 5: a number must be finite"),
    ("a = " + "1" * 5000, "at 5: the number has too many digits"),
    ("a = DATE('0000-01-01')", "at 10: '0000-01-01' is no day"),
    ("a = DATE('2023-02-29')", "at 10: '2023-02-29' is no day"),
    ("a = TIMESTAMP('2023-02-28T24:00:01Z')", "at 15: "),
    ("a = TIMESTAMP('0001-01-01T00:00:00+07:00')", "at 15: "),
    ("a = TIMESTAMP('9999-12-31T23:59:59-07:00')", "at 15: "),
    ("a = TIMESTAMP('2023-02-28')", "at 15: "),
    ("T_DURING(a, INTERVAL('x', '..'))", "at 22: "),
    ("S_INTERSECTS(a, POINT(1))", "at 24: ')' stands where 1 is expected"),
    ("S_INTERSECTS(a, POINT(1 2 3 4 5))", "at 31: '5' stands where ) is expected"),
    ("S_INTERSECTS(a, GEOMETRYCOLLECTION(BBOX(1,2,3,4)))", "at 36: 'BBOX'"),
    ("a = '\x00'", "a NUL character"),
    ("a = '\ud800'", "half of a character"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSALS)
def test_a_refusal_says_what_is_wrong_and_where(text: str, reason: str) -> None:
    assert reason in refused(text)


def test_limits_hold_before_work_is_done() -> None:
    assert "nested deeper" in refused("(" * 8000 + "a" + ")" * 8000)
    assert "nested deeper" in refused("not " * 4000 + "a")
    assert "nested deeper" in refused("-" * 8000 + "1 = a")
    assert "nested deeper" in refused("1" + "+1" * 400 + " = a")
    assert "nested deeper" in refused("S_WITHIN(a, " + "GEOMETRYCOLLECTION(" * 500 + "POINT(1 2)" + ")" * 501)
    assert "more than 2000 operators" in refused(" or ".join(["a=1"] * 700))
    assert "at most 1000 members" in refused(f"a in ({','.join('1' * 1001)})")
    assert "longer than 16384 bytes" in refused("a" * 16_385)
    assert "longer than 16384 bytes" in refused("đ" * 8_193)


def test_what_lies_within_the_limits_is_read() -> None:
    assert len(tree("(" * 90 + "a" + ")" * 90)) == 1
    nested = "a = 1"
    for _ in range(limits.MAX_DEPTH - 5):
        nested = f"({nested}) AND (b = 2)"
    assert len(tree(nested)["args"]) == limits.MAX_DEPTH - 4
    assert len(tree(f"a in ({','.join('1' * 990)})")["args"][1]) == 990
    line = ", ".join(f"{i} {i}" for i in range(1000))
    assert len(tree(f"S_WITHIN(a, LINESTRING({line}))")["args"][1]["coordinates"]) == 1000


def test_the_cql2_package_reads_the_same_from_generated_sentences() -> None:
    """An independent reader as the oracle; it makes every number a float, so numbers are compared as such."""
    write = Sentences(20260531)
    for _ in range(400):
        sentence = write.condition(4)
        assert floats(tree(sentence)) == floats(parse_text(sentence).to_json()), sentence


def floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: floats(each) for key, each in value.items()}
    if isinstance(value, list):
        return [floats(each) for each in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class Sentences:
    """Writes sentences of CQL2 at random: every operator, brackets where they must and may stand."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def condition(self, depth: int) -> str:
        choices = [self._comparison, self._test, self._spatial, self._temporal, self._array]
        if depth > 1 and self._random.random() < 0.6:
            choices = [self._chain, self._negation]
        return self._random.choice(choices)(depth - 1)

    def _chain(self, depth: int) -> str:
        word = self._random.choice([" AND ", " or "])
        return word.join(f"({self.condition(depth)})" for _ in range(self._random.randint(2, 3)))

    def _negation(self, depth: int) -> str:
        return f"NOT ({self.condition(depth)})"

    def _comparison(self, depth: int) -> str:
        sign = self._random.choice(["=", "<>", "<", ">", "<=", ">="])
        return f"{self._number(depth)} {sign} {self._number(depth)}"

    def _test(self, depth: int) -> str:
        negated = self._random.choice(["", "NOT "])
        return self._random.choice(
            [
                f"name {negated}LIKE {self._text()}",
                f"casei(name) {negated}LIKE CASEI({self._text()})",
                f"accenti(name) = accenti({self._text()})",
                f"{self._number(depth)} {negated}BETWEEN {self._number(0)} AND {self._number(0)}",
                f"name {negated}IN ({self._text()}, {self._text()})",
                f'"quoted name" IS {negated}NULL',
                f"flag = {self._random.choice(['true', 'false'])}",
            ]
        )

    def _number(self, depth: int) -> str:
        if depth <= 0 or self._random.random() < 0.5:
            number = self._random.choice([self._random.randint(-9, 9), round(self._random.uniform(-9, 9), 3)])
            return self._random.choice(["n", "x", str(number)])
        sign = self._random.choice(["+", "-", "*", "/", "%", "div", "^"])
        return f"({self._number(depth - 1)} {sign} {self._number(depth - 1)})"

    def _text(self) -> str:
        return self._random.choice(["'x%'", "'it''s'", "'Bạch Mã'", "''", "'a\"b'"])

    def _spatial(self, depth: int) -> str:
        name = self._random.choice(["INTERSECTS", "EQUALS", "DISJOINT", "TOUCHES", "WITHIN", "CROSSES"])
        shape = self._random.choice(
            [
                "BBOX(1,2,3,4)",
                "POINT(1 2)",
                "LINESTRING(1 2, -3 4.5)",
                "POLYGON((0 0, 1 0, 1 1, 0 0), (0.1 0.1, 0.2 0.1, 0.2 0.2, 0.1 0.1))",
                "MULTIPOINT((1 2), (3 4))",
                "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))",
            ]
        )
        return f"S_{name}(geometry, {shape})"

    def _temporal(self, depth: int) -> str:
        name = self._random.choice(
            ["AFTER", "BEFORE", "DURING", "FINISHEDBY", "METBY", "INTERSECTS", "STARTS"]
        )
        ends = ["'..'", "'2024-05-31'", "'2024-05-31T12:00:00Z'", "day"]
        interval = f"INTERVAL({self._random.choice(ends)}, {self._random.choice(ends)})"
        return f"T_{name}({self._random.choice(['day', interval])}, {interval})"

    def _array(self, depth: int) -> str:
        name = self._random.choice(["EQUALS", "CONTAINS", "CONTAINEDBY", "OVERLAPS"])
        return f"A_{name}(tags, ('a', {self._text()}))"
