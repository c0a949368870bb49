"""OWSLib walks the API as its documents describe it."""

from owslib.ogcapi.features import Features

from tests.clients.conftest import PUBLIC_COUNTS


def test_owslib_reads_every_collection_with_the_right_count(service: str) -> None:
    api = Features(f"{service}/")
    assert set(api.feature_collections()) == set(PUBLIC_COUNTS)
    for layer, count in PUBLIC_COUNTS.items():
        assert len(api.collection_items(layer, limit=100)["features"]) == count, layer


def test_owslib_finds_conformance_queryables_and_the_api_document(service: str) -> None:
    api = Features(f"{service}/")
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in api.conformance()["conformsTo"]
    assert "scientificName" in api.collection_queryables("occurrences")["properties"]
    assert api.api()["openapi"].startswith("3.0")
