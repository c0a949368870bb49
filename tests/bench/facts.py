"""What the bench must know of the data to ask sensibly: ids, places with features, names, pages far down."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
import orjson
import psycopg
from numpy.typing import NDArray

from tests.bench import client, compare, processes
from tests.bench.asks import OgcServer
from tests.bench.targets import Target

SAMPLE = 40_000  # places a layer
STRIDE = 10_000  # features between the deep pages that are kept
DEEPEST = 500_000
_PLACES = {
    "protected-areas": "select ST_X(p), ST_Y(p) from gis.protected_area,"
    " ST_PointOnSurface(geom) as p order by gid",
    "species-ranges": "select ST_X(p.geom), ST_Y(p.geom) from gis.species_range,"
    " ST_Dump(ST_GeneratePoints(geom, 12, 1)) as p order by gid",
    "occurrences": "select ST_X(geom_public), ST_Y(geom_public) from gis.occurrence order by gid",
}
TABLES = {
    "protected-areas": "protected_area",
    "species-ranges": "species_range",
    "occurrences": "occurrence",
}


@dataclass
class Facts:
    """Pools that the cases draw from."""

    ids: Mapping[str, tuple[int, int]]
    points: Mapping[str, NDArray[np.float64]]
    species: list[str]
    depths: dict[str, list[int]] = field(default_factory=dict)

    def tiles(self, layer: str, zoom: int) -> list[tuple[int, int]]:
        """The different tiles of a zoom that hold a sampled place of the layer."""
        x, y = self._grid(layer, zoom)
        return sorted(set(zip(x.tolist(), y.tolist(), strict=True)))

    def _grid(self, layer: str, zoom: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        n = 2**zoom
        lon, lat = np.radians(self.points[layer]).T
        x = np.floor((np.degrees(lon) + 180) / 360 * n).astype(int)
        y = np.floor((1 - np.arcsinh(np.tan(lat)) / math.pi) / 2 * n).astype(int)
        return x, y

    def crowded(self, layer: str, zoom: int, most: int, more: bool) -> list[tuple[int, int]]:
        """The tiles that hold more features than `most`, or fewer, both clearly, by the sampled places."""
        x, y = self._grid(layer, zoom)
        places, counts = np.unique(np.stack([x, y]), axis=1, return_counts=True)
        each = self.ids[layer][1] / len(self.points[layer])
        chosen = counts * each > most * 1.2 if more else counts * each < most * 0.8
        return [(int(x), int(y)) for x, y in places.T[chosen]]


def learn(dsn: str) -> Facts:
    """Read the pools from the database; ids run without gaps from their first."""
    with psycopg.connect(dsn) as connection:
        ids = {layer: span(connection, table) for layer, table in TABLES.items()}
        points = {layer: places(connection, layer) for layer in TABLES}
        rows = connection.execute(
            "select scientific_name from gis.occurrence group by 1 order by 1"
        ).fetchall()
    return Facts(ids, points, [str(row[0]) for row in rows])


def span(connection: psycopg.Connection[tuple[object, ...]], table: str) -> tuple[int, int]:
    """The first id of a table and the number of its rows."""
    row = connection.execute(f"select min(gid), count(*) from gis.{table}".encode()).fetchone()
    assert row is not None, "aggregates always give a row"
    return int(str(row[0])), int(str(row[1]))


def places(connection: psycopg.Connection[tuple[object, ...]], layer: str) -> NDArray[np.float64]:
    """At most SAMPLE places inside features, the same for the same data."""
    rows = connection.execute(f"{_PLACES[layer]} limit {SAMPLE}".encode()).fetchall()
    return np.array(rows, dtype=np.float64)


def walk(facts: Facts, ours: Target, layer: str, limit: int) -> None:
    """Follow our `next` links far down a layer and remember the link of every STRIDE features.

    Only the page size of a remembered link is changed, the rest is what the server wrote.
    """
    links: dict[tuple[str, int], str] = {}
    path: str | None = f"/collections/{layer}/items?limit={STRIDE}"
    depth = 0
    while path and depth <= DEEPEST:
        if depth:
            links[layer, depth] = "?" + resized(path, limit)
        path = next_link(ours, path)
        depth += STRIDE
    facts.depths[layer] = [depth for _, depth in links]
    assert isinstance(ours.path, OgcServer), "ours has OGC paths"
    ours.path = OgcServer(prefix=ours.path.prefix, paths=ours.path.paths, deep=links)


def next_link(ours: Target, path: str) -> str | None:
    """The path and query of the page's `next` link, None on the last page."""
    answer = client.ask_once(ours.host, ours.port, processes.probe(path, ours.port))
    page = orjson.loads(compare.plain(answer))
    for link in page.get("links", ()):
        if link.get("rel") == "next":
            parts = urlsplit(link["href"])
            return f"{parts.path}?{parts.query}"
    return None


def resized(path: str, limit: int) -> str:
    """The query of a link with another page size."""
    pairs = [(k, str(limit) if k == "limit" else v) for k, v in parse_qsl(urlsplit(path).query)]
    return urlencode(pairs)
