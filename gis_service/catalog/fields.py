"""The columns of a bulk file: what encoders in other processes are told of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["text", "integer", "number", "boolean", "date", "timestamp", "json"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column beside the geometry; `json` is a list."""

    name: str
    type: FieldType
    title: str
