"""`./gis statistic PROCESS`: what the process answers over HTTP, from the same engine, on the command line.

Options are the process's declared inputs: a new process is a new command.
"""

import argparse
import csv
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from gis_service.cli.command import Context
from gis_service.errors import Timeout, Usage
from gis_service.processes.statistics import STATISTICS
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.access.principal import Principal
    from gis_service.processes.resident import Question, Reply

FORMATS: Final = (".json", ".csv")
BY_ZONES: Final = ("coverage",)  # its zones can be summed on several machines
_NAMES: Final = (
    "name",
    "stratum",
    "cluster",
    "class",
    "mapped",
    "reference",
)  # columns of a table whose values are names
_SCALARS: Final = {"string": str, "number": float, "integer": int}


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take a process, and each of its inputs by its name."""
    commands = parser.add_subparsers(dest="process", required=True, metavar="PROCESS")
    for name, process in STATISTICS.items():
        title, description = (_help(key, lang) for key in (f"process.{name}.title", f"process.{name}"))
        each = commands.add_parser(name, help=title, description=description)
        for given, declared in process.inputs.items():
            if given != "format":
                _add(each, given, declared.schema, _help(f"process.{name}.{given}", lang))
        each.add_argument("-o", "--output", metavar="FILE", help=say("cli.statistic.output", lang))
        each.add_argument("--as", dest="as_whom", metavar="PRINCIPAL", help=say("cli.tile.as", lang))
        if name in BY_ZONES:
            told = say("cli.statistic.cluster", lang)
            each.add_argument("--cluster", metavar="tcp://HOST:PORT", type=_scheduler, help=told)


def _add(parser: argparse.ArgumentParser, name: str, schema: Mapping[str, Any], told: str) -> None:
    option, kind = f"--{name.replace('_', '-')}", schema["type"]
    if kind == "boolean":
        parser.add_argument(option, dest=name, action="store_true", default=None, help=told)
    elif kind == "object":
        parser.add_argument(option, dest=name, metavar="FILE", type=Path, help=told)
    elif kind == "array" and schema["items"]["type"] == "object":
        parser.add_argument(option, dest=name, metavar="FILE.csv", type=_records, help=told)
    elif kind == "array":
        value = _SCALARS[schema["items"]["type"]]
        parser.add_argument(option, dest=name, nargs="+", type=value, help=told)
    else:
        choices = schema.get("enum")
        parser.add_argument(option, dest=name, type=_SCALARS[kind], choices=choices, help=told)


def _scheduler(address: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+", address):
        raise argparse.ArgumentTypeError(f"{address}: tcp://HOST:PORT")
    return address


def _records(path: str) -> list[dict[str, object]]:
    """The rows of a table with a header; empty cells are left out, and what reads as a number is one."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)]
    except OSError as err:
        raise argparse.ArgumentTypeError(f"{path}: {err.strerror}") from err
    return [{name: _cell(name, value) for name, value in row.items()} for row in rows]


def _cell(name: str, value: str) -> object:
    if name == "inside":
        return value.strip().lower() in ("true", "1", "yes")
    if name in _NAMES:
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _help(key: str, lang: str) -> str:
    return say(key, lang).replace("%", "%%")  # argparse fills in places


def run(args: argparse.Namespace, context: Context) -> int:
    """Print or write the answer; EngineAway (exit code 5) where the service doesn't run."""
    from gis_service.processes.resident import Question

    form = _form(args.output, context)
    inputs = STATISTICS[args.process].check(_inputs(args))
    question = Question(args.process, inputs, _principal(args, context), form)
    reply = _reply(question, getattr(args, "cluster", None), context)
    if args.output:
        Path(args.output).write_bytes(reply.body)
        context.print("cli.report.done", file=args.output)
    else:
        sys.stdout.buffer.write(_laid_out(reply.body) + b"\n")
    return 0


def _laid_out(body: bytes) -> bytes:
    """With lines for a person at a terminal; a program gets it as it came."""
    if not sys.stdout.isatty():
        return body
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)


def _reply(question: "Question", cluster: str | None, context: Context) -> "Reply":
    """The answer of the running service's engine, or of this process and a cluster."""
    from gis_service.processes import resident

    if cluster is not None:
        from gis_service.processes import spreading

        dsn = context.running_dsn()
        return spreading.answer(context.settings, dsn, question, cluster, _tell_portions)
    seconds = context.settings.limits.report_seconds
    try:
        return resident.ask_and_wait(context.settings.data_dir, question, seconds)
    except TimeoutError as err:
        raise Timeout(seconds=seconds) from err


def _tell_portions(done: int, of: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{of}" + ("\n" if done == of else ""))


def _inputs(args: argparse.Namespace) -> dict[str, Any]:
    """The inputs that were given; polygons come from files."""
    from gis_service.reports.area_file import read_area

    given = {name: getattr(args, name, None) for name in STATISTICS[args.process].inputs}
    return {
        name: read_area(value) if isinstance(value, Path) else value
        for name, value in given.items()
        if value is not None
    }


def _form(output: str | None, context: Context) -> str:
    kind = Path(output).suffix.lower() if output else ".json"
    if kind not in FORMATS:
        raise Usage(context.say("cli.report.bad_output", file=output, formats=", ".join(FORMATS)))
    return kind.removeprefix(".")


def _principal(args: argparse.Namespace, context: Context) -> "Principal":
    """Who is answered; the log tells of an operator who reads as somebody that sees rows where they are."""
    from gis_service.access import keystore
    from gis_service.access.policy import visible_layers
    from gis_service.access.principal import PUBLIC
    from gis_service.catalog.registry import load_catalog
    from gis_service.cli.reading import tell
    from gis_service.db.sync import SyncDatabase

    if args.as_whom is None:
        return PUBLIC
    with SyncDatabase(context.running_dsn()) as database:
        principal = keystore.principal_named(database, args.as_whom)
        epoch = database.run(keystore.EPOCH)[0][0]
        layers = load_catalog(context.settings.root).layers.values()
        tell(database, principal, visible_layers(principal, layers, epoch).values(), "report")
    return principal
