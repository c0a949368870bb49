"""Which routes of the service the suite asks, and which show no row of anybody's."""

from collections.abc import Iterable, Mapping

from gis_service.errors import NotFound
from gis_service.web import tile_routes
from gis_service.web.router import Route, Router
from gis_service.web.service import Service
from tests.web.leaks.ask import Ask

Address = tuple[str, str]  # method, path with {} for what differs
TILE = "/xyz/{}/{}/{}/{}.mvt"  # is routed before all others
NOT_ASKED = {
    "HEAD",
    "OPTIONS",
}  # the same handlers without a body; what a caller may do, tested where it's decided

# Routes without rows, each with the reason.
WITHOUT_ROWS: Mapping[Address, str] = {
    ("GET", "/static/{*}"): "files of the program, the same for everybody",
    ("GET", "/fonts/{}/{}"): "letters of fonts, the same for everybody",
    ("GET", "/sprites/{}"): "icons from the operator's folder, the same for everybody",
    **dict.fromkeys(
        [
            *(
                ("GET", f"/collections/{{}}/{part}")
                for part in (
                    "map/tiles",
                    "map/tiles/{}",
                    "map/tiles/{}/{}/{}/{}",
                    "map/style.json",
                    "map/legend.svg",
                    "map/legend.png",
                    "position",
                )
            ),
            ("GET", "/xyz/{}/{}/{}/{}"),
        ],
        "cells of a raster file, seen whole or not at all; by whom is held in tests/web/test_rasters.py",
    ),
    ("GET", "/health"): "one word while the process lives; asks no database",
    ("GET", "/ready"): "one word while the database answers; reads no row",
    ("GET", "/sign-in"): "the ways to sign in, from the settings",
    ("POST", "/sign-in"): "sets a cookie or refuses; reads keys and invitations alone",
    ("GET", "/sign-in/oidc"): "sends to the issuer; reads no row",
    ("GET", "/sign-in/callback"): "sets a cookie or refuses; reads accounts alone",
    ("POST", "/sign-out"): "ends sessions of the caller's own account",
    ("GET", "/account"): "the caller's own roles and sessions",
    ("POST", "/account"): "accepts an invitation to the caller's own account",
    ("GET", "/account/keys"): "the caller's own keys, without the keys themselves",
    ("POST", "/account/keys"): "makes or revokes keys of the caller's own session",
    ("GET", "/account/notices"): "whether the caller's own account gets mail",
    ("POST", "/account/notices"): "switches the caller's own mail",
    ("GET", "/account/notices/{}"): "a page without facts, for who has the address from a mail",
    ("POST", "/account/notices/{}"): "ends the mail of who has the address from one",
    (
        "GET",
        "/metrics",
    ): "counts of requests by route and status, never of rows; for operators (docs/operating.md)",
}


def missing(service: Service, asks: Iterable[Ask]) -> set[Address]:
    """The routes that are neither asked nor declared."""
    asked = {address for ask in asks if (address := _address_of(service.router, ask)) is not None}
    return known(service) - asked - WITHOUT_ROWS.keys()


def known(service: Service) -> set[Address]:
    """Every route, by method and path."""
    routes = {
        (method, _path(route))
        for route in service.router.routes()
        for method in set(route.methods) - NOT_ASKED
    }
    return routes | {("GET", TILE)}


def _address_of(router: Router, ask: Ask) -> Address | None:
    path = ask.path.partition("?")[0]
    if tile_routes.asked_tile(path) is not None:
        return ask.method, TILE
    try:
        return ask.method, _path(router.match(path)[0])
    except NotFound:
        return None


def _path(route: Route) -> str:
    return "/" + "/".join(route.segments)
