"""Our server with the thinning of tiles switched off: the like-for-like row beside each thinned one.

The service itself offers only tiles as a map needs them; a tolerance of zero makes its own statement
draw every vertex, without tile tables no shape was generalised beforehand, and all else is the very same
program.
"""

from gis_service.db import tile_tables, tilesql

tilesql.TOLERANCE_UNITS = 0
tile_tables.FINEST = -1  # type: ignore[misc]  # no zoom has a table

from gis_service.web.main import app  # noqa: E402  # after the switch, which each worker must see

__all__ = ["app"]
