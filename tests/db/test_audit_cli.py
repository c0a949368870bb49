"""`./gis audit` and what the other commands leave in the log."""

import getpass
import json
import os
from pathlib import Path

import pytest

from gis_service.cli.__main__ import main
from tests.db.loads import ROOT
from tests.db.schema import connected

AREA = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"NAME": name},
            "geometry": {"type": "Polygon", "coordinates": [[[x, 0], [x + 1, 0], [x + 1, 1], [x, 0]]]},
        }
        for x, name in enumerate(("Yên Tử", "Ba Bể", "Cát Bà"))
    ],
}


@pytest.fixture(autouse=True)
def environment(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on this test's database and speak English."""
    for name in [name for name in os.environ if name.startswith("GIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIS_DATABASE_URL", fresh_database)
    monkeypatch.setenv("GIS_ROOT", str(ROOT))
    monkeypatch.setenv("GIS_LANG", "en")


def entries(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["audit", "list", "--json", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_key_made_at_the_command_line_is_told_as_the_operator_s(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["key", "create", "ministry", "--tier", "full", "--label", "Tablet\n9\tforged"]) == 0
    made = entries(capsys, "--subject", "key:")
    assert [(e["action"], e["actor"], e["role"], e["client"]) for e in made] == [
        ("key.made", getpass.getuser(), "operator", "cli")
    ]
    assert entries(capsys, "--actor", "nobody") == []
    assert entries(capsys, "--since", "2100-01-01") == []
    assert main(["audit", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["1", "2", "3"], "a label writes no line of its own"


def test_a_load_is_one_entry_with_its_counts_however_many_rows_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "parks.geojson"
    file.write_text(json.dumps(AREA))
    options = ["--layer", "protected-areas", "--licence", "CC0-1.0", "--dataset", "parks"]
    assert main(["load", str(file), *options]) == 0
    told = entries(capsys)
    assert [(e["action"], e["actor"]) for e in told[1:]] == [
        ("dataset.made", getpass.getuser()),
        ("load.made", getpass.getuser()),
    ]
    details = told[2]["details"]
    assert isinstance(details, dict)
    assert (details["now"]["inserted"], details["now"]["withdrawn"]) == (3, 0)
    assert len(details["now"]["checksum"]) == 64


def test_head_and_verify_find_a_tail_that_is_gone(
    fresh_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "create", "ministry", "--tier", "full"]) == 0
    capsys.readouterr()
    assert main(["audit", "head"]) == 0
    head = capsys.readouterr().out.strip()
    assert main(["audit", "verify", "--head", head]) == 0
    assert capsys.readouterr().out == f"The log is whole: 3 entries up to {head}\n"
    with connected(fresh_database) as db:
        db.execute("alter table gis.audit disable trigger keep")
        db.execute("delete from gis.audit where seq = 3")
    assert main(["audit", "verify", "--head", head]) == 1
    said = capsys.readouterr().out
    assert "Entry 3 is gone." in said
    assert "The trigger keep of gis.audit is switched off" in said


def test_what_is_no_head_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--head", "3:abc"]) == 2
    assert "no head" in capsys.readouterr().err
