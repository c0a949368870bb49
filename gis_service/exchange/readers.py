"""Open a request's file or frame with the reader that fits it; a file that can't be read is refused whole."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

import pyproj

from gis_service.exchange import projecting, read_frame, read_parquet, read_table, read_vector, tcvn3
from gis_service.exchange.reasons import refused
from gis_service.exchange.request import LoadRequest
from gis_service.exchange.source import Source

PARQUET: Final = (".parquet", ".geoparquet", ".pq")
TABLES: Final = (".csv", ".tsv", ".txt")


def open_source(request: LoadRequest) -> tuple[Source, pyproj.CRS]:
    """The opened file and the system that its coordinates are in; DataRefused where either can't be had."""
    _check_encoding(request)
    source = _opened(request)
    if not source.rows and source.rows is not None:
        raise refused("empty", request.lang, name=source.name)
    return source, _crs(request, source)


def _opened(request: LoadRequest) -> Source:
    if not isinstance(request.path, Path):
        return read_frame.open_frame(request.path)
    path = request.path
    if not path.exists():
        raise refused("no_file", request.lang, path=path)
    if not path.is_file() and not path.is_dir():
        raise refused("no_plain_file", request.lang, path=path)  # a pipe would be waited for without end
    if path.is_file() and path.stat().st_size == 0:
        raise refused("empty", request.lang, name=path.name)
    ending = path.suffix.lower()
    if ending in PARQUET:
        return read_parquet.open_parquet(path, request.lang)
    if ending in TABLES:
        return read_table.open_table(path, request)
    return read_vector.open_vector(path, request)


def _check_encoding(request: LoadRequest) -> None:
    if request.encoding and request.encoding.upper() != tcvn3.NAME:
        try:
            codecs.lookup(request.encoding)
        except LookupError as err:
            raise refused("unknown_encoding", request.lang, encoding=request.encoding) from err


def _crs(request: LoadRequest, source: Source) -> pyproj.CRS:
    given = _given(request)
    if source.crs is None and given is None:
        raise refused("no_crs", request.lang, name=source.name)
    if source.crs is not None and given is not None and not projecting.same(source.crs, given):
        if not request.override_crs:
            labels = {"file": projecting.label(source.crs), "given": projecting.label(given)}
            raise refused("crs_differs", request.lang, **labels)
        return given
    crs = source.crs or given
    assert crs is not None  # one of the two is there, or we have raised
    return crs


def _given(request: LoadRequest) -> pyproj.CRS | None:
    if request.crs is None:
        return None
    try:
        return projecting.parse(request.crs)
    except ValueError as err:
        raise refused("unknown_crs", request.lang, crs=request.crs) from err
