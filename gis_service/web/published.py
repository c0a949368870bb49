"""The bulk files that a caller's class may fetch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gis_service.catalog.view import ViewedLayer
from gis_service.db import published
from gis_service.db.pool import Database
from gis_service.db.published import PublishedFile


class Published:
    """Reads the catalogue for each answer: a file closes with the rights to it and the state of its rows."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self.folder = folder

    async def of(self, views: Iterable[ViewedLayer]) -> Mapping[str, Sequence[PublishedFile]]:
        """By layer id."""
        found: dict[str, list[PublishedFile]] = {}
        for row in await self._database.run(published.of(views)):
            each = published.file(row)
            found.setdefault(each.layer, []).append(each)
        return found
