"""`python -m gis_service.cli`: parse the words, run the command, turn failures into exit codes."""

import argparse
import errno
import os
import sys
from pathlib import Path
from types import ModuleType

from gis_service.cli import (
    audit,
    bench,
    change,
    check,
    down,
    explain_access,
    group,
    key,
    load,
    org,
    prepare,
    publish,
    raster,
    report,
    serve,
    statistic,
    status,
    test,
    tile,
    tiles,
    up,
    user,
    work,
)
from gis_service.cli.command import Context, language, sentence
from gis_service.errors import DiskFull, GisError
from gis_service.settings import load_settings
from gis_service.texts import say

COMMANDS = (
    up, down, status, test, check, load, change, publish, raster, report, statistic, bench, org, user, key,
    group, explain_access, audit, tile, tiles, prepare, serve, work,
)  # fmt: skip


def main(words: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    lang = language(os.environ)
    args = parsed(sys.argv[1:] if words is None else words, lang)
    root = Path(os.environ.get("GIS_ROOT") or Path(__file__).parents[2])
    try:
        code: int = args.run(args, Context(load_settings(root, os.environ), lang))
    except GisError as err:
        sys.stderr.write(f"{sentence(err, lang)}\n")
        return err.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as err:
        if err.errno != errno.ENOSPC:
            raise
        sys.stderr.write(f"{sentence(DiskFull(err), lang)}\n")
        return DiskFull.exit_code
    except KeyboardInterrupt:
        return 130
    return code


def parsed(words: list[str], lang: str) -> argparse.Namespace:
    """Parse the words; those of `test` and `bench` pass on as they stand, for pytest and the bench."""
    asks_for_help = words[1:2] in (["--help"], ["-h"])
    if words[:1] == ["bench"] or (words[:1] == ["test"] and not asks_for_help):
        return argparse.Namespace(run=(bench if words[0] == "bench" else test).run, words=words[1:])
    return parser(lang).parse_args(words)


def name_of(command: ModuleType) -> str:
    """What the command of a module is called: dashes where a module can only have underscores."""
    return command.__name__.rpartition(".")[2].replace("_", "-")


def parser(lang: str) -> argparse.ArgumentParser:
    """Build the parser of all commands, its help in that language."""
    whole = argparse.ArgumentParser(
        prog="gis", description=say("cli.about", lang), epilog=say("cli.codes", lang)
    )
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        name = name_of(command)
        help_text = say(f"cli.{name}.help", lang)
        each = commands.add_parser(name, help=help_text, description=help_text)
        each.set_defaults(run=command.run)
        command.add_arguments(each, lang)
    return whole


if __name__ == "__main__":
    sys.exit(main())
