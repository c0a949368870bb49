"""The pages of features as a person meets them: forms without scripts, chips, counts, hostile values."""

import html
import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from gis_service.features.formats import EXPORTS

AREAS, RECORDS = "/collections/protected-areas/items", "/collections/occurrences/items"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
EVIL = "\"><script>alert('1')</script>"


class Form(HTMLParser):
    """What a browser without scripts would send of a page's filter form: every field, the empty ones too."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = self._area = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif tag in ("select", "textarea"):
            self._select, self._area = (given["name"], "") if tag == "select" else ("", given["name"])
            self.fields[given["name"]] = ""
        elif tag == "option" and "selected" in given:
            self.fields[self._select] = given["value"]

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        self._area = "" if tag == "textarea" else self._area


def page(web: httpx.Client, path: str, status: int = 200, **given: str) -> str:
    answer = web.get(path, headers=BROWSER, params=given)
    assert answer.status_code == status, answer.text
    return answer.text


def sent(web: httpx.Client, path: str, **filled: str) -> httpx.Response:
    """The answer to the page's form with some fields filled; `__` stands for a dot."""
    fields = Form(page(web, path)).fields
    more = {name.replace("__", "."): value for name, value in filled.items()}
    assert set(more) <= set(fields)
    return web.get(urlsplit(path).path, headers=BROWSER, params={**fields, **more})


def rows(text: str) -> list[str]:
    return re.findall(r'<tr data-feature="([^"]*)"', text)


def count(text: str) -> str:
    found = re.search(r'<p class="count"[^>]*>([^<]*)</p>', text)
    assert found is not None
    return found[1]


