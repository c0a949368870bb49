"""`./gis explain-access` says what the view and both walls do, and never decides by itself."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gis_service.access import explain as explaining
from gis_service.access.explain import Explanation, Feature, explain
from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import load_catalog
from gis_service.cli.__main__ import main
from gis_service.db import select
from gis_service.db.query import Query
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from tests import sample
from tests.conftest import ROOT
from tests.sample import CENTRE, PRINCIPALS, PROVINCE_A

LAYERS = load_catalog(ROOT).layers
SAYS = ("coordinateUncertaintyInMeters", "dataGeneralizations", "informationWithheld")


@pytest.fixture(scope="module")
def db(database: str) -> Iterator[SyncDatabase]:
    sample.fill(database)
    with SyncDatabase(database) as opened:
        yield opened


@pytest.fixture(scope="module")
def gids(db: SyncDatabase) -> Mapping[str, str]:
    """Ids of occurrences by source id: A0 to B4."""
    return dict(db.run(Query("select source_id, gid::text from gis.occurrence")))


def feature(db: SyncDatabase, who: Principal, layer: str, feature_id: str) -> Feature:
    found = explain(db, who, LAYERS[layer], feature_id).feature
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("who", "row", "visible", "reasons", "position"),
    [
        (PUBLIC, "A0", True, ("open",), "exact"),
        (PUBLIC, "A2", True, ("open",), "coarse"),
        (PUBLIC, "A1", False, ("category",), None),
        (PROVINCE_A, "A1", True, ("own",), "exact"),
        (PROVINCE_A, "B1", False, ("not-own", "category"), None),
        (PROVINCE_A, "B3", True, ("open",), "coarse"),
        (CENTRE, "B1", True, ("all",), "exact"),
    ],
)
def test_a_record_is_seen_by_the_rule_that_opens_it(
    db: SyncDatabase, gids: Mapping[str, str], who: Principal, row: str, visible: bool,
    reasons: tuple[str, ...], position: str | None,
) -> None:  # fmt: skip
    found = feature(db, who, "occurrences", gids[row])
    assert (found.visible, found.reasons, found.position) == (visible, reasons, position)
    assert (found.category, found.jurisdictions, found.walls_agree) == (int(row[1]), (row[0],), True)


def test_what_is_read_otherwise_than_stored_is_named(db: SyncDatabase, gids: Mapping[str, str]) -> None:
    assert feature(db, PUBLIC, "occurrences", gids["A0"]).altered == ()
    assert feature(db, PUBLIC, "occurrences", gids["A2"]).altered == SAYS
    assert feature(db, PROVINCE_A, "occurrences", gids["A2"]).altered == ()
    masked = ("occurrenceID", "recordedBy", "locality")
    assert set(feature(db, PROVINCE_A, "occurrences", gids["B2"]).altered) == {*SAYS, *masked}
    assert set(feature(db, PROVINCE_A, "occurrences", gids["B0"]).altered) == set(masked)
    assert feature(db, CENTRE, "occurrences", gids["B2"]).altered == ()


def test_a_closed_licence_is_the_reason(db: SyncDatabase) -> None:
    assert feature(db, PUBLIC, "protected-areas", "closed-B").reasons == ("licence",)
    assert feature(db, PROVINCE_A, "protected-areas", "closed-B").reasons == ("not-own", "licence")
    assert feature(db, PROVINCE_A, "protected-areas", "closed-A").reasons == ("own",)


def test_a_row_that_isn_t_there_or_of_another_layer_is_told_apart(db: SyncDatabase) -> None:
    assert feature(db, CENTRE, "provinces", "nobody").reasons == ("absent",)
    assert feature(db, CENTRE, "communes", "province-A").reasons == ("other-layer",)
    assert not feature(db, CENTRE, "communes", "province-A").visible
    for wrong in ("x", "-1", "1.5", str(2**63), "١"):
        with pytest.raises(NotFound):
            feature(db, CENTRE, "plots", wrong)


def test_a_layer_that_the_class_doesn_t_know_is_closed(db: SyncDatabase) -> None:
    layer = LAYERS["plots"]
    closed = layer.model_copy(update={"access": layer.access.model_copy(update={"public": None})})
    found = explain(db, PUBLIC, closed, "1")
    assert found.seen is None
    assert found.feature == Feature("1", visible=False, reasons=("closed-layer",))
    plot = str(sample.scalar(db, "select gid from gis.plot where source_id = 'B'"))
    theirs = explain(db, PROVINCE_A, closed, plot).feature
    assert theirs is not None
    assert theirs.reasons == ("not-own", "no-public")


@pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.name)
@pytest.mark.parametrize("name", sorted(LAYERS))
def test_the_explanation_agrees_with_what_is_given(db: SyncDatabase, who: Principal, name: str) -> None:
    """Of every row of every layer, and of every property."""
    layer = LAYERS[name]
    seen = view(who, layer)
    given = {
        json.loads(text)["id"]: set(json.loads(text)["properties"])
        for _, text in db.run(select.items(seen, ItemsQuery(limit=1000)))
    }
    whole = explain(db, who, layer).seen
    assert whole is not None
    columns = whole.columns
    read = {*columns.shown, *columns.replaced, *columns.masked}
    assert (read | set(columns.hidden), read & set(columns.hidden)) == (set(layer.properties), set())
    assert all(properties == read for properties in given.values())
    for (known,) in db.run(Query(f"select {layer.id_column} from {layer.table}")):
        found = feature(db, who, name, str(known))
        assert (found.visible, found.walls_agree) == (known in given, True), known


def test_walls_that_disagree_are_told(fresh_database: str) -> None:
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as database:
        hidden = str(sample.scalar(database, "select gid from gis.occurrence where source_id = 'A0'"))
        assert feature(database, PUBLIC, "occurrences", hidden).walls_agree
        database.apply(["drop policy gis_public_reads on gis.occurrence"])
        assert not feature(database, PUBLIC, "occurrences", hidden).walls_agree


def test_a_class_is_named_by_its_words(db: SyncDatabase) -> None:
    assert explaining.who(db, "public") == PUBLIC
    assert explaining.who(db, "full").policy_class == "full"
    assert explaining.who(db, "jurisdiction:B,A").policy_class == "jurisdiction:A,B"
    for nobody in ("nobody", "jurisdiction:", ""):
        with pytest.raises(NotFound):
            explaining.who(db, nobody)


def test_a_class_that_nobody_is_of_has_no_role_and_reads_nothing(db: SyncDatabase) -> None:
    stranger = Principal("jurisdiction:NOWHERE", "jurisdiction", ("NOWHERE",))
    found: Explanation = explain(db, stranger, LAYERS["plots"])
    assert found.seen is not None
    assert not found.seen.role_exists
    with pytest.raises(NotFound, match="gis_j_nowhere"):
        explain(db, stranger, LAYERS["plots"], "1")


@pytest.fixture
def command(db: SyncDatabase, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works on this module's database and speaks English."""
    for name in [name for name in os.environ if name.startswith("GIS_")]:
        monkeypatch.delenv(name)
    for name, value in (("GIS_DATABASE_URL", database), ("GIS_ROOT", str(ROOT)), ("GIS_LANG", "en")):
        monkeypatch.setenv(name, value)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["explain-access", *words]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("command")
