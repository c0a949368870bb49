"""Why a raster is refused."""

from __future__ import annotations

from gis_service.errors import DataRefused
from gis_service.texts import say


class RasterRefused(DataRefused):
    """{detail}"""

    code = "raster-refused"


def refusal(key: str, **values: object) -> RasterRefused:
    """The error in English; a command says the same key in the reader's language."""
    return RasterRefused(say(key, "en", **values), key=key, **values)
