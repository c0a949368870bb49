"""The fonts that maps are lettered with: Noto Sans, which holds Vietnamese, from its npm package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from gis_service import javascript

PACKAGE: Final = "@expo-google-fonts/noto-sans"
REGULAR: Final = "Noto Sans Regular"
_FOLDER: Final = re.compile(r"\d00([A-Z][A-Za-z]+?)(_Italic)?").fullmatch


@cache
def fonts() -> Mapping[str, Path]:
    """The file of each font by the name that styles use, such as `Noto Sans Bold Italic`."""
    found = {}
    for path in sorted((javascript.MODULES / PACKAGE).glob("*/*.ttf")):
        if (named := _FOLDER(path.parent.name)) is not None:
            found[_name(named[1], named[2] is not None)] = path
    return found


def _name(weight: str, italic: bool) -> str:
    """The upright one of a plain weight is Regular, the slanted one just Italic."""
    words = [weight] if weight != "Regular" or not italic else []
    return " ".join(["Noto Sans", *words, *(["Italic"] if italic else [])])
