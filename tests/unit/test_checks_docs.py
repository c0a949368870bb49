"""docs/checks.md lists every rule and threshold as the code has them, and the vocabulary is the tables'."""

import dataclasses

from gis_service.checks.registry import GROUPS
from gis_service.checks.rule import Rule
from gis_service.checks.thresholds import STANDARD
from tests.conftest import ROOT


def rule_line(rule: Rule) -> str:
    """The rule's row in the table."""
    return f"| `{rule.id}` | {rule.level} | {rule.about} | {rule.source} |"


def threshold_line(name: str, value: float) -> str:
    """The threshold's row in the table."""
    return f"| `{name}` | {value:g} |" if value < 1e5 else f"| `{name}` | {value:,.0f} |"


def test_every_rule_and_threshold_is_listed_as_it_is() -> None:
    lines = (ROOT / "docs" / "checks.md").read_text().splitlines()
    wanted = [rule_line(rule) for rules in GROUPS.values() for rule in rules]
    wanted += [
        threshold_line(each.name, getattr(STANDARD, each.name)) for each in dataclasses.fields(STANDARD)
    ]
    assert [line for line in wanted if line not in lines] == []
    listed = [line for line in lines if line.startswith("| `")]
    assert [line for line in listed if line not in wanted] == []
