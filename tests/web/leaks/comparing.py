"""What each principal gets, request by request, and where two moments differ."""

import json
from collections.abc import Iterable

from tests.web.leaks.ask import Ask, Seen, seen
from tests.web.leaks.world import World

Snapshot = dict[Ask, Seen]
LONGEST = 1500  # characters of an answer that a failed test shows


def snapshot(world: World, who: str, asks: Iterable[Ask]) -> Snapshot:
    """All that one principal gets for the requests that are sent as it."""
    with world.ask(who) as client:
        return {ask: seen(ask.send(client)) for ask in asks if who in ask.who}


def unchanged(before: Snapshot, after: Snapshot) -> None:
    """Fails where any bit differs, and shows where."""
    changed = {str(ask): (before[ask], after[ask]) for ask in before if before[ask] != after[ask]}
    assert not changed, json.dumps(
        {k: [str(v)[:LONGEST] for v in both] for k, both in changed.items()}, indent=1
    )


def noticed(before: Snapshot, after: Snapshot) -> set[str]:
    """The requests whose answers differ."""
    return {str(ask) for ask in before if before[ask] != after[ask]}
