"""Requests for reports: run here and now, and what others' jobs and reports say of themselves."""

from collections.abc import Iterable

from tests.web.leaks.ask import Ask, gets, post
from tests.web.leaks.world import World

PROJECT = {
    "type": "Polygon",
    "coordinates": [[[105.0, 20.0], [106.5, 20.0], [106.5, 20.9], [105.0, 20.9], [105.0, 20.0]]],
}
REPORT = "/processes/overlap-report"


def requests(world: World) -> Iterable[Ask]:
    yield from gets(REPORT, f"{REPORT}?f=html")
    yield from (Ask(path, who=("public",)) for path in ("/jobs", "/jobs?f=html"))  # the others' own grow
    for form in ("json", "html"):
        yield post(f"{REPORT}/execution", {"inputs": {"area": PROJECT, "format": form}})
    not_the_owner = ("public", "province-b")
    for path in (f"/jobs/{world.job}", f"/jobs/{world.job}/results", f"/reports/{world.job}.html"):
        yield Ask(path, who=not_the_owner)
        yield Ask(path, accept="text/html", who=not_the_owner)
    yield Ask(f"/jobs/{world.job}", "DELETE", who=not_the_owner)
