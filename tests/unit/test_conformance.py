"""What /conformance declares is what the suite proves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gis_service.features.conformance import CLASSES
from tests import conformance
from tests.conftest import ROOT

A, B = "http://www.opengis.net/spec/a/1.0/conf/a", "http://www.opengis.net/spec/b/1.0/conf/b"


def test_a_class_is_declared_where_a_proof_passed_and_none_failed() -> None:
    assert conformance.faults([A], {A: ["passed", "skipped"]}) == []
    assert conformance.faults([A], {A: ["passed", "failed"]}) == [f"declared but a proof failed: {A}"]
    assert conformance.faults([A], {A: ["skipped"]}) == [f"declared but not proved: {A}"]
    assert conformance.faults([A], {}) == [f"declared but not proved: {A}"]
    assert conformance.faults([A], {A: ["passed"], B: ["failed"]}) == [f"proved but not declared: {B}"]


def test_declared_and_proved_classes_are_the_same(request: pytest.FixtureRequest) -> None:
    """By the marks alone; whether the proofs pass is asked at the end of a whole run."""
    marked = _marked(request)
    assert conformance.faults(CLASSES, {uri: ["passed"] for uri in marked}) == []


def _marked(request: pytest.FixtureRequest) -> set[str]:
    """The classes of all tests: of this run where it is whole, else of another that only collects them."""
    if conformance.is_whole(request.config):
        return {uri for item in request.session.items for uri in conformance.uris_of(item)}
    script = (
        "import pytest\n"
        "class Marks:\n"
        "    def pytest_collection_finish(self, session):\n"
        "        from tests.conformance import uris_of\n"
        "        print('\\n'.join(sorted({uri for item in session.items for uri in uris_of(item)})))\n"
        "raise SystemExit(pytest.main(['--collect-only', '-qq', '--no-header'], plugins=[Marks()]))"
    )
    made = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return {line for line in made.stdout.splitlines() if line.startswith("http")}


def test_a_whole_run_whose_proofs_are_wanting_fails(tmp_path: Path) -> None:
    """A suite of two tests under our hooks: one class is proved, one's proof fails, all others have none."""
    proved, broken = CLASSES[:2]
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = suite\nmarkers = proves(uri): x\n")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "conftest.py").write_text("from tests.conformance import *\n")
    (tmp_path / "suite" / "test_it.py").write_text(
        f"import pytest\n@pytest.mark.proves({proved!r})\ndef test_a(): pass\n"
        f"@pytest.mark.proves({broken!r})\n@pytest.mark.parametrize('x', (1, 0))\ndef test_b(x): assert x\n"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    whole = run()
    assert whole.returncode == 1
    assert f"declared but a proof failed: {broken}" in whole.stdout
    assert f"declared but not proved: {CLASSES[2]}" in whole.stdout
    assert proved not in whole.stdout
    assert run("-k", "test_a").returncode == 0  # a part of the suite proves nothing and needn't


def test_no_class_is_declared_twice() -> None:
    assert len(set(CLASSES)) == len(CLASSES)
