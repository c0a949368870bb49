"""`./gis check` names what the keepers of the list of sensitive taxa must look at."""

from pathlib import Path

import pytest

from gis_service.access import sensitive
from gis_service.access.check import check
from gis_service.catalog.registry import load_catalog
from gis_service.db.sync import SyncDatabase
from tests import sample

ADD = "insert into gis.sensitivity (taxon_id, jurisdiction, category, reason, authority, review_date) "


def test_the_check_tells_which_reviews_are_overdue_and_what_has_no_authority(
    fresh_database: str, root: Path
) -> None:
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as database:
        assert told(root, database) == []
        database.apply(
            [
                "update gis.sensitivity set review_date = '2020-02-01' where taxon_id = 'taxon-2'",
                "update gis.sensitivity set review_date = current_date, authority = null where category = 3",
                ADD + "values ('taxon-0', 'A', 4, 'nests', 'the board', '2019-12-31')",
            ]
        )
        left, stays = "gis.sensitivity: category", "it stays in force"
        assert told(root, database) == [
            f"{left} 4 of Speciosus category0 in A was to be reviewed by the board by 2019-12-31; {stays}",
            f"{left} 2 of Speciosus category2 was to be reviewed by sample by 2020-02-01; {stays}",
            "gis.sensitivity: 1 entries name no authority",
        ]
        category = "select min(sensitivity) from gis.occurrence where taxon_id = 'taxon-2'"
        assert sample.scalar(database, category) == 2


def told(root: Path, database: SyncDatabase) -> list[str]:
    """The notes that concern the list."""
    return [note for note in check(root, database).notes if "sensitivity" in note]


def test_a_list_that_nobody_looks_after_is_summed_up(fresh_database: str) -> None:
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as database:
        many = "select 'taxon-0', 'X' || i, 4, 'x', 'x', '2020-01-01' from generate_series(1, 23) i"
        database.apply([ADD + many])
        notes = list(sensitive.notes(database))
    assert (len(notes), notes[-1]) == (21, "gis.sensitivity: 3 more reviews are overdue")


def test_a_layer_that_tells_too_much_of_sensitive_rows_is_named(root: Path) -> None:
    layer = load_catalog(root).layers["occurrences"]
    assert list(sensitive.telling(layer)) == []
    public = layer.access.public
    assert public is not None
    open_words = public.model_copy(update={"hide": ("recordedBy",)})
    changed = layer.model_copy(update={"access": layer.access.model_copy(update={"public": open_words})})
    assert [note.split()[4] for note in sensitive.telling(changed)] == ["occurrenceID", "locality"]


@pytest.mark.parametrize("layer", ["provinces", "species-ranges", "plots"])
def test_layers_that_hide_no_place_or_every_place_may_name_it(root: Path, layer: str) -> None:
    assert list(sensitive.telling(load_catalog(root).layers[layer])) == []
