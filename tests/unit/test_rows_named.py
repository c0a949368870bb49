"""Every row of what clients and suites need is proved by a test of its name: test_q1_…, test_g6_…."""

import re

import pytest

from tests.conftest import ROOT

ROWS = [*(f"q{n}" for n in range(1, 18)), *(f"g{n}" for n in range(1, 8)), *(f"c{n}" for n in range(1, 8))]


@pytest.fixture(scope="module")
def named() -> set[str]:
    """The rows that the names of our tests begin with."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"^(?:async )?def test_([qgc]\d+)_", path.read_text("utf-8"), re.MULTILINE))
    return found


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test_of_its_name(named: set[str], row: str) -> None:
    assert row in named


def test_no_test_names_a_row_that_does_not_exist(named: set[str]) -> None:
    assert named <= set(ROWS) | {"c8"}