def test_the_command_speaks_in_sentences(gids: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "--as", "jurisdiction:A", "--layer", "occurrences", "--feature", gids["B3"])
    assert "policy class jurisdiction:A." in text
    assert "database role gis_j_a" in text
    assert "of these, none of sensitivity category 1" in text
    assert "exact in its own rows, from column geom" in text
    assert f"Feature {gids['B3']}: visible." in text
    assert "the centre of a grid cell (sensitivity category 3)" in text
    assert not any(secret in text for secret in ("Recorder B", "Hollow", "SECRET", "106.05"))


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("who", ["public", "full", "jurisdiction:A"])
def test_the_command_speaks_vietnamese_of_every_class(
    who: str, gids: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIS_LANG", "vi")
    for layer, known in (
        ("occurrences", gids["B1"]),
        ("protected-areas", "closed-B"),
        ("provinces", "nobody"),
    ):
        text = said(capsys, "--as", who, "--layer", layer, "--feature", known)
        assert f"Đối tượng {known}" in text
        assert "explain." not in text


@pytest.mark.usefixtures("command")
def test_the_command_gives_json(gids: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    told = ["--as", "public", "--layer", "occurrences", "--feature", gids["A2"], "--json"]
    document: dict[str, Any] = json.loads(said(capsys, *told))
    assert document["who"]["policy_class"] == "public"
    assert document["seen"]["columns"]["hidden"] == ["occurrenceID", "recordedBy", "locality"]
    assert document["seen"]["columns"]["replaced"]["dataGeneralizations"] == "generalizations_public"
    assert (document["feature"]["position"], document["feature"]["reasons"]) == ("coarse", ["open"])


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--as", "public", "--layer", "nothing"], "There is no layer"),
        (["--as", "nobody", "--layer", "plots"], "nobody"),
        (["--as", "public", "--layer", "plots", "--feature", "x"], "feature 'x'"),
    ],
)
def test_the_command_refuses_what_isn_t_there(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain-access", *words]) == 2
    assert told in capsys.readouterr().err
