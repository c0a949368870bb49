"""Files of every kind are read; those that can't be are refused with a word on what to do."""

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gis_service.errors import DataRefused
from tests.db.loads import ask, names, one, parks, put, square

PARKS = parks({"a": square(105), "b": square(106)})


def write(frame: gpd.GeoDataFrame, path: Path, driver: str | None = None) -> Path:
    """The frame as a file of the kind that its name tells."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, write_covering_bbox=True)
    else:
        frame.to_file(path, driver=driver, engine="pyogrio")
    return path


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("parks.gpkg", "GPKG"),
        ("parks.shp", "ESRI Shapefile"),
        ("parks.geojson", "GeoJSON"),
        ("parks.fgb", "FlatGeobuf"),
        ("parks.gml", "GML"),
        ("parks.tab", "MapInfo File"),
        ("parks.sqlite", "SQLite"),
        ("parks.gdb", "OpenFileGDB"),
        ("parks.shp.zip", "ESRI Shapefile"),
        ("parks.parquet", None),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(
    fresh_database: str, tmp_path: Path, name: str, driver: str | None
) -> None:
    result = put(fresh_database, write(PARKS, tmp_path / name, driver))
    assert (result.counts.inserted, result.counts.quarantined) == (2, 0)
    assert names(fresh_database) == [("a", "Park a"), ("b", "Park b")]
    assert one(fresh_database, "select sum(st_area(geom)) from gis.protected_area") == pytest.approx(2)


def test_kml_is_read_by_its_names(fresh_database: str, tmp_path: Path) -> None:
    frame = PARKS.rename(columns={"name": "Name"})
    result = put(fresh_database, write(frame, tmp_path / "parks.kml", "KML"), id_field="Name")
    assert result.counts.inserted == 2
    assert names(fresh_database)[0] == ("Park a", "Park a")


def test_a_shapefile_without_prj_asks_for_its_system(fresh_database: str, tmp_path: Path) -> None:
    path = write(PARKS, tmp_path / "parks.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(DataRefused, match="--crs EPSG:3405"):
        put(fresh_database, path)
    assert put(fresh_database, path, crs="EPSG:4326").counts.inserted == 2


WDPA_OLD = {
    "WDPAID": 7877.0, "WDPA_PID": "7877", "PA_DEF": "1", "NAME": "Cat Ba", "ORIG_NAME": "Cát Bà",
    "MARINE": "1", "STATUS": "Designated", "STATUS_YR": 1986, "IUCN_CAT": "II", "PARENT_ISO3": "VNM",
    "ISO3": "VNM", "SUB_LOC": "VN-13", "REP_AREA": 152.0,
}  # fmt: skip
WDPA_NEW = {
    "SITE_ID": 7877, "SITE_PID": "7877", "SITE_TYPE": "PA", "NAME_ENG": "Cat Ba", "NAME": "Cát Bà",
    "REALM": "Coastal", "STATUS": "Designated", "STATUS_YR": 1986, "IUCN_CAT": "II", "PRNT_ISO3": "VNM",
    "ISO3": "VNM", "REP_AREA": 152.0, "GOVSUBTYPE": "Not Reported",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Column names longer than 10 characters")
@pytest.mark.filterwarnings("ignore:Normalized/laundered field name")
@pytest.mark.parametrize(("fields", "schema"), [(WDPA_OLD, "wdpa-1.6"), (WDPA_NEW, "wdpa-2025")])
def test_both_versions_of_wdpa_give_the_same_row(
    fresh_database: str, tmp_path: Path, fields: dict[str, object], schema: str
) -> None:
    frame = gpd.GeoDataFrame(
        {name: [value] for name, value in fields.items()}, geometry=[square(107)], crs=4326
    )
    result = put(fresh_database, write(frame, tmp_path / "wdpa.shp"), id_field=None)
    assert result.schema == schema
    columns = "source_id, site_id, site_pid, site_type, name, name_eng, realm, status_yr, prnt_iso3, rep_area"
    assert ask(fresh_database, f"select {columns} from gis.protected_area") == [
        ("7877", 7877, "7877", "PA", "Cát Bà", "Cat Ba", "Coastal", 1986, "VNM", 152.0)
    ]


def legacy(tmp_path: Path, *words: bytes) -> Path:
    """A shapefile whose .dbf holds those bytes and which doesn't name its encoding."""
    shown = [word.decode("latin-1") for word in words]
    frame = gpd.GeoDataFrame(
        {"name": shown}, geometry=[square(105 + at) for at in range(len(words))], crs=4326
    )
    path = tmp_path / "old.shp"
    frame.to_file(path, encoding="ISO-8859-1", engine="pyogrio")
    path.with_suffix(".cpg").unlink()
    return path


