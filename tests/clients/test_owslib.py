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


def test_owslib_pushes_a_filter_a_box_an_interval_and_an_order(service: str) -> None:
    """Counts are 0 to 4 in A and 10 to 14 in B without those of category 1, in the middle of each month."""
    api = Features(f"{service}/")

    def counts(**asked: object) -> list[int]:
        page = api.collection_items("occurrences", limit=100, **asked)
        return [feature["properties"]["individualCount"] for feature in page["features"]]

    assert sorted(counts(filter="individualCount BETWEEN 3 AND 12")) == [3, 4, 10, 12]
    assert sorted(counts(bbox=[105, 20, 106, 21])) == [0, 2, 3, 4]
    assert sorted(counts(datetime_="2024-03-15T12:00:00Z/..")) == [2, 3, 4]
    assert counts(sortby=("individualCount", "desc")) == [14, 13, 12, 10, 4, 3, 2, 0]
    later = {"filter": "individualCount > 12", "filter-lang": "cql2-text", "sortby": ("eventDate", "asc")}
    assert counts(**later) == [13, 14]
