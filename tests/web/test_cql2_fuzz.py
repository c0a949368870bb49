"""Random filters and hostile strings against a real server: no 5xx, no lost connection, no value in SQL.

Every literal is a random canary. PostgreSQL logs the text of every statement that the server sends, without
parameters; a canary in that log, or in the text of a query in this process, is a value that wasn't bound.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.db.cluster import Cluster
from gis_service.db.query import Query, ident
from gis_service.db.select import ItemsQuery, count, items
from gis_service.db.sync import SyncDatabase
from gis_service.features import filters
from gis_service.features.query import queryables
from gis_service.geo.crs import WGS84
from tests.conftest import ROOT
from tests.filters import canaries, writing
from tests.filters.sentences import Json, conditions
from tests.web.conftest import Sample

LAYERS = ("plots", "protected-areas", "provinces", "occurrences")
LANGUAGES = ("cql2-text", "cql2-json", "cql-text")
VIEWS = {name: view(PUBLIC, load_catalog(ROOT).layers[name]) for name in LAYERS}
SENTENCES = {
    name: conditions(canaries.words({each: prop.type for each, prop in queryables(seen).items()}))
    for name, seen in VIEWS.items()
}
PROFILE = settings(
    max_examples=80, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate, Phase.shrink),
)  # fmt: skip


class Spy:
    """The text of all statements that the server has sent to its database, as PostgreSQL logged it."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self._folder, self._dsn = folder, dsn
        self._asked = 0

    def seen(self) -> str:
        """Everything up to now; a statement of our own marks the end, for the log is written later."""
        self._asked += 1
        mark = f"end of what the spy saw {self._asked}"
        with SyncDatabase(self._dsn) as database:
            database.run(Query(f"select '{mark}'"))
        for _ in range(100):
            text = "".join(path.read_text("utf-8", "replace") for path in self._folder.glob("*.log"))
            if mark in text:
                return text
            time.sleep(0.05)
        pytest.fail("PostgreSQL logged no statement")


@pytest.fixture(scope="module", autouse=True)
def logging(database: str) -> None:
    """Log every statement of connections to come; the cluster leaves parameters out of its log."""
    with SyncDatabase(database) as db:
        name = str(db.run(Query("select current_database()"))[0][0])
        db.apply([f"alter database {ident(name)} set log_statement = 'all'"])


@pytest.fixture
def spy(cluster: Cluster, database: str) -> Spy:
    return Spy(cluster.home / "logs" / "pg", database)


def test_the_spy_sees_what_stands_in_a_statement(spy: Spy, database: str) -> None:
    with SyncDatabase(database) as db:
        db.run(Query("select 'canaryinthetext', $1::text", ("canaryinaparameter",)))
    assert "canaryinthetext" in spy.seen()
    assert "canaryinaparameter" not in spy.seen()


def written(sentence: Json, lang: str) -> str:
    return json.dumps(sentence) if lang == "cql2-json" else writing.text(sentence)


def ask(web: httpx.Client, layer: str, text: str, lang: str) -> httpx.Response:
    answer = web.get(
        f"/collections/{layer}/items", params={"filter": text, "filter-lang": lang, "limit": "2"}
    )
    assert answer.status_code < 500, (answer.status_code, text, answer.text)
    assert answer.status_code == 200 or "application/problem+json" in answer.headers["content-type"]
    return answer


def assert_bound(layer: str, text: str, lang: str, sentence: Json) -> None:
    """No literal stands in the text of a page or a count."""
    seen = VIEWS[layer]
    query = ItemsQuery(filter=filters.parse(seen, text, lang, WGS84))
    statements = f"{items(seen, query).sql} {count(seen, query).sql}".lower()
    for canary in canaries.spoor(sentence):
        assert canary.lower() not in statements, (canary, statements)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_valid_filters_are_answered_and_every_literal_is_bound(
    web: httpx.Client, spy: Spy, lang: str
) -> None:
    told: set[str] = set()

    @PROFILE
    @given(data=st.data())
    def answered(data: st.DataObject) -> None:
        layer = data.draw(st.sampled_from(LAYERS))
        sentence = data.draw(SENTENCES[layer])
        text = written(sentence, lang)
        assert ask(web, layer, text, lang).status_code == 200, text
        assert_bound(layer, text, lang, sentence)
        told.update(canaries.spoor(sentence))

    answered()
    log = spy.seen().lower()
    assert 'from "gis"."plot" as t where' in log
    assert len(told) > 100
    assert [canary for canary in told if canary.lower() in log] == []


EVIL = st.sampled_from(
    (*"'\"\\()[]{}<>=%^*/+-,.;:$#@!?&|~` \t\n\x00\x07\x7f\u00a0\u0130\u200b\ud800\U0001f30f", "''", "--",
     "/*", "*/", "and", "not", "is null", "BBOX(", "NaN", "1e999", "9" * 400, "(" * 200, "[" * 300, '{"op":',
     '"args":[', "null")
)  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn, text: str) -> str:
    """The text with a few pieces cut out, doubled, swapped or replaced by what breaks parsers."""
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 12)))
        piece = draw(
            st.one_of(EVIL, st.just(""), st.just(text[begin:end] * 2), st.just(text[begin:end][::-1]))
        )
        text = text[:begin] + piece + text[end:]
    return text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_broken_filters_are_refused_and_nothing_of_them_reaches_sql(
    web: httpx.Client, spy: Spy, lang: str
) -> None:
    told: set[str] = set()

    @PROFILE
    @given(data=st.data())
    def survived(data: st.DataObject) -> None:
        layer = data.draw(st.sampled_from(LAYERS))
        sentence = data.draw(SENTENCES[layer])
        text = data.draw(mutations(written(sentence, data.draw(st.sampled_from(LANGUAGES)))))
        raw = text.encode("utf-8", "surrogatepass")
        target = f"/collections/{layer}/items?limit=2&filter-lang={lang}&filter={quote(raw)}"
        answer = web.get(target)
        assert answer.status_code in (200, 400), (answer.status_code, text, answer.text)
        told.update(canaries.spoor(sentence))

    survived()
    log = spy.seen().lower()
    assert [canary for canary in told if canary.lower() in log] == []


