"""`./gis key create`: what it refuses and what it warns of."""

import os

import pytest

from gis_service.cli.__main__ import main
from tests.db.loads import ROOT


@pytest.fixture(autouse=True)
def environment(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on this test's database and speak English."""
    for name in [name for name in os.environ if name.startswith("GIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIS_DATABASE_URL", fresh_database)
    monkeypatch.setenv("GIS_ROOT", str(ROOT))
    monkeypatch.setenv("GIS_LANG", "en")


@pytest.mark.parametrize(
    "words",
    [["--tier", "jurisdiction"], ["--tier", "full", "--jurisdiction", "15"], ["--jurisdiction", "15"]],
)
def test_tier_and_province_go_together(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "create", "lao-cai", *words]) == 2
    assert "go together" in capsys.readouterr().err


def test_a_code_that_no_province_has_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "create", "nowhere", "--tier", "jurisdiction", "--jurisdiction", "VN-02"]) == 0
    said = capsys.readouterr()
    assert "No province has the code VN-02" in said.err
    assert said.out.startswith("gis_")


def test_a_key_for_the_centre_warns_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "create", "ministry", "--tier", "full"]) == 0
    assert "No province" not in capsys.readouterr().err
