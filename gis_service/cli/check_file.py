"""`./gis check FILE --layer L`: the automatic checks of a file's rows, and nothing is written."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gis_service.cli.command import Context
from gis_service.errors import DataRefused, NotFound, Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.access.principal import Principal
    from gis_service.checks import Candidate, Finding
    from gis_service.checks.candidate import Level, LonLat
    from gis_service.checks.present import Views
    from gis_service.db.sync import SyncDatabase
    from gis_service.exchange.reading import ReadRow
    from gis_service.exchange.request import LoadRequest

OPTIONS = ("crs", "id", "file-layer", "encoding", "dataset")
SWITCHES = ("override-crs", "points-from-polygons")
LEVELS = ("fault", "warning", "note")
SHOWN = 100  # findings that are printed; -o writes all
REPAIR_M2 = 1.0  # a repair that changes more than this is a person's to confirm


@dataclass(frozen=True)
class Line:
    """One finding of one row, in the reader's language."""

    row: int
    source_id: str | None
    column: str | None
    level: "Level"
    rule: str
    text: str
    place: "LonLat | None"


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take the file, its layer, and what `./gis load` takes to read it."""
    parser.add_argument("file", nargs="?", metavar="FILE", help=say("cli.check.file", lang))
    parser.add_argument("--layer", metavar="L", help=say("cli.check.layer", lang))
    parser.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN", help=say("cli.load.map", lang)
    )
    for name in OPTIONS:
        parser.add_argument(f"--{name}", metavar="X", help=say(f"cli.load.{name}", lang))
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true", help=say(f"cli.load.{name}", lang))
    parser.add_argument("-o", "--output", metavar="FILE", help=say("cli.check.output", lang))
    parser.add_argument("--level", choices=LEVELS, default="note", help=say("cli.check.level", lang))
    parser.add_argument("--as", dest="name", metavar="PRINCIPAL", help=say("cli.check.as", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Print what is found, or write it to a file; exit code 4 where there are faults."""
    from gis_service.cli import check_output
    from gis_service.db.sync import SyncDatabase
    from gis_service.exchange.reading import read

    kind = check_output.kind(args.output, context)
    request, dsn = _request(args, context), context.running_dsn()
    reading = read(request, dsn)
    with SyncDatabase(dsn) as database:
        principal, views = _reader(args.name, context, database)
        candidates = _candidates(database, views, request, reading.rows)
        found = _run(database, views, candidates, principal)
    lines = [
        line
        for row, candidate, findings in zip(reading.rows, candidates, found, strict=True)
        for line in _lines(row, candidate, findings, context.lang)
    ]
    kept = [line for line in lines if LEVELS.index(line.level) <= LEVELS.index(args.level)]
    for note in reading.notes:
        sys.stderr.write(f"{note}\n")
    if kind is None:
        check_output.show(kept[:SHOWN], context, len(kept) - SHOWN)
    else:
        check_output.write(Path(args.output), kind, kept)
    check_output.summarise(Counter((line.level, line.rule) for line in lines), len(reading.rows), context)
    return DataRefused.exit_code if any(line.level == "fault" for line in lines) else 0


def _request(args: argparse.Namespace, context: Context) -> "LoadRequest":
    from gis_service.catalog.registry import load_catalog
    from gis_service.cli.load import pair
    from gis_service.exchange.datasets import slug_of
    from gis_service.exchange.request import DatasetInfo, LoadRequest

    layers = load_catalog(context.settings.root).layers
    if not args.layer:
        raise Usage(context.say("cli.check.which_layer", layers=", ".join(layers)))
    if args.layer not in layers:
        raise Usage(context.say("cli.no_layer", layer=args.layer, layers=", ".join(layers)))
    path = Path(args.file)
    return LoadRequest(
        path, layers[args.layer], DatasetInfo(args.dataset or slug_of(path.stem)),
        crs=args.crs, override_crs=args.override_crs, maps=dict(pair(each, context) for each in args.map),
        id_field=args.id, file_layer=args.file_layer, encoding=args.encoding,
        points_from_polygons=args.points_from_polygons, lang=context.lang,
    )  # fmt: skip


def _reader(name: str | None, context: Context, database: "SyncDatabase") -> "tuple[Principal, Views]":
    from gis_service.access import keystore
    from gis_service.access.policy import visible_layers
    from gis_service.access.principal import Principal
    from gis_service.catalog.registry import load_catalog

    principal = keystore.principal_named(database, name) if name else Principal("operator", "full")
    epoch = database.run(keystore.EPOCH)[0][0]
    return principal, visible_layers(principal, load_catalog(context.settings.root).layers.values(), epoch)


def _candidates(
    database: "SyncDatabase", views: "Views", request: "LoadRequest", rows: "Sequence[ReadRow]"
) -> "list[Candidate]":
    """The file's rows as candidates, each a change of the row that it would replace."""
    from gis_service.checks import Candidate
    from gis_service.checks.present import replacing, standing

    layer = request.layer
    if layer.id not in views:
        raise NotFound(f"collection {layer.id!r}")
    ids = [row.source_id for row in rows if row.source_id is not None]
    stand = standing(database, views[layer.id], request.dataset.slug, ids)
    return [
        replacing(Candidate(layer.id, "insert", row.values, row.geometry), stand.get(row.source_id or ""))
        for row in rows
    ]


def _run(
    database: "SyncDatabase", views: "Views", candidates: "Sequence[Candidate]", principal: "Principal"
) -> "list[tuple[Finding, ...]]":
    from gis_service.checks import present
    from gis_service.checks import run as checked

    codes = principal.jurisdictions if principal.tier == "jurisdiction" else ()
    known = present.context(database, views, candidates, datetime.now(UTC).date(), codes)
    return checked(candidates, known)


def _lines(row: "ReadRow", candidate: "Candidate", findings: "Sequence[Finding]", lang: str) -> list[Line]:
    """What the rules say of a row, and what the loader would say where they don't."""
    unread = row.value_fault is not None and not candidate.values
    kept = [each for each in findings if not unread and each.rule != "geometry-missing"]  # the loader's word
    lines = [
        Line(row.number, row.source_id, each.column, each.level, each.rule, each.say(lang), each.place)
        for each in kept
    ]
    explained = any(each.level == "fault" and each.rule.startswith("geometry-") for each in kept)
    reasons = [row.value_fault, None if explained else row.shape_fault]
    for reason in (each for each in reasons if each is not None):
        column = str(reason.values["column"]) if "column" in reason.values else None
        lines.append(
            Line(row.number, row.source_id, column, "fault", f"load.{reason.code}", reason.say(lang), None)
        )
    return [*lines, *_repaired(row, lang)]


def _repaired(row: "ReadRow", lang: str) -> list[Line]:
    if row.repair is None:
        return []
    from gis_service.checks.geometry import phrase

    change = row.repair.after_m2 - row.repair.before_m2
    fault = say(f"check.phrase.{phrase(row.repair.fault)}", lang)
    text = say("cli.check.repaired", lang, fault=fault, change=f"{change:+.1f}")
    level: Level = "warning" if abs(change) > REPAIR_M2 else "note"
    return [Line(row.number, row.source_id, None, level, "load.repaired", text, None)]
