"""Requests for tiles, from the whole country to the highest zoom, and for what describes them."""

from collections.abc import Iterable

from gis_service.geo.tiles import covering
from tests.web.leaks.ask import Ask, gets
from tests.web.leaks.features import SPOTS, WITH_ROWS
from tests.web.leaks.world import LAYERS, World

GRID = "WebMercatorQuad"
HIGHEST = 22


def requests(_: World) -> Iterable[Ask]:
    for layer in LAYERS:
        base = f"/collections/{layer}"
        yield from gets(f"/xyz/{layer}/tilejson.json", f"{base}/tiles", f"{base}/tiles/{GRID}")
        for zoom in (0, 6, 8, 11, 14) if layer in WITH_ROWS else (8,):
            for box in SPOTS:
                x, y, *_rest = covering(box, zoom)
                yield Ask(f"/xyz/{layer}/{zoom}/{x}/{y}.mvt")
        x, y, *_rest = covering(SPOTS[0], HIGHEST)
        yield Ask(f"/xyz/{layer}/{HIGHEST}/{x}/{y}.mvt")
    x, y, *_rest = covering(SPOTS[0], 8)
    yield from gets(
        f"/xyz/{','.join(LAYERS)}/8/{x}/{y}.mvt", f"/collections/occurrences/tiles/{GRID}/8/{y}/{x}",
        "/styles", "/styles/overview", "/tileMatrixSets", f"/tileMatrixSets/{GRID}",
    )  # fmt: skip
