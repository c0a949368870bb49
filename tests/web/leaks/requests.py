"""Every request of the suite, by area."""

from collections.abc import Callable, Iterable

from tests.web.leaks import (
    administering,
    contributing,
    documents,
    editing,
    features,
    processes,
    proposals,
    releases,
    statistics,
    tiles,
)
from tests.web.leaks.ask import Ask
from tests.web.leaks.world import World

AREAS: tuple[Callable[[World], Iterable[Ask]], ...] = (
    documents.requests,
    features.requests,
    tiles.requests,
    processes.requests,
    statistics.requests,
    releases.requests,
    editing.requests,
    proposals.requests,
    contributing.requests,
    administering.requests,
)


def requests(world: World) -> list[Ask]:
    """Each once, in the order of the areas."""
    return list(dict.fromkeys(ask for area in AREAS for ask in area(world)))
