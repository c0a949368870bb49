"""`./gis load`: a file into a layer, whole or not at all; what became of its rows."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gis_service.bootstrap.steps import Steps
from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.exchange.request import LoadRequest, LoadResult

SHOWN = 20  # rows set aside that are printed; --quarantine writes all
OPTIONS = (
    "crs", "id", "file-layer", "encoding", "dataset", "dataset-title", "dataset-title-vi", "licence",
    "source-url", "citation", "dataset-version", "quarantine",
)  # fmt: skip
SWITCHES = ("override-crs", "points-from-polygons", "partial", "dry-run", "strict")
SET_ASIDE = 6  # exit code of --strict


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take the file, its layer, and what the file doesn't say of itself."""
    parser.add_argument("file", metavar="FILE", help=say("cli.load.file", lang))
    parser.add_argument("--layer", required=True, metavar="L", help=say("cli.load.layer", lang))
    parser.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN", help=say("cli.load.map", lang)
    )
    for name in OPTIONS:
        parser.add_argument(f"--{name}", metavar="X", help=say(f"cli.load.{name}", lang))
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true", help=say(f"cli.load.{name}", lang))
    parser.add_argument(
        "--basis", choices=["published", "indicative", "simulated"], default="published",
        help=say("cli.load.basis", lang),
    )  # fmt: skip
    parser.add_argument("--redistribution", choices=["yes", "no"], help=say("cli.load.redistribution", lang))
    parser.add_argument("--max-bad-share", type=float, default=0.5, help=say("cli.load.max-bad-share", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Load the file and print what became of its rows; DataRefused (exit code 4) when it can't be used."""
    from gis_service.exchange.load import load

    dsn = context.running_dsn()
    request = _request(args, context)
    with Steps().step(Path(args.file).name) as bar:
        result = load(request, dsn, bar.count)
    _print(result, context)
    if args.quarantine:
        _write_quarantine(Path(args.quarantine), result, context.lang)
    return SET_ASIDE if args.strict and result.quarantined else 0


def _request(args: argparse.Namespace, context: Context) -> "LoadRequest":
    from gis_service.catalog.registry import load_catalog
    from gis_service.exchange.datasets import slug_of
    from gis_service.exchange.request import DatasetInfo, LoadRequest

    catalog = load_catalog(context.settings.root)
    if args.layer not in catalog.layers:
        raise Usage(context.say("cli.no_layer", layer=args.layer, layers=", ".join(catalog.layers)))
    path = Path(args.file)
    dataset = DatasetInfo(
        slug=args.dataset or slug_of(path.stem),
        title=args.dataset_title,
        title_vi=args.dataset_title_vi,
        licence=args.licence,
        source_url=args.source_url,
        citation=args.citation,
        version=args.dataset_version,
        basis=args.basis,
        redistribution=None if args.redistribution is None else args.redistribution == "yes",
    )
    return LoadRequest(
        path, catalog.layers[args.layer], dataset,
        crs=args.crs, override_crs=args.override_crs, maps=dict(pair(each, context) for each in args.map),
        id_field=args.id, file_layer=args.file_layer, encoding=args.encoding,
        points_from_polygons=args.points_from_polygons, partial=args.partial, dry_run=args.dry_run,
        max_bad_share=args.max_bad_share, loaded_by=getpass.getuser(), lang=context.lang,
    )  # fmt: skip


def pair(text: str, context: Context) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not (field and equals and column):
        raise Usage(context.say("cli.load.bad_map", text=text))
    return field, column


def _print(result: "LoadResult", context: Context) -> None:
    counts = result.counts
    if result.seen_before:
        context.print("cli.load.seen", dataset=result.dataset)
        return
    context.print("cli.load.done", dataset=result.dataset, layer=result.layer, release=result.release or "–")
    context.print(
        "cli.load.counts", read=counts.read, inserted=counts.inserted, superseded=counts.superseded,
        unchanged=counts.unchanged, withdrawn=counts.withdrawn, quarantined=counts.quarantined,
        repaired=counts.repaired,
    )  # fmt: skip
    for note in result.notes:
        sys.stdout.write(f"  {note}\n")
    for repaired in result.repaired[:SHOWN]:
        change = f"{repaired.change_m2:+.1f}"
        context.print("cli.load.repaired", id=repaired.source_id, change=change)
    for row in result.quarantined[:SHOWN]:
        context.print("cli.load.aside", row=row.row, reason=row.reason.say(context.lang))
    if len(result.quarantined) > SHOWN:
        context.print("cli.load.more", number=len(result.quarantined) - SHOWN)


def _write_quarantine(path: Path, result: "LoadResult", lang: str) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["row", "source_id", "code", "reason"])
        for row in result.quarantined:
            table.writerow([row.row, row.source_id or "", row.reason.code, row.reason.say(lang)])
