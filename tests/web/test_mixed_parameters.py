"""Random mixes of every parameter, format and caller: no fault of the server, and pages that join."""

from __future__ import annotations

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.filters import writing
from tests.filters.sentences import Json
from tests.web.conftest import Sample
from tests.web.test_cql2_fuzz import LANGUAGES, LAYERS, SENTENCES, written

SORTED = {
    "plots": ("stratum", "-last_visit,+name", "name"),
    "protected-areas": ("-name", "name,-status_yr"),
    "provinces": ("area_km2", "-valid_from"),
    "occurrences": ("-eventDate", "scientificName"),
}
SYSTEMS = (
    "EPSG:4326",
    "EPSG:3405",
    "EPSG:5897",
    "EPSG:9210",
    "EPSG:3857",
    "EPSG:32648",
    "EPSG:4756",
    "EPSG:2193",
    "EPSG:3031",
    "EPSG:4978",
    "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
)
BOXES = (
    "105,20,107,21",
    "20,105,21,107",
    "-180,-90,180,90",
    "177,-20,-177,20",
    "0,0,0,0",
    "500000,2200000,700000,2400000",
    "-1e7,-1e7,1e7,1e7",
    "1e8,1e8,1e8,1e8",
    "105,20,0,107,21,5",
)
WITHIN = ("105,20,107,21", "-180,-90,180,90", "105,20,106,21")
MATCHING = (
    "basis is not null",
    "not (basis = 'x')",
    "S_INTERSECTS(geometry, BBOX(105, 20, 106, 21))",
    "basis like '%t%'",
)
PROFILE = settings(
    max_examples=60, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate),
)  # fmt: skip


def some(**values: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """Any of the parameters, often none."""
    return st.fixed_dictionaries({}, optional={name.replace("_", "-"): each for name, each in values.items()})


def of(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


FORMS = some(
    crs=of(*SYSTEMS),
    skipGeometry=of("true", "false"),
    zoom_level=of("0", "5", "14", "22"),
    lang=of("en", "vi"),
    f=of("json", "jsonfg", "geojsonseq", "ndjson", "csv", "fgb", "parquet", "gpkg"),
    properties=of("", "name", "basis"),
)
CHOICES = some(
    bbox=of(*BOXES),
    bbox_crs=of(*SYSTEMS),
    release=of("1", "2", "99"),
    datetime=of("2024-05-31", "../2024-06-01T00:00:00Z", "0000-01-01T00:00:00Z/..", "9999-12-31"),
)
PAGES = some(limit=of("1", "3", "10000"), offset=of("0", "1", "100000"))


def filtered(sentence: Json, lang: str) -> dict[str, str]:
    return {"filter": written(sentence, lang), "filter-lang": lang}


def callers(sampled: Sample) -> list[dict[str, str]]:
    return [{}, *({"X-API-Key": key} for key in sampled.keys.values())]


def test_any_mix_of_parameters_is_answered_or_refused(web: httpx.Client, sampled: Sample) -> None:
    @PROFILE
    @given(data=st.data())
    def answered(data: st.DataObject) -> None:
        layer, place = data.draw(of(*LAYERS)), data.draw(of("items", "export"))
        asked = {**data.draw(FORMS), **data.draw(CHOICES)}
        if data.draw(st.booleans()):
            asked |= filtered(data.draw(SENTENCES[layer]), data.draw(of(*LANGUAGES)))
        if data.draw(st.booleans()):
            asked["sortby"] = data.draw(of(*SORTED[layer]))
        if place == "items":
            asked |= data.draw(PAGES)
        headers = data.draw(st.sampled_from(callers(sampled)))
        answer = web.get(f"/collections/{layer}/{place}", params=asked, headers=headers)
        assert answer.status_code in (200, 400, 404), (layer, place, asked, answer.text)
        if answer.status_code == 200 and "next" in answer.links:
            assert web.get(answer.links["next"]["url"], headers=headers).status_code == 200, (layer, asked)

    answered()


def test_q11_pages_of_any_filter_and_order_join_to_the_whole(web: httpx.Client, sampled: Sample) -> None:
    @PROFILE
    @given(data=st.data())
    def joined(data: st.DataObject) -> None:
        layer = data.draw(of(*LAYERS))
        asked = data.draw(some(sortby=of(*SORTED[layer]), bbox=of(*WITHIN), crs=of(*SYSTEMS[:3])))
        if data.draw(st.booleans()):
            asked["filter"] = data.draw(st.one_of(of(*MATCHING), SENTENCES[layer].map(writing.text)))
        headers = data.draw(st.sampled_from(callers(sampled)))
        whole = page(web, f"/collections/{layer}/items", {**asked, "limit": "100"}, headers)
        step = page(web, f"/collections/{layer}/items", {**asked, "limit": "2"}, headers)
        ids = identities(step)
        while (link := following(step)) is not None:
            step = page(web, link, None, headers)
            assert identities(step), "a page may be the last, but not empty"
            ids += identities(step)
        assert ids == identities(whole)

    joined()


def page(web: httpx.Client, url: str, asked: dict[str, str] | None, headers: dict[str, str]) -> Json:
    answer = web.get(url, params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def identities(document: Json) -> list[str | int]:
    return [feature["id"] for feature in document["features"]]


def following(document: Json) -> str | None:
    return next((str(link["href"]) for link in document["links"] if link["rel"] == "next"), None)
