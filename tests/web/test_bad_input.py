"""Bad input in every parameter of items and export: 4xx and a problem document in both languages, no 5xx."""

from __future__ import annotations

import itertools
import json
from urllib.parse import quote

import httpx
import pytest

BIG = str(2**63)
SURROGATE = b"\xed\xa0\x80"  # half of a pair, as no UTF-8 holds it
NUMBERS = ("", "0", "-1", "1.5", "1e3", "abc", "0x10", "NaN", "inf", "９", "+1", " 1", "1,2", "\x00", "٣")
BOXES = (
    "",
    "1",
    "1,2,3",
    "1,2,3,4,5",
    "1,2,3,4,5,6,7",
    "NaN,NaN,NaN,NaN",
    "nan,0,1,1",
    "-Infinity,-90,Infinity,90",
    "0,0,1e309,1",
    "0,0,1,abc",
    "0,0,1,",
    "0,2,1,1",
    "-181,0,1,1",
    "0,-91,1,1",
    "0,0,181,1",
    f"0,0,{BIG},1",
    "0;0;1;1",
    "[0,0,1,1]",
    "0,0,1,1\x00",
)
TIMES = (
    "",
    "..",
    "0000-00-00",
    "2024-02-30",
    "2024-13-01",
    "99999-01-01",
    "2024-01-01T25:00:00Z",
    "yesterday",
    "2024-01-01/2023-01-01",
    "2024-01-01/2024-02-01/2024-03-01",
    "2024-01-01T00:00:00+99:00",
    "1e9",
    "\x00",
    "-0001-01-01",
)
SYSTEMS = (
    "",
    "EPSG",
    "EPSG:0",
    "EPSG:-1",
    f"EPSG:{BIG}",
    "EPSG:999999",
    "http://www.opengis.net/def/crs/EPSG/0/0",
    "http://www.opengis.net/def/crs/EPSG/0/4326x",
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "4326; select 1",
    "\x00",
    "http://www.opengis.net/def/crs/OGC/1.3/CRS99",
    "urn:ogc:def:crs:EPSG::4979",
)
FILTERS = (
    "",
    " ",
    "name",
    "name =",
    "= 1",
    "name = 'a",
    "(name = 'a'",
    "name = 1",
    "nothing = 1",
    "1",
    "name = 'a\x00'",
    f"area_m2 = {BIG}0000000000000000000000000000000",
    "area_m2 = 1e999",
    "area_m2 = NaN",
    "name like 'a\\'",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 1 1)))",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 0, 0 0)))",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))",
    "S_INTERSECTS(geometry, POLYGON EMPTY)",
    "S_INTERSECTS(geometry, POINT(NaN 0))",
    "S_INTERSECTS(geometry, POINT(181 0))",
    "S_INTERSECTS(geometry, POINT(1))",
    "S_INTERSECTS(geometry, BBOX(0, 0, 1e999, 1))",
    "S_INTERSECTS(geometry, BBOX(0, 1, 1, 0))",
    "S_INTERSECTS(geometry, LINESTRING(1 1))",
    "S_INTERSECTS(name, POINT(1 1))",
    "S_INTERSECTS(geometry)",
    "established = DATE('0000-01-01')",
    "established = DATE('2024-02-30')",
    "established = TIMESTAMP('2024-01-01')",
    "T_AFTER(established, INTERVAL('2024-01-01'))",
    "nosuch(name)",
    "pg_sleep(9)",
    "not " * 150 + "true",
    "(" * 150 + "true" + ")" * 150,
    "area_m2 in (" + "1," * 1001 + "1)",
    "name = '" + "x" * 17_000 + "'",
    "\ufeff",
)
TREES = (
    "",
    "null",
    "1",
    "{}",
    "[]",
    '{"op": "="}',
    '{"op": "=", "args": []}',
    '{"op": "nosuch", "args": [1, 2]}',
    '{"op": "=", "args": [{"property": "name"}, null]}',
    '{"op": "=", "args": [{"property": "name"}, "\\u0000"]}',
    '{"op": "=", "args": [{"property": "name"}, "\\ud800"]}',
    '{"op": "=", "args": [{"property": "\\udc00"}, 1]}',
    '{"op": "=", "args": [{"property": "area_m2"}, NaN]}',
    '{"op": "=", "args": [{"property": "area_m2"}, 1e999]}',
    '{"op": "=", "op": "<", "args": [1, 1]}',
    "[" * 5000,
    '{"op":"not","args":[' * 800 + "true" + "]}" * 800,
    "{",
    '{"op":"s_within","args":[{"property":"geom"},{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Nosuch", "coordinates": []}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [0, 0, 1]}]}',
    '{"op": "t_after", "args": [{"property": "established"}, {"interval": ["2024-01-01"]}]}',
)
LISTS = (" ", "nosuch", "name,nosuch", "observer", "geometry.x", "name;drop table", "name\x00", "-", "--name")
SORTS = ("", ",", "name,", "+", "stratum,stratum", "\u002b\u002bname", "name desc", *LISTS)
TOKENS = ("", "x", "A" * 5000, "e30.e30", "../..", "1", "\x00", "=" * 10)
RELEASES = ("", "0", "-1", "1.5", BIG, "latest", "\x00")
FLAGS = ("", "True", "yes", "1", "TRUE", "true,false", "\x00")
LEVELS = ("", "-1", "23", "1.5", BIG, "x", "\x00")

