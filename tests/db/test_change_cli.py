"""`./gis change`: a board's file becomes a draft, goes through review, is published and undone."""

import json
import os
from pathlib import Path

import pytest

from gis_service.catalog.registry import load_catalog
from gis_service.cli.__main__ import main
from tests.conftest import ROOT
from tests.db.test_changes import world


@pytest.fixture(autouse=True)
def environment(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on this test's database, which holds the sample, and speak English."""
    for name in [name for name in os.environ if name.startswith("GIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIS_DATABASE_URL", fresh_database)
    monkeypatch.setenv("GIS_ROOT", str(ROOT))
    monkeypatch.setenv("GIS_LANG", "en")
    world(fresh_database, dict(load_catalog(ROOT).layers)).close()


def geojson(path: Path, *rows: tuple[str | None, dict[str, object], float]) -> str:
    """Squares of 0.2 degrees from 20.4 N and the given longitude on."""
    features = [
        {
            "type": "Feature",
            "properties": {"id": identity, **values},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[w, 20.4], [w + 0.2, 20.4], [w + 0.2, 20.6], [w, 20.6], [w, 20.4]],
                ],
            },
        }
        for identity, values, w in rows
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(path)


def propose(file: str, *more: str) -> int:
    return main(
        ["change", "propose", file, "--layer", "protected-areas", "--title", "T", "--as", "bo", *more]
    )


def test_a_file_becomes_a_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: tuple[tuple[str | None, dict[str, object], float], ...] = (
        ("open-A", {"name": "Khu mới", "decision_date": "2024-05-31"}, 105.4),
        (None, {"name": "Thêm", "decision_date": None}, 105.1),
    )
    assert propose(geojson(tmp_path / "a.geojson", *rows), "--delete", "closed-A") == 0
    assert "Draft 1, changes: 3" in capsys.readouterr().out
    assert main(["change", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "name: Khu open A → Khu mới" in shown
    assert "decision_date: – → 2024-05-31" in shown
    assert "geometry changed" not in shown, "the geometry is the one that the row has"

    assert main(["change", "submit", "1", "--as", "bo"]) == 0
    assert main(["change", "review", "1", "reject", "--as", "phan"]) == 2
    assert "needs a comment" in capsys.readouterr().err
    leave = ["--leave-out", "3=it still exists"]
    assert main(["change", "review", "1", "accept", "--as", "phan", *leave]) == 0
    assert main(["change", "approve", "1", "--as", "chi"]) == 0
    capsys.readouterr()
    assert main(["change", "publish", "1", "--as", "chi", "--dry-run"]) == 0
    assert "1 new, 1 changed, 0 withdrawn" in capsys.readouterr().out
    assert main(["change", "publish", "1", "--as", "chi", "--name", "x" * 201]) == 4
    assert "1 to 200 characters" in capsys.readouterr().err, "and nothing is published"
    names = ["--name", "Tháng Năm", "--name-en", "May"]
    assert main(["change", "publish", "1", "--as", "chi", "--note", "May", *names]) == 0
    said = capsys.readouterr().out
    assert "1 new, 1 changed, 0 withdrawn" in said
    release = said.split()[1]
    assert main(["change", "rollback", release, "--as", "phan"]) == 2
    assert main(["change", "rollback", release, "--as", "chi", "--dry-run"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert main(["change", "rollback", "1", "--as", "chi"]) == 2, "the sample wasn't made of proposals"
    assert main(["change", "rollback", release, "--as", "chi"]) == 0
    capsys.readouterr()
    assert main(["change", "list", "--state", "superseded"]) == 0
    assert capsys.readouterr().out.split("\t")[:2] == ["1", "superseded"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("open-A", {"nonsense": "x"}, 105.4), "nonsense"),
        (("open-Z", {"name": "x"}, 105.4), "open-Z"),
        (("open-B", {"name": "x"}, 106.4), "jurisdictions of open-B"),
        (("open-A", {"name": "x"}, 106.1), "would lie"),
        (("open-A", {"rep_area": "much"}, 105.4), "row 1 of a.geojson"),
    ],
)
def test_a_file_is_refused_whole_with_its_reason(
    row: tuple[str | None, dict[str, object], float],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert propose(geojson(tmp_path / "a.geojson", row)) != 0
    assert said in capsys.readouterr().err
    assert main(["change", "list"]) == 0
    assert capsys.readouterr().out == ""


def test_a_lost_race_is_told_with_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Một", "Hai"):
        assert propose(geojson(tmp_path / f"{name}.geojson", ("open-A", {"name": name}, 105.4))) == 0
    for number in ("1", "2"):
        assert main(["change", "submit", number, "--as", "bo"]) == 0
        assert main(["change", "review", number, "accept", "--as", "phan"]) == 0
        assert main(["change", "approve", number, "--as", "chi"]) == 0
    assert main(["change", "publish", "1", "2", "--as", "chi"]) == 4
    assert "Proposal 2 was not published: rows have changed since" in capsys.readouterr().err


def test_a_row_that_the_checks_refuse_is_left_out_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: tuple[tuple[str | None, dict[str, object], float], ...] = (
        ("open-A", {"name": "Khu mới", "status_yr": None}, 105.4),
        (None, {"name": "Thêm", "status_yr": 1200}, 105.1),
    )
    assert propose(geojson(tmp_path / "a.geojson", *rows)) == 0
    assert main(["change", "submit", "1", "--as", "bo"]) == 0
    assert "Checked: faults 1," in capsys.readouterr().out
    assert main(["change", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "left out: area-year\n" in shown
    assert "1200 is no year from 1819" in shown
    assert main(["change", "review", "1", "accept", "--as", "phan"]) == 0
    assert main(["change", "approve", "1", "--as", "chi"]) == 0
    capsys.readouterr()
    assert main(["change", "publish", "1", "--as", "chi"]) == 0
    assert "0 new, 1 changed, 0 withdrawn" in capsys.readouterr().out


def test_a_proposal_of_faults_alone_stays_a_draft_that_tells_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert propose(geojson(tmp_path / "a.geojson", (None, {"name": "Thêm", "status_yr": 1200}, 105.1))) == 0
    assert main(["change", "submit", "1", "--as", "bo"]) == 4
    assert "stays a draft" in capsys.readouterr().err
    assert main(["change", "list", "--state", "draft"]) == 0
    assert capsys.readouterr().out.startswith("1\tdraft")
    assert main(["change", "show", "1"]) == 0
    assert "1200 is no year from 1819" in capsys.readouterr().out
