"""Names of files that are sent, and what was wrong with one: what the web and the worker both say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from gis_service.texts import catalogue, say

MOST_NAMES: Final = 200  # characters of a column's name or of a reference system
SUFFIXES: Final = (
    ".gpkg", ".geojson", ".json", ".zip", ".csv", ".tsv", ".xlsx", ".fgb", ".kml", ".gml", ".parquet",
)  # fmt: skip


def suffix(filename: str) -> str:
    """The ending of a file's name, by which its reader is chosen; empty where none of ours."""
    ending = PurePosixPath(filename.replace("\\", "/")).suffix.lower()
    return ending if ending in SUFFIXES else ""


def said(problem: Mapping[str, Any], lang: str) -> str:
    """What was wrong, in a language; as it was said at first where its sentence has no key."""
    code = str(problem.get("code", ""))
    if code not in catalogue():
        return str(problem.get("detail", ""))
    return say(
        code, lang, **{name: each for name, each in problem.get("values", {}).items() if name != "key"}
    )
