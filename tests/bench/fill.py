"""Fills the caches of tiles of our workers, to weigh them when they are full."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, permutations
from typing import Final

from tests.bench import asks, client, processes
from tests.bench.asks import Ask
from tests.bench.facts import Facts
from tests.bench.targets import CACHE_MB, WORKERS, Target

LAYERS: Final = ("protected-areas", "species-ranges", "occurrences", "plots", "provinces")
ZOOM: Final = 6
CLIENTS: Final = 16
SECONDS: Final = 240.0
AT_ONCE: Final = 400


def full(target: Target, facts: Facts) -> float:
    """MB (summed PSS) of the workers after twice as many bytes of different tiles as their caches hold."""
    assert target.server is not None, "started here"
    requests, sent = _requests(target, facts), 0
    while sent < 2 * WORKERS * CACHE_MB * 1_000_000 and (some := list(islice(requests, AT_ONCE))):
        sent += client.run_cell(target.host, target.port, iter(some), CLIENTS, SECONDS).body_bytes
    return processes.weigh(target.server).workers_mb


def _requests(target: Target, facts: Facts) -> Iterator[bytes]:
    """Layers together in every order: each order is a tile of its own."""
    places = facts.tiles("species-ranges", ZOOM)
    for layers in permutations(LAYERS):
        for x, y in places:
            path = target.path(Ask("tile", ",".join(layers), tile=(ZOOM, x, y)))
            assert path is not None, "ours has tiles"
            yield asks.http(Ask("tile"), path, f"{target.host}:{target.port}", "gzip")
