"""The encoder in a process of its own: records come in by standard input, a file goes out.

`python -m gis_service.exchange.encode` is started by a web worker for one answer and ends with it, so what
numpy, Arrow and GDAL need of memory and processor is never the worker's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from gis_service.exchange.bulk import Bulk
from gis_service.exchange.frames import Batch, Torn, batches, description

TORN, TOO_LONG = 3, 4  # exit codes


def main() -> int:
    """Read the description and the batches, write the file; the exit code says what went wrong."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    try:
        told = json.loads(description(source))
        return _write(told, Bulk.from_json(json.dumps(told["bulk"])), batches(source), out)
    except Torn:
        return TORN
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # else Python complains when it ends
        return TORN


def _write(told: dict[str, object], bulk: Bulk, found: Iterable[Batch], out: BinaryIO) -> int:
    # Each format loads what it needs and no more: memory is what the split of processes saves.
    if told["format"] == "fgb":
        from gis_service.exchange import flatgeobuf  # noqa: PLC0415  # see above

        flatgeobuf.write(bulk, found, out)
    elif told["format"] == "parquet":
        from gis_service.exchange import geoparquet  # noqa: PLC0415  # see above

        geoparquet.write(bulk, found, out)
    else:
        return _spooled(bulk, found, Path(str(told["path"])), int(str(told["most_bytes"])))
    out.flush()
    return 0


def _spooled(bulk: Bulk, found: Iterable[Batch], path: Path, most_bytes: int) -> int:
    for heavy in (
        "geopandas",
        "pandas",
    ):  # pyogrio loads them if it can: a second and 60 MB, for nothing here
        sys.modules[heavy] = None  # type: ignore[assignment]  # as the import system has it for "isn't there"
    from gis_service.exchange import gdal_file  # noqa: PLC0415  # as above

    try:
        gdal_file.write("gpkg", bulk, found, path, most_bytes)
    except gdal_file.TooLong:
        return TOO_LONG
    return 0


if __name__ == "__main__":
    sys.exit(main())
