"""The checks know the values that the tables allow, neither more nor less."""

import re

import pytest

from gis_service.checks import vocabulary
from tests.db.loads import LAYERS, ask

COLUMNS = [
    (layer, column)
    for layer, columns in vocabulary.ALLOWED.items()
    for column, values in columns.items()
    if not values[0].isdigit()
]


@pytest.mark.parametrize(("layer", "column"), COLUMNS)
def test_allowed_values_are_those_of_the_table(database: str, layer: str, column: str) -> None:
    table = LAYERS[layer].table
    sql = "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and conname = %s"
    ((definition,),) = ask(database, sql, table, f"{table.split('.')[1]}_{column}_check")
    assert set(re.findall(r"'([^']+)'::text", definition)) == set(vocabulary.ALLOWED[layer][column])


@pytest.mark.parametrize("layer", sorted(vocabulary.NUMBERS.keys() & LAYERS.keys()))
def test_numbers_and_dates_are_columns_of_those_types(database: str, layer: str) -> None:
    sql = "select attname::text, atttypid::regtype::text from pg_attribute where attrelid = %s::regclass"
    types: dict[str, str] = dict(ask(database, sql, LAYERS[layer].table))
    numbers = {types[column] for column in vocabulary.NUMBERS[layer]}
    assert numbers <= {"integer", "bigint", "smallint", "double precision", "real"}
    dates = {types[column] for column in vocabulary.DATES.get(layer, ())}
    assert dates <= {"date", "timestamp with time zone"}
    assert set(vocabulary.REQUIRED.get(layer, ())) <= types.keys()