def test_tcvn3_in_a_dbf_is_recognised(fresh_database: str, tmp_path: Path) -> None:
    path = legacy(tmp_path, "V­ên quèc gia Cóc Ph­¬ng".encode("latin-1"), "Hoµng Liªn".encode("latin-1"))
    result = put(fresh_database, path, id_field="name")
    assert [name for _, name in names(fresh_database)] == ["Hoàng Liên", "Vườn quốc gia Cúc Phương"]
    assert any("TCVN3" in note for note in result.notes)


def test_utf8_in_a_dbf_that_does_not_say_so_is_recognised(fresh_database: str, tmp_path: Path) -> None:
    path = legacy(tmp_path, "Vườn quốc gia Ba Bể".encode(), b"plain")
    put(fresh_database, path, id_field="name")
    assert names(fresh_database)[0][1] == "Vườn quốc gia Ba Bể"


def test_other_letters_in_a_dbf_are_read_as_it_says_and_noted(fresh_database: str, tmp_path: Path) -> None:
    result = put(fresh_database, legacy(tmp_path, "Forêt de Pô".encode("latin-1")), id_field="name")
    assert names(fresh_database)[0][1] == "Forêt de Pô"
    assert any("--encoding" in note for note in result.notes)


def test_an_encoding_can_be_named(fresh_database: str, tmp_path: Path) -> None:
    path = legacy(tmp_path, b"Tam ")
    put(fresh_database, path, id_field="name", encoding="tcvn3")
    with pytest.raises(DataRefused, match="no encoding 'klingon'"):
        put(fresh_database, path, id_field="name", encoding="klingon")


def test_a_file_of_several_layers_asks_which(fresh_database: str, tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    PARKS.to_file(path, layer="parks", engine="pyogrio")
    PARKS.iloc[:1].to_file(path, layer="one", engine="pyogrio")
    with pytest.raises(DataRefused, match="--file-layer: parks, one"):
        put(fresh_database, path)
    with pytest.raises(DataRefused, match="no layer 'none'"):
        put(fresh_database, path, file_layer="none")
    assert put(fresh_database, path, file_layer="one").counts.inserted == 1


def text(tmp_path: Path, content: str | bytes, name: str = "points.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


GOOD = "occurrenceID,scientificName,decimalLatitude,decimalLongitude\n1,Pongo,4.5,117.1\n2,Pongo,4.6,117.2\n"


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.encode("utf-16"),
        GOOD.replace(".", "·").replace(",", ";").replace("·", ","),
        GOOD.replace(",", "\t"),
        "occurrenceid,species,wkt\n1,Pongo,POINT (117.1 4.5)\n2,Pongo,POINT (117.2 4.6)\n",
        "occurrenceID,species,X,Y\n1,Pongo,117.1,4.5\n2,Pongo,117.2,4.6\n",
    ],
    ids=["plain", "bom", "utf-16", "semicolons", "tabs", "wkt", "xy"],
)
def test_csv_is_read_in_its_many_forms(fresh_database: str, tmp_path: Path, content: str | bytes) -> None:
    put(fresh_database, text(tmp_path, content), "occurrences", crs="EPSG:4326")
    sql = "select occurrence_id, scientific_name, st_x(geom), st_y(geom) from gis.occurrence order by 1"
    assert ask(fresh_database, sql) == [("1", "Pongo", 117.1, 4.5), ("2", "Pongo", 117.2, 4.6)]


def test_coordinates_of_a_csv_are_kept_in_the_geometry_alone(fresh_database: str, tmp_path: Path) -> None:
    put(fresh_database, text(tmp_path, GOOD), "occurrences")
    assert ask(fresh_database, "select extra from gis.occurrence") == [(None,), (None,)]


def test_bad_lines_of_a_csv_are_set_aside(fresh_database: str, tmp_path: Path) -> None:
    bad = "3,Pongo,north,117\n4,Pongo,,117\n5,Pongo,nan,117\n6,Pongo,4,117,9\n7,,4,117\n8,Pongo,95,117\n"
    result = put(fresh_database, text(tmp_path, GOOD + bad), "occurrences", max_bad_share=1)
    assert result.counts.inserted == 2
    assert result.counts.read == 8
    assert sorted(each.reason.code for each in result.quarantined) == [
        "cells", "no_geometry", "not_finite", "off_the_globe", "required", "unreadable_geometry",
    ]  # fmt: skip
    line = one(fresh_database, "select attributes ->> 'decimalLatitude' from gis.quarantine"
               " where code = 'unreadable_geometry'")  # fmt: skip
    assert line == "north"


