"""`./gis test`: style, types, import direction, then the tests; what CI runs and a person too."""

import argparse
import os
import subprocess
import sys

from gis_service.cli.command import Context
from gis_service.texts import say

CHECKS = (
    ("ruff", "check", "gis_service", "tests"),
    ("ruff", "format", "--check", "gis_service", "tests"),
    ("mypy",),
    ("lint-imports",),
)


# A whole run is shared by processes, each with a PostGIS of its own; the tests of a file stay together.
SHARED = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile")


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take --all; every other word goes to pytest."""
    parser.add_argument("--all", action="store_true", help=say("cli.test.all", lang))
    parser.add_argument("words", nargs="*", metavar="PYTEST_ARG")


def run(args: argparse.Namespace, context: Context) -> int:
    """Run the checks, all of them even when one fails, then pytest; words for pytest skip the checks."""
    words = [word for word in args.words if word != "--all"]
    root = str(context.settings.root)
    failed = [] if words else [check[0] for check in CHECKS if _fails(check, root)]
    chosen = [*([] if "--all" in args.words else ["-m", "not long"]), *(() if words else SHARED)]
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen, *words], cwd=root, check=False
    ).returncode
    if failed:
        sys.stderr.write(f"✗ {', '.join(failed)}\n")
    return tests or (1 if failed else 0)


def _fails(check: tuple[str, ...], root: str) -> bool:
    sys.stderr.write(f"… {' '.join(check)}\n")
    program = os.path.join(os.path.dirname(sys.executable), check[0])  # noqa: PTH118, PTH120  # a Path would follow the link out of .venv
    return subprocess.run([program, *check[1:]], cwd=root, check=False).returncode != 0
