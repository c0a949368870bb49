"""The sheet of icons that styles draw with: a picture, and where each icon lies in it (MapLibre's sprite)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from gis_service.catalog.icons import Icon

SHEET: Final = "icons"
RATIOS: Final[Mapping[str, int]] = {"": 1, "@2x": 2, "@3x": 3}
_GAP: Final = 1  # px, so that no icon bleeds into its neighbour
_BEFORE_ROOT: Final = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)


def index(icons: Mapping[str, Icon], ratio: int) -> dict[str, dict[str, int]]:
    """The place of each icon in the picture that has `ratio` dots to a pixel."""
    places, at = {}, 0
    for name, icon in icons.items():
        places[name] = {
            "x": at * ratio,
            "y": 0,
            "width": icon.width * ratio,
            "height": icon.height * ratio,
            "pixelRatio": ratio,
        }
        at += icon.width + _GAP
    return places


def picture(icons: Mapping[str, Icon], ratio: int) -> bytes:
    """The icons beside each other as PNG."""
    return _drawn(tuple(icons.values()), ratio)


@lru_cache(len(RATIOS))
def _drawn(icons: tuple[Icon, ...], ratio: int) -> bytes:
    import resvg_py  # noqa: PLC0415  # most processes draw no icons

    parts, at = [], 0
    for icon in icons:
        root = _BEFORE_ROOT.sub("", icon.svg)
        parts.append(root.replace("<svg", f'<svg x="{at}" y="0"', 1))
        at += icon.width + _GAP
    wide, high = max(at - _GAP, 1), max((icon.height for icon in icons), default=1)
    sheet = f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}">{"".join(parts)}</svg>'
    return resvg_py.svg_to_bytes(svg_string=sheet, zoom=ratio, skip_system_fonts=True)
