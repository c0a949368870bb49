"""The HTML pages as functions of documents: two languages, escaped, accessible, every address from Links."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.layer import Property, Text
from gis_service.catalog.registry import load_catalog
from gis_service.features.conformance import CLASSES
from gis_service.features.documents import Dataset, Stats
from gis_service.links import GEOJSON, Links, link
from gis_service.web import (
    conformance_page,
    filter_form,
    item_page,
    items_page,
    pages,
    process_pages,
    schema_page,
)
from gis_service.web.filter_form import Fault
from gis_service.web.frame import Frame, Urls, content_security_policy
from gis_service.web.item_page import Single
from gis_service.web.items_page import Found, Listing
from tests.conftest import ROOT

LINKS = Links("https://gis.example.org/nature")
EVIL = '<script>alert("x")</script>'
COLLECTION: dict[str, Any] = {
    "id": "protected-areas",
    "title": "Protected areas",
    "description": EVIL,
    "itemCount": 1234,
    "extent": {
        "spatial": {"bbox": [[102.0, 8.5, 109.5, 23.4]]},
        "temporal": {"interval": [["1962-07-07", None]]},
    },
    "links": [
        link(
            "https://gis.example.org/nature/collections/protected-areas", "self", "application/json", "JSON"
        ),
        {**link("https://gis.example.org/nature/file", "enclosure", "text/csv", EVIL), "length": 2_340_000},
    ],
}
AREAS = view(PUBLIC, load_catalog(ROOT).layers["protected-areas"])
FEATURE: dict[str, Any] = {
    "id": "a/1",
    "geometry": {"type": "Point", "coordinates": [105, 20]},
    "properties": {
        "name": EVIL,
        "decided_area_ha": 22408.5,
        "status_yr": 1962,
        "realm": "Marine",
        "basis": "indicative",
    },
    "links": [link("https://gis.example.org/nature/x?f=json", "self", GEOJSON, "GeoJSON")],
}
ITEMS: dict[str, Any] = {
    "links": [*FEATURE["links"], link("https://gis.example.org/nature/x?after=7", "next", GEOJSON, "Next")],
}
SOURCE = Dataset(EVIL, None, "CC0-1.0", EVIL, "indicative", "javascript:alert(1)")
CONFORMANCE: dict[str, Any] = {"conformsTo": [*CLASSES, "urn:odd"], "links": []}
PROCESS: dict[str, Any] = {
    "id": "overlap-report",
    "title": EVIL,
    "description": EVIL,
    "inputs": {
        "area": {"title": EVIL, "schema": {"contentMediaType": "application/geo+json"}, "minOccurs": 1}
    },
    "example": {"inputs": EVIL},
}
JOB: dict[str, Any] = {
    "jobID": "7", "processID": EVIL, "status": "running", "progress": 40, "message": EVIL,
    "created": "2026-05-31T12:00:00Z",
}  # fmt: skip
PROBLEM = {"title": "Not found", "status": 404, "detail": EVIL, "instance": "/nothing"}


def frame(lang: str = "en", query: str = "") -> Frame:
    return Frame(lang, LINKS, f"{LINKS.base}/here{query}")


def listing(lang: str = "en", **given: str) -> Listing:
    """One feature of a page that goes on, asked for by this query string."""
    form = filter_form.build(AREAS, frame(lang), given, 10)
    found = Found([FEATURE], first=True, more=True, matched=120)
    return Listing(AREAS, given, form, ITEMS, found, f"{LINKS.base}/x?limit=1&properties=&f=json")


def refused(lang: str) -> str:
    given = {"form.sent": "1", "filter": EVIL, "name": EVIL, "name.how": "is"}
    fault = Fault(EVIL, "filter")
    form = filter_form.build(AREAS, frame(lang), given, 10, fault)
    return items_page.page(frame(lang), Listing(AREAS, given, form, {}, Found((), first=True, more=False)))


@cache
def every_page(lang: str) -> dict[str, str]:
    made = frame(lang, f"?lang={lang}")
    landing = {"title": "GIS", "description": EVIL, "links": []}
    stats = Stats(1, None, None, (SOURCE,))
    single = Single(AREAS, FEATURE, stats, before=EVIL, after="b/2", coarse=True)
    return {
        "landing": pages.landing(made, landing, [COLLECTION]),
        "collections": pages.collections(made, {"collections": [COLLECTION], "links": []}),
        "collection": pages.collection(made, COLLECTION, AREAS),
        "items": items_page.page(made, listing(lang, name=EVIL, iucn_cat="II", filter=f"name = '{EVIL}'")),
        "refused items": refused(lang),
        "item": item_page.page(made, single),
        "queryables": schema_page.page(made, AREAS, {"$id": f"{LINKS.base}/q"}, schema_page.QUERYABLES),
        "sortables": schema_page.page(made, AREAS, {"$id": f"{LINKS.base}/s"}, schema_page.SORTABLES),
        "schema": schema_page.page(made, AREAS, {"$id": f"{LINKS.base}/c"}, schema_page.SCHEMA),
        "conformance": conformance_page.page(made, CONFORMANCE),
        "process": process_pages.process(made, PROCESS),
        "jobs": process_pages.jobs(made, {"jobs": [JOB]}),
        "job": process_pages.job(made, JOB),
        "document": pages.document(made, {"about": EVIL}, "Anything"),
        "error": pages.error(made, PROBLEM),
        "map": pages.map_page(made),
        "embedded map": pages.map_page(made, panel=False),
    }


class Elements(HTMLParser):
    """Every element with its attributes, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


