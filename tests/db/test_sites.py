"""Boards of protected areas: they see their area and its buffer as a province sees its own rows.

The sample's open area A is the square 105.4-105.6 E, 20.4-20.6 N in province A; plot A stands in it at
(105.4321, 20.5321).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pytest

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import load_catalog
from gis_service.db import rows, select
from gis_service.db.query import Binds, Query, literal
from gis_service.db.select import ItemsQuery
from gis_service.db.sync import SyncDatabase
from gis_service.errors import RuleBroken
from gis_service.exchange.request import DatasetInfo
from tests import sample
from tests.conftest import ROOT
from tests.db.loads import put
from tests.sample import PROVINCE_A, scalar

LAYERS = load_catalog(ROOT).layers
AREA = "open-A"
METRE = 1 / 104_400  # degrees of longitude at 20.5 N: cos(20.5°) × 111,320 m


@pytest.fixture
def db(fresh_database: str) -> Iterator[SyncDatabase]:
    """The sample with a board of area A."""
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as opened:
        organisations.create(
            opened, Organisation("ba-vi", "Ban quản lý", None, "site", None, (), areas=(AREA,))
        )
        accounts.create(opened, NewAccount("board"))
        accounts.grant(opened, "board", "ba-vi", "editor")
        yield opened


def board(db: SyncDatabase) -> Principal:
    return keystore.principal_named(db, "board")


def features(db: SyncDatabase, layer: str, who: Principal) -> dict[str, Any]:
    """What somebody reads of a layer, by feature id, as his database role reads it."""
    read = db.run(select.items(view(who, LAYERS[layer]), ItemsQuery(limit=100)))
    return {str(feature["id"]): feature for feature in (json.loads(text) for _, text in read)}


def occurrence(db: SyncDatabase, name: str, x: float, y: float = 20.5) -> None:
    """A record of a species of category 2, which the public sees on a grid of 0.1 degree."""
    sql = (
        "insert into gis.occurrence (source_id, dataset_id, scientific_name, taxon_id, recorded_by, geom)"
        " select $1, dataset_id, 'Speciosus category2', 'taxon-2', $1, ST_Point($2, $3, 4326)"
        " from gis.dataset where slug = 'open' returning gid"
    )
    db.run(Query(sql, (name, x, y)))


def exact(db: SyncDatabase, who: Principal) -> set[str]:
    """The records of the tests that somebody sees whole: of others the recorder isn't told."""
    told = {each["properties"]["recordedBy"] for each in features(db, "occurrences", who).values()}
    return told & {row[0] for row in db.run(Query("select source_id from gis.occurrence"))}


def changed_since(db: SyncDatabase, sql: str, *values: object) -> set[str]:
    """Which occurrences a statement wrote."""
    state = "select source_id, xmin::text, ctid::text from gis.occurrence"
    before = set(db.run(Query(state)))
    db.run(Query(sql, values))
    return {row[0] for row in set(db.run(Query(state))) - before}


def test_a_board_sees_its_area_whole_and_the_rest_as_the_public_does(db: SyncDatabase) -> None:
    occurrence(db, "inside", 105.5)
    occurrence(db, "outside", 105.7)
    assert board(db).policy_class == "jurisdiction:ba-vi"
    assert exact(db, board(db)) == {"inside"}
    assert {"inside", "outside"} <= exact(db, PROVINCE_A)
    places = features(db, "plots", board(db))
    assert sorted(each["geometry"]["coordinates"] for each in places.values()) == [
        [105.4321, 20.5321],  # its own, exactly
        [106.45, 20.55],  # the neighbour's, in its cell
    ]


def test_rows_of_a_closed_dataset_and_of_category_1_are_seen_in_the_area_alone(db: SyncDatabase) -> None:
    """The range of category 1 covers both provinces and so meets the area; closed-A lies north of it."""
    assert "range-1" in features(db, "species-ranges", board(db))
    assert set(features(db, "protected-areas", board(db))) == {"open-A", "open-B"}
    organisations.set_areas(db, "ba-vi", [AREA, "closed-A"])
    assert set(features(db, "protected-areas", board(db))) == {"open-A", "open-B", "closed-A"}
    organisations.set_areas(db, "ba-vi", [])
    assert set(features(db, "protected-areas", board(db))) == {"open-A", "open-B"}
    assert "range-1" not in features(db, "species-ranges", board(db))


