"""The definition of the API, as validators and clients read it."""

from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator


@pytest.fixture(scope="module")
def api(web: httpx.Client) -> Any:  # an OpenAPI document
    return web.get("/api").json()


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
    queryables = set(web.get("/collections/protected-areas/queryables").json()["properties"]) - {"geometry"}
    named = {
        each["name"]: each
        for each in api["paths"]["/collections/protected-areas/items"]["get"]["parameters"]
        if "name" in each
    }
    assert set(named) == queryables
    for about in named.values():
        assert about["style"] == "form"
        assert about["explode"] is False
        assert about["schema"]["type"]


def test_every_path_without_places_answers(api: Any, web: httpx.Client) -> None:
    for path in api["paths"]:
        if "{" not in path and "get" in api["paths"][path]:
            assert web.get(path).status_code == 200, path


def test_tile_parameters_are_named_as_the_standard_says(api: Any) -> None:
    """Row C8."""
    path = "/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
    assert api["paths"][path]["get"]["operationId"] == ".collection.vector.getTile"
