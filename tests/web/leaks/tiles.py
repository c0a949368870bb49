"""Requests for tiles, from the whole country to the highest zoom, and for what describes them."""

from collections.abc import Iterable

from gis_service.geo.tiles import covering
from tests.web.leaks.ask import Ask, gets
from tests.web.leaks.features import SPOTS, WITH_ROWS
from tests.web.leaks.world import LAYERS, World

GRID = "WebMercatorQuad"
# Of other grids the tiles that hold province A's sample, and B's: from a country to a district.
ON_GRIDS = (
    "WorldCRS84Quad/4/6/25", "WorldCRS84Quad/8/99/405", "WorldCRS84Quad/8/99/406", "VN2000UTM48/0/0/0",
    "VN2000UTM48/3/6/5", "VN2000UTM48/3/6/7", "VN2000UTM48/5/26/22",
)  # fmt: skip
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
    for tile in ON_GRIDS:
        yield from gets(*(f"/collections/{layer}/tiles/{tile}" for layer in WITH_ROWS), f"/tiles/{tile}")
    yield from gets(
        "/tiles", f"/tiles/{GRID}", "/tiles/VN2000UTM48?collections=occurrences,plots",
        "/collections/occurrences/tiles/VN2000UTM48", "/tileMatrixSets/VN2000UTM48",
    )  # fmt: skip
    x, y, *_rest = covering(SPOTS[0], 8)
    yield from gets(
        f"/xyz/{','.join(LAYERS)}/8/{x}/{y}.mvt", f"/collections/occurrences/tiles/{GRID}/8/{y}/{x}",
        "/styles", "/styles/overview", "/styles/overview/legend.svg",
        "/tileMatrixSets", f"/tileMatrixSets/{GRID}",
    )  # fmt: skip
