"""Reads rasters for a web worker: `python -m gis_service.processes.rastering`, questions in, answers out.

It's a process of its own so that neither GDAL's memory nor a file that breaks it is the worker's. It ends
with its input, and by itself when nothing was asked for a while; the worker ends it where an answer takes too
long.
"""

from __future__ import annotations

import functools
import resource
import select
import sys
import warnings
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from gis_service.catalog.raster import RasterLayer
from gis_service.geoprocessing import raster_maps
from gis_service.geoprocessing.raster_refusal import RasterRefused
from gis_service.observe import Log, log_to_stderr
from gis_service.processes.raster_questions import MOST_LINE, Answer

MEMORY: Final = 3 * 1024**3  # of addresses; what it holds is some 150 MB
IDLE_SECONDS: Final = 600.0
_log = Log("gis.raster")


@functools.lru_cache(64)
def _layer(text: bytes) -> RasterLayer:
    return RasterLayer.model_validate_json(text)


def answered(asked: dict[str, Any]) -> Answer:
    """The answer; a RasterRefused is said in it."""
    layer = _layer(orjson.dumps(asked["layer"]))
    try:
        file = raster_maps.reader(Path(asked["path"]), asked["stamp"])
        if (place := asked["place"]) is not None:
            box, size = tuple(place["box"]), (place["size"][0], place["size"][1])
            return Answer({}, raster_maps.picture(layer, file, box, place["srid"], size, place["form"]))
        if (at := asked["at"]) is not None:
            return Answer({"value": raster_maps.value(layer, file, at[0], at[1])})
        return Answer(raster_maps.description(layer, file))
    except (RasterRefused, MemoryError) as err:
        _log.warning("refused", path=asked["path"], reason=str(err))
        return Answer({"error": str(err) or "out of memory"})


def serve(given: BinaryIO, out: BinaryIO) -> None:
    """Answer until the questions end or nobody has any."""
    with raster_maps.frugal():
        while select.select([given], [], [], IDLE_SECONDS)[0]:
            line = given.readline(MOST_LINE)
            if not line.endswith(b"\n"):
                return
            answer = answered(orjson.loads(line))
            out.write(orjson.dumps({**answer.said, "length": len(answer.body)}) + b"\n" + answer.body)
            out.flush()


def main() -> int:
    """Serve the worker that started this."""
    log_to_stderr("warning")
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(0, "rb", buffering=0, closefd=False) as given:
        serve(given, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
