"""Versions against whole answers: a changed answer has another version, and hidden changes raise none."""

from collections.abc import Iterator, Mapping

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db import select, versions
from gis_service.db.query import Query, ident
from gis_service.db.select import ItemsQuery
from gis_service.settings import Settings
from tests import sample

WHO = {"public": PUBLIC, "a": sample.PROVINCE_A, "centre": sample.CENTRE}
LAYERS = {
    "occurrence": "occurrences",
    "plot": "plots",
    "protected_area": "protected-areas",
    "species_range": "species-ranges",
    "admin_unit": "provinces",
}
Connection = psycopg.Connection[tuple[object, ...]]
Views = Mapping[str, Mapping[str, ViewedLayer]]

# What a random statement sets; what each class sees of it is worked out by asking, not here.
_ALL = ("geom = ST_Translate(geom, {far}, 0)", "geom = ST_Translate(geom, {near}, {near})",
        "extra = '{{\"x\": {n}}}'", "restricted = not restricted", "jurisdiction = '{{A}}'",
        "jurisdiction = '{{A,B}}'", "basis = 'indicative'",
        "geom_original = '\\x0{n}'", "rev = rev")  # fmt: skip
_SETS = {
    "occurrence": (
        "recorded_by = 'x{n}'", "locality = null", "license = 'x{n}'", "taxon_id = 'taxon-{n}'",
        "public_id = 'x' || gid",
        "individual_count = {n}", "scientific_name = 'Speciosus category{n}'", "event_date = '202{n}-01-01'",
        "occurrence_remarks = 'x{n}'",
    ),
    "plot": ("name = 'x{n}'", "stratum = 'x{n}'", "observer = 'x{n}'", "established = '202{n}-01-01'"),
    "protected_area": ("name = 'x{n}'", "rep_area = {n}", "rep_area = '-0'", "supp_info = 'x{n}'"),
    "species_range": ("taxon_id = 'taxon-{n}'", "presence = 1 + {n}", "tax_comm = 'x{n}'"),
    "admin_unit": ("name = 'x{n}'", "decree = 'x{n}'", "level = 'country'"),
}  # fmt: skip
_ROWS = (
    "true",
    "'A' = any(jurisdiction)",
    "'B' = any(jurisdiction)",
    "restricted",
    "not restricted",
    "gid % 2 = 0",
)


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[Connection]:
    sample.fill(database)
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def views(settings: Settings) -> Views:
    layers = load_catalog(settings.root).layers
    return {
        who: {name: view(principal, layers[name]) for name in LAYERS.values()}
        for who, principal in WHO.items()
    }


def run(db: Connection, query: Query) -> list[tuple[object, ...]]:
    with psycopg.RawCursor(db) as cursor:
        cursor.execute(f"set local role {ident(query.role or 'none')}".encode())
        cursor.execute(query.sql.encode(), query.params)
        rows = cursor.fetchall()
        cursor.execute(b"reset role")
    return rows


def state(db: Connection, seen: ViewedLayer, releases: list[int]) -> tuple[object, str]:
    """All that a principal gets of a layer, now and as of every release, and its version."""
    past = [run(db, select.items(seen.at_release(each), ItemsQuery(limit=100))) for each in releases]
    answers = (run(db, select.items(seen, ItemsQuery(limit=100))), run(db, select.datasets(seen)), past)
    return answers, str(run(db, versions.of(seen))[0][0]).partition("@")[0]


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, str]:
    table = draw(st.sampled_from(sorted(_SETS)))
    sets = draw(st.lists(st.sampled_from((*_SETS[table], *_ALL)), min_size=1, max_size=2, unique_by=_column))
    numbers = {"n": draw(st.integers(0, 4)), "near": draw(st.sampled_from((0.0001, 0.01))), "far": 0.3}
    where = draw(st.sampled_from(_ROWS))
    return table, f"update gis.{table} set {', '.join(sets).format(**numbers)} where {where}"


def _column(assignment: str) -> str:
    return assignment.partition(" =")[0]


@given(change=changes())
@example(change=("occurrence", "update gis.occurrence set public_id = 'x' || gid"))
@example(change=("protected_area", "update gis.dataset set title = 'x' where slug = 'open'"))
@example(change=("protected_area", "update gis.dataset set citation = 'x' where slug = 'closed'"))
@example(change=("admin_unit", "delete from gis.admin_unit where code = 'B'"))
@example(change=("plot", "update gis_history.plot set stratum = 'x'"))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_version_rises_exactly_when_an_answer_changes(
    db: Connection, views: Views, change: tuple[str, str]
) -> None:
    table, statement = change
    with db.transaction(force_rollback=True):
        db.execute(
            "update gis.plot set stratum = 'earlier', observer = 'earlier'"
        )  # something to have a history
        seen = {who: views[who][LAYERS[table]] for who in WHO}
        releases = [int(str(row[0])) for row in db.execute("select release from gis.release order by 1")]
        before = {who: state(db, each, releases) for who, each in seen.items()}
        try:
            with db.transaction():
                db.execute(statement.encode())
        except psycopg.errors.IntegrityError:
            return  # not a change that a table takes
        after = {who: state(db, each, releases) for who, each in seen.items()}
    for who in WHO:
        if before[who][0] != after[who][0]:
            assert before[who][1] != after[who][1], f"{who} would keep an old answer: {statement}"
        else:
            assert before[who][1] == after[who][1] or _own_only(who, statement), (
                f"{who} is told of: {statement}"
            )


def _own_only(who: str, statement: str) -> bool:
    """A province is told when its rows become another's too, though no answer names whose they are."""
    return who == "a" and ("jurisdiction = '" in statement or "geom =" in statement or "level =" in statement)
