"""A sheet to fill in: the columns of a layer that somebody may propose, with titles and allowed values."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import xlsxwriter

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.changes.propose import columns
from gis_service.changes.sheet import EXAMPLE, MOST_FILLED, VN2000, projected
from gis_service.db.pool import Row
from gis_service.texts import say
from gis_service.web import field

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS: Final = 5_000  # with drop-down lists
LONGEST_LIST: Final = 255  # characters of a list of values within a cell's rule, by Excel
_DEGREES: Final = ("lon", "lat")
_IN_DEGREES: Final = (105.8, 21.0)  # of the example
_IN_METRES: Final = (580_000, 2_320_000)
_EXAMPLES: Final[Mapping[str, str | float]] = {
    "integer": 12, "number": 12.5, "date": "2024-05-31", "boolean": "true",
}  # fmt: skip


def template(view: ViewedLayer, lang: str, srid: int | None, filled: Sequence[Row] | None) -> bytes:
    """The workbook: a sheet of rows with a header of names, and one that tells of each column.

    Below the header stands an example, which isn't read, or the rows to be corrected.
    """
    writable = columns(view)
    named = {name: prop for name, prop in view.properties.items() if name in writable}
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#e4efe8", "border": 1})
        rows = book.add_worksheet(say("contribute.sheet.rows", lang)[:31])
        about = book.add_worksheet(say("contribute.sheet.about", lang)[:31])
        place = (projected(srid) if srid else _DEGREES) if view.geometry_type == "Point" else ()
        header = ["id", *place, *named]
        for at, name in enumerate(header):
            rows.write_string(0, at, name, bold)
            rows.set_column(at, at, max(12, len(name) + 4))
            if name in named:
                _offer(rows, at, named[name], lang)
        rows.freeze_panes(1, 1)
        if filled is None:
            quiet = book.add_format({"italic": True, "font_color": "#5f6b66"})
            rows.write_row(1, 0, [EXAMPLE, *_coordinates(place), *map(_example, named.values())], quiet)
        else:
            _fill(rows, filled[:MOST_FILLED], bool(place), named)
        said = _notes(filled, lang)
        for at, text in enumerate(said):
            about.write_string(at, 0, text)
        _tell(about, bold, (place, srid), named, lang, len(said) + 1)
    return made.getvalue()


def _offer(sheet: Any, at: int, prop: Property, lang: str) -> None:
    """A title when a cell is entered, and a list where values are limited."""
    rule: dict[str, Any] = {"validate": "any", "input_title": prop.title.say(lang)[:32]}
    values = list(prop.values or ())
    rule["input_message"] = ", ".join(values)[:255] or say(f"page.type.{prop.type}", lang)
    if values and prop.type != "list" and len(",".join(values)) <= LONGEST_LIST:
        rule |= {"validate": "list", "source": values}
    sheet.data_validation(1, at, ROWS, at, rule)


def _notes(filled: Sequence[Row] | None, lang: str) -> list[str]:
    """What whoever fills it in must know: that the example isn't read, or that there are more rows."""
    if filled is None:
        return [say("contribute.sheet.example", lang, mark=EXAMPLE)]
    if len(filled) > MOST_FILLED:
        return [say("contribute.sheet.cut", lang, most=MOST_FILLED)]
    return [say("contribute.sheet.filled", lang, count=len(filled))]


def _coordinates(place: Sequence[str]) -> Sequence[float]:
    if not place:
        return ()
    return _IN_DEGREES if tuple(place) == _DEGREES else _IN_METRES


def _example(prop: Property) -> str | float:
    """A value as it may be written, of the column's type."""
    if prop.values:
        return next(iter(prop.values))
    return _EXAMPLES.get(prop.type, "…")


def _fill(sheet: Any, filled: Sequence[Row], is_point: bool, named: Mapping[str, Property]) -> None:
    for at, (_, text, lon, lat) in enumerate(filled, 1):
        feature = orjson.loads(bytes(text))
        values = [feature["properties"].get(name) for name in named]
        for column, value in enumerate([str(feature["id"]), *((lon, lat) if is_point else ()), *values]):
            _write(sheet, at, column, value)


def _write(sheet: Any, row: int, column: int, value: object) -> None:
    """A cell that is read back as the same value: numbers of more digits than Excel keeps stay texts."""
    if value is None:
        return
    if isinstance(value, int | float) and not isinstance(value, bool) and float(f"{value:.15G}") == value:
        sheet.write_number(row, column, value)
    elif isinstance(value, list):
        sheet.write_string(row, column, ";".join(map(str, value)))
    else:
        sheet.write_string(row, column, str(value).lower() if isinstance(value, bool) else str(value))


def _tell(
    sheet: Any,
    bold: Any,
    place: tuple[Sequence[str], int | None],
    named: Mapping[str, Property],
    lang: str,
    top: int,
) -> None:
    """A row for each column: its name, both titles, type, unit, allowed values."""
    heads = ("name", "vi", "en", "type", "unit", "values")
    for at, head in enumerate(heads):
        sheet.write_string(top, at, say(f"contribute.sheet.{head}", lang), bold)
        sheet.set_column(at, at, 60 if head == "values" else 24)
    sheet.write_row(top + 1, 0, ["id", say("contribute.sheet.id", "vi"), say("contribute.sheet.id", "en")])
    names, srid = place
    unit, system = ("m", VN2000[srid]) if srid else ("°", "WGS 84")
    for row, (name, axis) in enumerate(zip(names, ("x", "y"), strict=False), top + 2):
        kind = f"contribute.sheet.{axis}-{'metres' if srid else 'degrees'}"
        sheet.write_row(row, 0, [name, *(f"{say(kind, each)} ({system})" for each in ("vi", "en")), "", unit])
    for row, (name, prop) in enumerate(named.items(), top + 2 + len(names)):
        told = "; ".join(f"{value}: {title}" for value, title in field.titles(prop, lang).items())
        kind = say(f"page.type.{prop.type}", lang)
        sheet.write_row(row, 0, [name, prop.title.vi, prop.title.en, kind, prop.unit or "", told[:32_000]])
