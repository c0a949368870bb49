"""`./gis load` and its exit codes, which scripts rely on."""

import csv
import os
from pathlib import Path

import pytest

from gis_service.cli.__main__ import main
from tests.db.loads import ROOT, names, parks, square


@pytest.fixture(autouse=True)
def environment(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on this test's database and speak English."""
    for name in [name for name in os.environ if name.startswith("GIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIS_DATABASE_URL", fresh_database)
    monkeypatch.setenv("GIS_ROOT", str(ROOT))
    monkeypatch.setenv("GIS_LANG", "en")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "Khu bảo tồn.gpkg"
    parks({"a": square(105), "b": square(106), "c": None}).to_file(path, engine="pyogrio")
    return str(path)


LOAD = ["load", "--layer", "protected-areas", "--id", "code", "--licence", "CC-BY-4.0"]


def test_a_load_prints_what_became_of_the_rows(
    file: str, fresh_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*LOAD, file]) == 0
    said = capsys.readouterr().out
    assert "khu-bao-ton" in said
    assert "3 read, 2 new" in said
    assert "row 3 set aside: it has no geometry" in said
    assert names(fresh_database) == [("a", "Park a"), ("b", "Park b")]
    assert main([*LOAD, file]) == 0
    assert "loaded already" in capsys.readouterr().out


def test_strict_tells_of_rows_set_aside_by_its_exit_code(file: str, fresh_database: str) -> None:
    assert main([*LOAD, "--strict", file]) == 6
    assert len(names(fresh_database)) == 2


def test_a_refused_file_ends_with_4(
    fresh_database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*LOAD, str(tmp_path / "none.shp")]) == 4
    assert "there is no file" in capsys.readouterr().err
    assert names(fresh_database) == []


def test_rows_set_aside_can_be_written_to_a_file(file: str, tmp_path: Path) -> None:
    kept = tmp_path / "aside.csv"
    main([*LOAD, "--quarantine", str(kept), file])
    with kept.open(encoding="utf-8") as table:
        assert [(row["row"], row["source_id"], row["code"]) for row in csv.DictReader(table)] == [
            ("3", "c", "no_geometry")
        ]


def test_a_dry_run_changes_nothing(file: str, fresh_database: str) -> None:
    assert main([*LOAD, "--dry-run", file]) == 0
    assert names(fresh_database) == []
