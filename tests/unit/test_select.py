"""Statements as values: what stands in the text, and what never does."""

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import ClassView
from gis_service.db import select, tilesql
from gis_service.db.select import ItemsQuery
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile
from tests.unit.test_policy import COARSE, plots

LAYER = plots(public=COARSE, jurisdiction=ClassView())
PROVINCE = Principal("province", "jurisdiction", ("VN-02",))


def test_values_are_bound_and_never_pasted() -> None:
    query = select.items(view(PUBLIC, LAYER), ItemsQuery(equals=(("stratum", "'; drop table x --"),)))
    assert "drop" not in query.sql
    assert "'; drop table x --" in query.params


def test_the_public_statement_names_neither_hidden_column_nor_exact_place() -> None:
    for query in (
        select.items(view(PUBLIC, LAYER), ItemsQuery(bbox=BBox(0, 0, 1, 1))),
        select.extent(view(PUBLIC, LAYER)),
        tilesql.compose([view(PUBLIC, LAYER)], 3).at(Tile(3, 1, 1)),
        select.items(view(PUBLIC, LAYER).at_release(3), ItemsQuery()),
    ):
        assert "observer" not in query.sql
        assert '"geom"' not in query.sql
        assert query.role == "gis_public"


def test_a_box_is_always_asked_of_the_bare_column_so_that_the_index_answers() -> None:
    query = select.items(view(PUBLIC, LAYER), ItemsQuery(bbox=BBox(0, 0, 1, 1)))
    assert 't."geom_public" && ST_MakeEnvelope(' in query.sql


def test_a_masked_property_matches_only_in_the_caller_s_own_rows() -> None:
    query = select.items(view(PROVINCE, LAYER), ItemsQuery(equals=(("observer", "An"),)))
    assert """(t.jurisdiction && array['VN-02']::text[] and t."observer" = """ in query.sql


def test_a_box_across_the_antimeridian_asks_for_both_halves() -> None:
    query = select.items(view(PUBLIC, LAYER), ItemsQuery(bbox=BBox(170, -5, -170, 5)))
    assert query.sql.count("&&") == 2
    assert {170.0, 180.0, -180.0, -170.0} <= {p for p in query.params if isinstance(p, float)}


def test_the_tile_statement_is_the_same_for_every_tile() -> None:
    statement = tilesql.compose([view(PUBLIC, LAYER)], 5)
    assert statement.at(Tile(3, 1, 1)).sql == statement.at(Tile(9, 300, 200)).sql


def test_the_hidden_place_answers_no_box_outside_the_caller_s_own_rows() -> None:
    query = select.items(view(PROVINCE, LAYER), ItemsQuery(bbox=BBox(0, 0, 1, 1)))
    inside, outside = query.sql.split(" where ")[1].split(" else ")
    assert inside.endswith("4326))")
    assert """case when t.jurisdiction && array['VN-02']::text[] then t."geom" &&""" in inside
    assert outside.startswith('t."geom_public" &&')
    assert '"geom"' not in outside


def test_the_codes_of_jurisdictions_are_quoted() -> None:
    odd = Principal("odd", "jurisdiction", ("a'b", "c\\"))
    assert "t.jurisdiction && array['a''b',  E'c\\\\']::text[]" in select.item(view(odd, LAYER), 1).sql


def test_rows_of_others_are_written_without_what_they_hide() -> None:
    text = select.item(view(PROVINCE, LAYER), 1).sql.split(' from "gis"')[0]
    own, others = text.removeprefix('select t."gid", case when ').split(" else ", 1)
    assert 't."observer"' in own
    assert 't."observer"' not in others
    assert '"geom"' not in others
    assert '"observer":"Withheld from other jurisdictions"' in others


def test_points_too_are_held_to_the_box_in_double_precision() -> None:
    query = select.items(view(PUBLIC, LAYER), ItemsQuery(bbox=BBox(0, 0, 1, 1)))
    assert 'ST_Intersects(t."geom_public", ' in query.sql
