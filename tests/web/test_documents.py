"""Landing page, conformance, collections, queryables, schema: what clients read before the first feature."""

from typing import Any

import httpx
import pytest

OGC = "http://www.opengis.net/def/rel/ogc/1.0/"


def links(document: Any, rel: str) -> list[Any]:  # JSON of an OGC document
    return [link for link in document["links"] if link["rel"] == rel]


def test_the_landing_page_has_the_links_that_qgis_needs(web: httpx.Client) -> None:
    """Rows Q1, C1."""
    landing = web.get("/").json()
    (api,) = links(landing, "service-desc")
    assert api["type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert [link["type"] for link in links(landing, "data")] == ["application/json"]
    assert links(landing, "conformance")
    for rel in ("service-desc", "service-doc", "conformance", "data", OGC + "tiling-schemes", OGC + "styles"):
        (link,) = links(landing, rel)
        assert web.get(link["href"], headers={"Accept": link["type"]}).status_code == 200, rel


@pytest.mark.parametrize(
    "path",
    [
        "/", "/conformance", "/collections", "/collections/plots", "/collections/plots/items",
        "/collections/protected-areas/items/open-A",
    ],
)  # fmt: skip
def test_every_link_has_rel_and_type_and_a_self_and_an_alternate_link(path: str, web: httpx.Client) -> None:
    """Row C5."""
    document = web.get(path).json()
    assert all(link["rel"] and link["type"] and link["href"] for link in document["links"])
    assert links(document, "self")
    assert [link["type"] for link in links(document, "alternate")] == ["text/html"]


def test_paths_are_where_qgis_builds_them(web: httpx.Client) -> None:
    """Row Q2: below the `data` link, with a slash at the end too."""
    (data,) = links(web.get("/").json(), "data")
    for rest in ("", "/", "/plots", "/plots/", "/plots/items", "/plots/queryables", "/plots/items/"):
        assert web.get(data["href"] + rest).status_code == 200, rest


def test_a_collection_counts_what_the_caller_sees(web: httpx.Client, centre: httpx.Client) -> None:
    """Row Q14: itemCount is exact, the extent is of the visible rows: two areas of two provinces."""
    seen = web.get("/collections/protected-areas").json()
    assert seen["itemCount"] == 2
    assert seen["extent"]["spatial"]["bbox"] == [[105.4, 20.4, 106.6, 20.6]]
    assert centre.get("/collections/protected-areas").json()["itemCount"] == 4


def test_a_collection_names_the_datasets_of_the_visible_rows(web: httpx.Client, centre: httpx.Client) -> None:
    """The closed dataset is named to the centre alone; simulated data say so."""
    seen = web.get("/collections/protected-areas").json()
    assert [each["title"] for each in seen["datasets"]] == ["Open sample"]
    assert (seen["license"], seen["attribution"]) == ("CC0-1.0", "Sample, CC0-1.0 (simulated)")
    whole = centre.get("/collections/protected-areas").json()
    assert [each["title"] for each in whole["datasets"]] == ["Open sample", "Closed sample"]
    assert "license" not in whole


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/json")
def test_collections_list_every_layer_with_its_items_link(web: httpx.Client) -> None:
    document = web.get("/collections").json()
    assert {"provinces", "protected-areas", "species-ranges", "occurrences", "plots"} <= {
        each["id"] for each in document["collections"]
    }
    for each in document["collections"]:
        assert "application/geo+json" in [link["type"] for link in links(each, "items")]


def test_documents_speak_the_language_that_is_asked_for(web: httpx.Client) -> None:
    vietnamese = web.get("/collections/plots", headers={"Accept-Language": "vi-VN,vi;q=0.9,en;q=0.5"})
    assert vietnamese.headers["content-language"] == "vi"
    assert vietnamese.json()["title"] == web.get("/collections/plots?lang=vi").json()["title"]
    assert vietnamese.json()["title"] != web.get("/collections/plots?lang=en").json()["title"]


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/html")
def test_a_browser_gets_pages_and_a_program_gets_json(web: httpx.Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    for path in (
        "/",
        "/collections",
        "/collections/plots",
        "/collections/plots/items",
        "/conformance",
        "/api",
    ):
        page = web.get(path, headers=browser)
        assert page.headers["content-type"] == "text/html; charset=utf-8", path
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert web.get(path).headers["content-type"].startswith("application/"), path
        assert web.get(path, headers={**browser}, params={"f": "json"}).json()
    assert web.get("/nowhere", headers=browser).headers["content-type"] == "text/html; charset=utf-8"


def test_unknown_parameters_and_forms_are_refused(web: httpx.Client) -> None:
    """Row C2."""
    for path in ("/?x=1", "/collections?bbox=1,2,3,4", "/collections/plots?f=xml", "/conformance?lang=fr"):
        assert web.get(path).status_code == 400, path
    assert web.get("/", headers={"Accept": "image/png"}).status_code == 406


def test_documents_are_compressed_once_and_revalidated(web: httpx.Client) -> None:
    first = web.get("/collections")
    assert first.headers["content-encoding"] == "gzip"
    assert {"Accept-Encoding", "Authorization", "X-API-Key"} <= set(first.headers["vary"].split(", "))
    again = web.get("/collections", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = web.get("/collections", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != first.headers["etag"]


def test_head_and_options_answer_as_get_would(web: httpx.Client) -> None:
    for path in ("/", "/collections/plots/items", "/collections/plots"):
        head = web.head(path, headers={"Accept-Encoding": "identity"})
        assert head.status_code == 200
        assert head.content == b""
        assert int(head.headers["content-length"]) > 0
        options = web.options(path)
        assert options.status_code == (200 if path.endswith("items") else 204), "as Part 4 of Features wants"
        assert options.headers["allow"] == "GET, HEAD, OPTIONS"
    refused = web.delete("/collections/plots/items")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
