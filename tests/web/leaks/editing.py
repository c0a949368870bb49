"""Requests to write rows of others: the refusal says the same whether a row is there or what it holds."""

from collections.abc import Iterable

from tests.web.leaks.ask import Ask, post
from tests.web.leaks.world import World

LAYERS = ("occurrences", "protected-areas")
MERGE = "application/merge-patch+json"
FEATURE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [106.0532345, 20.0512345]},
    "properties": {"locality": "Elsewhere"},
}


def requests(world: World) -> Iterable[Ask]:
    others = world.of_b
    for layer in LAYERS:
        base = f"/collections/{layer}/items"
        yield post(base, FEATURE, who=("public",))
        for gid in others:
            row = f"{base}/{gid}"
            yield post(row, FEATURE, "PUT", who=("public", "province-a"))
            yield post(row, {"properties": {}}, "PATCH", media=MERGE, who=("public", "province-a"))
            yield Ask(row, "DELETE", who=("public", "province-a"))
