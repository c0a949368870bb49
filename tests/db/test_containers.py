"""docker-compose.yml is sound, and its entry commands run as they stand, without Docker."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, free_port

COMPOSE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text())["services"])


def _compose() -> list[str] | None:
    asked = ["docker", "compose", "version"]
    if shutil.which("docker") and subprocess.run(asked, capture_output=True, check=False).returncode == 0:
        return asked[:2]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def test_docker_compose_accepts_the_file() -> None:
    command = _compose()
    if command is None:
        pytest.skip("neither `docker compose` nor docker-compose is on this machine")
    done = subprocess.run(
        [*command, "-f", COMPOSE, "config", "--quiet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_dependency_is_a_service(services: dict[str, Any]) -> None:
    named = {name for each in services.values() for name in each.get("depends_on", {})}
    assert named <= services.keys()


def test_the_dockerfile_copies_what_is_there() -> None:
    lines = [
        line.split() for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")
    ]
    sources = [word for line in lines if not line[1].startswith("--") for word in line[1:-1]]
    assert sources
    assert [each for each in sources if not (ROOT / each).exists()] == []


def test_the_entry_commands_run_against_a_database(
    services: dict[str, Any], bare_database: str, tmp_path: Path
) -> None:
    port = free_port()
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "GIS_DATABASE_URL": bare_database,
        "GIS_DATA": str(tmp_path),
        "GIS_PORT": str(port),
    }
    commands = {
        name: [sys.executable, *services[name]["command"][1:]] for name in ("prepare", "service", "worker")
    }
    subprocess.run([*commands["prepare"], "--empty"], env=env, check=True, cwd=tmp_path)
    running = [subprocess.Popen(commands[name], env=env, cwd=tmp_path) for name in ("service", "worker")]
    try:
        assert _status(f"http://127.0.0.1:{port}/ready") == 200
        assert [each.poll() for each in running] == [None, None]
    finally:
        codes = [_stopped(each) for each in running]
    # A worker that is still starting is ended by the signal itself.
    assert set(codes) <= {0, -signal.SIGTERM}


def _stopped(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    try:
        return process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _status(url: str) -> int:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return 0