def test_eastings_of_a_csv_need_a_system(fresh_database: str, tmp_path: Path) -> None:
    path = text(tmp_path, "plot,x,y\nA,683869,1551956\n")
    with pytest.raises(DataRefused, match="--crs"):
        put(fresh_database, path, "plots")
    put(fresh_database, path, "plots", crs="EPSG:32648")
    ((lon, lat),) = ask(fresh_database, "select st_x(geom), st_y(geom) from gis.plot")
    assert (lon, lat) == pytest.approx((106.7, 14.03), abs=0.01)


def test_columns_of_coordinates_can_be_named(fresh_database: str, tmp_path: Path) -> None:
    path = text(tmp_path, "plot,a,b\nA,106.5,14\n")
    with pytest.raises(DataRefused, match="--map COLUMN=lon"):
        put(fresh_database, path, "plots")
    assert put(fresh_database, path, "plots", maps={"a": "lon", "b": "lat"}).counts.inserted == 1


def test_text_that_is_not_utf8_asks_for_its_encoding(fresh_database: str, tmp_path: Path) -> None:
    path = text(tmp_path, GOOD.encode().replace(b"Pongo", "V­ên".encode("latin-1")))
    with pytest.raises(DataRefused, match="--encoding"):
        put(fresh_database, path, "occurrences")
    put(fresh_database, path, "occurrences", encoding="TCVN3")
    assert one(fresh_database, "select min(scientific_name) from gis.occurrence") == "Vườn"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("none.gpkg", None, "there is no file"),
        ("empty.geojson", b"", "holds no rows"),
        ("empty.csv", b"", "holds no rows"),
        ("header.csv", b"code,name,lon,lat\n", "holds no rows"),
        ("twice.csv", b"name,name,lon,lat\n1,2,3,4\n", "names a column twice"),
        ("noise.shp", b"noise" * 100, "can't be read"),
        ("noise.parquet", b"noise" * 100, "can't be read"),
        ("noise.gpkg", b"noise" * 100, "can't be read"),
        ("cut.geojson", b'{"type": "FeatureCollection", "features": [{"type": "Fea', "can't be read"),
        ("no_features.geojson", b'{"type": "FeatureCollection", "features": []}', "holds no rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    database: str, tmp_path: Path, name: str, content: bytes | None, why: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataRefused, match=why) as refusal:
        put(database, path, id_field=None)
    assert refusal.value.exit_code == 4
    assert one(database, "select count(*) from gis.release") == 0


def test_a_parquet_without_geometry_is_refused(database: str, tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    PARKS.drop(columns="geometry").to_parquet(path)
    with pytest.raises(DataRefused, match="no geometry; its fields are code, name"):
        put(database, path)


def test_a_table_without_geometry_is_refused(database: str, tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    feature = '{"type": "Feature", "properties": {"code": "a", "name": "b"}, "geometry": null}'
    path.write_text(f'{{"type": "FeatureCollection", "features": [{feature}]}}')
    with pytest.raises(DataRefused, match=r"no geometry|none of the 1 rows"):
        put(database, path)


def test_a_file_that_breaks_off_while_it_is_read_leaves_nothing(database: str, tmp_path: Path) -> None:
    whole = write(
        parks({str(at): square(at % 90) for at in range(5000)}), tmp_path / "whole.parquet"
    ).read_bytes()
    path = tmp_path / "broken.parquet"
    path.write_bytes(whole[:20_000] + bytes(20_000) + whole[40_000:])
    with pytest.raises(DataRefused):
        put(database, path)
    assert one(database, "select count(*) from gis.protected_area") == 0


CURVE = "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))"


def test_a_curve_is_set_aside(fresh_database: str, tmp_path: Path) -> None:
    lines = f'code,name,wkt\na,A,"{CURVE}"\nb,B,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\n'
    result = put(fresh_database, text(tmp_path, lines), max_bad_share=1)
    assert [each.reason.code for each in result.quarantined] == ["unreadable_geometry"]
    assert names(fresh_database) == [("b", "B")]


def test_quarantine_and_geometry_agree(fresh_database: str, tmp_path: Path) -> None:
    bent = shapely.Polygon([(0, 0), (1, 0), (2, 0)])
    put(fresh_database, write(parks({"a": square(1), "b": bent}), tmp_path / "bent.gpkg"))
    kept = one(fresh_database, "select geom_original from gis.quarantine")
    assert shapely.from_wkb(kept).equals_exact(shapely.MultiPolygon([bent])) or shapely.from_wkb(kept) == bent
