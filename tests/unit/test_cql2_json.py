"""CQL2 JSON: the same trees as of text, and refusals that name the path."""

import json
import tracemalloc

import pytest

from gis_service.errors import InvalidParameter
from gis_service.features import filters
from gis_service.features.cql2 import json_text
from tests.unit.test_cql2_text import SENTENCES


def refused(text: str) -> str:
    with pytest.raises(InvalidParameter) as caught:
        filters.read(text, "cql2-json")
    return str(caught.value)


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_both_encodings_give_one_tree(text: str, expected: object) -> None:
    from_json = filters.read(json.dumps(expected), "cql2-json")
    assert from_json == filters.read(text, "cql2-text")
    assert repr(from_json) == repr(filters.read(text, "cql2-text"))
    assert json_text.write(from_json) == expected


def test_names_of_operators_may_be_of_any_case() -> None:
    assert filters.read(
        '{"op":"T_FINISHEDBY","args":[{"property":"a"},{"date":"2024-05-31"}]}', "cql2-json"
    ) == (filters.read("t_finishedBy(a, DATE('2024-05-31'))", "cql2-text"))


REFUSALS = [
    ("", "at 1: this isn't JSON"),
    ("{", "at 2: this isn't JSON"),
    ("null", "at $: null is no value"),
    ('{"op":"=","args":[{"property":"a"},null]}', "at args[1]: null is no value"),
    ('{"op":"=","op":"<>","args":[]}', "the member 'op' twice"),
    ('{"op":"=","args":{"a":1}}', "at $: an object must be"),
    ('{"args":[1,2]}', "at $: an object must be"),
    ('{"op":"and","args":[{"op":"pg_sleep","args":[9]},true]}', "at args[0].op: there is no function"),
    ('{"op":"=","args":[{"property":7},1]}', "at args[0].property: a string is expected"),
    ('{"op":"=","args":[{"property":"a"},9223372036854775808]}', "an integer must lie between"),
    ('{"op":"=","args":[{"property":"a"},1e400]}', "at args[1]: a number must be finite"),
    ('{"op":"=","args":[{"property":"a"},NaN]}', "at NaN: a number must be finite"),
    ('{"op":"=","args":[{"property":"a"},-Infinity]}', "a number must be finite"),
    ('{"op":"=","args":[{"property":"a"},"\\u0000"]}', "at args[1]: there is a NUL"),
    ('{"op":"=","args":[{"property":"a"},"\\ud800"]}', "at args[1]: there is a NUL character or half"),
    ('{"op":"=","args":[{"property":"a"},{"date":"0000-01-01"}]}', "at args[1]: '0000-01-01' is no day"),
    ('{"op":"=","args":[{"property":"a"},{"timestamp":7}]}', "at args[1].timestamp: a string"),
    ('{"op":"t_after","args":[{"property":"a"},{"interval":[".."]}]}', "at args[1]: an interval is"),
    ('{"op":"s_within","args":[{"property":"a"},{"bbox":[1,2,3,"4"]}]}', "at args[1].bbox[3]: coordinates"),
    ('{"op":"s_within","args":[{"property":"a"},{"bbox":[1,2,3,true]}]}', "at args[1].bbox[3]: coordinates"),
    ('{"op":"s_within","args":[{"property":"a"},{"type":"Circle"}]}', "at args[1]: 'Circle' is no type"),
    (
        '{"op":"s_within","args":[{"property":"a"},{"type":"Point","coordinates":[1]}]}',
        "at args[1].coordinates: coordinates",
    ),
    (
        '{"op":"s_within","args":[{"property":"a"},{"type":"LineString","coordinates":[[1,2],3]}]}',
        "at args[1].coordinates[1]: coordinates",
    ),
    (
        '{"op":"s_within","args":[{"property":"a"},{"type":"GeometryCollection","geometries":[7]}]}',
        "at args[1].geometries[0]: an object",
    ),
]


@pytest.mark.parametrize(("text", "reason"), REFUSALS)
def test_a_refusal_names_the_path(text: str, reason: str) -> None:
    assert reason in refused(text)


def test_brackets_are_counted_before_the_parser_runs() -> None:
    """43 KB nested 1,600 deep cost MapServer a gigabyte (#7542)."""
    tracemalloc.start()
    try:
        for text in ('{"op":"not","args":[' * 800, "[" * 16_000, '{"a":' * 3_000):
            assert "nested deeper" in refused(text)
        assert "longer than 16384 bytes" in refused('{"op":"not","args":[' * 2_150)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_limits_of_members_nodes_and_vertices() -> None:
    assert "at most 1000 members" in refused(
        json.dumps({"op": "in", "args": [{"property": "a"}, [1] * 1001]})
    )
    wide = {"op": "or", "args": [{"op": "in", "args": [{"property": "a"}, [1] * 900]}] * 3}
    assert "more than 2000 operators" in refused(json.dumps(wide, separators=(",", ":")))
    brackets_in_texts = {"op": "=", "args": [{"property": "a"}, '[{"' * 1000]}
    assert filters.read(json.dumps(brackets_in_texts), "cql2-json") is not None


def test_an_unknown_language_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameter, match="cql2-text, cql2-json, cql-text"):
        filters.read("a", "ecql")
