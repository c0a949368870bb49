"""Random sentences of CQL2's JSON encoding, well-typed over any properties and with any literals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Json = Any  # what json.dumps takes
Sentences = st.SearchStrategy[Json]

COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = ("s_intersects", "s_equals", "s_disjoint", "s_touches", "s_within", "s_overlaps", "s_crosses",
           "s_contains")  # fmt: skip
TEMPORAL = ("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")
OF_INTERVALS = ("t_contains", "t_during", "t_finishedBy", "t_finishes", "t_meets", "t_metBy",
                "t_overlappedBy", "t_overlaps", "t_startedBy", "t_starts")  # fmt: skip
ARRAYS = ("a_equals", "a_contains", "a_containedBy", "a_overlaps")


@dataclass(frozen=True)
class Words:
    """What sentences are made of: properties with their types, and literals as JSON has them."""

    properties: Mapping[str, str]
    text: st.SearchStrategy[str]
    pattern: st.SearchStrategy[str]
    integer: st.SearchStrategy[int]
    number: st.SearchStrategy[float]
    exponent: st.SearchStrategy[int | float]
    day: st.SearchStrategy[str]
    instant: st.SearchStrategy[str]
    shape: Sentences

    def of(self, *types: str) -> Sentences:
        """Properties of these types."""
        names = [name for name, kind in self.properties.items() if kind in types]
        return st.sampled_from(names).map(lambda name: {"property": name})

    def has(self, *types: str) -> bool:
        return any(kind in types for kind in self.properties.values())


def call(op: str, *args: Json) -> Json:
    return {"op": op, "args": list(args)}


def calls(ops: tuple[str, ...], *args: Sentences) -> Sentences:
    """Any of the operators over any of the arguments."""
    return st.builds(call, st.sampled_from(ops), *args)


FAMILIES = ("texts", "numbers", "times", "shapes", "others")


def conditions(words: Words, *families: str) -> Sentences:
    """What is true, false or unknown of a row, up to some depth; of these families, or of all."""
    tests = _tests(words)
    chosen = [test for family in families or FAMILIES for test in tests[family]]
    return st.recursive(
        st.one_of(chosen),
        lambda inner: st.one_of(
            calls(("and", "or"), inner, inner),
            calls(("not",), inner),
            calls(("=", "<>"), inner, inner),
        ),
        max_leaves=4,
    )


def _tests(words: Words) -> dict[str, list[Sentences]]:
    text, number, time = _texts(words), _numbers(words), _times(words)
    return {
        "texts": [
            calls(COMPARISONS, text, text),
            calls(("like",), text, _patterns(words)),
            calls(("in",), text, st.lists(text, min_size=1, max_size=4)),
        ],
        "numbers": [
            calls(COMPARISONS, number, number),
            calls(("between",), number, number, number),
            calls(("in",), number, st.lists(number, min_size=1, max_size=4)),
            calls(("isNull",), number),
        ],
        "times": [
            calls(COMPARISONS, time, time),
            calls(("between",), time, time, time),
            calls(("in",), time, st.lists(time, min_size=1, max_size=3)),
            *_of_times(words, time),
        ],
        "shapes": _of_shapes(words),
        "others": _others(words),
    }


def _others(words: Words) -> list[Sentences]:
    tests = [calls(("isNull",), words.of(*set(words.properties.values()))), st.booleans()]
    if words.has("boolean"):
        truth = st.one_of(words.of("boolean"), st.booleans())
        tests += [words.of("boolean"), calls(COMPARISONS, truth, truth)]
    if words.has("list"):
        listed = st.one_of(words.of("list"), st.lists(words.text, max_size=3))
        tests.append(calls(ARRAYS, listed, listed))
    return tests


def _of_shapes(words: Words) -> list[Sentences]:
    shape = st.one_of(words.of("geometry"), words.shape)
    return [
        calls(SPATIAL, words.of("geometry"), words.shape),
        calls(SPATIAL, words.shape, words.of("geometry")),
        calls(SPATIAL, shape, shape).filter(_at_most_one_collection),
    ]


def _of_times(words: Words, time: Sentences) -> list[Sentences]:
    span = _intervals(words)
    either = st.one_of(time, span)
    return [calls(TEMPORAL, either, either), calls(OF_INTERVALS, span, span)]


def _at_most_one_collection(sentence: Json) -> bool:
    """A box over the antimeridian and a GeometryCollection have several parts; one of two operands may."""
    return not all("geometries" in arg or arg.get("bbox", [0, 0, 1])[0] > 0 for arg in sentence["args"])


def _texts(words: Words) -> Sentences:
    plain = st.one_of(words.of("text"), words.text)
    return st.one_of(plain, plain, calls(("casei", "accenti"), plain), _folded_twice(plain))


def _folded_twice(plain: Sentences) -> Sentences:
    return st.one_of(
        calls(("casei",), calls(("accenti",), plain)), calls(("accenti",), calls(("casei",), plain))
    )


def _patterns(words: Words) -> Sentences:
    return st.one_of(words.pattern, calls(("casei", "accenti"), words.pattern), _folded_twice(words.pattern))


def _numbers(words: Words) -> Sentences:
    plain = st.one_of(words.of("integer", "number"), words.integer, words.number)
    sums = calls(("+", "-", "*", "/", "div", "%"), plain, plain)
    powers = calls(("^",), plain, words.exponent)
    deeper = calls(("+", "-", "*", "/"), sums, plain)
    return st.one_of(plain, plain, plain, sums, powers, deeper)


def _times(words: Words) -> Sentences:
    day = words.day.map(lambda text: {"date": text})
    instant = words.instant.map(lambda text: {"timestamp": text})
    return st.one_of(words.of("date", "timestamp"), day, instant)


def _intervals(words: Words) -> Sentences:
    days = st.tuples(words.day, words.day).map(sorted)
    instants = st.tuples(words.instant, words.instant).map(sorted)
    opened = st.one_of(words.day, words.instant).flatmap(
        lambda end: st.sampled_from(([end, ".."], ["..", end], ["..", ".."]))
    )
    columns = st.lists(words.of("date", "timestamp"), min_size=2, max_size=2)
    return st.one_of(days, instants, opened, columns).map(lambda ends: {"interval": ends})
