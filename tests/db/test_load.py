"""A load merges its rows into the data set: inserts, supersedes, withdraws, sets aside, all or nothing."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis_service.errors import DatabaseDown, DataRefused
from gis_service.exchange.datasets import allows_redistribution
from gis_service.exchange.request import DatasetInfo
from tests.db.loads import DATASET, ask, names, one, parks, put, square

BOWTIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def test_a_first_load_inserts_all_and_says_where_it_comes_from(fresh_database: str) -> None:
    result = put(fresh_database, parks({"a": square(0), "b": square(2)}))
    assert (result.counts.read, result.counts.inserted, result.release) == (2, 2, 1)
    assert names(fresh_database) == [("a", "Park a"), ("b", "Park b")]
    assert ask(
        fresh_database, "select slug, title, licence, redistribution, citation, basis from gis.dataset"
    ) == [("parks", "Parks", "CC-BY-4.0", True, "Parks, 2026", "published")]
    assert ask(fresh_database, "select layer, version, checksum, inserted, release from gis.load") == [
        ("protected-areas", "1", result.checksum, 2, 1)
    ]


def test_a_second_load_supersedes_inserts_and_withdraws_and_keeps_the_ids(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0), "b": square(2), "c": square(4)}))
    before = dict(ask(fresh_database, "select source_id, gid from gis.protected_area"))
    result = put(fresh_database, parks({"a": square(0), "b": square(2.5), "d": square(6)}))
    counts = result.counts
    assert (counts.unchanged, counts.superseded, counts.inserted, counts.withdrawn) == (1, 1, 1, 1)
    rows = ask(fresh_database, "select source_id, gid, rev, release_from from gis.protected_area order by 1")
    assert [(row[0], row[2], row[3]) for row in rows] == [("a", 1, 1), ("b", 2, 2), ("d", 1, 2)]
    assert {row[0]: row[1] for row in rows} | before == {**before, "d": rows[2][1]}


def test_the_past_release_reads_as_it_was(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0), "b": square(2)}))
    put(fresh_database, parks({"a": square(0.5)}))
    assert names(fresh_database, "gis.protected_area_as_of(1)") == [("a", "Park a"), ("b", "Park b")]
    assert names(fresh_database, "gis.protected_area_as_of(2)") == [("a", "Park a")]
    assert (
        one(fresh_database, "select st_xmin(geom) from gis.protected_area_as_of(1) where source_id = 'a'")
        == 0
    )


def test_a_row_that_returns_gets_its_id_back(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0), "b": square(2)}))
    gid = one(fresh_database, "select gid from gis.protected_area where source_id = 'b'")
    put(fresh_database, parks({"a": square(0)}))
    put(fresh_database, parks({"a": square(0), "b": square(3)}))
    assert ask(fresh_database, "select gid, rev from gis.protected_area where source_id = 'b'") == [(gid, 2)]


def test_the_same_file_again_is_no_new_release(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0)}))
    again = put(fresh_database, parks({"a": square(0)}))
    assert again.seen_before
    assert again.release is None
    assert one(fresh_database, "select count(*) from gis.release") == 1
    assert one(fresh_database, "select count(*) from gis.load") == 1


def test_the_same_file_with_other_words_is_loaded(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0)}, kind=["wood"]))
    again = put(fresh_database, parks({"a": square(0)}, kind=["wood"]), maps={"kind": "desig"})
    assert again.counts.superseded == 1
    assert one(fresh_database, "select desig from gis.protected_area") == "wood"


def test_a_return_to_an_older_file_is_loaded(fresh_database: str) -> None:
    for frame in (parks({"a": square(0)}), parks({"a": square(1)}), parks({"a": square(0)})):
        assert not put(fresh_database, frame).seen_before
    assert one(fresh_database, "select rev from gis.protected_area") == 3


def test_a_part_of_the_data_withdraws_nothing(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0), "b": square(2)}))
    result = put(fresh_database, parks({"b": square(3)}), partial=True)
    assert (result.counts.withdrawn, result.counts.superseded) == (0, 1)
    assert len(names(fresh_database)) == 2


def test_a_dry_run_tells_all_and_changes_nothing(fresh_database: str) -> None:
    result = put(fresh_database, parks({"a": square(0), "b": None}), dry_run=True)
    assert (result.counts.inserted, result.counts.quarantined, result.release) == (1, 1, None)
    for table in ("protected_area", "dataset", "load", "quarantine", "release"):
        assert one(fresh_database, f"select count(*) from gis.{table}") == 0


def test_datasets_of_one_layer_leave_each_other_alone(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0)}))
    put(fresh_database, parks({"a": square(5)}), dataset=replace(DATASET, slug="others"))
    result = put(fresh_database, parks({"b": square(1)}))
    assert result.counts.withdrawn == 1
    sql = "select slug, source_id from gis.protected_area join gis.dataset using (dataset_id) order by 1"
    assert ask(fresh_database, sql) == [("others", "a"), ("parks", "b")]  # fmt: skip


def test_layers_that_share_a_table_leave_each_other_alone(fresh_database: str) -> None:
    put(fresh_database, parks({"01": square(0)}), "provinces")
    result = put(fresh_database, parks({"00004": square(0, side=0.1)}, province_code=["01"]), "communes")
    assert (result.counts.inserted, result.counts.withdrawn) == (1, 0)
    assert ask(fresh_database, "select level, code, parent_code from gis.admin_unit order by 1") == [
        ("commune", "00004", "01"), ("province", "01", None),
    ]  # fmt: skip


def test_bad_rows_are_set_aside_with_their_reasons(fresh_database: str) -> None:
    frame = parks(
        {
            "a": square(0),
            "b": None,
            "c": square(2),
            "d": square(4),
            "e": square(6),
            "f": square(8),
            "g": square(9),
        },
        iucn_cat=["II", "II", "IIX", "II", "II", "II", "II"],
        status_yr=["1990", "1990", "1990", "1700", "soon", "1992", "1993"],
    )
    frame.loc[5, "code"], frame.loc[6, "name"] = "a", None
    result = put(fresh_database, frame, max_bad_share=0.9)
    assert [(each.row, each.reason.code) for each in result.quarantined] == [
        (2, "no_geometry"), (3, "rule"), (4, "rule"), (5, "value"), (6, "double_id"), (7, "required"),
    ]  # fmt: skip
    assert names(fresh_database) == [("a", "Park a")]
    kept = ask(
        fresh_database,
        "select row_number, source_id, reason, attributes ->> 'iucn_cat' from gis.quarantine"
        " where code = 'rule' order by 1",
    )
    assert kept[0][:2] + kept[0][3:] == (3, "c", "IIX")
    assert kept[0][2].startswith("iucn_cat = 'IIX' breaks the rule protected_area_iucn_cat_check")
    assert "status_yr = 1700" in kept[1][2]


def test_a_row_set_aside_leaves_its_earlier_version_standing(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0), "b": square(2)}))
    result = put(fresh_database, parks({"a": square(1), "b": None}))
    assert (result.counts.withdrawn, result.counts.quarantined) == (0, 1)
    assert [row[0] for row in names(fresh_database)] == ["a", "b"]


def test_a_repair_is_logged_and_the_original_kept(fresh_database: str) -> None:
    result = put(fresh_database, parks({"a": BOWTIE, "b": square(2)}))
    assert result.repaired[0].source_id == "a"
    assert result.repaired[0].change_m2 == pytest.approx(6.154e9, rel=1e-3)
    original, srid = ask(fresh_database, "select geom_original, srid_original from gis.protected_area"
                         " where source_id = 'a'")[0]  # fmt: skip
    assert shapely.from_wkb(original).equals_exact(BOWTIE)
    assert srid == 4326
    assert one(fresh_database, "select geom_original from gis.protected_area where source_id = 'b'") is None
    (repair,) = one(fresh_database, "select details -> 'repairs' from gis.load")
    assert repair["fault"].startswith("Self-intersection")


def test_projected_rows_keep_their_original_and_name_the_operation(fresh_database: str) -> None:
    frame = gpd.GeoDataFrame(
        {"code": ["a"], "name": ["A"]}, geometry=[shapely.box(5e5, 2.3e6, 5.1e5, 2.31e6)], crs="EPSG:3405"
    )
    put(fresh_database, frame)
    srid, operation, west = ask(
        fresh_database, "select srid_original, datum_operation, st_xmin(geom) from gis.protected_area"
    )[0]
    assert srid == 3405
    assert operation.endswith("VN-2000 to WGS 84 (2) (EPSG:6960)")
    assert west == pytest.approx(105.0018, abs=1e-4)


def test_fields_without_a_column_are_kept_beside_the_row(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0)}, ranger=["Lan"], empty=[None]))
    assert one(fresh_database, "select extra from gis.protected_area") == {"code": "a", "ranger": "Lan"}


def test_a_column_with_a_default_takes_it_where_the_file_is_empty(fresh_database: str) -> None:
    put(fresh_database, parks({"a": square(0), "b": square(1)}, site_type=["OECM", None]))
    assert ask(fresh_database, "select site_type from gis.protected_area order by source_id") == [
        ("OECM",),
        ("PA",),
    ]
    assert (
        put(
            fresh_database, parks({"a": square(0), "b": square(1)}, site_type=[None, "OECM"])
        ).counts.superseded
        == 2
    )


def test_polygons_among_points_become_points_only_when_asked(fresh_database: str) -> None:
    frame = gpd.GeoDataFrame(
        {"site": ["p", "q", "r"]},
        geometry=[shapely.Point(117, 4), shapely.Point(117, 5), square(118)],
        crs=4326,
    )
    assert [q.reason.code for q in put(fresh_database, frame, "plots").quarantined] == [
        "polygon_among_points"
    ]
    assert put(fresh_database, frame, "plots", points_from_polygons=True).counts.inserted == 1
    original, inside = ask(fresh_database, "select geom_original, st_astext(geom) from gis.plot"
                           " where source_id = 'r'")[0]  # fmt: skip
    assert shapely.from_wkb(original).contains(shapely.from_wkt(inside))


def test_an_unknown_licence_closes_the_rows_until_it_is_named(fresh_database: str) -> None:
    first = put(fresh_database, parks({"a": square(0)}), dataset=DatasetInfo("parks"))
    assert any("licence" in note for note in first.notes)
    assert one(fresh_database, "select restricted from gis.protected_area")
    put(fresh_database, parks({"a": square(0)}), dataset=DatasetInfo("parks", licence="CC0-1.0"))
    assert not one(fresh_database, "select restricted from gis.protected_area")
    assert one(fresh_database, "select title from gis.dataset") == "frame"


def test_an_id_of_another_layer_in_the_same_table_is_refused(fresh_database: str) -> None:
    put(fresh_database, parks({"01": square(0)}), "provinces")
    with pytest.raises(DataRefused, match="'01' belongs to a row of another layer"):
        put(fresh_database, parks({"01": square(5)}), "communes")
    assert one(fresh_database, "select level from gis.admin_unit") == "province"


@pytest.mark.parametrize(
    "licence", ["CC0-1.0", "CC-BY-4.0", "cc by-sa 4.0", "OGL-BC", "Public domain", "ODbL", "MIT"]
)
def test_open_licences_are_known(licence: str) -> None:
    assert allows_redistribution(licence)


@pytest.mark.parametrize(
    "licence", ["unknown", "CC-BY-NC-4.0", "CC BY-ND", "WDPA terms", "no permit", "not CC BY"]
)
def test_other_licences_stay_closed(licence: str) -> None:
    assert not allows_redistribution(licence)


NAMES = st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["a", "b", "c"]))
SHAPES = st.sampled_from(
    [
        None,
        square(1),
        square(2, 89.5),
        BOWTIE,
        shapely.Point(1, 1),
        shapely.Polygon(),
        shapely.box(179, 0, 181, 1),
    ]
)
ROW = st.fixed_dictionaries(
    {
        "code": NAMES,
        "name": NAMES,
        "iucn_cat": st.sampled_from([None, "II", "ii", "", "\0"]),
        "status_yr": st.one_of(st.none(), st.integers(-(2**70), 2**70).map(str), st.text(max_size=3)),
        "rep_area": st.one_of(st.none(), st.floats()),
        "other": st.text(max_size=3),
        "geometry": SHAPES,
    }
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=8))
def test_every_row_is_either_loaded_or_set_aside(database: str, rows: list[dict[str, Any]]) -> None:
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=4326)
    try:
        result = put(database, frame, dataset=DatasetInfo(f"fuzz-{uuid4()}"), max_bad_share=1)
    except DataRefused as refusal:
        if "can be used" not in str(refusal):
            raise
        return  # not one row of the file is good
    counts = result.counts
    assert counts.inserted + counts.quarantined == counts.read == len(rows)
    sql = "select count(*) from gis.{} join gis.dataset using (dataset_id) where slug = %s"
    assert one(database, sql.format("protected_area"), result.dataset) == counts.inserted
    assert one(database, sql.format("quarantine"), result.dataset) == counts.quarantined


@pytest.mark.parametrize(
    ("frame", "said", "why"),
    [
        (parks({}), {}, "holds no rows"),
        (parks({"a": None, "b": None}), {}, "none of the 2 rows"),
        (parks({"a": square(0), "b": None, "c": None}), {}, "2 of the 3 rows"),
        (parks({"a": square(0)}).drop(columns="name"), {}, "fills name; its fields are code"),
        (parks({"a": square(0)}), {"maps": {"nam": "name"}}, "no field 'nam'"),
        (parks({"a": square(0)}), {"maps": {"name": "gid"}}, "no column 'gid'"),
        (parks({"a": square(0)}), {"crs": "EPSG:3405"}, "--override-crs"),
        (parks({"a": square(0)}), {"crs": "EPSG:1"}, "no reference system"),
        (parks({"a": square(0)}), {"crs": "EPSG:3405", "override_crs": True}, "look like degrees"),
        (parks({"a": square(0)}).set_crs(None, allow_override=True), {}, "--crs"),
        (parks({"a": square(0)}, WDPAID=[1], NAME_ENG=["x"]), {}, "WDPA 1.6"),
        (parks({"a": square(0)}), {"dataset": DatasetInfo("Bad Slug")}, "can't name a data set"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_whole(
    database: str, frame: gpd.GeoDataFrame, said: dict[str, Any], why: str
) -> None:
    with pytest.raises(DataRefused, match=why) as refusal:
        put(database, frame, **said)
    assert refusal.value.exit_code == 4
    assert one(database, "select count(*) from gis.dataset where slug = 'parks'") == 0


def test_a_refusal_speaks_vietnamese_too(database: str) -> None:
    with pytest.raises(DataRefused, match="không có dòng dữ liệu nào"):
        put(database, parks({}), lang="vi")


def test_a_system_that_the_file_names_wrongly_can_be_overridden(fresh_database: str) -> None:
    frame = gpd.GeoDataFrame(
        {"code": ["a"], "name": ["A"]}, geometry=[shapely.box(5e5, 2.3e6, 5.1e5, 2.31e6)], crs="EPSG:32648"
    )
    put(fresh_database, frame, crs="EPSG:3405", override_crs=True)
    assert one(fresh_database, "select srid_original from gis.protected_area") == 3405


def test_a_database_that_is_not_there_is_named() -> None:
    with pytest.raises(DatabaseDown):
        put("postgresql:///gis?host=/nowhere", parks({"a": square(0)}))
