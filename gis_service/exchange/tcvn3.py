"""TCVN3 (TCVN 5712:1993, the fonts named .Vn…): Vietnamese text of one byte a letter, still met in old maps.

Readers that don't know it show the bytes as Latin-1: "ViÖt Nam" for "Việt Nam". Capital letters with tone
marks exist in it only as another font, so they come out as small letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NAME: Final = "TCVN3"

_LETTERS: Final = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
    0xB5: "àảãáạ",
    0xBB: "ằẳẵắ",
    0xC6: "ặầẩẫấậè",
    0xCE: "ẻẽéẹềểễếệìỉ",
    0xDC: "ĩíịò",
    0xE1: "ỏõóọồổỗốộờởỡớợù",
    0xF1: "ủũúụừửữứựỳỷỹýỵ",
}
TABLE: Final = {start + i: letter for start, letters in _LETTERS.items() for i, letter in enumerate(letters)}

# Bytes that Latin-1 shows as signs (¸ µ ¶ ª …): no other language has them inside its words.
_SIGNS: Final = frozenset(chr(code) for code in TABLE if code < 0xC0)


def decode(latin1: str) -> str:
    """Turn text that was read as Latin-1 into the Vietnamese that was meant."""
    return latin1.translate(TABLE)


def looks_like(latin1: Iterable[str]) -> bool:
    """Whether texts read as Latin-1 are TCVN3: all high letters in its table, and signs within words."""
    high = signs = 0
    for text in latin1:
        for at, letter in enumerate(text):
            if letter < "\x80":
                continue
            if ord(letter) not in TABLE:
                return False
            high += 1
            signs += letter in _SIGNS and _in_word(text, at)
    return signs > 0 and signs >= 0.1 * high


def _in_word(text: str, at: int) -> bool:
    return text[at - 1 : at].isalpha() or text[at + 1 : at + 2].isalpha()
