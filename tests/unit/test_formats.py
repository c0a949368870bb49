"""The registry of formats: names, media types, and what an Accept header likes best."""

import pytest

from gis_service.features import formats
from gis_service.features.formats import CSV, FGB, FORMATS, HTML, JSON, JSONFG, PARQUET, Format


def test_a_format_is_found_by_name_and_by_media_type() -> None:
    assert [formats.named(each.name) for each in FORMATS] == list(FORMATS)
    assert [formats.named(each.media) for each in FORMATS] == list(FORMATS)
    assert formats.named("geojson") is JSON
    assert formats.named("shapefile") is None


@pytest.mark.parametrize(
    ("weights", "liked"),
    [
        ({"*/*": 1.0}, JSON),
        ({"application/*": 0.5}, JSON),
        ({"text/*": 1.0}, HTML),
        ({"application/flatgeobuf": 1.0, "*/*": 0.1}, FGB),
        ({"text/csv": 1.0, "*/*": 1.0}, CSV),
        ({"application/json": 0.9, "application/fg+json": 1.0}, JSONFG),
        ({"application/json": 0.0, "application/vnd.apache.parquet": 0.3}, PARQUET),
        ({"text/html": 1.0, "application/xml": 0.9, "*/*": 0.8}, HTML),
        ({"image/png": 1.0}, None),
        ({}, None),
    ],
)
def test_accept_chooses_what_it_likes_best(weights: dict[str, float], liked: Format | None) -> None:
    assert formats.accepted(weights) is liked


def test_every_format_has_a_media_type_and_an_extension_of_its_own() -> None:
    assert len({each.media for each in FORMATS}) == len({each.extension for each in FORMATS}) == len(FORMATS)