def settings(text: str) -> Any:
    """What the page's map is told."""
    found = re.search(r"data-small-map-settings>(.*?)</script>", text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def drawn(web: httpx.Client, text: str) -> Any:
    """The features that the page's map asks for."""
    return web.get(settings(text)["features"] + "&zoom-level=8").json()["features"]


@pytest.mark.parametrize(
    ("filled", "query", "found"),
    [
        ({}, {"limit": "10"}, 2),
        ({"name": "OPEN a"}, {"filter": "CASEI(ACCENTI(name)) LIKE CASEI(ACCENTI('%OPEN a%'))"}, 1),
        ({"name": "Khu open A", "name__how": "is"}, {"name": "Khu open A"}, 1),
        ({"name": "khú", "name__how": "begins"}, {}, 2),
        ({"basis": "simulated"}, {"basis": "simulated"}, 2),
        ({"basis": "published"}, {"basis": "published"}, 0),
        ({"bbox": "105,20,106,21"}, {"bbox": "105,20,106,21"}, 1),
        ({"filter": "name_eng LIKE '%B'"}, {"filter": "name_eng LIKE '%B'"}, 1),
        ({"filter": "1 = 1", "name": "b"}, {}, 1),
        ({"sortby": "name", "sort__order": "down"}, {"sortby": "-name"}, 2),
    ],
)
def test_a_form_leads_to_a_clean_address_of_the_api(
    web: httpx.Client, filled: dict[str, str], query: dict[str, str], found: int
) -> None:
    answer = sent(web, AREAS, **filled)
    assert answer.status_code == 303
    address = answer.headers["location"]
    given = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    assert "" not in given.values()
    assert not [name for name in given if "." in name]
    assert query.items() <= given.items()
    assert len(rows(web.get(address, headers=BROWSER).text)) == found
    assert web.get(address, headers={"Accept": "application/geo+json"}).json()["numberReturned"] == found


def test_the_form_of_an_address_is_sent_again_to_the_same_address(web: httpx.Client) -> None:
    query = {
        "basis": "simulated",
        "filter": "status_yr >= 1 AND (name LIKE 'K%' OR 1 = 1)",
        "sortby": "-name",
    }
    address = f"{web.base_url}{AREAS}"
    again = web.get(AREAS, headers=BROWSER, params=Form(page(web, AREAS, 200, **query)).fields)
    assert dict(parse_qsl(urlsplit(again.headers["location"]).query)) == {**query, "limit": "10"}
    assert again.headers["location"].startswith(address.replace("//collections", "/collections"))


def test_chosen_filters_are_chips_that_lead_to_the_page_without_them(web: httpx.Client) -> None:
    text = page(web, AREAS, basis="simulated", bbox="105,20,106,21", lang="en")
    assert count(text) == "All 1 on this page"
    chips = re.findall(r'<a href="([^"]*)" aria-label="Remove the filter ([^"]*)"', text)
    assert [words for _, words in chips] == [
        "Basis of the data: Simulated",
        "Box: west, south, east, north: 105,20,106,21",
    ]
    without = web.get(html.unescape(chips[1][0]), headers=BROWSER).text
    assert len(rows(without)) == 2


def test_a_wrong_filter_is_told_beside_its_field_with_all_else_kept(web: httpx.Client) -> None:
    """At once from a form, and for an address too; the place counts within what the field shows."""
    answer = sent(web, AREAS, filter="name = ", name="Khu", status_yr__from="1990")
    assert answer.status_code == 400
    fields = Form(answer.text).fields
    assert (fields["filter"], fields["name"], fields["status_yr.from"]) == ("name = ", "Khu", "1990")
    direct = page(web, AREAS, 400, filter="status_yr >= 1990 AND (nonsense = 3)", lang="en")
    assert Form(direct).fields["filter"] == "nonsense = 3"
    wrong = re.search(r'<p class="wrong" id="expert-fault">([^<]*)</p>', direct)
    assert wrong is not None
    assert "at 1:" in wrong[1]
    assert '<p class="excerpt" aria-hidden="true"><code><mark>n</mark>onsense = 3</code></p>' in direct


@pytest.mark.parametrize(
    ("given", "field"),
    [({"bbox": "1,2"}, "bbox"), ({"site_id": "x"}, "site_id.from"), ({"datetime": "soon"}, "datetime.from")],
)
def test_a_refused_parameter_marks_its_field(web: httpx.Client, given: dict[str, str], field: str) -> None:
    text = page(web, AREAS, 400, **given)
    assert re.search(rf'<input id="form-{re.escape(field)}"[^>]*aria-invalid="true"', text)
    assert 'role="alert"' in text


@pytest.mark.parametrize(
    "name", ["filter", "name", "bbox", "datetime", "sortby", "limit", "nothing", "after"]
)
def test_hostile_values_never_become_markup(web: httpx.Client, name: str) -> None:
    for given in ({name: EVIL}, {name: EVIL, "form.sent": "1"}):
        answer = web.get(AREAS, headers=BROWSER, params=given, follow_redirects=True)
        assert answer.status_code in (200, 400)
        assert EVIL not in answer.text
        assert "<script>alert" not in answer.text


def test_all_that_matches_can_be_taken_along_in_every_format(web: httpx.Client) -> None:
    text = page(web, AREAS, name="Khu open A", limit="1", sortby="-name")
    hrefs = [html.unescape(each) for each in re.findall(r'<li><a href="([^"]*/export[^"]*)"', text)]
    assert [dict(parse_qsl(urlsplit(href).query))["f"] for href in hrefs] == [each.name for each in EXPORTS]
    for href in hrefs:
        answer = web.get(href)
        assert answer.status_code == 200, href
        assert len(answer.content) > 100


def test_how_many_there_are_is_exact_or_not_said(web: httpx.Client) -> None:
    first = page(web, AREAS, limit="1", lang="en")
    assert count(first) == "1–1 of 2"
    following = re.search(r'<a rel="next" href="([^"]*)"', first)
    assert following is not None
    second = web.get(html.unescape(following[1]), headers=BROWSER).text
    assert count(second) == "1 on this page, 2 in all"
    assert rows(first) + rows(second) == rows(page(web, AREAS))
    assert '<a rel="prev"' in second
    assert '<a rel="next"' not in second


def test_the_first_head_sorts_by_the_name_that_all_features_are_called_by(web: httpx.Client) -> None:
    sorted_up = page(web, AREAS, sortby="name", lang="vi")
    head = re.search(r'<thead><tr><th scope="col" aria-sort="ascending"><a href="([^"]*)"', sorted_up)
    assert head is not None
    turned = web.get(html.unescape(head[1]), headers=BROWSER).text
    assert rows(turned) == rows(page(web, AREAS, sortby="-name"))


def test_the_map_of_a_later_page_asks_for_the_very_features_of_its_table(web: httpx.Client) -> None:
    first = page(web, AREAS, limit="1", sortby="-name")
    following = re.search(r'<a rel="next" href="([^"]*)"', first)
    assert following is not None
    second = web.get(html.unescape(following[1]), headers=BROWSER).text
    found = drawn(web, second)
    assert [feature["id"] for feature in found] == rows(second)
    assert found[0]["properties"] == {}


@pytest.mark.parametrize(
    ("accept", "lang", "words"),
    [
        ("vi,en;q=0.5", None, "Bộ lọc"),
        ("en", None, "Filters"),
        ("en", "vi", "Bộ lọc"),
        ("vi", "en", "Filters"),
    ],
)
def test_the_page_speaks_the_readers_language(
    web: httpx.Client, accept: str, lang: str | None, words: str
) -> None:
    headers = {**BROWSER, "Accept-Language": accept}
    answer = web.get(AREAS, headers=headers, params={"lang": lang} if lang else {})
    assert words in answer.text
    assert answer.headers["content-language"] == (lang or accept[:2])


@pytest.mark.parametrize(
    ("species", "note"),
    [
        ("Speciosus category0", None),
        ("Speciosus category2", "0.1° (about 11.1 km across)"),
        ("Speciosus category3", "0.01° (about 1.1 km across)"),
        ("Speciosus category4", "0.001° (about 100 m across)"),
    ],
)
def test_a_coarse_position_says_so_and_how_coarse_it_is(
    web: httpx.Client, centre: httpx.Client, species: str, note: str | None
) -> None:
    name = rows(page(web, RECORDS, scientificName=species))[0]
    told = re.findall(r'<p class="notice coarse">([^<]*)</p>', page(web, f"{RECORDS}/{name}", lang="en"))
    assert len(told) == (0 if note is None else 1)
    assert note is None or note in told[0]
    assert "notice coarse" not in page(centre, f"{RECORDS}/{name}")


def test_a_feature_leads_to_its_neighbours_and_names_its_source(web: httpx.Client) -> None:
    text = page(web, f"{AREAS}/open-A", lang="en")
    assert "Area open A" in text
    assert re.search(r'<a rel="next" href="[^"]*/items/open-B\?lang=en"', text)
    assert 'rel="prev"' not in text
    assert "Open sample" in text
    assert "Licence: CC0-1.0" in text


def test_a_page_of_html_holds_no_more_than_a_person_reads(web: httpx.Client) -> None:
    text = page(web, RECORDS, limit="10000", lang="en")
    assert count(text) == "All 8 on this page"
    assert Form(text).fields["limit"] == "100"


def test_what_is_missing_is_told_in_words(web: httpx.Client) -> None:
    text = page(web, f"{AREAS}/none", 404, lang="vi")
    assert "Không có gì ở đây" in text
    assert "Hãy tìm trong lớp dữ liệu" in text


def test_another_reference_system_moves_no_map(web: httpx.Client) -> None:
    """VN-2000 numbers in the address are the data's; a map of the web has degrees."""
    crs = "http://www.opengis.net/def/crs/EPSG/0/3405"
    first = page(web, AREAS, limit="1", crs=crs)
    following = re.search(r'<a rel="next" href="([^"]*)"', first)
    assert following is not None
    second = web.get(html.unescape(following[1]), headers=BROWSER).text
    for text in (first, second):
        (west, *_), *_ = drawn(web, text)[0]["geometry"]["coordinates"][0]
        assert 105 < west[0] < 107
    assert "crs=" not in settings(page(web, f"{AREAS}/open-A", crs=crs))["exact"]


def test_a_page_of_a_past_release_stays_with_it(web: httpx.Client) -> None:
    text = page(web, f"{AREAS}/open-A", release="1")
    assert re.search(r'<a rel="next" href="[^"]*/items/open-B\?release=1"', text)
    assert settings(text)["exact"].endswith("release=1&f=json")