def test_a_buffer_is_so_many_metres_wide(db: SyncDatabase) -> None:
    edge = 105.6
    for metres in (950, 1050):
        occurrence(db, f"{metres}", edge + metres * METRE)
    assert exact(db, board(db)) == set()
    organisations.set_buffer(db, "ba-vi", 1000)
    assert exact(db, board(db)) == {"950"}
    occurrence(db, "later", edge + 940 * METRE)
    assert exact(db, board(db)) == {"950", "later"}
    organisations.set_buffer(db, "ba-vi", 0)
    assert exact(db, board(db)) == set()


def test_a_buffer_round_an_area_at_the_antimeridian_stays_there(db: SyncDatabase) -> None:
    box = "ST_Multi(ST_MakeEnvelope(179.9, 20, 180, 20.1, 4326))"
    widths = db.run(
        Query(
            "select ST_XMin(d.geom), ST_XMax(d.geom), ST_IsValid(d.geom)"
            f" from ST_Dump(gis.buffered({box}, 2000)) d order by 1"
        )
    )
    (west, east, _), (start, end, _) = widths
    assert (west, end) == (-180, 180)
    # 2 km are 0.0191 degrees at 20 N
    assert east == pytest.approx(-179.9809, abs=2e-4)
    assert start == pytest.approx(179.8809, abs=2e-4)
    assert all(valid for *_, valid in widths)


def test_rows_and_their_history_follow_the_boundary_at_once_and_no_others_are_written(
    db: SyncDatabase,
) -> None:
    for name, x in (("stays", 105.45), ("leaves", 105.55), ("joins", 105.65), ("far", 106.9)):
        occurrence(db, name, x)
    db.run(Query("update gis.occurrence set locality = 'ridge' where source_id = 'joins' returning gid"))
    moved = "ST_Multi(ST_MakeEnvelope(105.4, 20.4, 105.5, 20.6, 4326))"
    wider = "ST_Multi(ST_MakeEnvelope(105.4, 20.4, 105.7, 20.6, 4326))"
    sql = "update gis.protected_area set geom = {} where public_id = 'open-A' returning gid"
    epoch = scalar(db, "select epoch from gis.policy_epoch")
    assert changed_since(db, sql.format(moved)) == {"leaves"}
    assert exact(db, board(db)) == {"stays"}
    assert scalar(db, "select epoch from gis.policy_epoch") != epoch
    assert changed_since(db, sql.format(wider)) == {"leaves", "joins"}
    assert exact(db, board(db)) == {"stays", "leaves", "joins"}
    past = "select array_agg(distinct jurisdiction) from gis_history.occurrence where source_id = 'joins'"
    assert scalar(db, past) == [["A", "ba-vi"]]
    assert scalar(db, "select count(*) from gis.stale_site") == 0


def test_jurisdictions_are_those_that_a_whole_look_finds(db: SyncDatabase) -> None:
    """What followed step by step is what a row gets that is written now."""
    organisations.set_buffer(db, "ba-vi", 5000)
    other = Organisation("Xuan_Son", "Ban", None, "site", None, (), areas=("open-A", "open-B"), buffer_m=20)
    organisations.create(db, other)
    organisations.set_buffer(db, "ba-vi", 100)
    for table in ("occurrence", "plot", "protected_area", "species_range", "admin_unit"):
        assert scalar(db, f"select gis.refresh_jurisdictions('{table}')") == 0
    ranges = scalar(db, "select array_agg(distinct jurisdiction) from gis.species_range")
    assert ranges == [["A", "B", "Xuan_Son", "ba-vi"]]


def test_an_area_that_is_withdrawn_and_returns_opens_again(db: SyncDatabase) -> None:
    occurrence(db, "inside", 105.5)
    keep = "create table kept as select * from gis.protected_area where public_id = 'open-A'"
    db.apply([keep, "delete from gis.protected_area where public_id = 'open-A'"])
    assert exact(db, board(db)) == set()
    back = (
        "insert into gis.protected_area (source_id, dataset_id, public_id, name, geom)"
        " select source_id, dataset_id, public_id, name, geom from kept"
    )
    db.apply([back])
    assert exact(db, board(db)) == {"inside"}


def test_a_sensitivity_that_holds_for_the_site_alone_follows_its_boundary(db: SyncDatabase) -> None:
    occurrence(db, "inside", 105.5)
    db.apply(["update gis.occurrence set locality = 'ridge' where source_id = 'inside'"])
    listed = (
        "insert into gis.sensitivity (taxon_id, jurisdiction, category, reason, review_date)"
        " values ('taxon-2', 'ba-vi', 1, 'collecting', '2030-01-01')"
    )
    db.apply([listed])
    state = (
        "select array_agg(sensitivity order by sensitivity) from (select sensitivity from gis.occurrence"
        " where source_id = 'inside' union all select sensitivity from gis_history.occurrence"
        " where source_id = 'inside') s"
    )
    assert scalar(db, state) == [1, 1]
    organisations.set_areas(db, "ba-vi", ["open-B"])
    assert scalar(db, state) == [2, 2]


