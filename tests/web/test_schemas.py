"""Schema, queryables and sortables of every collection, as Features Parts 3 and 5 want them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

SPEC = "http://www.opengis.net/spec/"
FEATURES_3, FEATURES_5 = f"{SPEC}ogcapi-features-3/1.0/conf/", f"{SPEC}ogcapi-features-5/1.0/conf/"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
KINDS = ("schema", "queryables", "sortables")
TYPES = {"string", "number", "integer", "boolean", "array"}
AREAS = "/collections/protected-areas"

Document = Any  # a JSON Schema


def documents(web: httpx.Client, kind: str) -> Iterator[tuple[str, Document]]:
    """The id of each collection and the document that it links to."""
    for collection in web.get("/collections").json()["collections"]:
        (link,) = [link for link in collection["links"] if link["rel"] == REL + kind]
        assert link["type"] == "application/schema+json"
        answer = web.get(link["href"], headers={"Accept": "application/schema+json"})
        assert answer.headers["content-type"] == "application/schema+json"
        yield collection["id"], answer.json()


@pytest.mark.proves(f"{FEATURES_5}schemas")
@pytest.mark.proves(f"{SPEC}ogcapi-common-3/1.0/conf/schemas")
@pytest.mark.parametrize("kind", KINDS)
def test_q9_every_document_is_a_json_schema_under_its_own_address(web: httpx.Client, kind: str) -> None:
    for collection, document in documents(web, kind):
        OAS31Validator.check_schema(document)
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert document["$id"] == str(web.base_url.join(f"/collections/{collection}/{kind}"))
        assert document["type"] == "object"
        for name, about in document["properties"].items():
            assert about["title"], (collection, name)
            assert name == "geometry" or about["type"] in TYPES, (collection, name)
            assert all(key.startswith("x-ogc-") for key in about if key.startswith("x-")), (collection, name)


@pytest.mark.proves(f"{FEATURES_5}schemas")
@pytest.mark.proves(f"{SPEC}ogcapi-common-3/1.0/conf/schemas")
@pytest.mark.proves(f"{FEATURES_5}core-roles-features")
def test_q9_the_schema_tells_identity_geometry_order_and_that_nothing_can_be_written(
    web: httpx.Client,
) -> None:
    for collection, document in documents(web, "schema"):
        properties = document["properties"]
        roles = [about["x-ogc-role"] for about in properties.values() if "x-ogc-role" in about]
        assert len(roles) == len(set(roles)), collection
        assert properties["id"]["x-ogc-role"] == "id"
        assert properties["id"]["type"] in ("string", "integer")
        geometry = properties["geometry"]
        assert geometry["x-ogc-role"] == "primary-geometry"
        assert geometry["format"].startswith("geometry-")
        assert not {"type", "$ref"} & geometry.keys()
        places = [about["x-ogc-propertySeq"] for about in properties.values()]
        assert places == list(range(1, len(places) + 1))
        assert all(about["readOnly"] for about in properties.values())


@pytest.mark.proves(f"{FEATURES_5}core-roles-features")
@pytest.mark.parametrize(
    ("layer", "roles"),
    [
        ("protected-areas", {"valid_from": "primary-interval-start", "valid_to": "primary-interval-end"}),
        ("occurrences", {"eventDate": "primary-instant"}),
        ("plots", {"established": "primary-instant"}),
        ("ecoregions", {}),
    ],
)
def test_q9_the_properties_that_hold_the_time_of_a_feature_say_so(
    web: httpx.Client, layer: str, roles: dict[str, str]
) -> None:
    properties = web.get(f"/collections/{layer}/schema").json()["properties"]
    found = {name: about.get("x-ogc-role") for name, about in properties.items()}
    assert {name: role for name, role in found.items() if role and role.startswith("primary-i")} == roles
    for name in roles:
        assert properties[name]["format"] == ("date-time" if layer == "occurrences" else "date")


@pytest.mark.proves(f"{FEATURES_5}returnables-and-receivables")
def test_q9_what_a_feature_has_is_what_its_schema_says(web: httpx.Client, centre: httpx.Client) -> None:
    """For the public and for the centre, which sees more."""
    for client in (web, centre):
        for collection, document in documents(client, "schema"):
            for feature in client.get(f"/collections/{collection}/items").json()["features"]:
                assert {"id", "geometry", *feature["properties"]} == document["properties"].keys()


def test_g4_gdal_finds_the_fields_of_a_feature_by_describedby(web: httpx.Client) -> None:
    """GDAL looks for them where GeoJSON has them, below `properties` of a feature."""
    for collection in web.get("/collections").json()["collections"]:
        (link,) = [link for link in collection["links"] if link["rel"] == "describedby"]
        assert link["type"] == "application/schema+json"
        document = web.get(link["href"], headers={"Accept": link["type"]}).json()
        OAS31Validator.check_schema(document)
        assert document["$id"] == link["href"]
        fields = document["properties"]["properties"]["properties"]
        whole = web.get(f"/collections/{collection['id']}/schema").json()["properties"]
        assert fields.keys() == whole.keys() - {"id", "geometry"}
        assert all(about["type"] == whole[name]["type"] for name, about in fields.items())


def test_types_units_and_values_are_told(web: httpx.Client) -> None:
    properties = web.get(f"{AREAS}/schema").json()["properties"]
    assert properties["status_yr"]["type"] == "integer"
    assert (properties["rep_area"]["type"], properties["rep_area"]["x-ogc-unit"]) == ("number", "km2")
    assert properties["decided_area_ha"]["x-ogc-unit"] == "har"  # UCUM's hectare
    assert properties["site_type"]["enum"] == ["PA", "OECM"]
    assert {"const": "PA", "title": "Protected area"} in properties["site_type"]["oneOf"]
    basis = web.get(f"{AREAS}/schema?lang=vi").json()["properties"]["basis"]
    assert basis["enum"] == [each["const"] for each in basis["oneOf"]]
    assert {"const": "simulated", "title": "Mô phỏng"} in basis["oneOf"]


@pytest.mark.proves(f"{FEATURES_3}queryables")
def test_q8_queryables_name_the_geometry_by_reference_without_a_type(web: httpx.Client) -> None:
    for collection, document in documents(web, "queryables"):
        geometry = document["properties"]["geometry"]
        kind = geometry["$ref"].removeprefix("https://geojson.org/schema/").removesuffix(".json")
        assert geometry["format"] == f"geometry-{kind.lower()}", collection
        assert geometry["x-ogc-role"] == "primary-geometry"
        assert "type" not in geometry
        assert document["additionalProperties"] is False


@pytest.mark.proves(f"{FEATURES_3}queryables")
@pytest.mark.proves(f"{FEATURES_3}filter")
@pytest.mark.proves(f"{FEATURES_3}features-filter")
def test_every_queryable_can_stand_in_a_filter_and_no_other_name(
    web: httpx.Client, centre: httpx.Client
) -> None:
    for client in (web, centre):
        for collection, document in documents(client, "queryables"):
            for name in document["properties"]:
                answer = client.get(
                    f"/collections/{collection}/items", params={"filter": f'"{name}" IS NOT NULL'}
                )
                assert answer.status_code == 200, (collection, name, answer.text)
            assert _filtered(client, collection, '"nothing" IS NULL').status_code == 400
            assert _filtered(client, collection, '"gid" IS NULL').status_code == 400


def _filtered(client: httpx.Client, collection: str, text: str, **more: str) -> httpx.Response:
    return client.get(f"/collections/{collection}/items", params={"filter": text, **more})


@pytest.mark.proves(f"{FEATURES_3}filter")
@pytest.mark.proves(f"{FEATURES_3}features-filter")
def test_a_filter_joins_the_other_parameters(web: httpx.Client) -> None:
    """Area open-A lies at 105.4 E, open-B at 106.4 E; all names begin with Khu."""

    def found(**asked: str) -> list[str]:
        page = web.get(f"{AREAS}/items", params=asked).json()
        return sorted(feature["id"] for feature in page["features"])

    both = ["open-A", "open-B"]
    assert found(filter="name LIKE 'Khu%'") == both
    assert found(filter="name LIKE 'Khu%'", bbox="105,20,106,21") == ["open-A"]
    assert found(filter="name LIKE 'Khu%'", name_eng="Area open B") == ["open-B"]
    assert found(**{"filter": '{"op": "=", "args": [{"property": "site_pid"}, "open-A"]}',
                    "filter-lang": "cql2-json"}) == ["open-A"]  # fmt: skip
    point = "S_INTERSECTS(geometry, POINT(20.5 105.5))"
    assert found(**{"filter": point, "filter-crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}) == [
        "open-A"
    ]
    assert web.get(f"{AREAS}/items", params={"filter": point}).status_code == 400  # no latitude of 105


@pytest.mark.proves(f"{FEATURES_3}filter")
@pytest.mark.parametrize("asked", [{"filter": "name ="}, {"filter": "name = 'x'", "filter-lang": "sql"}])
def test_a_filter_that_cannot_be_read_is_refused(web: httpx.Client, asked: dict[str, str]) -> None:
    assert web.get(f"{AREAS}/items", params=asked).status_code == 400


@pytest.mark.proves(f"{FEATURES_3}queryables-query-parameters")
def test_every_queryable_but_the_geometry_is_a_parameter(web: httpx.Client) -> None:
    values = {"string": "x", "integer": "1", "number": "1.5", "boolean": "true", "array": "x"}
    for collection, document in documents(web, "queryables"):
        for name, about in document["properties"].items():
            if name == "geometry":
                continue
            value = "2024-01-01" if "format" in about else values[about["type"]]
            answer = web.get(f"/collections/{collection}/items", params={name: value})
            assert answer.status_code == 200, (collection, name, answer.text)


@pytest.mark.proves(f"{FEATURES_5}sortables")
def test_every_sortable_sorts_and_no_other_name(web: httpx.Client) -> None:
    for collection, document in documents(web, "sortables"):
        assert document["properties"], collection
        assert document["additionalProperties"] is False
        for name, about in document["properties"].items():
            assert about["type"] not in ("array", "object")
            assert not about.get("format", "").startswith("geometry")
            for sign in ("", "+", "-"):
                answer = web.get(f"/collections/{collection}/items", params={"sortby": sign + name})
                assert answer.status_code == 200, (collection, name, answer.text)
        for name in ("geometry", "gid", "nothing"):
            refused = web.get(f"/collections/{collection}/items", params={"sortby": name})
            assert refused.status_code == 400, (collection, name)
