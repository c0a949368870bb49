"""Archives of tiles, PMTiles 3 and MBTiles 1.3: written beside the target and then renamed."""

from __future__ import annotations

import errno
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from pmtiles.tile import Compression, TileType
from pmtiles.writer import Writer

from gis_service.tiles.walk import Found, number

PMTILES: Final = ".pmtiles"
MBTILES: Final = ".mbtiles"
_Writer: Final[Any] = Writer
_DEGREE: Final = 10_000_000  # PMTiles counts in these
_COMMIT: Final = 10_000  # tiles
# Tiles that are the same are kept once; MBTiles 1.3 lets `tiles` be a view.
_SCHEMA: Final = """
create table metadata (name text, value text);
create table body (id blob primary key, tile_data blob);
create table place (zoom_level integer, tile_column integer, tile_row integer, body blob);
create view tiles as select zoom_level, tile_column, tile_row, tile_data from place join body on id = body;
"""


@dataclass(frozen=True)
class About:
    """What an archive says of itself; `layers` are the `vector_layers` of TileJSON."""

    name: str
    description: str
    attribution: str
    bounds: tuple[float, float, float, float]
    zooms: tuple[int, int]
    layers: Sequence[Mapping[str, object]]

    def words(self) -> dict[str, str]:
        """What both kinds of archive tell as text."""
        return {
            "name": self.name,
            "description": self.description,
            "attribution": self.attribution,
            "type": "overlay",
            "version": "1",
        }


class Archive(Protocol):
    """What tiles are added to, in the order of a walk."""

    def add(self, found: Found) -> None: ...


Open = Callable[[Path, About], AbstractContextManager[Archive]]


class _PmTiles:
    def __init__(self, writer: Any) -> None:  # it has no types
        self.writer = writer
        self.any = False

    def add(self, found: Found) -> None:
        self.writer.write_tile(number(found.tile), found.body)
        self.any = True


@contextmanager
def _pmtiles(path: Path, about: About) -> Iterator[Archive]:
    """Tiles that are the same (open sea, the inside of a large area) are kept once."""
    with path.open("wb") as file:
        made = _PmTiles(_Writer(file))
        with closing(made.writer.tile_f):  # where it keeps tiles until it knows their number
            yield made
            if made.any:
                made.writer.finalize(_header(about), {**about.words(), "vector_layers": about.layers})


def _header(about: About) -> dict[str, object]:
    west, south, east, north = about.bounds
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": round(west * _DEGREE),
        "min_lat_e7": round(south * _DEGREE),
        "max_lon_e7": round(east * _DEGREE),
        "max_lat_e7": round(north * _DEGREE),
        "center_zoom": about.zooms[0],
        "center_lon_e7": round((west + east) / 2 * _DEGREE),
        "center_lat_e7": round((south + north) / 2 * _DEGREE),
    }


class _MbTiles:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.count = 0

    def add(self, found: Found) -> None:
        tile = found.tile
        row = (1 << tile.z) - 1 - tile.y  # TMS counts rows from the south
        body = hashlib.sha256(found.body).digest()
        self.connection.execute("insert or ignore into body values (?, ?)", (body, found.body))
        self.connection.execute("insert into place values (?, ?, ?, ?)", (tile.z, tile.x, row, body))
        self.count += 1
        if self.count % _COMMIT == 0:
            self.connection.commit()


@contextmanager
def _mbtiles(path: Path, about: About) -> Iterator[Archive]:
    connection = sqlite3.connect(path)
    try:
        connection.executescript("pragma application_id = 0x4d504258; pragma journal_mode = off;" + _SCHEMA)
        connection.executemany("insert into metadata values (?, ?)", _metadata(about).items())
        yield _MbTiles(connection)
        connection.execute("create unique index tile_index on place (zoom_level, tile_column, tile_row)")
        connection.commit()
    except sqlite3.OperationalError as err:
        if err.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        raise OSError(errno.ENOSPC, str(err)) from err
    finally:
        connection.close()


def _metadata(about: About) -> Mapping[str, str]:
    """The rows that MBTiles 1.3 names; texts all of them."""
    west, south, east, north = about.bounds
    return {
        **about.words(),
        "format": "pbf",
        "minzoom": str(about.zooms[0]),
        "maxzoom": str(about.zooms[1]),
        "bounds": f"{west},{south},{east},{north}",
        "center": f"{(west + east) / 2},{(south + north) / 2},{about.zooms[0]}",
        "json": json.dumps({"vector_layers": about.layers}, ensure_ascii=False),
    }


KINDS: Final[Mapping[str, Open]] = {PMTILES: _pmtiles, MBTILES: _mbtiles}


def write(path: Path, about: About, tiles: Iterator[Found]) -> int:
    """Write all tiles and give their number; the file is there whole or not at all, and never empty."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    count = 0
    unfinished.unlink(missing_ok=True)
    try:
        with KINDS[path.suffix](unfinished, about) as archive:
            for found in tiles:
                archive.add(found)
                count += 1
        if count:
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count
