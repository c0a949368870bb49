"""`./gis check`: layers against the database, styles against layers; with a file, the checks of its rows."""

import argparse
import sys

from gis_service.cli import check_file
from gis_service.cli.command import Context
from gis_service.errors import ConfigRefused, NotRunning


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take a file with its options, or nothing."""
    check_file.add_arguments(parser, lang)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print what is wrong; exit code 4 when something is, 3 without a database to hold the files against."""
    if args.file is not None:
        return check_file.run(args, context)
    from gis_service.access.check import check
    from gis_service.db.sync import SyncDatabase

    try:
        with SyncDatabase(context.running_dsn()) as database:
            findings = check(context.settings.root, database)
    except NotRunning as absent:
        findings = check(context.settings.root, None)
        sys.stderr.write(f"{absent}\n")
        _print(findings.faults, findings.notes, context)
        return ConfigRefused.exit_code if findings.faults else absent.exit_code
    _print(findings.faults, findings.notes, context)
    if findings.faults:
        return ConfigRefused.exit_code
    context.print("cli.check.fine", layers=findings.layers)
    return 0


def _print(faults: tuple[str, ...], notes: tuple[str, ...], context: Context) -> None:
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    for note in notes:
        sys.stdout.write(f"{context.say('cli.check.warning')}: {note}\n")
