"""The keys that come with the demo: made once, and for nobody who brings data of one's own."""

import dataclasses
import json
from pathlib import Path

import pytest

from gis_service.access import keystore
from gis_service.bootstrap.steps import Steps
from gis_service.cli.command import Context
from gis_service.cli.demo_keys import make_keys
from gis_service.cli.prepare import prepare
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings
from tests import sample


@pytest.fixture(scope="module")
def filled(database: str) -> str:
    """The sample, loaded by its owner."""
    sample.fill(database)
    load = """
        insert into gis.load (dataset_id, version, checksum, file_name, release)
        select dataset_id, '1', repeat('0', 64), 'a.gpkg', 1 from gis.dataset limit 1 returning 1
    """
    with SyncDatabase(database) as db:
        db.run(Query(load, ()))
    return database


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """The settings with a data folder of the test's own."""
    return dataclasses.replace(settings, data_dir=tmp_path)


def test_the_demo_s_keys_open_what_they_are_for_and_are_readable_by_their_owner_alone(
    filled: str, own: Settings
) -> None:
    path = make_keys(own, filled)
    with SyncDatabase(filled) as db:
        listed = {each.principal.name: each.principal.tier for each in keystore.listed(db)}
    assert {"province", "centre"} == json.loads(path.read_text()).keys()
    assert (listed["province"], listed["centre"]) == ("jurisdiction", "full")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("demo", [False, True])
def test_who_has_data_of_one_s_own_gets_no_key_at_a_start(filled: str, own: Settings, demo: bool) -> None:
    """A key with the sight of the centre that nobody asked for would be found by whoever reads the folder."""
    with SyncDatabase(filled) as db:
        before = len(keystore.listed(db))
    prepare(Context(own, "en"), filled, Steps(), demo=demo)
    with SyncDatabase(filled) as db:
        assert len(keystore.listed(db)) == before
    assert not (own.data_dir / "keys.json").exists()
