"""What `./gis` decides before it installs anything."""

import subprocess
from pathlib import Path

import pytest

from gis_service.bootstrap import packages, system
from gis_service.bootstrap.steps import Steps
from tests.conftest import ROOT


def _pins(lock: str) -> set[str]:
    return {line.split(" ")[0] for line in (ROOT / lock).read_text().splitlines() if line[:1].isalnum()}


def test_the_lock_for_tests_holds_the_very_versions_that_run() -> None:
    assert _pins("requirements.lock") <= _pins("requirements-dev.lock")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"])
def test_every_pin_has_hashes_and_no_registry_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert len(_pins(lock)) <= text.count("--hash=sha256:")
    assert "://" not in text
    assert "index" not in text


def test_the_javascript_lock_names_no_registry() -> None:
    assert "://registry" not in (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_a_lock_that_was_installed_is_not_installed_again(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("x==1\n")
    packages._stamp(tmp_path / ".venv", lock)
    assert packages._stamped(tmp_path / ".venv", lock)
    lock.write_text("x==2\n")
    assert not packages._stamped(tmp_path / ".venv", lock)


def test_a_step_says_that_it_failed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), Steps().step("Digging"):
        raise ValueError("x")
    assert "✗ Digging" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "code"), [("status", 3), ("down", 0)])
def test_asking_and_stopping_install_nothing(tmp_path: Path, command: str, code: int) -> None:
    for name in ("gis", "gis_service/__init__.py", "gis_service/errors.py", "gis_service/db/__init__.py"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    for name in ("gis_service/bootstrap", "gis_service/db"):
        for file in (ROOT / name).glob("*.py"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    done = subprocess.run(["sh", tmp_path / "gis", command], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "isn't running" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_script_is_plain_posix_shell() -> None:
    assert (ROOT / "gis").read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", ROOT / "gis"], check=False).returncode == 0


def test_what_dpkg_says_of_a_failure_is_kept() -> None:
    said = [
        "Setting up fontconfig (2.14) ...\n",
        "dpkg: error processing package fontconfig (--configure):\n",
        " installed fontconfig package post-installation script returned error exit status 1\n",
        "Setting up blt (2.5) ...\n",
        "E: Sub-process /usr/bin/dpkg returned an error code (1)\n",
    ]
    assert system._telling(said) == [said[1], said[2], said[4]]
