"""What a row says of itself where its position is shown coarsely: nothing of the exact place is in it."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog
from gis_service.db import rows, select
from gis_service.db.query import Query, ident
from gis_service.db.select import ItemsQuery
from gis_service.geo.bbox import BBox
from tests import sample
from tests.conftest import ROOT
from tests.sample import CENTRE, PROVINCE_A

LAYERS = load_catalog(ROOT).layers
PROVINCE_B = Principal("province-b", "jurisdiction", ("B",))
SAYS = ("coordinateUncertaintyInMeters", "dataGeneralizations", "informationWithheld")
CELLS = {2: 0.1, 3: 0.01, 4: 0.001}  # degrees by category
Connection = psycopg.Connection[tuple[Any, ...]]


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


def run(db: Connection, query: Query) -> list[tuple[Any, ...]]:
    """The rows as the query's role reads them."""
    with psycopg.RawCursor(db) as cursor:
        cursor.execute(f"set local role {ident(query.role or 'none')}".encode())
        found = cursor.execute(query.sql.encode(), query.params).fetchall()
        cursor.execute(b"reset role")
    return found


def features(db: Connection, who: Principal, layer: Layer, **query: Any) -> list[tuple[int, bytes]]:
    """Keys and bytes of the features; `query` is named as ItemsQuery's fields."""
    return [
        (key, bytes(text))
        for key, text in run(db, select.items(view(who, layer), ItemsQuery(limit=100, **query)))
    ]


def said(db: Connection, who: Principal, layer: str, west: int) -> Mapping[str, list[object]]:
    """What the rows of one province say of their position, by the end of their name."""
    box = BBox(west, 20, west + 0.9, 21)
    found = [json.loads(text)["properties"] for _, text in features(db, who, LAYERS[layer], bbox=box)]
    return {p.get("scientificName", p.get("stratum", ""))[-1]: [p[name] for name in SAYS] for p in found}


def cell(degrees: float) -> str:
    return f"Coordinates given to the centre of a cell of {degrees} degree"


def test_the_public_reads_the_uncertainty_of_the_cell_and_what_is_withheld(db: Connection) -> None:
    """12 m are told as 100; of a cell at 20 N half the diagonal is hypot(5.23, 5.54) = 7.62 km."""
    seen = said(db, PUBLIC, "occurrences", 105)
    assert seen["0"] == [12, None, None]
    assert [(seen[n][0], seen[n][1]) for n in "234"] == [
        (100 + 7617, cell(0.1)),
        (100 + 762, cell(0.01)),
        (100 + 77, cell(0.001)),
    ]
    assert all("locality, recordedBy" in str(seen[n][2]) for n in "234")


def test_a_province_reads_its_own_rows_exactly_and_of_the_neighbour_s_what_the_public_reads(
    db: Connection,
) -> None:
    assert set(map(tuple, said(db, PROVINCE_A, "occurrences", 105).values())) == {(12, None, None)}
    assert said(db, PROVINCE_A, "occurrences", 106) == said(db, PUBLIC, "occurrences", 106)
    assert said(db, PROVINCE_A, "plots", 106) == said(db, PUBLIC, "plots", 106)
    assert said(db, PROVINCE_A, "plots", 105) == said(db, CENTRE, "plots", 105) == {"n": [None, None, None]}


def test_a_plot_without_an_uncertainty_of_its_own_is_as_uncertain_as_its_cell(db: Connection) -> None:
    metres, words, withheld = said(db, PUBLIC, "plots", 105)["n"]
    assert (metres, words) == (7606, cell(0.1))
    assert "observer" in str(withheld)


def test_the_words_of_a_source_about_a_sensitive_record_are_replaced(db: Connection) -> None:
    tell = "update gis.occurrence set data_generalizations = 'seen at 105.1', information_withheld = 'a nest'"
    db.execute(tell.encode())
    for who in (PUBLIC, PROVINCE_A):
        seen = said(db, who, "occurrences", 106)
        assert seen["0"] == [12, "seen at 105.1", "a nest"]
        assert not any("105.1" in str(seen[n]) or "a nest" in str(seen[n]) for n in "234")
    assert said(db, PROVINCE_A, "occurrences", 105)["2"] == [12, "seen at 105.1", "a nest"]


@pytest.mark.parametrize(
    ("own", "told"),
    [(None, 0), (0, 10), (10, 10), (10.1, 100), (999, 1000), (1e7, 1e7), (2e7, 1e8), ("NaN", 1e8)],
)
def test_an_uncertainty_is_told_in_steps_of_ten(db: Connection, own: object, told: float) -> None:
    assert db.execute("select gis.coarse_metres(%s::float8)", (own,)).fetchone() == (told,)


@pytest.mark.parametrize("latitude", [-89.95, -16.02, -0.01, 0.01, 16.02, 60.02, 89.95])
@pytest.mark.parametrize("n", [10, 100, 1000])
def test_the_circle_holds_the_whole_cell(db: Connection, latitude: float, n: int) -> None:
    """Every corner lies within the radius round the cell's centre, the farthest one by less than a metre."""
    south, west = math.floor(latitude * n) / n, math.floor(105.03 * n) / n
    corners = "values (%(w)s, %(s)s), (%(w)s + 1.0/%(n)s, %(s)s), (%(w)s, %(s)s + 1.0/%(n)s)"
    found = db.execute(
        f"select gis.half_diagonal(p, %(n)s), (select max(ST_Distance(gis.cell_centre(p, %(n)s)::geography,"
        f" ST_Point(x, y, 4326)::geography)) from ({corners}) c (x, y))"
        " from (select ST_Point(105.03, %(l)s, 4326)) q (p)".encode(),
        {"w": west, "s": south, "n": n, "l": latitude},
    ).fetchone()
    assert found is not None
    assert 0 <= found[0] - found[1] < 1 + 1e-6


