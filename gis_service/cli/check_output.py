"""Findings of a file as a table on the screen, CSV, JSON, or points that QGIS opens."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis_service.cli.command import Context
from gis_service.errors import Usage

if TYPE_CHECKING:
    from gis_service.cli.check_file import Line

FORMATS = (".csv", ".json", ".geojson")
FIELDS = ("row", "source_id", "level", "rule", "column", "lon", "lat", "text")


def kind(output: str | None, context: Context) -> str | None:
    """The format by the file's ending, None for the screen; Usage where the ending is another."""
    if output is None:
        return None
    ending = Path(output).suffix.lower()
    if ending not in FORMATS:
        raise Usage(context.say("cli.report.bad_output", file=output, formats=", ".join(FORMATS)))
    return ending


def show(lines: "Sequence[Line]", context: Context, more: int) -> None:
    """Print findings row by row in columns as wide as they need to be."""
    table = [
        (str(each.row), context.say(f"check.level.{each.level}"), each.rule, each.column or "", each.text)
        for each in lines
    ]
    widths = [max((len(cells[at]) for cells in table), default=0) for at in range(4)]
    for cells in table:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
        sys.stdout.write("  ".join([*padded, cells[4]]) + "\n")
    if more > 0:
        context.print("cli.check.more", number=more)


def write(path: Path, ending: str, lines: "Sequence[Line]") -> None:
    """Write all findings in the format of the ending."""
    records = [_record(each) for each in lines]
    if ending == ".csv":
        with path.open("w", newline="", encoding="utf-8-sig") as file:  # spreadsheets ask for the mark
            table = csv.DictWriter(file, FIELDS)
            table.writeheader()
            table.writerows(records)
        return
    body = records if ending == ".json" else {"type": "FeatureCollection", "features": _features(records)}
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", "utf-8")


def summarise(counts: Mapping[tuple[str, str], int], rows: int, context: Context) -> None:
    """Print how often each rule found something, and how many findings of each level there are."""
    for (level, rule), number in sorted(counts.items(), key=lambda each: (each[0][0], -each[1])):
        sys.stdout.write(f"{number:>8}  {context.say(f'check.level.{level}'):<8}  {rule}\n")
    levels = {name: sum(n for (level, _), n in counts.items() if level == name) for name in _LEVELS}
    context.print("cli.check.summary", rows=rows, **levels)


_LEVELS = ("fault", "warning", "note")


def _record(line: "Line") -> dict[str, Any]:
    lon, lat = line.place or (None, None)
    return {
        "row": line.row, "source_id": line.source_id, "level": line.level, "rule": line.rule,
        "column": line.column, "lon": lon, "lat": lat, "text": line.text,
    }  # fmt: skip


def _features(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Points where a finding has a place; the others without geometry, as the format allows."""
    return [
        {
            "type": "Feature",
            "geometry": None
            if each["lon"] is None
            else {"type": "Point", "coordinates": [each["lon"], each["lat"]]},
            "properties": {name: each[name] for name in FIELDS if name not in ("lon", "lat")},
        }
        for each in records
    ]
