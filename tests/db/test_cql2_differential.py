"""Random filters, answered twice over the same rows: by our SQL in PostGIS, by GeoPandas and Shapely."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import geopandas as gpd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gis_service.catalog.view import ViewedLayer
from gis_service.db.sync import SyncDatabase
from tests import trial
from tests.filters import model, rows, writing
from tests.filters.sentences import FAMILIES, conditions

# The same sentences in every run; no database of examples, so nothing is left behind. No time is asserted.
PROFILE = settings(
    max_examples=100, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate, Phase.shrink),
)  # fmt: skip
Tables = Mapping[str, tuple[ViewedLayer, gpd.GeoDataFrame]]
SENTENCES = {
    **{family: conditions(rows.words(), family) for family in FAMILIES},
    "all": conditions(rows.words()),
}


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    with SyncDatabase(database) as connection:
        rows.fill(connection)
        yield connection


@pytest.fixture(scope="module")
def tables() -> Tables:
    return {table: (rows.viewed(table), rows.frame(table)) for table in rows.GEOMETRIES}


@pytest.mark.parametrize("family", [*FAMILIES, "all"])
@PROFILE
@given(data=st.data())
def test_any_filter_finds_what_geopandas_finds(
    db: SyncDatabase, tables: Tables, family: str, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(list(rows.GEOMETRIES)))
    sentence = data.draw(SENTENCES[family])
    viewed, frame = tables[table]
    written = {"cql2-json": json.dumps(sentence)}
    if writing.has_a_text(sentence):
        written["cql2-text"] = writing.text(sentence)
    expected = model.matching(frame, sentence)
    for lang, text in written.items():
        found = [int(row[0]) for row in db.run(trial.query(viewed, text, lang))]
        assert found == expected, (table, text)
