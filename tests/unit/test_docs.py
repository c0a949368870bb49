"""The documents name every command, exit code and environment variable that there is."""

import re

from gis_service.cli.__main__ import COMMANDS, name_of, parser
from gis_service.errors import GisError
from tests.conftest import ROOT

CLI = (ROOT / "docs" / "cli.md").read_text()


def _subclasses(kind: type[GisError]) -> set[type[GisError]]:
    return {kind}.union(*(_subclasses(each) for each in kind.__subclasses__()))


def test_every_command_is_described() -> None:
    names = [name_of(command) for command in COMMANDS]
    assert [name for name in names if not re.search(rf"`(\./gis )?{name}\b", CLI)] == []


def test_every_exit_code_is_described() -> None:
    codes = {each.exit_code for each in _subclasses(GisError)}
    assert [code for code in sorted(codes) if f"| {code} |" not in CLI] == []


def test_help_speaks_both_languages() -> None:
    assert "start the service" in parser("en").format_help()
    assert "khởi động" in parser("vi").format_help()


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = re.findall(r"^\s*(\./gis \w+)", (ROOT / "README.md").read_text(), re.M)
    assert commands[:2] == ["./gis up", "./gis test"]
