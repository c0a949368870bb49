"""What a statistic answers: a document with every number in full, and the same as rows."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

JSON = "application/json"
CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class Table:
    """A document, and its rows by the names of their columns."""

    document: Mapping[str, Any]
    columns: Sequence[str]
    rows: Sequence[Mapping[str, object]]

    def json(self) -> bytes:
        """UTF-8 JSON."""
        return orjson.dumps(plain(self.document))

    def csv(self) -> bytes:
        """UTF-8 CSV with a header; spreadsheets are told the encoding by its mark."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({name: cell(value) for name, value in row.items()} for row in self.rows)
        return text.getvalue().encode("utf-8-sig")


def cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula is made harmless by an apostrophe."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return "" if value is None else value


def plain(value: Any) -> Any:
    """Dataclasses, days and sequences as JSON has them."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, (date, datetime)) else value
