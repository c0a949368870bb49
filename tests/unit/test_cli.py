"""Words of the command line: options, exit codes, languages."""

import subprocess
import sys
from pathlib import Path

import pytest

from gis_service.cli.__main__ import main, parsed
from gis_service.cli.command import language, sentence
from gis_service.errors import DataRefused, GisError, NotRunning, PortTaken
from tests.conftest import ROOT


def test_the_language_is_that_of_the_locale_unless_it_is_named() -> None:
    assert language({"LANG": "vi_VN.UTF-8"}) == "vi"
    assert language({"LANG": "vi_VN.UTF-8", "GIS_LANG": "en"}) == "en"
    assert language({"LANG": "de_DE.UTF-8"}) == "en"
    assert language({}) == "en"


@pytest.mark.parametrize("error", [NotRunning(), PortTaken(port=80, other=81), DataRefused("a {brace}")])
def test_the_english_sentence_of_an_error_is_that_of_its_class(error: GisError) -> None:
    assert sentence(error, "en") == str(error)
    assert sentence(error, "vi") != str(error)


def test_a_command_that_needs_the_service_says_that_it_is_not_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIS_DATA", str(tmp_path))
    monkeypatch.delenv("GIS_DATABASE_URL", raising=False)
    assert main(["key", "list"]) == 3
    assert "./gis up" in capsys.readouterr().err


def test_an_unknown_option_is_wrong_usage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gis_service.cli", "up", "--prot", "1"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2


def test_a_mistake_in_the_settings_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIS_PORT", "eighty")
    assert main(["status"]) == 4
    assert "GIS_PORT" in capsys.readouterr().err


def test_a_port_out_of_range_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_DATA", str(tmp_path))
    assert main(["up", "--port", "70000"]) == 2


def test_words_for_pytest_and_the_bench_keep_their_order() -> None:
    words = ["-k", "name", "tests/unit", "-x"]
    assert parsed(["test", *words], "en").words == words
    assert parsed(["bench", "--json", "f", "--help"], "en").words == ["--json", "f", "--help"]
