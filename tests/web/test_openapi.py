"""The definition of the API, as validators and clients read it."""

from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from gis_service.features.query import RESERVED
from gis_service.web import feature_routes

COLLECTIONS = ("protected-areas", "occurrences", "plots", "communes")


@pytest.fixture(scope="module")
def api(web: httpx.Client) -> Any:  # an OpenAPI document
    return web.get("/api").json()


def test_what_each_address_is_for_comes_in_the_readers_language(web: httpx.Client) -> None:
    said = {lang: web.get("/api", params={"lang": lang}).json()["paths"] for lang in ("en", "vi")}
    same = {
        path
        for path, item in said["vi"].items()
        for method, operation in item.items()
        if operation["summary"] == said["en"][path][method]["summary"]
    }
    assert same == {"/xyz/{layers}/tilejson.json"}  # a name, not words


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30")
def test_the_definition_is_valid_openapi_3_0(api: Any) -> None:
    """Row Q3."""
    assert api["openapi"].startswith("3.0.")
    OpenAPIV30SpecValidator(api).validate()


def test_the_page_size_stands_where_qgis_and_gdal_look(api: Any) -> None:
    """Rows Q3, G2."""
    limit = api["components"]["parameters"]["limit"]["schema"]
    assert (limit["type"], limit["minimum"], limit["default"], limit["maximum"]) == ("integer", 1, 10, 10000)


def test_query_parameters_carry_all_five_keys(api: Any) -> None:
    """Rows Q3, C3."""
    parameters = api["components"]["parameters"]
    for name in ("limit", "bbox", "datetime"):
        about = parameters[name]
        assert (about["in"], about["style"], about["explode"], about["required"]) == (
            "query",
            "form",
            False,
            False,
        )
    box = parameters["bbox"]["schema"]
    assert (box["type"], box["minItems"], box["maxItems"], box["items"]) == (
        "array",
        4,
        6,
        {"type": "number"},
    )
    assert parameters["datetime"]["schema"]["type"] == "string"


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters")
def test_every_queryable_is_a_parameter_of_its_collection(api: Any, web: httpx.Client) -> None:
    """Row G1."""
    for collection in COLLECTIONS:
        queryables = set(web.get(f"/collections/{collection}/queryables").json()["properties"]) - {"geometry"}
        assert own(api, collection).keys() - {"sortby", "properties"} == queryables


def own(api: Any, collection: str) -> dict[str, Any]:
    """The parameters of a collection's pages that stand there literally, for they depend on the layer."""
    parameters = api["paths"][f"/collections/{collection}/items"]["get"]["parameters"]
    return {each["name"]: each for each in parameters if "name" in each}


def test_q3_every_query_parameter_has_all_that_qgis_looks_for(api: Any) -> None:
    """Five keys, literally present; all others QGIS doesn't use."""
    found = [*api["components"]["parameters"].values()]
    found += [about for collection in COLLECTIONS for about in own(api, collection).values()]
    for about in found:
        if about["in"] == "query":
            assert (about["style"], about["explode"], about["required"]) == ("form", False, False), about
            assert about["schema"]["type"], about
            assert about["description"], about


def test_g6_gdal_finds_its_own_filter_language(api: Any) -> None:
    languages = api["components"]["parameters"]["filter-lang"]["schema"]
    assert languages["enum"] == ["cql2-text", "cql2-json", "cql-text"]
    assert languages["default"] == "cql2-text"


def test_what_a_page_may_be_sorted_by_and_consist_of_is_enumerated(api: Any, web: httpx.Client) -> None:
    for collection in COLLECTIONS:
        sortables = web.get(f"/collections/{collection}/sortables").json()["properties"]
        listed = own(api, collection)["sortby"]["schema"]["items"]["enum"]
        assert listed == [sign + name for name in sortables for sign in ("", "+", "-")]
        schema = web.get(f"/collections/{collection}/schema").json()["properties"]
        assert ["id", "geometry", *own(api, collection)["properties"]["schema"]["items"]["enum"]] == [*schema]


def test_every_parameter_that_pages_read_is_defined(api: Any) -> None:
    pages = api["paths"]["/collections/plots/items"]["get"]["parameters"]
    shared = {each["$ref"].rpartition("/")[2] for each in pages if "$ref" in each}
    assert {name.removesuffix("-features") for name in shared} | {"sortby", "properties"} == set(RESERVED)


def test_every_path_without_places_answers_in_the_forms_that_are_told(
    api: Any, web: httpx.Client, centre: httpx.Client
) -> None:
    for path, operations in api["paths"].items():
        if "{" in path or "200" not in operations.get("get", {}).get("responses", {}):
            continue
        if "403" in operations["get"]["responses"]:  # for a role that these don't hold
            assert centre.get(path).status_code == 403, path
            continue
        asking = web if {} in operations["get"].get("security", [{}]) else centre
        for kind in operations["get"]["responses"]["200"]["content"]:
            answer = asking.get(path, headers={"Accept": kind})
            assert answer.status_code == 200, (path, kind)
            assert answer.headers["content-type"].split(";")[0] == kind.split(";")[0], path


def test_every_route_of_features_is_defined(api: Any) -> None:
    assert "/collections/{collectionId}/files/{file}" in api["paths"]
    for each in feature_routes.routes():
        path = "/" + "/".join("plots" if at == 1 else part for at, part in enumerate(each.segments))
        assert path.replace("{*}", "{featureId}") in api["paths"], path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/collections/plots/items?limit=0", 400),
        ("/collections/plots/items/x", 404),
        ("/collections/nothing", 404),
        ("/", 406),
    ],
)
def test_refusals_are_as_they_are_told(api: Any, web: httpx.Client, path: str, status: int) -> None:
    answer = web.get(path, headers={"Accept": "image/png"} if status == 406 else {})
    assert answer.status_code == status
    problem = api["components"]["schemas"]["Problem"]
    assert set(problem["required"]) <= answer.json().keys() <= problem["properties"].keys()
    assert str(status) in api["paths"]["/collections/plots/items"]["get"]["responses"]


def test_tile_parameters_are_named_as_the_standard_says(api: Any) -> None:
    """Row C8."""
    path = "/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
    assert api["paths"][path]["get"]["operationId"] == ".collection.vector.getTile"