@st.composite
def moves(draw: st.DrawFn) -> tuple[int, float, float, float]:
    """A category, a place within the cell as shares of it, and an uncertainty of the same step."""
    share = st.floats(0.001, 0.999)
    return draw(st.sampled_from((2, 3, 4))), draw(share), draw(share), draw(st.floats(10.5, 100))


@given(move=moves())
@example(move=(2, 0.999, 0.001, 100.0))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_another_place_in_the_cell_gives_the_same_bytes_to_the_public_and_the_neighbour(
    db: Connection, move: tuple[int, float, float, float]
) -> None:
    category, right, up, metres = move
    before = {who.name: features(db, who, LAYERS["occurrences"]) for who in (PUBLIC, PROVINCE_B, CENTRE)}
    n = round(1 / CELLS[category])
    with db.transaction(force_rollback=True):
        moved = db.execute(
            "update gis.occurrence set coordinate_uncertainty_in_meters = %(m)s, locality = 'moved',"
            " data_generalizations = 'moved', geom = ST_SetSRID(ST_MakePoint("
            "  (floor(ST_X(geom) * %(n)s) + %(x)s) / %(n)s,"
            " (floor(ST_Y(geom) * %(n)s) + %(y)s) / %(n)s), 4326)"
            " where taxon_id = 'taxon-' || %(c)s::int and 'A' = any(jurisdiction)",
            {"n": n, "x": right, "y": up, "m": metres, "c": category},
        )
        assert moved.rowcount == 1
        for who in (PUBLIC, PROVINCE_B):
            assert features(db, who, LAYERS["occurrences"]) == before[who.name], who.name
        assert features(db, CENTRE, LAYERS["occurrences"]) != before["centre"]


def test_counts_of_boxes_that_close_in_on_a_place_tell_its_cell_alone(db: Connection) -> None:
    """Bisection by counts, and by differences of counts of overlapping boxes, ends at the cell's centre."""
    layer = LAYERS["occurrences"]

    def counts() -> list[int]:
        edges = [BBox(106, 20, 106.0532345 + d, 21) for d in (-0.01, -0.001, -1e-5, 1e-5, 0.001, 0.01, 0.1)]
        return [run(db, select.count(view(PROVINCE_A, layer), ItemsQuery(bbox=box)))[0][0] for box in edges]

    before = counts()
    db.execute(
        "update gis.occurrence set geom = ST_Translate(geom, 0.03, 0.02)"
        " where taxon_id = 'taxon-2' and 'B' = any(jurisdiction)"
    )
    assert counts() == before


def test_a_filter_finds_what_is_shown(db: Connection) -> None:
    layer = LAYERS["occurrences"]
    for who, own in ((PUBLIC, 2), (PROVINCE_A, 6), (CENTRE, 10)):
        assert len(features(db, who, layer, equals=(("coordinateUncertaintyInMeters", 12.0),))) == own
        assert len(features(db, who, layer, equals=(("dataGeneralizations", cell(0.01)),))) == {
            2: 2,
            6: 1,
        }.get(own, 0)


def test_a_category_that_changes_changes_what_history_says_too(db: Connection) -> None:
    db.execute("update gis.occurrence set individual_count = 1")
    db.execute("update gis.sensitivity set category = 3 where taxon_id = 'taxon-2'")
    db.execute("set constraints all immediate")
    words = "select distinct generalizations_public from {} where taxon_id = 'taxon-2'"
    for table in ("gis.occurrence", "gis_history.occurrence"):
        assert db.execute(words.format(table).encode()).fetchall() == [(cell(0.01),)]


def test_what_derives_is_no_content(db: Connection) -> None:
    """A row written again as it stands keeps its revision."""
    for table in ("occurrence", "plot"):
        db.execute(f"update gis.{table} set geom = geom".encode())
        assert db.execute(f"select distinct rev from gis.{table}".encode()).fetchall() == [(1,)]


def test_masked_text_says_so_and_never_a_blank(db: Connection) -> None:
    found = [json.loads(text)["properties"] for _, text in features(db, PROVINCE_A, LAYERS["plots"])]
    assert [(p["name"], p["observer"]) for p in found] == [
        ("Plot A", "Observer A"),
        (rows.WITHHELD, rows.WITHHELD),
    ]


def test_what_a_layer_replaces_must_make_sense(root: Path) -> None:
    plots = LAYERS["plots"]
    public = plots.access.public
    assert public is not None

    def replacing(**replace: str) -> dict[str, Any]:
        access = {"public": {"hide": ["observer"], "replace": replace}}
        return {**plots.model_dump(by_alias=True), "access": access}

    assert Layer.model_validate(replacing(name="stratum")).columns() >= {"stratum", "name"}
    for wrong, words in (
        ({"nothing": "stratum"}, "no such property"),
        ({"observer": "stratum"}, "both hides and replaces"),
        ({"established": "closed"}, "the layer's time"),
        ({"name": "no column;"}, "no column name"),
    ):
        with pytest.raises(ValueError, match=words):
            Layer.model_validate(replacing(**wrong))
    with pytest.raises(ValueError, match=r"replace is for access\.public"):
        Layer.model_validate({**plots.model_dump(), "access": {"full": {"replace": {"name": "stratum"}}}})
