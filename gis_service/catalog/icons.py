"""The icons that styles draw with: SVG files in styles/icons, named by what they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from gis_service.catalog.yamlfile import Mistake

FOLDER: Final = "styles/icons"
LARGEST: Final = 128  # px to a side
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}").fullmatch
_DRAWN_WITH: Final = ("icon-image", "fill-pattern", "line-pattern", "background-pattern")


@dataclass(frozen=True)
class Icon:
    """A drawing and its size in pixels."""

    svg: str
    width: int
    height: int


def read_icons(root: Path) -> tuple[dict[str, Icon], list[Mistake]]:
    """The icons by name, and what is wrong with the others."""
    icons: dict[str, Icon] = {}
    mistakes: list[Mistake] = []
    for path in sorted((root / FOLDER).glob("*.svg"), key=lambda file: file.stem):
        found = _icon(path)
        if isinstance(found, Mistake):
            mistakes.append(found)
        else:
            icons[path.stem] = found
    return icons, mistakes


def _icon(path: Path) -> Icon | Mistake:
    file = f"{FOLDER}/{path.name}"
    if _NAME(path.stem) is None:
        return Mistake(file, 1, "is named by small letters, digits and hyphens, such as `hatch-dark.svg`")
    svg = path.read_text("utf-8")
    try:
        drawing = ElementTree.fromstring(svg)  # noqa: S314  # the operator's own file
    except ElementTree.ParseError as err:
        return Mistake(file, err.position[0], f"isn't SVG: {err}")
    sides = [drawing.get(side, "") for side in ("width", "height")]
    if not all(side.isascii() and side.isdigit() and 0 < int(side) <= LARGEST for side in sides):
        return Mistake(file, 1, f"needs width and height in whole pixels up to {LARGEST}, without a unit")
    return Icon(svg, int(sides[0]), int(sides[1]))


def unknown(file: str, style: Mapping[str, Any], icons: Mapping[str, Icon]) -> Iterator[Mistake]:
    """Icons that a style names and nobody drew."""
    dark = style.get("metadata", {}).get("gis:dark", {})
    for layer in style["layers"]:
        drawn = {**layer.get("layout", {}), **layer.get("paint", {})}
        for name in {*_named(drawn), *_named(dark.get(layer.get("id"), {}))} - icons.keys():
            yield Mistake(file, 1, f"layer {layer.get('id')!r}: no file {FOLDER}/{name}.svg")


def _named(drawn: Mapping[str, Any]) -> Iterable[str]:
    return (value for key in _DRAWN_WITH if isinstance(value := drawn.get(key), str))