def test_words_thrown_together_are_refused(web: httpx.Client) -> None:
    """Sentences of tokens in any order: what a grammar alone wouldn't make."""
    names = sorted(queryables(VIEWS["provinces"]))
    tokens = st.sampled_from((*names, *TOKENS))

    @PROFILE
    @given(st.lists(tokens, max_size=25), st.sampled_from(("cql2-text", "cql-text")))
    def survived(sentence: list[str], lang: str) -> None:
        ask(web, "provinces", " ".join(sentence), lang)

    survived()


TOKENS = (
    "(", ")", "[", "]", ",", "=", "<>", "<", "<=", "+", "-", "*", "/", "%", "^", "div", "and", "or", "not",
    "in", "is", "null", "like", "ilike", "between", "true", "false", "geometry", "id", "casei(", "accenti(",
    "DATE(", "TIMESTAMP(", "INTERVAL(", "'..'", "'2020-01-01'", "BBOX(", "POINT(", "POLYGON((", "EMPTY",
    "S_INTERSECTS(", "S_WITHIN(", "T_AFTER(", "A_CONTAINS(", "1", "0", "-1", "1e308", "0.5", "'a'", "'%'",
    "''", '"name"', '""',
)  # fmt: skip


@pytest.mark.parametrize("form", canaries.INJECTIONS)
def test_an_injection_is_harmless_in_every_place_that_takes_a_string(
    web: httpx.Client, spy: Spy, sampled: Sample, form: str
) -> None:
    canary = "canary" + form.encode().hex()[:24].translate(str.maketrans("0123456789", "ghijklmnop"))
    evil = form.replace("{}", canary)
    items_of = "/collections/plots/items"
    places = (
        *({name: evil} for name in PARAMETERS),
        {evil: "1"},
        *({"filter": text, "filter-lang": lang} for lang, text in _filters(evil)),
        {"bbox": "1,2,3,4", "bbox-crs": evil},
        {"filter": "true", "filter-crs": evil},
        {"sortby": f"+name,-{evil}"},
        {"properties": f"name,{evil}"},
        {"bbox": f"1,2,3,{evil}"},
    )
    for given_ in places:
        refused(web.get(items_of, params=given_))
    for name in ("name", "filter", "filter-lang", "sortby", "properties", "crs", "f"):
        refused(web.get("/collections/plots/export", params={name: evil}))
    for path in (
        f"/collections/{quote(evil, safe='')}/items",
        f"{items_of}/{quote(evil, safe='')}",
        f"/{quote(evil, safe='')}",
    ):
        assert refused(web.get(path)).status_code in (400, 404)
    for header in (
        "Accept",
        "Accept-Language",
        "X-API-Key",
        "Authorization",
        "If-None-Match",
        "If-Modified-Since",
    ):
        refused(web.get(items_of, headers={header: quote(evil)}))
    assert canary not in spy.seen()
    assert plots(sampled.dsn) == 2


# Every parameter of items and export; `occurrences` and `plots` have text properties of these names.
PARAMETERS = (
    "limit", "offset", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs", "sortby",
    "properties", "skipGeometry", "zoom-level", "after", "release", "f", "lang", "name", "stratum", "area_m2",
    "established",
)  # fmt: skip


def _filters(evil: str) -> Iterator[tuple[str, str]]:
    """Filters with the string as a value, a pattern, a property, a function, a date, an array's member."""
    literal, name = writing.quoted(evil), '"' + evil.replace('"', '""') + '"'
    for text in (
        f"name = {literal}", f"name like {literal}", f"casei(name) = casei({literal})",
        f"name in ({literal}, 'x')", f"{name} = 1", f"name = {name}", f"{evil}(name)", f"{evil}",
        f"established = DATE({literal})", f"established > TIMESTAMP({literal})",
        f"T_AFTER(established, INTERVAL({literal}, '..'))",
    ):  # fmt: skip
        yield "cql2-text", text
        yield "cql-text", text
    prop = {"property": "name"}
    for tree in (
        {"op": "=", "args": [prop, evil]}, {"op": "like", "args": [prop, evil]}, {"op": evil, "args": [prop]},
        {"op": "=", "args": [{"property": evil}, 1]}, {"op": "in", "args": [prop, [evil]]}, {evil: 1}, evil,
        {"op": "=", "args": [{"date": evil}, {"date": evil}]}, {"type": evil, "coordinates": [1, 2]},
    ):  # fmt: skip
        yield "cql2-json", json.dumps(tree)


def refused(answer: httpx.Response) -> httpx.Response:
    """An answer that is no fault of the server's: found nothing, or said what is wrong."""
    assert answer.status_code < 500, (answer.status_code, answer.url, answer.text)
    if answer.status_code >= 400:
        assert "application/problem+json" in answer.headers["content-type"], answer.url
    return answer


def plots(dsn: str) -> int:
    with SyncDatabase(dsn) as db:
        return int(db.run(Query("select count(*) from gis.plot"))[0][0])
