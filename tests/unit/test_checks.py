"""The automatic checks: each rule at its threshold, clean rows without findings, odd rows as well."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis_service import checks
from gis_service.checks import Candidate, Context, Finding, vocabulary
from gis_service.checks.candidate import Operation
from gis_service.checks.context import Present
from gis_service.checks.registry import GROUPS, LAYERS
from gis_service.texts import LANGUAGES, catalogue
from tests.checks.clean import AREA, CONTEXT, GEOMETRY, POINT, TODAY, VALUES, row
from tests.checks.examples import EXAMPLES, Example, moved, other

RULES = {rule.id: rule for group in GROUPS.values() for rule in group}


def found(layer: str, changes: Any) -> list[Finding]:
    """All findings of one submission: a row with these changes, or several."""
    rows = [row(layer, **each) for each in (changes if isinstance(changes, list) else [changes])]
    return [finding for each in checks.run(rows, CONTEXT) for finding in each]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: f"{each.rule} of {each.layer}")
def test_a_rule_finds_what_it_should_and_nothing_else(example: Example) -> None:
    for changes in example.good:
        assert example.rule not in {each.rule for each in found(example.layer, changes)}, changes
    for changes in example.bad:
        mine = [each for each in found(example.layer, changes) if each.rule == example.rule]
        assert mine, changes
        for finding in mine:
            assert finding.level == RULES[example.rule].level
            assert all(finding.say(lang) for lang in LANGUAGES)


def test_every_rule_has_an_example() -> None:
    assert set(RULES) - {each.rule for each in EXAMPLES} == set()


def test_ids_are_unique_and_have_a_sentence_each() -> None:
    assert len(RULES) == sum(map(len, GROUPS.values()))
    said = {key.removeprefix("check.") for key in catalogue() if key.startswith("check.")}
    assert {each for each in said if not each.startswith(("level.", "phrase."))} == set(RULES)
    assert all(rule.about and rule.source for rule in RULES.values())


def test_every_rule_holds_for_some_layer() -> None:
    assert {rule.id for rules in LAYERS.values() for rule in rules} == set(RULES)


@pytest.mark.parametrize("layer", VALUES)
def test_a_clean_row_has_no_finding(layer: str) -> None:
    assert found(layer, {}) == []


@given(
    layer=st.sampled_from(sorted(VALUES)),
    east=st.floats(0, 0.7),
    north=st.floats(0, 0.2),
    year=st.integers(1992, 2001),
)
@settings(max_examples=60, deadline=None)
def test_clean_rows_anywhere_in_the_province_have_no_finding(
    layer: str, east: float, north: float, year: int
) -> None:
    """Areas stay below 20.5 N, clear of the province's centre, and of two decimals by 1e-7."""
    at = (round(east, 3) + 1e-6, round(north, 3) + 1e-6)
    shape = GEOMETRY[layer]
    changes: dict[str, Any] = {} if shape is None else {"geom": moved(shape, *at)}
    if "rep_area" in VALUES[layer]:
        changes |= dict.fromkeys(("rep_area", "gis_area", "decided_area_ha"))
        changes |= {"rep_area": 116.0, "decision_date": dt.date(year, 1, 1)}
    assert found(layer, changes) == []


