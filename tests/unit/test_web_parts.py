"""Small parts of the web server: parameters, negotiation, tokens, routing, caches."""

import pytest

from gis_service.errors import InvalidParameter, MethodNotAllowed, NotAcceptable, NotFound
from gis_service.web import negotiate, params
from gis_service.web.lru import Lru
from gis_service.web.packing import GZIP, ZSTD, Packing, wanted
from gis_service.web.router import Router, check_method, route
from gis_service.web.service_routes import health
from gis_service.web.tile_routes import asked_tile

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def test_parameters_are_decoded_as_forms_write_them() -> None:
    assert params.parse("") == {}
    assert params.parse("a=1&b=x+y%2Bz&c=&d&crs=http://x/y&n=V%C6%B0%E1%BB%9Dn") == {
        "a": "1",
        "b": "x y+z",
        "c": "",
        "d": "",
        "crs": "http://x/y",
        "n": "Vườn",
    }
    assert params.parse("&&a=1&") == {"a": "1"}


@pytest.mark.parametrize(
    "query", ["a=1&a=2", "a=%ff", "a=%00", "a=\ud800", "a" * 20_000, "&".join(f"p{n}" for n in range(65))]
)
def test_parameters_that_cannot_be_held_are_refused(query: str) -> None:
    with pytest.raises(InvalidParameter):
        params.parse(query)


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, False), ("*/*", False), (BROWSER, True), ("text/html", True), ("application/json", False),
        ("application/geo+json,text/html;q=0.5", False), ("text/html;q=0.5,application/json;q=0.4", True),
        ("application/vnd.oai.openapi+json;version=3.0, application/json", False), ("text/*", False),
    ],
)  # fmt: skip
def test_accept_chooses_between_page_and_document(accept: str | None, html: bool) -> None:
    assert negotiate.wants_html({}, accept) is html


def test_f_goes_before_accept() -> None:
    assert negotiate.wants_html({"f": "html"}, "application/json")
    assert not negotiate.wants_html({"f": "json"}, BROWSER)
    with pytest.raises(InvalidParameter):
        negotiate.wants_html({"f": "xml"}, None)
    with pytest.raises(NotAcceptable):
        negotiate.wants_html({}, "image/png")


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        (None, "en"), ("vi", "vi"), ("vi-VN,vi;q=0.9,en-US;q=0.8", "vi"), ("fr,de", "en"),
        ("en;q=0.1,vi;q=0.2", "vi"),
        ("*", "en"), ("vi;q=0", "en"), ("vi;q=x", "en"), (";;;,,,", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_best_of_ours(header: str | None, lang: str) -> None:
    assert negotiate.language({}, header, "en") == lang


@pytest.mark.parametrize(
    ("header", "packing"),
    [
        ("", None),
        ("gzip, br", GZIP),
        ("gzip;q=0", None),
        ("*", GZIP),
        ("identity", None),
        ("*;q=0", None),
        ("zstd", ZSTD),
        ("gzip, deflate, br, zstd", ZSTD),
        ("gzip;q=1, zstd;q=0.5", GZIP),
        ("gzip;q=0.5, zstd", ZSTD),
        ("zstd;q=0, *", GZIP),
        ("identity, gzip;q=0.5", None),
    ],
)
def test_an_answer_is_packed_as_its_client_likes_best(header: str, packing: Packing | None) -> None:
    assert wanted(header) is packing


def test_routes_match_by_segments() -> None:
    router = Router(
        [
            route("landing", "/", health),
            route("items", "/collections/{}/items", health),
            route("item", "/collections/{}/items/{*}", health),
        ]
    )
    assert router.match("/")[0].name == "landing"
    assert router.match("/collections/a/items")[1] == ["a"]
    assert router.match("/collections/a/items/")[0].name == "items"
    assert router.match("/collections/a/items/b/c")[1] == ["a", "b/c"]
    for path in (
        "/collections",
        "/collections//items",
        "",
        "*",
        "/collections/a/items/b/c/../../../x/y".upper(),
    ):
        with pytest.raises(NotFound):
            router.match(path)
    with pytest.raises(MethodNotAllowed):
        check_method(router.match("/")[0], "POST")


def test_tile_addresses_are_read_by_hand() -> None:
    assert asked_tile("/xyz/a,b/8/202/113.mvt") == ("a,b", "8", "202", "113")
    for path in ("/xyz/a/8/202.mvt", "/xyz/a/8/202/113", "/xyz/a/tilejson.json", "/collections"):
        assert asked_tile(path) is None


def test_the_cache_forgets_what_was_used_longest_ago() -> None:
    cache: Lru[str, int] = Lru(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
