"""What /conformance declares is what the suite proves."""

import subprocess
import sys

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


def test_no_class_is_declared_twice() -> None:
    assert len(set(CLASSES)) == len(CLASSES)
