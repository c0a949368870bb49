"""`./gis report`: the overlap report of an area, as HTML, JSON or CSV."""

import argparse
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from gis_service.bootstrap.steps import Steps
from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.db.sync import SyncDatabase
    from gis_service.reports.drawing import Drawing
    from gis_service.reports.model import OverlapReport
    from gis_service.reports.overlap_report import Parameters, Reader

FORMATS = (".html", ".json", ".csv")


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take the area, the output file and the few choices of a report."""
    parser.add_argument("area", metavar="AREA", help=say("cli.report.area", lang))
    parser.add_argument("-o", "--output", metavar="FILE", help=say("cli.report.output", lang))
    parser.add_argument("--title", default="", help=say("cli.report.title", lang))
    parser.add_argument("--status-filter", default="pp_text", help=say("cli.report.status", lang))
    parser.add_argument("--release", metavar="N", type=int, help=say("cli.report.release", lang))
    parser.add_argument("--as-of", metavar="DATE", help=say("cli.report.as_of", lang))
    parser.add_argument("--as", dest="name", metavar="PRINCIPAL", help=say("cli.tile.as", lang))
    parser.add_argument("--lang", choices=["en", "vi"], default=lang, help=say("cli.report.lang", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the report; DataRefused (exit code 4) when the area can't be used."""
    from gis_service.cli.reading import tell
    from gis_service.db.sync import SyncDatabase
    from gis_service.geoprocessing.budget import Budget
    from gis_service.geoprocessing.project import ProjectLimits, read_project
    from gis_service.reports.area_file import read_area
    from gis_service.reports.overlap_report import compute

    kind = _kind(args.output, context)
    limits = ProjectLimits(vertices=context.settings.limits.report_vertices)
    project = read_project(read_area(Path(args.area)), limits)
    parameters = _parameters(args, context)
    with SyncDatabase(context.running_dsn()) as database:
        reader = _reader(args.name, context, database)
        with Steps().step(context.say("cli.report.step")) as bar:
            budget = Budget(tell=lambda percent, step: bar.show(percent / 100, step))
            report, drawing = compute(database, reader, project, parameters, budget)
        tell(database, reader.principal, reader.views.values(), "report")
    body = _rendered(kind, report, drawing, args.lang)
    if args.output:
        Path(args.output).write_bytes(body)
        context.print("cli.report.done", file=args.output)
    else:
        sys.stdout.buffer.write(body)
    return 0


def _parameters(args: argparse.Namespace, context: Context) -> "Parameters":
    from gis_service.reports.overlap_report import Parameters

    if args.release is not None and not 0 < args.release < 2**31:
        raise Usage(context.say("cli.report.bad_release", value=args.release))
    chosen = Parameters(
        title=args.title or Path(args.area).stem,
        status_filter=args.status_filter,
        release=args.release,
        small_count=context.settings.limits.small_count,
    )
    if args.as_of is None:
        return chosen
    try:
        return replace(chosen, as_of=date.fromisoformat(args.as_of))
    except ValueError as err:
        raise Usage(context.say("cli.report.bad_day", value=args.as_of)) from err


def _kind(output: str | None, context: Context) -> str:
    kind = Path(output).suffix.lower() if output else ".json"
    if kind not in FORMATS:
        raise Usage(context.say("cli.report.bad_output", file=output, formats=", ".join(FORMATS)))
    return kind


def _reader(name: str | None, context: Context, database: "SyncDatabase") -> "Reader":
    from gis_service.access import keystore
    from gis_service.access.policy import visible_layers
    from gis_service.access.principal import PUBLIC
    from gis_service.catalog.registry import load_catalog
    from gis_service.reports.overlap_report import Reader

    principal = keystore.principal_named(database, name) if name else PUBLIC
    epoch = database.run(keystore.EPOCH)[0][0]
    layers = load_catalog(context.settings.root).layers.values()
    return Reader(principal, visible_layers(principal, layers, epoch))


def _rendered(kind: str, report: "OverlapReport", drawing: "Drawing", lang: str) -> bytes:
    from gis_service.reports import as_csv, as_html, as_json

    if kind == ".html":
        return as_html.render(report, drawing, lang)
    return as_csv.render(report) if kind == ".csv" else as_json.render(report)
