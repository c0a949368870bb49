"""Makes archives of tiles: which tiles, what the archive says of itself, and whence its data are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gis_service.catalog.view import ViewedLayer
from gis_service.db import select
from gis_service.db.sync import SyncDatabase
from gis_service.errors import GisError
from gis_service.features import documents
from gis_service.features.documents import Dataset, Stats
from gis_service.features.formats import PMTILES, Format
from gis_service.geo.bbox import BBox
from gis_service.processes.publishing import Encode
from gis_service.tiles import archive, tilejson
from gis_service.tiles.archive import About
from gis_service.tiles.walk import Tell, Walk


class NothingThere(GisError):
    """Nothing is there to be drawn within the box and the zooms; no archive was written."""

    code, exit_code = "nothing-there", 4


@dataclass(frozen=True)
class Wanted:
    """The layers of a caller; without a box as far as their rows reach, without zooms all of theirs."""

    views: Sequence[ViewedLayer]
    box: BBox | None = None
    zooms: tuple[int, int] | None = None

    def of(self) -> tuple[int, int]:
        """The first and the last zoom."""
        first = min(view.tiles.zoom[0] for view in self.views)
        return self.zooms or (first, max(view.tiles.zoom[1] for view in self.views))


def export(database: SyncDatabase, dsn: str, wanted: Wanted, path: Path, lang: str, tell: Tell) -> int:
    """Write the archive and give the number of its tiles; NothingThere where it would be empty."""
    box = wanted.box or extent(database, wanted.views)
    if box is None:
        raise NothingThere
    first, last = wanted.of()
    walk = Walk(wanted.views, box, first, last)
    made = archive.write(path, about(database, wanted, box, lang), walk.tiles(dsn, tell))
    if not made:
        raise NothingThere
    return made


def encode(
    database: SyncDatabase, dsn: str, features: Encode, view: ViewedLayer, form: Format, path: Path
) -> None:
    """A bulk file: tiles as PMTiles, all other formats as `features` writes them."""
    if form is PMTILES:
        export(database, dsn, Wanted([view]), path, "en", lambda _zoom, _done, _all: None)
    else:
        features(view, form, path)


def about(database: SyncDatabase, wanted: Wanted, box: BBox, lang: str) -> About:
    """Titles, credit and attributes of the layers."""
    views = wanted.views
    credit = [documents.attribution(view, _stats(database, view), lang) for view in views]
    return About(
        ", ".join(view.title.say(lang) for view in views),
        " ".join(view.description.say(lang) for view in views),
        "; ".join(dict.fromkeys(credit)),
        box.as_tuple(),
        wanted.of(),
        [tilejson.vector_layer(view, lang) for view in views],
    )


def extent(database: SyncDatabase, views: Sequence[ViewedLayer]) -> BBox | None:
    """The box around the visible rows of all."""
    boxes = [box for view in views if (box := database.run(select.extent(view))[0])[0] is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return BBox(min(west), min(south), max(east), max(north))


def _stats(database: SyncDatabase, view: ViewedLayer) -> Stats:
    found = database.run(select.datasets(view)) if view.layer.managed else []
    return Stats(0, None, None, tuple(Dataset(*row) for row in found))