PAGES = [(lang, name) for lang in ("en", "vi") for name in every_page("en")]


@pytest.mark.parametrize(("lang", "name"), PAGES)
def test_a_page_has_landmarks_a_heading_a_language_and_a_way_past_the_menu(lang: str, name: str) -> None:
    page = Elements(every_page(lang)[name])
    assert page.all("html") == [{"lang": lang}]
    assert len(page.all("main")) == len(page.all("h1")) == 1
    assert [a["href"] for a in page.all("a") if a.get("class") == "skip"] == ["#main"]
    labels = [label["for"] for label in page.all("label")]
    fields = [each for tag in ("input", "select", "textarea") for each in page.all(tag)]
    assert sorted(labels) == sorted(each["id"] for each in fields if each.get("type") != "hidden")
    assert all(cell["scope"] in ("row", "col") for cell in page.all("th"))


@pytest.mark.parametrize(("lang", "name"), PAGES)
def test_ids_stand_once_and_whatever_points_at_one_finds_it(lang: str, name: str) -> None:
    page = Elements(every_page(lang)[name])
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = [
        each
        for _, attributes in page.found
        for key in ("aria-labelledby", "aria-describedby", "aria-controls", "for")
        for each in attributes.get(key, "").split()
    ]
    assert set(pointed) <= set(ids)


@pytest.mark.parametrize(("lang", "name"), PAGES)
def test_nothing_from_data_becomes_markup_and_no_script_stands_in_the_page(lang: str, name: str) -> None:
    text = every_page(lang)[name]
    assert EVIL not in text
    for script in Elements(text).all("script"):
        assert script.get("src") or script["type"] == "application/json"
    assert not re.search(r"\sstyle=|\son[a-z]+=", text)


@pytest.mark.parametrize(("lang", "name"), PAGES)
def test_a_page_asks_for_nothing_outside_the_service(lang: str, name: str) -> None:
    page = Elements(every_page(lang)[name])
    asked = [each.get("src") for each in page.all("script")] + [each["href"] for each in page.all("link")]
    assert [url for url in asked if url and not url.startswith(LINKS.base)] == []
    assert [a["href"] for a in page.all("a") if a["href"].startswith("javascript:")] == []


def test_the_language_that_a_reader_chose_travels_along_and_the_other_is_one_link_away() -> None:
    urls = Urls(frame("vi", "?limit=3&lang=vi"))
    assert urls.page(LINKS.map(), layers="plots") == f"{LINKS.base}/map?layers=plots&lang=vi"
    assert Urls(frame("vi")).page(LINKS.map()) == f"{LINKS.base}/map"
    assert dict(urls.languages())["en"] == f"{LINKS.base}/here?limit=3&lang=en"


def test_the_next_page_of_a_table_is_a_page_again() -> None:
    hrefs = [a["href"] for a in Elements(every_page("en")["items"]).all("a") if a.get("rel") == "next"]
    assert hrefs == [f"{LINKS.base}/x?after=7&lang=en&f=html"] * 2


def test_a_feature_page_shows_days_as_days_and_names_what_is_empty() -> None:
    values = {"decision_date": "2016-10-18T00:00:00+00:00", "desig": "", "name": "Ba Bể"}
    text = item_page.page(frame(), Single(AREAS, {**FEATURE, "properties": values}, None))
    assert "<td>2016-10-18</td>" in text
    assert re.search(r"Not recorded: .*Designation, ", text)
    assert "<td></td>" not in text


