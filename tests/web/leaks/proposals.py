"""Requests for proposals: those of others aren't there, whatever one asks of them."""

from collections.abc import Iterable

from gis_service.catalog.registry import load_catalog
from gis_service.changes.propose import Asked, Draft, propose
from gis_service.changes.verdict import submit
from gis_service.settings import Workflow
from tests.conftest import ROOT
from tests.web.leaks.ask import Ask, gets, post
from tests.web.leaks.world import World

REFUSED = ("public", "province-a")
STEPS = ("accept", "return", "withdraw", "comment", "publish")


def propose_of_b(world: World) -> None:
    """Province B proposes a change of a row that it alone and the centre see, and submits it."""
    layers = dict(load_catalog(ROOT).layers)
    with world.acting("province-b") as (database, principal):
        asked = [Asked("update", str(world.of_b[1]), {"locality": "Hidden deed"})]
        draft = propose(
            database,
            Workflow(),
            layers["occurrences"],
            principal,
            Draft("Hidden title", "Hidden note"),
            asked,
        )
        submit(database, Workflow(), layers, draft, principal)
        world.proposals.append(draft.number)


def requests(world: World) -> Iterable[Ask]:
    yield from gets(
        "/proposals",
        "/proposals?f=html",
        "/proposals?waiting=yes",
        "/proposals?layer=occurrences",
        "/proposals?mine=yes",
    )
    for number in (*world.proposals, 999):
        base = f"/proposals/{number}"
        yield from gets(base, f"{base}?f=html", f"{base}/changes", f"{base}?page=1")
        for action in STEPS:
            yield post(f"{base}/steps", {"action": action, "comment": "?"}, who=REFUSED)
        yield post("/proposals", {"action": "publish", "proposal": [number]}, who=REFUSED)