ODD = st.one_of(
    st.none(), st.booleans(), st.text(max_size=20), st.floats(), st.integers(), st.just(10**5000),
    st.just("9" * 5000),
    st.dates(), st.datetimes(), st.lists(st.text(max_size=3), max_size=3), st.binary(max_size=4),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.sampled_from(["", " ", "NaN", "1e999", "0000-00-00", "Not Applicable", "9999-12-31/0001-01-01", "٣"]),
)  # fmt: skip
_COORD = st.one_of(st.floats(), st.sampled_from([0.0, 105.1, 20.1, 180.0, -90.0, 1e300, float("nan")]))
_ODD_POINT = st.builds(shapely.Point, _COORD, _COORD)
_FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.floats(-200, 200), st.sampled_from([105.1, 20.1])
)
_RING = st.lists(st.tuples(_FINITE, _FINITE), min_size=3, max_size=6)
_ODD_POLYGON = st.builds(shapely.Polygon, _RING)
_NOWHERE = shapely.Polygon([(105, 20), (float("inf"), 20), (106, 21), (105, 20)])
ODD_GEOMETRY = st.one_of(
    st.none(), _ODD_POINT, _ODD_POLYGON,
    st.builds(lambda one, two: shapely.MultiPolygon([one, two]), _ODD_POLYGON, _ODD_POLYGON),
    st.builds(lambda one, two: shapely.GeometryCollection([one, two]), _ODD_POINT, _ODD_POLYGON),
    st.sampled_from([
        shapely.Polygon(), shapely.Point(), shapely.MultiPolygon(), shapely.GeometryCollection(),
        shapely.from_wkt("MULTIPOLYGON(EMPTY, ((105 20, 106 20, 106 21, 105 20)))"),
        shapely.from_wkt("POLYGON Z ((105 20 1, 106 20 1, 106 21 1, 105 20 1))"),
        shapely.from_wkt("POLYGON ((105 20, 105 20, 105 20, 105 20))"),
        shapely.LineString([(0, 0), (1, 1)]), AREA, POINT, _NOWHERE,
    ]),
)  # fmt: skip


@st.composite
def odd_candidates(draw: st.DrawFn) -> Candidate:
    layer = draw(st.sampled_from([*sorted(VALUES), "unknown-layer"]))
    columns = sorted({*VALUES.get(layer, {}), *vocabulary.NUMBERS.get(layer, {}), "site_id", "int_crit"})
    values = draw(st.dictionaries(st.sampled_from(columns), ODD, max_size=len(columns)))
    before = draw(st.one_of(st.none(), st.builds(checks.Before, st.just({}), ODD_GEOMETRY)))
    operation: Operation = draw(st.sampled_from(get_args(Operation)))
    kept = VALUES.get(layer, {}) if draw(st.booleans()) else {}
    return Candidate(layer, operation, {**kept, **values}, draw(ODD_GEOMETRY), before)


@given(st.lists(odd_candidates(), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_rule_fails_whatever_a_row_holds(candidates: list[Candidate]) -> None:
    with np.errstate(all="ignore"):  # huge coordinates overflow; that alone is no failure
        findings = checks.run(candidates, CONTEXT)
    for each in (finding for row_findings in findings for finding in row_findings):
        assert all(each.say(lang) for lang in LANGUAGES)


def test_nothing_is_asked_of_a_row_that_is_removed() -> None:
    assert checks.run([Candidate("plots", "delete", {}, None)], CONTEXT) == [()]


def test_what_the_caller_does_not_know_is_not_asked() -> None:
    bare = Context(TODAY)
    rows = [row("occurrences", scientific_name="Nobody knows"), row("visits", location_id="P9")]
    assert checks.run(rows, bare) == [(), ()]


def test_rows_that_stand_count_as_neighbours_and_their_own_earlier_state_does_not() -> None:
    standing = Present(7, row("protected-areas", **other()).values, AREA)
    context = replace(CONTEXT, present={"protected-areas": [standing]})
    again = [each.rule for each in checks.run([row("protected-areas")], context)[0]]
    assert again == ["site-same-again"]
    assert checks.run([row("protected-areas", gid=7)], context) == [()]


def test_findings_stand_in_the_order_of_the_rows() -> None:
    rows = [row("plots"), row("plots", location_id="P2", geom=shapely.Point(105.3001, 20.3001), area_m2=0)]
    assert [[each.rule for each in one] for one in checks.run(rows, CONTEXT)] == [[], ["plot-size"]]


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    finding = Finding("site-tiny", "warning", None, {"m2": 1234.5, "most": 0.01234}, (105.1, 20.25))
    assert "1,234.5 m²" in finding.say("en")
    assert "1.234,5 m²" in finding.say("vi")
    assert "0,0123" in finding.say("vi")
    assert "105.100000, 20.250000" in finding.say("vi")