def test_a_feature_id_is_quoted_in_its_address() -> None:
    text = every_page("en")["items"]
    assert f"{LINKS.base}/collections/protected-areas/items/a%2F1?lang=en" in text


@pytest.mark.parametrize(("lang", "area"), [("en", "22,408.5 ha"), ("vi", "22.408,5 ha")])
def test_measures_are_written_as_the_language_does_and_years_stay_years(lang: str, area: str) -> None:
    text = every_page(lang)["item"]
    assert f"<td>{area}</td>" in text
    assert "<td>1962</td>" in text


@pytest.mark.parametrize(("lang", "word"), [("en", "indicative"), ("vi", "mang tính chỉ báo")])
def test_what_is_indicative_says_so_in_table_and_page(lang: str, word: str) -> None:
    made = every_page(lang)
    badge = f'<span class="basis indicative">{word}</span>'
    assert badge in made["items"]
    assert badge in made["item"]


def test_columns_of_a_table_are_what_is_filled_and_the_basis_beside_the_name() -> None:
    heads = re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]*)<', every_page("en")["items"])
    assert heads == ["Name", "Realm", "Year of status", "Decided area", "Basis of the data"]


@pytest.mark.parametrize(("lang", "size"), [("en", "2.3 MB"), ("vi", "2,3 MB")])
def test_a_layer_can_be_taken_along_whole_as_files_of_a_known_size(lang: str, size: str) -> None:
    text = every_page(lang)["collection"]
    assert f'</a> <span class="quiet">{size}</span>' in text
    assert text.count("/nature/file") == 1
    assert f"{LINKS.base}/collections/protected-areas/export?f=gpkg" in text


def test_the_map_is_told_its_words_and_addresses_as_data() -> None:
    text = every_page("vi")["map"]
    found = re.search(r'<script type="application/json" id="settings">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    settings = json.loads(found[1])
    assert settings["style"] == LINKS.style("overview")
    assert settings["execution"] == LINKS.execution("overlap-report")
    assert settings["texts"]["map.report"] == "Báo cáo chồng lấn"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Found((), True, False), "No feature matches"),
        (Found([FEATURE], True, False, matched=1), "All 1 on this page"),
        (Found([FEATURE], True, True, matched=1200), "1–1 of 1,200"),
        (Found([FEATURE], False, True, matched=1200), "1 on this page, 1,200 in all"),
        (Found([FEATURE], True, True, more_than=10_000), "1–1 of more than 10,000"),
        (Found([FEATURE], False, True, more_than=10_000), "1 on this page, more than 10,000 in all"),
        (Found([FEATURE], True, True), "1–1; more on the next page"),
        (Found([FEATURE], False, True), "1 on this page; more on the next"),
        (Found([FEATURE], False, False), "The last 1"),
    ],
)
def test_a_count_says_no_more_than_is_known(found: Found, sentence: str) -> None:
    assert found.sentence(frame()) == sentence


def test_a_form_never_sends_more_fields_than_a_query_string_holds() -> None:
    many = {f"p{n}": Property(title=Text(en=f"P {n}", vi=f"P {n}")) for n in range(60)}
    wide = dataclasses.replace(AREAS, properties=many)
    form = filter_form.build(wide, frame(), {}, 10)
    fields = [each for control in (*form.first, *form.more) for each in control.inputs]
    assert len(fields) <= filter_form.MOST
    assert len(form.first) + len(form.more) + form.left_out == 62  # and the layer's period and the id


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_every_class_that_is_declared_is_told_in_words_under_its_standard(lang: str) -> None:
    found = conformance_page.standards(frame(lang), [*CLASSES, "urn:odd"])
    assert [each.uri for standard in found for each in standard.classes] == [*CLASSES, "urn:odd"]
    assert [each.name for standard in found for each in standard.classes if not each.words] == ["urn:odd"]
    assert [standard.title for standard in found if not standard.title.startswith(("OGC", "Common"))] == [
        "urn:odd"
    ]


def test_only_a_map_without_its_panel_may_be_framed_by_others() -> None:
    assert "frame-ancestors 'self'" in content_security_policy()
    assert "frame-ancestors *" in content_security_policy(embedded=True)
    assert "unsafe" not in content_security_policy(embedded=True)
