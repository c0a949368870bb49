"""The legend of a style as a picture: what it says in `gis:legend` of each layer that the caller may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Final

from gis_service.catalog.view import ViewedLayer
from gis_service.texts import say
from gis_service.tiles.fonts import REGULAR, fonts

FAMILY: Final = "Noto Sans"
BOLD: Final = "Noto Sans SemiBold"
_SIZE: Final = 13
_LINE: Final = 22
_EDGE: Final = 12
_SWATCH: Final = (22, 14)
_GAP: Final = 10
_UNKNOWN: Final = 0.6  # of the size: a letter where the font isn't installed


@dataclass(frozen=True)
class Theme:
    """The colours of paper and ink."""

    paper: str
    ink: str


THEMES: Final[Mapping[str, Theme]] = {
    "light": Theme("#fffdf7", "#24302b"),
    "dark": Theme("#141d1b", "#dfe6df"),
}


@dataclass(frozen=True)
class Row:
    """Words, and the symbol before them."""

    text: str
    bold: bool = False
    entry: Mapping[str, Any] | None = None


def svg(style: Mapping[str, Any], seen: Mapping[str, ViewedLayer], lang: str, theme: str) -> str:
    """The legend of a style."""
    return drawing(list(_rows(style, seen, lang)), lang, theme)


def drawing(rows: Sequence[Row], lang: str, theme: str) -> str:
    """Rows of symbols and words, as wide as the longest of them."""
    colours = THEMES[theme]
    inset = _SWATCH[0] + _GAP
    wide = max((_width(row.text, row.bold) + (inset if row.entry else 0) for row in rows), default=0)
    width, height = round(wide) + 2 * _EDGE, len(rows) * _LINE + 2 * _EDGE
    drawn = "".join(_drawn(row, _EDGE + at * _LINE, theme) for at, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="{FAMILY}, sans-serif" font-size="{_SIZE}"'
        f' fill="{colours.ink}" role="img"><title>{escape(say("legend", lang))}</title>'
        f'<rect width="{width}" height="{height}" fill="{colours.paper}"/>{drawn}</svg>'
    )


def png(drawing: str, ratio: int) -> bytes:
    """The same as pixels, in the font that the maps are lettered with."""
    import resvg_py  # noqa: PLC0415  # most processes draw no legend

    files = [str(fonts()[name]) for name in (REGULAR, BOLD) if name in fonts()]
    return resvg_py.svg_to_bytes(
        svg_string=drawing, zoom=ratio, font_files=files, skip_system_fonts=bool(files), font_family=FAMILY
    )


def _rows(style: Mapping[str, Any], seen: Mapping[str, ViewedLayer], lang: str) -> Iterator[Row]:
    """A layer with one symbol is one row; one with several has a heading. The uppermost comes first."""
    told: Mapping[str, Sequence[Mapping[str, Any]]] = style.get("metadata", {}).get("gis:legend", {})
    shown = [source for source in style.get("sources", {}) if source in told and source in seen]
    for name in reversed(shown):
        title, entries = seen[name].title.say(lang), told[name]
        if len(entries) == 1:
            yield Row(title, entry=entries[0])
            continue
        yield Row(title, bold=True)
        yield from (Row(say(entry["text"], lang), entry=entry) for entry in entries)


def _drawn(row: Row, top: int, theme: str) -> str:
    base = top + _LINE / 2 + _SIZE * 0.36
    weight = ' font-weight="600"' if row.bold else ""
    left = _EDGE + (_SWATCH[0] + _GAP if row.entry else 0)
    # Another font, where this one is missing, is squeezed into the same room.
    fit = f' textLength="{_width(row.text, row.bold):.1f}" lengthAdjust="spacingAndGlyphs"'
    words = f'<text x="{left}" y="{base:g}"{weight}{fit}>{escape(row.text)}</text>'
    if row.entry is None:
        return words
    return _swatch(row.entry, theme, _EDGE, top + (_LINE - _SWATCH[1]) / 2) + words


def _swatch(entry: Mapping[str, Any], theme: str, x: float, y: float) -> str:
    """A sample of the symbol, as the legend of the map page draws it (web/ui/legend.js)."""
    colour = escape(str(entry["dark"] if theme == "dark" and "dark" in entry else entry["colour"]))
    dashed = ' stroke-dasharray="4 2.4"' if entry.get("dash") else ""
    stroke = f'stroke="{colour}" stroke-width="1.6"{dashed}'
    match entry["shape"]:
        case "line":
            return f'<path d="M{x + 1:g} {y + 7:g}h20" fill="none" {stroke}/>'
        case "circle":
            return f'<circle cx="{x + 11:g}" cy="{y + 7:g}" r="4.5" fill="{colour}"/>'
        case "ring":
            return f'<circle cx="{x + 11:g}" cy="{y + 7:g}" r="4" fill="none" {stroke}/>'
        case "cell":
            return f'<rect x="{x:g}" y="{y:g}" width="22" height="14" fill="{colour}"/>'
    opacity = 0.3 if entry.get("dash") else 0.5
    box = f'x="{x + 1:g}" y="{y + 1:g}" width="20" height="12" rx="2"'
    return f'<rect {box} fill="{colour}" fill-opacity="{opacity}" {stroke}/>'


def _width(text: str, bold: bool) -> float:
    return sum(_advance(letter, BOLD if bold else REGULAR) for letter in text)


@lru_cache(4096)
def _advance(letter: str, font: str) -> float:
    """How far a letter moves the pen, in pixels."""
    import freetype  # noqa: PLC0415

    path = fonts().get(font)
    if path is None:
        return _SIZE * _UNKNOWN
    face = freetype.Face(str(path))
    face.load_char(letter, freetype.FT_LOAD_NO_SCALE)
    return float(face.glyph.advance.x * _SIZE / face.units_per_EM)
