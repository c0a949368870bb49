"""Tokens of other pages: what they hold comes back as it was, for the same query and key alone."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC
from gis_service.catalog.layer import ClassView, Property, PropertyType, Text
from gis_service.db.feature_text import Form
from gis_service.db.paging import Cursor, SortKey
from gis_service.db.select import ItemsQuery
from gis_service.errors import InvalidParameter
from gis_service.features import token
from gis_service.geo.bbox import BBox
from tests.unit.test_policy import plots

KEY = b"k" * 32
TITLE = Text(en="x", vi="x")
KINDS: tuple[PropertyType, ...] = ("text", "integer", "number", "boolean", "date", "timestamp")
LAYER = plots(public=ClassView()).model_copy(
    update={"properties": {kind: Property(title=TITLE, type=kind) for kind in KINDS}}
)
SEEN = view(PUBLIC, LAYER)
QUERY = ItemsQuery(
    bbox=BBox(105, 20, 106, 21),
    equals=(("text", "x"),),
    sort=tuple(SortKey(kind) for kind in KINDS),
)
VALUES = (
    "Tràm 'Chim'",
    2**62,
    Decimal("0.1"),
    True,
    "0044-03-15 BC",
    "infinity",
)


def test_a_token_gives_back_the_row_that_it_was_made_of() -> None:
    bound = token.binding(SEEN, QUERY)
    for values in (VALUES, (None,) * 6):
        for cursor in (Cursor(values, 2**62), Cursor(values, -5, backwards=True)):
            assert token.unseal(token.seal(cursor, bound, KEY), SEEN, QUERY, bound, KEY) == cursor


def test_a_float_comes_back_to_the_last_bit() -> None:
    query = ItemsQuery(sort=(SortKey("number"),))
    bound = token.binding(SEEN, query)
    opened = token.unseal(token.seal(Cursor((0.1 + 0.2,), 1), bound, KEY), SEEN, query, bound, KEY)
    assert float(str(opened.values[0])) == 0.1 + 0.2


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, bbox=None),
        replace(QUERY, equals=(("text", "y"),)),
        replace(QUERY, sort=QUERY.sort[::-1]),
    ],
)
def test_a_token_of_another_query_is_refused(other: ItemsQuery) -> None:
    sealed = token.seal(Cursor(VALUES, 1), token.binding(SEEN, QUERY), KEY)
    with pytest.raises(InvalidParameter, match="another query"):
        token.unseal(sealed, SEEN, other, token.binding(SEEN, other), KEY)


def test_a_token_holds_for_any_page_size_and_detail_but_for_one_release_and_class() -> None:
    bound = token.binding(SEEN, QUERY)
    assert token.binding(SEEN, replace(QUERY, limit=99)) == bound
    assert token.binding(SEEN, replace(QUERY, form=Form(properties=("text",), zoom_level=9))) == bound
    assert token.binding(SEEN.at_release(1), QUERY) != bound


@pytest.mark.parametrize("text", ["", "x", "é", "AAAA", "a" * 9000, "%%%"])
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="next link"):
        token.unseal(text, SEEN, QUERY, token.binding(SEEN, QUERY), KEY)


def test_a_changed_or_foreign_seal_is_refused() -> None:
    bound = token.binding(SEEN, QUERY)
    sealed = token.seal(Cursor(VALUES, 1), bound, KEY)
    changed = sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]
    for text, key in ((changed, KEY), (sealed, b"other" * 7)):
        with pytest.raises(InvalidParameter):
            token.unseal(text, SEEN, QUERY, bound, key)
