"""Requests for releases, for the history of features, and for undoing what was released."""

from collections.abc import Iterable

from tests.web.leaks.ask import Ask, gets, post
from tests.web.leaks.world import World

LAYERS = ("occurrences", "plots")


def requests(world: World) -> Iterable[Ask]:
    yield from gets("/releases", "/releases?limit=1", "/releases?f=html")
    yield from gets(*(f"/releases/{number}" for number in range(1, 5)), "/releases/2?f=html")
    for layer in LAYERS:
        yield from gets(*(f"/collections/{layer}/items/{gid}/history" for gid in world.gids))
        yield from gets(f"/collections/{layer}/items/{world.gids[0]}/history?f=html")
    refused = ("public", "province-a", "province-b")
    for number in (2, 3):
        yield post(f"/releases/{number}/rollback", {"note": "?"}, who=refused)
