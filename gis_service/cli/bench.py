"""`./gis bench`: the measurements of tests/bench; every word goes to them."""

import argparse
import subprocess
import sys

from gis_service.cli.command import Context


def add_arguments(parser: argparse.ArgumentParser, _lang: str) -> None:
    """Leave all words, --help too, to the bench."""
    parser.add_argument("words", nargs="*", metavar="BENCH_ARG")


def run(args: argparse.Namespace, context: Context) -> int:
    """Run the bench of this checkout."""
    command = [sys.executable, "-m", "tests.bench", *args.words]
    return subprocess.run(command, cwd=context.settings.root, check=False).returncode
