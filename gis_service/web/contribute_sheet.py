"""A sheet to fill in: the columns of a layer that somebody may propose, with titles and allowed values."""

from __future__ import annotations

import io
from typing import Any, Final

import xlsxwriter

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.changes.propose import columns
from gis_service.texts import say
from gis_service.web import field

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS: Final = 5_000  # with drop-down lists
LONGEST_LIST: Final = 255  # characters of a list of values within a cell's rule, by Excel
_POINT: Final = ("lon", "lat")


def template(view: ViewedLayer, lang: str) -> bytes:
    """The workbook: a sheet of rows with a header of names, and one that tells of each column."""
    writable = columns(view)
    named = {name: prop for name, prop in view.properties.items() if name in writable}
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#e4efe8", "border": 1})
        rows = book.add_worksheet(say("contribute.sheet.rows", lang)[:31])
        about = book.add_worksheet(say("contribute.sheet.about", lang)[:31])
        header = ["id", *(_POINT if view.geometry_type == "Point" else ()), *named]
        for at, name in enumerate(header):
            rows.write_string(0, at, name, bold)
            rows.set_column(at, at, max(12, len(name) + 4))
            if name in named:
                _offer(rows, at, named[name], lang)
        rows.freeze_panes(1, 1)
        _tell(about, bold, view, named, lang)
    return made.getvalue()


def _offer(sheet: Any, at: int, prop: Property, lang: str) -> None:
    """A title when a cell is entered, and a list where values are limited."""
    rule: dict[str, Any] = {"validate": "any", "input_title": prop.title.say(lang)[:32]}
    values = list(prop.values or ())
    rule["input_message"] = ", ".join(values)[:255] or say(f"page.type.{prop.type}", lang)
    if values and prop.type != "list" and len(",".join(values)) <= LONGEST_LIST:
        rule |= {"validate": "list", "source": values}
    sheet.data_validation(1, at, ROWS, at, rule)


def _tell(sheet: Any, bold: Any, view: ViewedLayer, named: dict[str, Property], lang: str) -> None:
    """A row for each column: its name, both titles, type, unit, allowed values."""
    heads = ("name", "vi", "en", "type", "unit", "values")
    for at, head in enumerate(heads):
        sheet.write_string(0, at, say(f"contribute.sheet.{head}", lang), bold)
        sheet.set_column(at, at, 60 if head == "values" else 24)
    sheet.write_row(1, 0, ["id", say("contribute.sheet.id", "vi"), say("contribute.sheet.id", "en")])
    first = 2
    if view.geometry_type == "Point":
        sheet.write_row(2, 0, ["lon", "Kinh độ (WGS 84)", "Longitude (WGS 84)", "", "°"])
        sheet.write_row(3, 0, ["lat", "Vĩ độ (WGS 84)", "Latitude (WGS 84)", "", "°"])
        first = 4
    for row, (name, prop) in enumerate(named.items(), first):
        told = "; ".join(f"{value}: {title}" for value, title in field.titles(prop, lang).items())
        kind = say(f"page.type.{prop.type}", lang)
        sheet.write_row(row, 0, [name, prop.title.vi, prop.title.en, kind, prop.unit or "", told[:32_000]])
