"""Versions per class: they rise when the class could notice a change, and never when it couldn't."""

from collections.abc import Iterator, Mapping

import psycopg
import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db import versions
from gis_service.db.query import Query
from gis_service.settings import Settings
from tests import sample

WHO = {"public": PUBLIC, "a": sample.PROVINCE_A, "centre": sample.CENTRE}
Connection = psycopg.Connection[tuple[str, ...]]
Views = Mapping[str, Mapping[str, ViewedLayer]]


@pytest.fixture(scope="module")
def filled(database: str) -> str:
    sample.fill(database)
    return database


@pytest.fixture
def db(filled: str) -> Iterator[Connection]:
    """A transaction over the sample that is rolled back in the end."""
    with psycopg.connect(filled) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="module")
def views(settings: Settings) -> Views:
    """Layers by the name of who sees them."""
    layers = load_catalog(settings.root).layers
    return {name: {key: view(who, layer) for key, layer in layers.items()} for name, who in WHO.items()}


def run(db: Connection, query: Query) -> list[tuple[str, ...]]:
    """The rows as the query's role reads them."""
    db.execute(f"set local role {query.role}".encode())
    rows = psycopg.RawCursor(db).execute(query.sql.encode(), query.params).fetchall()
    db.execute("reset role")
    return rows


def stamps(db: Connection, views: Views, layer: str) -> Mapping[str, str]:
    """The version of a layer as each of the three principals reads it, without the time."""
    return {name: run(db, versions.of(seen[layer]))[0][0].partition("@")[0] for name, seen in views.items()}


def noticed_by(db: Connection, views: Views, layer: str, change: str) -> set[str]:
    before = stamps(db, views, layer)
    db.execute(change.encode())
    after = stamps(db, views, layer)
    return {name for name in WHO if before[name] != after[name]}


A, B = "'A' = any(jurisdiction)", "'B' = any(jurisdiction)"
ALL, OWN, CENTRE, NONE = {"public", "a", "centre"}, {"a", "centre"}, {"centre"}, set[str]()


@pytest.mark.parametrize(
    ("table", "change", "where", "noticed"),
    [
        # The public sees neither names of people nor exact places: only the province itself and the centre.
        ("occurrence", "recorded_by = 'x'", A, OWN),
        ("occurrence", "recorded_by = 'x'", B, CENTRE),
        ("occurrence", "license = 'x'", B, ALL),
        # Within its cell of 0.1 degrees a plot's public place stays; into another one everybody sees it go.
        ("plot", "geom = ST_Translate(geom, 0.01, 0)", B, CENTRE),
        ("plot", "geom = ST_Translate(geom, 0.2, 0)", B, ALL),
        # Areas of the closed dataset are hidden from all but the centre and their own province.
        ("protected_area", "name = 'x'", "public_id = 'closed-B'", CENTRE),
        ("protected_area", "name = 'x'", "public_id = 'closed-A'", OWN),
        ("protected_area", "name = 'x'", "public_id = 'open-B'", ALL),
        # A row that moves from one province to the other is news in both.
        ("protected_area", "geom = ST_Translate(geom, -1, 0)", "public_id = 'closed-B'", OWN),
        # What nobody sees, and what isn't changed at all.
        ("occurrence", "extra = '{\"x\": 1}'", "true", NONE),
        ("occurrence", "license = license", "true", NONE),
        ("occurrence", "license = 'x'", "false", NONE),
    ],
)
def test_a_class_s_version_rises_with_what_it_sees(
    db: Connection, views: Views, table: str, change: str, where: str, noticed: set[str]
) -> None:
    assert noticed_by(db, views, LAYERS[table], f"update gis.{table} set {change} where {where}") == noticed


LAYERS = {"occurrence": "occurrences", "plot": "plots", "protected_area": "protected-areas"}


@pytest.mark.parametrize(
    ("taxon", "where", "noticed"),
    [("taxon-1", A, OWN), ("taxon-1", B, CENTRE), ("taxon-0", B, ALL), ("nothing", B, NONE)],
)
def test_a_row_is_missed_by_those_who_saw_it(
    db: Connection, views: Views, taxon: str, where: str, noticed: set[str]
) -> None:
    change = f"delete from gis.occurrence where taxon_id = '{taxon}' and {where}"
    assert noticed_by(db, views, "occurrences", change) == noticed
    assert noticed_by(db, views, "plots", change) == NONE  # another table


def test_an_opened_dataset_is_news_to_those_who_gain_rows(db: Connection, views: Views) -> None:
    change = "update gis.dataset set redistribution = true where slug = 'closed'"
    assert noticed_by(db, views, "protected-areas", change) == {"public", "a"}


def test_a_new_row_is_news_to_those_who_see_it(db: Connection, views: Views) -> None:
    insert = (
        "insert into gis.protected_area (source_id, dataset_id, public_id, site_pid, name, geom)"
        " select 'new-' || slug, dataset_id, 'new-' || slug, 'new-' || slug, 'Khu',"
        " ST_Multi(ST_MakeEnvelope(106.1, 20.1, 106.2, 20.2, 4326)) from gis.dataset where slug = '{}'"
    )
    assert noticed_by(db, views, "protected-areas", insert.format("closed")) == {"centre"}
    assert noticed_by(db, views, "protected-areas", insert.format("open")) == set(WHO)


def test_a_class_reads_its_own_versions_alone(db: Connection) -> None:
    def read(role: str) -> set[str]:
        return {row[0] for row in run(db, Query("select distinct class from gis.class_version", (), role))}

    assert read("gis_public") == {"public"}
    assert read("gis_j_a") == {"public", "j:A"}
    assert read("gis_full") == {"public", "j:A", "j:B", "full"}
