"""Requests for documents of the service as a whole."""

from collections.abc import Iterable

from tests.web.leaks.ask import Ask, gets
from tests.web.leaks.world import World

PAGES = ("/", "/api", "/conformance", "/map", "/styles", "/processes")


def requests(_: World) -> Iterable[Ask]:
    yield from gets(*PAGES, *(f"{path}?f=html" for path in PAGES if path != "/map"))
    yield from gets("/nothing", "/collections/nothing/items")
