"""`./gis check FILE --layer L`: the checks of a file against rows that stand, and its exit codes."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from gis_service.access import keystore
from gis_service.access.principal import Principal
from gis_service.cli.__main__ import main
from gis_service.db.sync import SyncDatabase
from tests import sample
from tests.db.loads import ROOT, parks, put


@pytest.fixture(scope="module")
def filled(database: str) -> str:
    """The sample's two provinces A (105-106 E) and B (106-107 E), 20-21 N, and the principal of A."""
    sample.fill(database)
    with SyncDatabase(database) as db:
        keystore.ensure_principal(db, Principal("province-a", "jurisdiction", ("A",)))
    return database


@pytest.fixture(autouse=True)
def environment(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on this module's database and speak English."""
    for name in [name for name in os.environ if name.startswith("GIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIS_DATABASE_URL", filled)
    monkeypatch.setenv("GIS_ROOT", str(ROOT))
    monkeypatch.setenv("GIS_LANG", "en")


def checked(path: Path, *words: str, layer: str = "protected-areas") -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the findings of the file."""
    written = path.with_suffix(".found.json")
    code = main(["check", str(path), "--layer", layer, "-o", str(written), *words])
    return code, json.loads(written.read_text())


def file(folder: Path, frame: gpd.GeoDataFrame, name: str = "parks.gpkg") -> Path:
    frame.to_file(folder / name, engine="pyogrio")
    return folder / name


BOX = shapely.box(105.1234, 20.1234, 105.2234, 20.2234)
FAR = shapely.box(105.3234, 20.1234, 105.3334, 20.1334)


def test_faults_end_with_4_and_warnings_alone_with_0(tmp_path: Path) -> None:
    good = file(tmp_path, parks({"a": BOX}, status=["Designated"]))
    assert checked(good, "--id", "code", "--level", "warning") == (0, [])
    bad = file(tmp_path, parks({"a": BOX, "b": FAR}, status=["Designated", "designated"]), "bad.gpkg")
    code, found = checked(bad, "--id", "code", "--level", "fault")
    assert code == 4
    assert [(each["row"], each["source_id"], each["column"], each["rule"]) for each in found] == [
        (2, "b", "status", "cell-allowed")
    ]


def test_the_table_on_the_screen_names_row_level_rule_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file(tmp_path, parks({"a": BOX}, status_yr=[1700]))
    assert main(["check", str(path), "--layer", "protected-areas", "--level", "fault"]) == 4
    said = capsys.readouterr().out
    assert said.startswith("1  fault  area-year  status_yr  status_yr = 1700 is no year from 1819 to")
    assert "1 rows checked: 1 faults, 0 warnings" in said


def test_what_the_loader_would_repair_or_set_aside_is_told(tmp_path: Path) -> None:
    bow = shapely.Polygon([(105.1, 20.1), (105.3, 20.3), (105.3, 20.1), (105.1, 20.3)])
    path = file(tmp_path, parks({"a": bow, "b": None}, status_yr=["x", "2001"]))
    code, found = checked(path, "--id", "code", "--level", "warning")
    assert code == 4
    rules = {(each["row"], each["rule"], each["column"]) for each in found}
    assert {
        (1, "load.value", "status_yr"),
        (1, "load.repaired", None),
        (2, "load.no_geometry", None),
    } <= rules
    assert (2, "geometry-missing", None) not in rules


def test_longitude_and_latitude_that_changed_places_are_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_text("scientificName,decimalLatitude,decimalLongitude\nAzemiops feae,105.12345,20.54321\n")
    code, found = checked(path, layer="occurrences")
    assert code == 4
    assert {"geometry-swapped", "geometry-outside-world"} <= {each["rule"] for each in found}
    assert not any(each["rule"].startswith("load.") for each in found)


def test_rows_are_held_against_those_that_stand(tmp_path: Path, filled: str) -> None:
    put(filled, parks({"a": BOX}, desig=["Vườn quốc gia"]))
    twice = parks({"new": BOX}, desig=["Vườn quốc gia"])
    twice["name"] = ["Park a"]
    path = file(tmp_path, twice, "other.gpkg")
    _, found = checked(path, "--id", "code", "--level", "warning")
    assert [each["rule"] for each in found] == ["site-same-again"]
    again = file(tmp_path, parks({"a": BOX}, desig=["Vườn quốc gia"]))
    assert checked(again, "--id", "code", "--level", "warning") == (0, [])  # it replaces its own row


def test_a_plot_that_moved_is_held_against_where_it_stood(tmp_path: Path, filled: str) -> None:
    def plot(lat: float) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame({"location_id": ["X"]}, geometry=[shapely.Point(105.6543, lat)], crs=4326)

    put(filled, plot(20.6543), "plots")
    path = file(tmp_path, plot(20.6553))
    _, found = checked(path, "--dataset", "parks", layer="plots")
    assert [(each["rule"], each["lat"]) for each in found] == [("plot-moved", 20.6553)]


def test_a_province_may_propose_within_its_ground_and_learns_of_no_hidden_row(tmp_path: Path) -> None:
    rows = {"west": BOX, "east": shapely.box(106.7234, 20.2234, 106.7334, 20.2334)}
    path = file(tmp_path, parks(rows), "mine.gpkg")
    code, found = checked(path, "--id", "code", "--level", "warning", "--as", "province-a")
    assert code == 4
    assert [(each["source_id"], each["rule"]) for each in found] == [("east", "jurisdiction-outside")]
    # A closed area of B lies at 106.4 E, 20.7 N: the centre is told of it, the province isn't.
    closed = parks({"x": shapely.box(106.4, 20.7, 106.6, 20.9)})
    closed["name"] = ["Khu closed B"]
    path = file(tmp_path, closed, "closed.gpkg")
    assert "site-same-again" in {each["rule"] for each in checked(path)[1]}
    assert "site-same-again" not in {each["rule"] for each in checked(path, "--as", "province-a")[1]}


def test_findings_are_written_for_spreadsheets_and_for_qgis(tmp_path: Path) -> None:
    path = file(tmp_path, parks({"a": shapely.box(105.1, 20.1, 105.2, 20.2)}, status_yr=[1700]))
    table, points = tmp_path / "found.csv", tmp_path / "found.geojson"
    for output in (table, points):
        assert main(["check", str(path), "--layer", "protected-areas", "-o", str(output)]) == 4
    with table.open(encoding="utf-8-sig") as read:
        assert {"area-year", "geometry-rounded-area"} <= {row["rule"] for row in csv.DictReader(read)}
    frame = gpd.read_file(points)
    shown = frame[frame["rule"] == "geometry-rounded-area"].iloc[0]
    assert (shown.geometry.x, shown.geometry.y) in {(105.2, 20.1), (105.1, 20.1)}


@pytest.mark.parametrize("words", [[], ["--layer", "nothing"], ["--layer", "plots", "-o", "found.pdf"]])
def test_wrong_usage_ends_with_2(tmp_path: Path, words: list[str]) -> None:
    assert main(["check", str(file(tmp_path, parks({"a": BOX}))), *words]) == 2


def test_a_file_that_cannot_be_read_ends_with_4(tmp_path: Path) -> None:
    assert main(["check", str(tmp_path / "none.gpkg"), "--layer", "plots"]) == 4


def test_taxa_are_asked_once_for_all_rows(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    rows = [
        f"{name},20.0512345,105.{at:06d}1" for at, name in enumerate(["Speciosus category0", "Nobody else"])
    ]
    path.write_text("scientificName,decimalLatitude,decimalLongitude\n" + "\n".join(rows) + "\n")
    _, found = checked(path, "--level", "warning", layer="occurrences")
    assert [(each["row"], each["rule"]) for each in found] == [(2, "taxon-unknown")]
