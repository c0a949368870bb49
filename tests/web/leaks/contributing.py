"""Requests for what somebody has sent, and for files to fill in."""

from collections.abc import Iterable

from tests.web.leaks.ask import Ask, gets
from tests.web.leaks.world import World

LAYERS = ("occurrences", "protected-areas")
SENT = "00000000-0000-4000-8000-000000000000"
REFUSED = ("public",)


def requests(_: World) -> Iterable[Ask]:
    yield from gets(
        "/contribute", "/contribute?f=html", f"/contribute/uploads/{SENT}", "/contribute/feed.atom"
    )
    for layer in LAYERS:
        yield from gets(f"/contribute/{layer}", f"/contribute/{layer}?f=html")
        yield from gets(f"/contribute/{layer}?replaces=1")
        yield Ask(f"/contribute/{layer}", "POST", "{}", who=REFUSED)
    # A workbook holds the time when it was made: compressed, it can't be taken out of the bytes.
    yield Ask("/contribute/plots/template.xlsx", who=REFUSED)
    yield Ask("/contribute/plots/template.xlsx?filled", who=REFUSED)
