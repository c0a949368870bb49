"""The engine's index of a table: written to row by row, it is as if it were made anew."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from gis_service.geo import areas
from gis_service.geoprocessing.engine import index as engine
from gis_service.geoprocessing.engine.index import Index, Rows
from gis_service.geoprocessing.measure import area
from tests.geoprocessing.test_engine import SMALL, star

THREADS = ThreadPoolExecutor(2)


def rows(shapes: Mapping[int, BaseGeometry]) -> Rows:
    return np.array(list(shapes), np.int64), np.array(list(shapes.values()), object)


def built(shapes: Mapping[int, BaseGeometry]) -> Index:
    return engine.build([rows(shapes)], True, THREADS, lambda _share: None)


def share(one: Index, other: Index) -> list[list[float]]:
    """m² that each living label of the one shares with each label of the other."""
    ones, others = (engine.of_labels(each, np.arange(each.labels, dtype=np.int32)) for each in (one, other))
    found: list[list[float]] = engine.shared(ones, others, (one.labels, other.labels)).tolist()
    return found


def told(index: Index) -> dict[frozenset[int], float]:
    """m² that each set of features covers."""
    assert index.flat is not None
    atoms, sizes = index.flat.atoms, index.flat.layer.areas()
    named = {
        frozenset(index.keys[atoms.members[start:end]].tolist()): size
        for start, end, size in zip(atoms.start[:-1], atoms.start[1:], sizes.tolist(), strict=True)
    }
    return {members: size for members, size in named.items() if size > SMALL}


def test_a_moved_area_is_where_it_is_and_no_longer_where_it_was() -> None:
    before = built({7: shapely.box(105, 20, 105.2, 20.2), 9: shapely.box(105.1, 20, 105.4, 20.2)})
    after = engine.changed(before, [rows({7: shapely.box(107, 20, 107.2, 20.2)})], np.array([], np.int64))
    assert told(after) == pytest.approx(
        {frozenset({7}): areas.box(107, 20, 107.2, 20.2), frozenset({9}): areas.box(105.1, 20, 105.4, 20.2)},
        abs=SMALL,
    )
    assert after.labels_of(np.array([7, 8, 9])).tolist() == [2, -1, 1]
    assert after.areas[2] == pytest.approx(areas.box(107, 20, 107.2, 20.2))


def test_what_is_shared_with_a_layer_follows_its_changes() -> None:
    zones = built({1: shapely.box(105, 20, 106, 21), 2: shapely.box(106, 20, 107, 21)})
    project = built({0: shapely.box(105.5, 20.5, 106.5, 20.6)})
    half = areas.box(105.5, 20.5, 106, 20.6)
    assert share(project, zones) == [[pytest.approx(half)] * 2]
    zones = engine.changed(zones, [rows({3: shapely.box(106.25, 20, 107, 21)})], np.array([2]))
    assert share(project, zones) == [[pytest.approx(half), 0, pytest.approx(half / 2)]]


def test_a_table_without_rows_has_an_index_that_takes_some() -> None:
    empty = engine.build([], True, THREADS, lambda _share: None)
    assert told(empty) == {}
    square = shapely.box(105, 20, 105.3, 20.2)
    assert told(engine.changed(empty, [rows({4: square})], np.array([], np.int64))) == pytest.approx(
        {frozenset({4}): area(square)}, abs=SMALL
    )


places = st.sampled_from([(106.0, 16.0), (106.2, 16.1), (106.0001, 16.0), (108.5, 16.3)])
shapes = st.builds(
    lambda at, seed, radius: star(seed, at[0], at[1], radius, 24),
    places,
    st.integers(0, 50),
    st.sampled_from([0.02, 0.4]),
)
steps = st.lists(
    st.tuples(st.dictionaries(st.integers(1, 6), shapes, max_size=2), st.sets(st.integers(1, 6), max_size=1)),
    max_size=20,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(1, 6), shapes), steps)
def test_step_by_step_is_as_made_anew(
    start: dict[int, BaseGeometry], writes: list[tuple[dict[int, BaseGeometry], set[int]]]
) -> None:
    index, now = built(start), dict(start)
    for written, deleted in writes:
        gone = deleted - written.keys()
        now = {key: shape for key, shape in {**now, **written}.items() if key not in gone}
        index = engine.changed(index, [rows(written)] if written else [], np.array(sorted(gone), np.int64))
    expected = told(built(now))
    found = told(index)
    assert found.keys() == expected.keys()
    assert all(found[key] == pytest.approx(expected[key], rel=1e-9, abs=SMALL) for key in expected)
    assert len(index.parts) <= engine.MOST_PARTS


@pytest.mark.parametrize(
    ("west", "south", "ellipsoid", "sphere"),
    [
        (105, 10, 12_108.188648, 12_184.3687),
        (105, 20, 11_548.376596, 11_607.1216),
        (107, 22, 11_394.287308, 11_448.5967),
    ],
)
def test_a_sphere_makes_viet_nam_larger(west: float, south: float, ellipsoid: float, sphere: float) -> None:
    # Cells of one degree in km²: exact, and in ESRI:54009 by PROJ.
    cell = built({1: shapely.box(west, south, west + 1, south + 1)})
    other = engine.measured(cell, areas.SPHERE)
    assert cell.areas[0] / 1e6 == pytest.approx(ellipsoid, abs=1e-6)
    assert other.areas[0] / 1e6 == pytest.approx(sphere, abs=1e-4)
    assert other.flat is not None
    assert share(other, other) == [[pytest.approx(sphere * 1e6)]]
    assert engine.measured(other, areas.METHOD).areas == pytest.approx(cell.areas, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    shown=st.lists(shapes, min_size=1, max_size=3),
    hidden=st.lists(shapes, min_size=1, max_size=3),
    moved=shapes,
)
def test_of_those_alone_no_bit_is_another_s(
    shown: list[BaseGeometry], hidden: list[BaseGeometry], moved: BaseGeometry
) -> None:
    """However others lie across them, and once another has moved, to the last bit."""
    own = np.arange(len(shown), dtype=np.int32)
    theirs = built(dict(enumerate(shown)))
    both = built(dict(enumerate([*shown, *hidden])))
    after = engine.changed(both, [rows({len(shown): moved})], np.array([], np.int64))
    bits = [told_exactly(engine.alone(each, own)) for each in (theirs, both, after)]
    assert bits[1] == bits[2] == bits[0]
    assert engine.alone(theirs, own) is theirs


def told_exactly(index: Index) -> dict[frozenset[int], float]:
    """As `told`, with whatever is small."""
    assert index.flat is not None
    atoms, sizes = index.flat.atoms, index.flat.layer.areas()
    return {
        frozenset(index.keys[atoms.members[start:end]].tolist()): size
        for start, end, size in zip(atoms.start[:-1], atoms.start[1:], sizes.tolist(), strict=True)
    }