def test_a_site_takes_no_code_of_a_province_or_of_another_site(db: SyncDatabase) -> None:
    for code in ("A", "a", "ba_vi", "BA-VI"):
        with pytest.raises(RuleBroken) as refused:
            organisations.create(db, Organisation(code, "Ban", None, "site"))
        assert refused.value.values["constraint"] == "site_code"


def test_neither_a_province_nor_a_department_takes_the_code_of_a_site(db: SyncDatabase) -> None:
    with pytest.raises(RuleBroken, match="code of a site"):
        db.run(Query("update gis.admin_unit set code = 'Ba-Vi' where code = 'B' returning gid"))
    with pytest.raises(RuleBroken):
        organisations.create(db, Organisation("dept", "Sở", None, "province", None, ("ba-vi",)))


def test_what_a_board_may_not_be_given_is_refused_by_its_name(db: SyncDatabase) -> None:
    partner = Organisation("ngo", "Viện", None, "partner", None, ())
    for new, rule in (
        (Organisation("odd", "Ban", None, "site", areas=("nowhere",)), "unknown_area"),
        (Organisation("odd", "Ban", None, "site", buffer_m=50_001), "organisation_buffer_check"),
        (Organisation("odd", "Ban", None, "site", buffer_m=-1), "organisation_buffer_check"),
        (Organisation("odd", "Ban", None, "site", buffer_m=float("nan")), "organisation_buffer_check"),
        (Organisation("odd", "Viện", None, "partner", buffer_m=1), "organisation_buffer_check"),
        (Organisation("odd", "Viện", None, "partner", areas=(AREA,)), "organisation_area_check"),
    ):
        with pytest.raises(RuleBroken) as refused:
            organisations.create(db, new)
        assert refused.value.values["constraint"] == rule
    organisations.create(db, partner)  # and nothing of the refused ones was left
    codes = [each.code for each in organisations.listed(db)]
    assert codes == ["ba-vi", "ngo"]


def test_a_real_park_s_board_sees_the_closed_areas_round_it(fresh_database: str, shared_data: Path) -> None:
    """925 areas of British Columbia as a closed dataset; distances in an azimuthal plane round the park."""
    closed = DatasetInfo("bc", licence="restricted", citation="BC, 2026", redistribution=False)
    file = shared_data / "bc-protected-areas" / "bc_protected_areas.parquet"
    put(fresh_database, file, dataset=closed, id_field="record_file")
    frame = geopandas.read_parquet(file).set_index("record_file").geometry
    park = frame.count_coordinates().idxmax()
    metres = frame.to_crs(f"+proj=aeqd +lat_0={frame[park].centroid.y} +lon_0={frame[park].centroid.x}")
    near = metres[metres.envelope.distance(metres[park].envelope) < 60_000]
    distance = near.distance(metres[park])
    with SyncDatabase(fresh_database) as database:
        public_id = scalar(
            database, f"select public_id from gis.protected_area where source_id = {literal(park)}"
        )
        new = Organisation("park", "Board", None, "site", areas=(str(public_id),), buffer_m=50_000)
        organisations.create(database, new)
        accounts.create(database, NewAccount("board"))
        accounts.grant(database, "board", "park", "reader")
        assert seen_areas(database, PUBLIC) == set()
        seen = seen_areas(database, board(database))
    # A buffer's circles have 32 corners, which lie up to 0.5 % inside.
    assert set(distance.index[distance < 49_700]) <= seen <= set(distance.index[distance < 50_100])
    assert 10 < len(seen) < len(near)


def seen_areas(database: SyncDatabase, who: Principal) -> set[str]:
    """The source ids that rows.visible gives, asked as the class's own role."""
    seen = view(who, LAYERS["protected-areas"])
    binds = Binds()
    where = " and ".join(rows.visible(seen, binds))
    ids = database.run(
        Query(f"select gid from {rows.relation(seen, binds)} where {where}", tuple(binds.values), seen.role)
    )
    names: dict[int, str] = dict(database.run(Query("select gid, source_id from gis.protected_area")))
    return {names[gid] for (gid,) in ids}
