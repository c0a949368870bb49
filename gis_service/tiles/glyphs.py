"""Letters for maps: 256 glyphs of a font as signed distances, in the protobuf that MapLibre reads.

The format is that of node-fontnik: glyphs of 24 px with 3 px around them, where a byte is
255 * (0.75 - distance / 8 px), so that the outline lies at 191. FreeType computes the distances from the
outline itself, not from pixels.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from gis_service.tiles.fonts import fonts

SIZE: Final = 24
BORDER: Final = 3
COUNT: Final = 256
HIGHEST: Final = 65535  # MapLibre asks for no more
MOST_FONTS: Final = 8  # of a stack
KEPT: Final = 24  # ranges of 60 to 150 KB; those of a Vietnamese map in three fonts are twelve
_SPREAD: Final = 4  # px to either side that FreeType tells: 32 steps a pixel, as the format has
_AROUND: Final = _SPREAD - BORDER
_EDGE: Final = 128  # of FreeType's bytes, which fall outside
_BYTES: Final = bytes(min(255, round(255 * 0.75 - (_EDGE - v) * 255 / 256)) for v in range(256))
_one_at_a_time = threading.Lock()  # FreeType's objects aren't shared between threads


@dataclass(frozen=True)
class Glyph:
    """A letter: distances row by row, its size and place in pixels without the border."""

    code: int
    bitmap: bytes
    width: int
    height: int
    left: int
    top: int
    advance: int

    def encoded(self) -> bytes:
        """The message `glyph`, of which `left` and `top` are signed."""
        numbers = {3: self.width, 4: self.height, 5: _signed(self.left), 6: _signed(self.top)}
        made = _number(1, self.code) + (_block(2, self.bitmap) if self.bitmap else b"")
        made += b"".join(_number(tag, value) for tag, value in numbers.items())
        return made + _number(7, self.advance)


def glyphs(stack: Sequence[str], first: int) -> bytes:
    """The range from `first`, each letter of the first font that has it; KeyError if no font is known."""
    known = [name for name in dict.fromkeys(stack) if name in fonts()]
    if not known:
        raise KeyError(", ".join(stack))
    letters: dict[int, bytes] = {}
    for name in known:
        letters = dict(_letters(name, first)) | letters
    head = _block(1, ", ".join(known).encode()) + _block(2, f"{first}-{first + COUNT - 1}".encode())
    return _block(1, head + b"".join(_block(3, letters[code]) for code in sorted(letters)))


@lru_cache(KEPT)
def _letters(font: str, first: int) -> tuple[tuple[int, bytes], ...]:
    with _one_at_a_time:
        return tuple((glyph.code, glyph.encoded()) for glyph in drawn(fonts()[font], first))


def drawn(path: Path, first: int) -> Iterator[Glyph]:
    """The letters of a range that a font has."""
    import freetype  # noqa: PLC0415  # most processes draw no letters

    spread = ctypes.c_int(_SPREAD)
    freetype.FT_Property_Set(freetype.get_handle(), b"sdf", b"spread", ctypes.byref(spread))
    face = freetype.Face(str(path))
    face.set_pixel_sizes(0, SIZE)
    ascender = face.size.ascender >> 6
    for code in range(first, first + COUNT):
        if (index := face.get_char_index(code)) != 0:
            face.load_glyph(index, freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP)
            yield _glyph(code, face.glyph, ascender)


def _glyph(code: int, slot: Any, ascender: int) -> Glyph:
    import freetype  # noqa: PLC0415

    advance = round(slot.linearHoriAdvance / 65536)
    if not slot.outline.points:
        return Glyph(code, b"", 0, 0, 0, 0, advance)
    freetype.FT_Render_Glyph(slot._FT_GlyphSlot, freetype.FT_RENDER_MODE_SDF)
    made = slot.bitmap
    rows = bytes(made.buffer).translate(_BYTES)
    inner = range(_AROUND, made.rows - _AROUND)
    bitmap = b"".join(rows[y * made.pitch + _AROUND : y * made.pitch + made.width - _AROUND] for y in inner)
    return Glyph(
        code,
        bitmap,
        made.width - 2 * _SPREAD,
        made.rows - 2 * _SPREAD,
        slot.bitmap_left + _SPREAD,
        slot.bitmap_top - _SPREAD - ascender,
        advance,
    )


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _block(tag: int, value: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(value)) + value


def _signed(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)
