"""From path and method to a handler; the tile addresses don't come here (see web.tile_routes)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from gis_service.errors import GisError, MethodNotAllowed, NotFound
from gis_service.features.refusal import refusal
from gis_service.web.context import Context
from gis_service.web.message import Request, Response

Handler = Callable[[Context, Request, Sequence[str]], Awaitable[Response]]
Allowed = Callable[[Context, Request, Sequence[str]], Awaitable[Sequence[str]]]
READ = ("GET", "HEAD", "OPTIONS")
PLAIN = ("f", "lang")


@dataclass(frozen=True, slots=True)
class Route:
    """A path as segments: `{}` takes one, a last `{*}` takes all that remain, slashes included."""

    name: str
    segments: tuple[str, ...]
    handler: Handler
    methods: tuple[str, ...] = READ
    # Whether its document depends on nothing but the catalogue and the request, so that it may be kept.
    kept: bool = False
    # What it may be asked by; None where it looks at its parameters itself.
    parameters: tuple[str, ...] | None = PLAIN
    # The methods that this caller may use here, where that isn't all of them for everybody.
    allowed: Allowed | None = None


def route(
    name: str,
    path: str,
    handler: Handler,
    methods: Sequence[str] = READ,
    kept: bool = False,
    parameters: tuple[str, ...] | None = PLAIN,
    allowed: Allowed | None = None,
) -> Route:
    """A route from a path such as `/collections/{}/items`."""
    segments = tuple(part for part in path.split("/")[1:] if part)
    return Route(name, segments, handler, tuple(methods), kept, parameters, allowed)


class Router:
    """The routes by their first segment."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[str, list[Route]] = {}
        for each in routes:
            self._routes.setdefault(each.segments[0] if each.segments else "", []).append(each)

    def routes(self) -> Iterable[Route]:
        return (each for routes in self._routes.values() for each in routes)

    def match(self, path: str) -> tuple[Route, Sequence[str]]:
        """The route and what its places took; NotFound. A slash at the end is nobody's fault (row Q2)."""
        if not path.startswith("/"):
            raise refusal(NotFound, "web.no-page")
        parts = path.split("/")[1:]
        if len(parts) > 1 and parts[-1] == "":
            parts = parts[:-1]
        for candidate in self._routes.get(parts[0], ()):
            if (taken := _taken(candidate.segments, parts)) is not None:
                return candidate, taken
        raise refusal(NotFound, "web.no-page")


def check_method(found: Route, method: str) -> None:
    if method not in found.methods:
        raise not_allowed(method, found.methods)


def not_allowed(method: str, methods: Sequence[str]) -> GisError:
    """The refusal of a method, which names those that may be used."""
    return refusal(MethodNotAllowed, "web.method", method=method[:20], allow=", ".join(methods))


def _taken(segments: Sequence[str], parts: Sequence[str]) -> Sequence[str] | None:
    if not segments:
        return () if parts == [""] else None
    if segments[-1] == "{*}" and len(parts) >= len(segments):
        parts = [*parts[: len(segments) - 1], "/".join(parts[len(segments) - 1 :])]
    if len(parts) != len(segments):
        return None
    taken = []
    for segment, part in zip(segments, parts, strict=True):
        if segment in ("{}", "{*}") and part:
            taken.append(part)
        elif segment != part:
            return None
    return taken
