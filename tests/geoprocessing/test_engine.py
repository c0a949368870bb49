"""The engine against GEOS's overlays, areas of our own line integral, and shapes that a reader can add up."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from gis_service.geo import areas
from gis_service.geoprocessing.engine import grid
from gis_service.geoprocessing.engine.cut import cut
from gis_service.geoprocessing.engine.edges import edges_of
from gis_service.geoprocessing.engine.flatten import Atoms, flatten
from gis_service.geoprocessing.engine.join import join
from gis_service.geoprocessing.engine.layer import Layer, layer
from gis_service.geoprocessing.measure import area, areas_of

SMALL = 0.01  # m²: what floating-point numbers leave of the area of a province


def gridded(*shapes: BaseGeometry) -> Layer:
    return layer([cut(edges_of(np.array(shapes, dtype=object)))], len(shapes))


def overlaps(ones: Sequence[BaseGeometry], others: Sequence[BaseGeometry]) -> npt.NDArray[np.float64]:
    """The same by GEOS, pair by pair."""
    return np.array([areas_of([shapely.intersection(one, other) for other in others]) for one in ones])


def sets(atoms: Atoms) -> list[tuple[int, ...]]:
    return [
        tuple(int(member) for member in atoms.members[start:end])
        for start, end in zip(atoms.start[:-1], atoms.start[1:], strict=True)
    ]


def flat_of(made: Layer) -> tuple[Layer, Atoms]:
    flat = flatten(made)
    return flat.layer, flat.atoms


def star(
    seed: int, x: float = 106.0, y: float = 16.0, radius: float = 0.3, corners: int = 60
) -> BaseGeometry:
    """A ragged valid polygon."""
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    away = radius * random.uniform(0.4, 1.0, corners)
    return shapely.make_valid(
        shapely.Polygon(np.column_stack([x + away * np.cos(angles), y + away * np.sin(angles)])),
        method="structure",
    )


def test_a_leaf_s_square_is_one_node_of_its_own_area() -> None:
    west, south = 6500 * grid.SIDE - 180, 2400 * grid.SIDE - 90
    square = shapely.box(west, south, west + 4 * grid.SIDE, south + 4 * grid.SIDE)
    made = gridded(square)
    assert (len(made.whole_code), list(made.whole_scale), len(made.lines)) == (1, [2], 0)
    assert made.areas()[0] == pytest.approx(area(square), rel=1e-12)


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(105, 20, 106, 21),
        shapely.box(-180, -90, 180, 90),  # the whole ellipsoid
        shapely.box(170, 80, 180, 90),
        shapely.box(105, 20, 106, 21) - shapely.box(105.2, 20.2, 105.21, 20.9),
        shapely.MultiPolygon([shapely.box(105, 20, 105.3, 20.01), shapely.box(105.3, 20.01, 106, 20.2)]),
        shapely.Polygon([(105, 20), (105.001, 20.5), (106, 20.25)]),
        star(1),
        star(2, radius=3.0, corners=20_000),
    ],
)
def test_the_parts_of_a_polygon_are_its_whole(shape: BaseGeometry) -> None:
    assert gridded(shape).areas()[0] == pytest.approx(area(shape), rel=1e-12)


def test_the_ellipsoid_is_as_large_as_published() -> None:
    whole = gridded(shapely.box(-180, -90, 180, 90)).areas()[0]
    assert whole == pytest.approx(510_065_621_724_088.4, rel=1e-13)  # m², WGS 84: 4πR² of the authalic sphere


def test_what_isn_t_an_area_has_none() -> None:
    made = gridded(shapely.Point(105, 20), shapely.Polygon(), shapely.LineString([(105, 20), (106, 21)]))
    assert list(made.areas()) == [0, 0, 0]
    assert join(made, gridded(star(1))).tolist() == [[0], [0], [0]]


def test_two_boxes_share_what_lies_in_both() -> None:
    one, other = gridded(shapely.box(105, 20, 105.5, 20.5)), gridded(shapely.box(105.2, 20.1, 105.6, 20.6))
    assert join(one, other)[0, 0] == pytest.approx(areas.box(105.2, 20.1, 105.5, 20.5), rel=1e-12)


def test_shares_are_those_of_geos() -> None:
    ones = [star(seed, 106 + seed / 10, 16) for seed in range(6)]
    others = [star(seed + 50, 106 + seed / 20, 16.1, 0.2, 300) for seed in range(12)]
    found, expected = join(gridded(*ones), gridded(*others)), overlaps(ones, others)
    assert np.abs(found - expected).max() < SMALL
    assert np.allclose(found, join(gridded(*others), gridded(*ones)).T, atol=SMALL)


def test_a_layer_with_itself_has_its_areas_on_the_diagonal() -> None:
    made = gridded(*[star(seed, 106 + seed, 16, 0.6) for seed in range(5)], shapely.box(104, 14, 112, 18))
    shared = join(made, made)
    assert np.allclose(np.diag(shared), made.areas(), rtol=1e-12)
    assert np.allclose(shared[5, :5], made.areas()[:5], rtol=1e-12)


def test_groups_are_summed_and_those_of_none_left_out() -> None:
    zones = gridded(shapely.box(105, 20, 106, 21), shapely.box(106, 20, 107, 21))
    parts = gridded(*[shapely.box(105 + k / 2, 20, 105.5 + k / 2, 20.5) for k in range(4)])
    groups = np.array([0, 1, 1, -1], np.int32)
    quarter = areas.box(105, 20, 105.5, 20.5)
    assert join(zones, parts, of_other=groups) == pytest.approx(
        np.array([[quarter, quarter], [0, quarter]]), abs=SMALL
    )


def test_every_place_is_in_one_atom() -> None:
    big, small, crossing = (
        shapely.box(105, 20, 106, 21),
        shapely.box(105.2, 20.2, 105.4, 20.4),
        shapely.box(105.3, 19.9, 105.6, 20.3),
    )  # fmt: skip
    flat, atoms = flat_of(gridded(big, small, crossing, big))  # the last one is recorded twice
    found = dict(zip(sets(atoms), flat.areas(), strict=True))
    expected = {
        (0, 3): big - small - crossing,
        (0, 1, 3): small - crossing,
        (0, 1, 2, 3): small & crossing,
        (0, 2, 3): (big & crossing) - small,
        (2,): crossing - big,
    }
    assert found.keys() == expected.keys()
    for members, shape in expected.items():
        assert found[members] == pytest.approx(area(shape), rel=1e-11), members


def test_neighbours_with_one_border_have_no_atom_between_them() -> None:
    whole = star(3, radius=1.0, corners=400)
    west, east = whole & shapely.box(100, 0, 106.0123, 30), whole & shapely.box(106.0123, 0, 120, 30)
    flat, atoms = flat_of(gridded(west, east))
    assert sets(atoms) in ([(0,), (1,)], [(1,), (0,)])
    assert flat.areas().sum() == pytest.approx(area(whole), rel=1e-12)


def check_flat(shapes: list[BaseGeometry]) -> None:
    """Atoms add up to the union, and those of a feature to the feature."""
    made = gridded(*shapes)
    flat, atoms = flat_of(made)
    sizes = flat.areas()
    assert sizes.min(initial=0.0) > -SMALL
    assert sizes.sum() == pytest.approx(area(shapely.union_all(shapes)), rel=1e-9, abs=SMALL)
    held = np.bincount(atoms.members, np.repeat(sizes, np.diff(atoms.start)), len(shapes))
    assert np.allclose(held, areas_of(np.array(shapes, dtype=object)), rtol=1e-9, atol=SMALL)
    project = star(999, 106, 16, 0.4)
    joined = join(gridded(project), flat)[0]
    by_feature = np.bincount(atoms.members, np.repeat(joined, np.diff(atoms.start)), len(shapes))
    assert np.allclose(by_feature, overlaps([project], shapes)[0], rtol=1e-9, atol=SMALL)


def test_atoms_of_many_nested_and_crossing_shapes_add_up() -> None:
    shapes = [star(seed, 106 + 0.05 * (seed % 7), 16 + 0.03 * (seed % 5), 0.3) for seed in range(25)]
    shapes += [
        shapes[0],
        shapely.simplify(shapes[1], 0.001),
        shapely.box(105, 15, 107, 17),
        shapes[2] & shapes[3],
    ]
    check_flat([shapely.make_valid(shape, method="structure") for shape in shapes])


coordinate = st.one_of(
    st.integers(-8, 8).map(lambda n: n * grid.SIDE / 4), st.floats(-0.3, 0.3, allow_subnormal=False)
)


@st.composite
def nasty(draw: st.DrawFn) -> BaseGeometry:
    """Polygons with corners on the grid's lines, slivers, spikes and crossing rings, made valid."""
    points = draw(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12))
    ring = [(106 + x, 16 + y) for x, y in points]
    made = shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)
    return made if made.geom_type in ("Polygon", "MultiPolygon") else shapely.Polygon()


@settings(max_examples=60, deadline=None)
@given(st.lists(nasty(), min_size=1, max_size=5))
def test_whatever_shapes_add_up(shapes: list[BaseGeometry]) -> None:
    check_flat(shapes)