BOTH = {  # parameters of items and of export
    "bbox": BOXES,
    "datetime": TIMES,
    "crs": SYSTEMS,
    "bbox-crs": SYSTEMS,
    "filter-crs": SYSTEMS,
    "filter": FILTERS,
    "filter-lang": ("", "cql", "CQL2-TEXT", "cql2-sql", "\x00"),
    "sortby": SORTS,
    "properties": LISTS,
    "skipGeometry": FLAGS,
    "zoom-level": LEVELS,
    "release": RELEASES,
    "f": ("", "xml", "shp", "\x00", "../json"),
    "area_m2": ("", "x", "NaN", "1e999", "\x00"),
    "established": ("", "2024-02-30", "0000-01-01", "\x00"),
    "name": ("\x00",),
    "nosuch": ("1",),
    "observer": ("x",),
    "": ("1",),
    "\x00": ("1",),
}
OF_ITEMS = {
    "limit": NUMBERS,
    "offset": ("-1", "1.5", "x", BIG, "100001", "\x00", ""),
    "after": TOKENS,
}
OF_EXPORT = {"limit": ("10",), "offset": ("0",), "after": TOKENS}
CASES = [
    *(
        (place, name, value)
        for place in ("items", "export")
        for name, values in BOTH.items()
        for value in values
    ),
    *(("items", name, value) for name, values in OF_ITEMS.items() for value in values),
    *(("export", name, value) for name, values in OF_EXPORT.items() for value in values),
    *(("items", "filter-lang=cql2-json&filter", tree) for tree in TREES),
    *(("export", "filter-lang=cql2-json&filter", tree) for tree in TREES),
    *(
        ("items", f"filter-lang=cql-text&{name}", text)
        for name, text in itertools.product(["filter"], FILTERS)
    ),
]


def refused(web: httpx.Client, target: str) -> dict[str, str]:
    """The details of the problem in each language."""
    details: dict[str, str] = {}
    for lang in ("en", "vi"):
        answer = web.get(target, headers={"Accept-Language": lang})
        assert 400 <= answer.status_code < 500, (answer.status_code, target, answer.text[:300])
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.headers["content-language"] == lang
        problem = json.loads(answer.content)
        assert problem["status"] == answer.status_code
        details[lang] = problem["detail"]
    return details


@pytest.mark.parametrize(
    ("place", "names"), [(p, n) for p in ("items", "export") for n in sorted({c[1] for c in CASES})]
)
def test_bad_values_are_refused_in_both_languages(web: httpx.Client, place: str, names: str) -> None:
    for value in [value for where, name, value in CASES if (where, name) == (place, names)]:
        path = f"/collections/plots/{place}?{quote(names, safe='=&-')}={quote(value)}"
        told = refused(web, path)
        assert told["en"] != told["vi"], told


@pytest.mark.parametrize("name", [*BOTH, "limit", "offset", "after", "id"])
def test_text_that_is_no_utf_8_is_refused(web: httpx.Client, name: str) -> None:
    for broken in (SURROGATE, b"\xff", b"\xc0\xaf", b"%"):
        refused(web, f"/collections/plots/items?{quote(name)}={quote(broken)}x")


@pytest.mark.parametrize(
    "query",
    [
        "bbox=105.4321,20.5321,105.4321,20.5321",  # no area: a point
        "bbox=105,20.5,106,20.5",  # no area: a line
        "bbox=177,-20,-177,20",  # over the antimeridian
        "bbox=-180,-90,180,90",
        "bbox=0,0,-1e5,180,90,1e5",
        "datetime=0000-01-01T00:00:00Z/2024-06-01T00:00:00Z",  # QGIS writes open ends so (Q10)
        "datetime=2020-01-01T00:00:00Z/9999-12-31T00:00:00Z",
        f"limit={BIG}",  # above the maximum means the maximum (Features 1.0.1, 7.15.2)
        "properties=",  # of its properties, none
        "zoom-level=0",
        "filter=S_INTERSECTS(geometry,BBOX(105.4321,20.5321,105.4321,20.5321))",
    ],
)
def test_odd_values_that_mean_something_are_answered(web: httpx.Client, query: str) -> None:
    answer = web.get(f"/collections/plots/items?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "FeatureCollection"
