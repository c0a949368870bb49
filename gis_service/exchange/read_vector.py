"""All that GDAL in the pyogrio wheel reads: GeoPackage, Shapefile, GeoJSON, FlatGeobuf, KML, GML, TAB …"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FieldError

from gis_service import texts
from gis_service.exchange import gdal, projecting, tcvn3
from gis_service.exchange.reasons import refused
from gis_service.exchange.request import LoadRequest
from gis_service.exchange.source import Batch, Source, batch_rows, batches, checksum, parts

SAMPLE: Final = 2000
LATIN1: Final = "ISO-8859-1"


@dataclass(frozen=True)
class _Encoding:
    """How GDAL shall read text, how we turn it into the right letters afterwards, and what to say of it."""

    gdal: str | None = None
    decode: Callable[[str], str] | None = None
    note: str | None = None


def open_vector(path: Path, request: LoadRequest) -> Source:
    """Open one layer of the file; DataRefused where it can't be read, has no geometry or several layers."""
    gdal.forget_referring_formats()
    try:
        layer = _layer(path, request)
        info = pyogrio.read_info(path, layer=layer, force_feature_count=True)
        encoding = _encoding(path, layer, info, request)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, LookupError) as err:
        raise refused("unreadable", request.lang, name=path.name, fault=_first_line(err)) from err
    if info["geometry_type"] is None:
        raise refused("no_geometry", request.lang, name=path.name, fields=", ".join(info["fields"]))
    fields = tuple(str(name) for name in info["fields"])
    crs = projecting.parse(info["crs"]) if info["crs"] else None
    rows = batch_rows(sum(part.stat().st_size for part in parts(path)), int(info["features"]))
    return Source(
        name=path.name,
        fields=fields,
        crs=crs,
        batches=lambda: _read(path, layer, fields, encoding, rows, request.lang),
        rows=int(info["features"]) if info["features"] >= 0 else None,
        checksum=checksum(path),
        cut_names=info["driver"] == "ESRI Shapefile",
        notes=(encoding.note,) if encoding.note else (),
    )


def _layer(path: Path, request: LoadRequest) -> str:
    layers = {str(name): kind for name, kind in pyogrio.list_layers(path)}
    if request.file_layer:
        if request.file_layer not in layers:
            raise refused("no_such_layer", request.lang, layer=request.file_layer, layers=", ".join(layers))
        return request.file_layer
    spatial = [name for name, kind in layers.items() if kind is not None]
    if len(spatial) > 1:
        raise refused("several_layers", request.lang, name=path.name, layers=", ".join(spatial))
    if not layers:
        raise refused("empty", request.lang, name=path.name)
    return spatial[0] if spatial else next(iter(layers))


def _encoding(path: Path, layer: str, info: dict[str, Any], request: LoadRequest) -> _Encoding:
    """What was asked for; else UTF-8, unless the file says otherwise."""
    asked = request.encoding
    if asked and asked.upper() == tcvn3.NAME:
        return _Encoding(LATIN1, tcvn3.decode)
    if asked or info["encoding"] in (None, "UTF-8"):
        return _Encoding(asked)
    return _guessed(_words(path, layer), info["encoding"], request.lang)


def _words(path: Path, layer: str) -> list[str]:
    """The texts of the first rows, each byte shown as Latin-1 has it."""
    sample = pyogrio.read_dataframe(
        path, layer=layer, read_geometry=False, max_features=SAMPLE, encoding=LATIN1
    )
    return [text for name in sample for text in sample[name] if isinstance(text, str)]


def _guessed(words: list[str], said: str, lang: str) -> _Encoding:
    """A file that names no encoding: UTF-8 or TCVN3 where the letters can be nothing else."""
    if all(word.isascii() for word in words) or _is_utf8(words):
        return _Encoding("UTF-8")
    if tcvn3.looks_like(words):
        return _Encoding(LATIN1, tcvn3.decode, texts.say("load.note.tcvn3", lang))
    return _Encoding(said, None, texts.say("load.note.encoding", lang, encoding=said))


def _is_utf8(latin1: list[str]) -> bool:
    try:
        "\n".join(latin1).encode(LATIN1).decode("utf-8")
    except UnicodeError:
        return False
    return True


def _read(
    path: Path, layer: str, fields: tuple[str, ...], encoding: _Encoding, rows: int, lang: str
) -> Iterator[Batch]:
    try:
        with pyogrio.raw.open_arrow(
            path, layer=layer, batch_size=rows, encoding=encoding.gdal, use_pyarrow=True
        ) as (meta, stream):
            geometry = meta["geometry_name"] or "wkb_geometry"
            yield from batches(iter(stream), geometry, fields, encoding.decode)
    except (DataSourceError, DataLayerError, FieldError, pa.ArrowInvalid, OSError, UnicodeDecodeError) as err:
        raise refused("unreadable", lang, name=path.name, fault=_first_line(err)) from err


def _first_line(err: Exception) -> str:
    return str(err).strip().splitlines()[0] if str(err).strip() else type(err).__name__
