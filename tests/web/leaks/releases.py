"""Requests for releases, for the history of features, and for undoing what was released."""

from collections.abc import Iterable

from gis_service.geo.tiles import covering
from tests.web.leaks.ask import Ask, gets, post
from tests.web.leaks.features import SPOTS
from tests.web.leaks.world import World

LAYERS = ("occurrences", "plots")
NUMBERS = range(1, 5)
X, Y, *_ = covering(SPOTS[0], 14)


def requests(world: World) -> Iterable[Ask]:
    yield from gets("/releases", "/releases?limit=1", "/releases?f=html")
    yield from gets(*(f"/releases/{number}" for number in NUMBERS), "/releases/2?f=html")
    for layer in LAYERS:
        yield from gets(*(f"/collections/{layer}/items/{gid}/history" for gid in world.gids))
        yield from gets(f"/collections/{layer}/items/{world.gids[0]}/history?f=html")
    for layer in (*LAYERS, "protected-areas"):
        base = f"/collections/{layer}"
        for past in (f"release={number}" for number in (1, 3)):
            yield from gets(
                f"{base}/items?limit=100&{past}", f"{base}?{past}", f"/xyz/{layer}/14/{X}/{Y}.mvt?{past}"
            )
        yield from gets(f"/xyz/{layer}/tilejson.json?release=1", f"{base}/tiles?release=1")
    refused = ("public", "province-a", "province-b")
    for number in (2, 3):
        yield post(f"/releases/{number}/rollback", {"note": "?"}, who=refused)
