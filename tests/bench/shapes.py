"""Seeded geometry of the bench: an invented country with areas that overlap and nest, ranges and points.

Everything is vectorised and reproducible: one seed and one scale give the same bytes on every machine
with the same numpy. The country is invented and much larger than most (30° by 30°), so that even zoom 6
has some thirty different tiles to ask for.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import MultiPoint, Polygon

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]

FRAME = (95.0, -5.0, 125.0, 25.0)
CENTRE = (110.0, 10.0)
MAX_VERTICES = 20_000
PROVINCES = 63
TURN = 2 * np.pi


@dataclass(frozen=True)
class Sizes:
    """How many features of each layer; `scaled` multiplies the default of the published figures."""

    areas: int = 10_000
    ranges: int = 3_000
    occurrences: int = 2_000_000
    plots: int = 50_000

    @classmethod
    def scaled(cls, scale: float) -> "Sizes":
        """The sizes at `scale`, never below a handful so that a tiny trial still has every layer."""
        base = cls()
        return cls(
            *(max(20, round(n * scale)) for n in (base.areas, base.ranges, base.occurrences, base.plots))
        )


def coast(rng: np.random.Generator, vertices: int = 4_000) -> Polygon:
    """The outline of the country, inside FRAME."""
    reach = 12.0 * np.exp(0.12 * ripple(rng, vertices, 1.4))
    angle = np.linspace(0, TURN, vertices, endpoint=False)
    x = np.clip(CENTRE[0] + reach * np.cos(angle), FRAME[0], FRAME[2])
    y = np.clip(CENTRE[1] + reach * np.sin(angle), FRAME[1], FRAME[3])
    outline = shapely.make_valid(Polygon(np.column_stack([x, y])))
    largest = max(shapely.get_parts(outline), key=lambda part: float(part.area))
    assert isinstance(largest, Polygon), "a valid outline consists of polygons"
    return largest


def ripple(rng: np.random.Generator, n: int, roughness: float) -> Floats:
    """`n` values of periodic fractal noise with standard deviation 1: power falls as k^-2·roughness."""
    k = np.arange(1, n // 2 + 1)
    spectrum = np.zeros(n // 2 + 1, dtype=np.complex128)
    spectrum[1:] = (rng.standard_normal(k.size) + 1j * rng.standard_normal(k.size)) * k**-roughness
    wave = np.fft.irfft(spectrum, n)
    spread = wave.std()
    return wave / spread if spread > 0 else wave


def provinces(rng: np.random.Generator, land: Polygon) -> Geometries:
    """Provinces that share every inner border vertex by vertex and together are the country."""
    seeds = scatter(rng, land, PROVINCES)
    cells = shapely.get_parts(shapely.voronoi_polygons(MultiPoint(seeds), extend_to=land))
    borders = shapely.line_merge(shapely.unary_union(shapely.boundary(shapely.intersection(cells, land))))
    lines = shapely.get_parts(borders)
    for wobble in (0.05, 0.025, 0.012, 0.0):
        faces = shapely.get_parts(shapely.polygonize([wiggled(rng, line, wobble) for line in lines]))
        # A crossing of two wiggled borders would open an extra face: then wiggle less.
        if faces.size == PROVINCES and bool(shapely.is_valid(faces).all()):
            break
    order = np.lexsort((shapely.get_x(shapely.centroid(faces)), shapely.get_y(shapely.centroid(faces))))
    return np.asarray(shapely.multipolygons(faces[order], indices=np.arange(faces.size)), dtype=np.object_)


def wiggled(rng: np.random.Generator, line: shapely.LineString, wobble: float) -> shapely.LineString:
    """The line densified to about one vertex per 0.01° and moved sideways, its two ends kept."""
    if wobble == 0.0 or line.is_closed:
        return line
    n = int(max(8, line.length / 0.01))
    at = shapely.get_coordinates(shapely.line_interpolate_point(line, np.linspace(0, line.length, n + 1)))
    along = (at[-1] - at[0]) / max(float(np.hypot(*(at[-1] - at[0]))), 1e-9)
    side = np.array([-along[1], along[0]])
    push = ripple(rng, n, 1.5)
    bridge = np.append(push - push[0], 0.0) * wobble * line.length * 0.3
    moved = at + side * bridge[:, None]
    moved[0], moved[-1] = shapely.get_coordinates(line)[[0, -1]]
    return shapely.LineString(moved)


def scatter(rng: np.random.Generator, land: Polygon, n: int) -> Floats:
    """`n` points spread evenly over the land, as an (n, 2) array."""
    west, south, east, north = land.bounds
    kept: list[Floats] = []
    while sum(map(len, kept)) < n:
        batch = rng.uniform((west, south), (east, north), size=(n + 64, 2))
        kept.append(batch[shapely.contains_xy(land, batch[:, 0], batch[:, 1])])
    return np.concatenate(kept)[:n].astype(np.float64)


def vertex_counts(rng: np.random.Generator, n: int, median: float, spread: float) -> Ints:
    """Log-normal vertex counts from 12 to MAX_VERTICES; the largest possible shape always occurs."""
    counts = np.clip(rng.lognormal(np.log(median), spread, n), 12, MAX_VERTICES).astype(np.int64)
    counts[n // 2] = MAX_VERTICES
    return counts


def blobs(rng: np.random.Generator, centres: Floats, reach: Floats, counts: Ints, holes: float) -> Geometries:
    """Star-shaped fractal polygons (valid by construction), the share `holes` of them with one hole."""
    shapes = np.empty(len(counts), dtype=np.object_)
    holed = rng.random(len(counts)) < holes
    for i, n in enumerate(counts):
        angle = np.linspace(0, TURN, n, endpoint=False)
        radius = reach[i] * np.exp(0.28 * np.clip(ripple(rng, int(n), 1.3), -3, 3))
        ray = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
        # The hole repeats the outline at a third of its size, so it can't touch it.
        inner = [centres[i] + ray[::-4] / 3] if holed[i] and 48 <= n <= MAX_VERTICES // 2 else []
        shapes[i] = Polygon(centres[i] + ray, inner)
    return shapes


def protected_areas(rng: np.random.Generator, land: Polygon, n: int) -> Geometries:
    """Areas as registers hold them: overlapping, 12 % nested, 8 % registered twice, 6 % near copies."""
    counts = vertex_counts(rng, n, median=640, spread=1.3)
    reach = np.minimum(0.035 * (counts / 640) ** 0.7 * rng.lognormal(0, 0.5, n), 1.2)
    shapes = blobs(rng, scatter(rng, land, n), reach, counts, holes=0.08)
    picks = rng.permutation(n)
    nested, twice, near = picks[: n * 12 // 100], picks[n * 12 // 100 : n // 5], picks[n // 5 : n * 26 // 100]
    free = picks[n * 26 // 100 :]
    shapes[nested] = shrunken(shapes[rng.choice(free, nested.size)])
    shapes[twice] = shapes[rng.choice(free, twice.size)]
    shapes[near] = shapely.simplify(shapes[rng.choice(free, near.size)], 0.002)
    return archipelagos(rng, shapes, share=0.1)


def shrunken(shapes: Geometries) -> Geometries:
    """Each shape at half its size about a point of its own: a zone of a larger area."""
    inside = shapely.get_coordinates(shapely.point_on_surface(shapes))
    halves = [
        affinity.scale(shape, 0.5, 0.5, origin=tuple(around))
        for shape, around in zip(shapes, inside, strict=True)
    ]
    return np.array(halves, dtype=np.object_)


def archipelagos(rng: np.random.Generator, shapes: Geometries, share: float) -> Geometries:
    """Multipolygons; the given share gets a second part beside the first, apart from it."""
    parts, owner = [shapes], [np.arange(len(shapes))]
    small = shapely.get_num_coordinates(shapes) <= MAX_VERTICES // 2
    doubled = np.flatnonzero(small & (rng.random(len(shapes)) < share))
    bounds = shapely.bounds(shapes[doubled])
    step = 1.1 * (bounds[:, 2] - bounds[:, 0])
    second = [affinity.translate(shape, xoff=dx) for shape, dx in zip(shapes[doubled], step, strict=True)]
    parts.append(np.array(second, dtype=np.object_))
    owner.append(doubled)
    owners = np.concatenate(owner)
    order = np.argsort(owners, kind="stable")
    return np.asarray(
        shapely.multipolygons(np.concatenate(parts)[order], indices=owners[order]), dtype=np.object_
    )


def species_ranges(rng: np.random.Generator, land: Polygon, n: int) -> Geometries:
    """Large ranges, of which dozens overlap at any place."""
    counts = vertex_counts(rng, n, median=900, spread=1.1)
    reach = np.minimum(rng.lognormal(np.log(0.9), 0.6, n), 4.0)
    return archipelagos(rng, blobs(rng, scatter(rng, land, n), reach, counts, holes=0.2), share=0.25)


def occurrence_points(rng: np.random.Generator, land: Polygon, n: int) -> Floats:
    """Points, 70 % of them in 400 clusters whose sizes follow Zipf's law, the rest anywhere on land."""
    loose = scatter(rng, land, n - n * 7 // 10)
    centres = scatter(rng, land, 400)
    weight = 1 / np.arange(1, 401)
    which = rng.choice(400, n * 7 // 10, p=weight / weight.sum())
    spread = rng.lognormal(np.log(0.12), 0.7, 400)[which]
    clustered = centres[which] + rng.standard_normal((which.size, 2)) * spread[:, None]
    points = np.clip(np.concatenate([clustered, loose]), FRAME[:2], FRAME[2:])
    return np.asarray(np.round(rng.permutation(points), 6), dtype=np.float64)


def plot_points(rng: np.random.Generator, land: Polygon, n: int) -> Floats:
    """Plots on a jittered systematic grid, as inventories lay them."""
    return np.asarray(np.round(scatter(rng, land, n), 6), dtype=np.float64)


def codes_met(zones: Geometries, shapes: Geometries) -> list[list[int]]:
    """For each shape the numbers of the zones it meets."""
    zone, shape = shapely.STRtree(shapes).query(zones, predicate="intersects")
    met: list[list[int]] = [[] for _ in range(len(shapes))]
    for z, s in zip(zone.tolist(), shape.tolist(), strict=True):
        met[s].append(z)
    return met


def zone_of_points(zones: Geometries, points: Floats) -> Ints:
    """The number of the zone each point lies in, -1 outside all of them."""
    found = np.full(len(points), -1, dtype=np.int64)
    for number, zone in enumerate(zones):
        west, south, east, north = zone.bounds
        near = np.flatnonzero(
            (points[:, 0] >= west)
            & (points[:, 0] <= east)
            & (points[:, 1] >= south)
            & (points[:, 1] <= north)
        )
        shapely.prepare(zone)
        found[near[shapely.contains_xy(zone, points[near, 0], points[near, 1])]] = number
    return found
