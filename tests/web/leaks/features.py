"""Requests for features: pages, single features, exports, files; by box, filter, order, system, release."""

from collections.abc import Iterable
from urllib.parse import quote

from gis_service.features.formats import EXPORTS, FORMATS, GPKG, PARQUET
from gis_service.geo.bbox import BBox
from tests.web.leaks.ask import Ask, gets
from tests.web.leaks.world import LAYERS, World

SPOTS = (
    BBox(105.05, 20.05, 105.06, 20.06),
    BBox(106.05, 20.05, 106.06, 20.06),
    BBox(105.43, 20.53, 105.44, 20.54),
)
WITH_ROWS = ("protected-areas", "species-ranges", "occurrences", "plots")  # that some don't see
# A condition that a hidden value decides, and its negation, over every kind of what is hidden.
FILTERS = (
    ("occurrences", "recordedBy = 'Recorder B0'"),
    ("occurrences", "NOT recordedBy = 'Recorder B0'"),
    ("occurrences", "recordedBy IS NULL OR casei(locality) LIKE casei('hollow%')"),
    ("occurrences", "(recordedBy = 'Recorder B0') = (individualCount IS NULL)"),
    ("occurrences", "occurrenceID IN ('SECRET-A0', 'SECRET-B0')"),
    ("occurrences", "coordinateUncertaintyInMeters = 12"),
    ("occurrences", "NOT coordinateUncertaintyInMeters > 70"),
    ("occurrences", "dataGeneralizations IS NULL OR informationWithheld LIKE 'Nest%'"),
    ("occurrences", "S_EQUALS(geometry, POINT(106.0532345 20.0512345))"),
    ("occurrences", "S_WITHIN(geometry, BBOX(106.05, 20.05, 106.06, 20.06))"),
    ("occurrences", "S_DISJOINT(geometry, BBOX(106.05, 20.05, 106.06, 20.06))"),
    (
        "occurrences",
        "NOT S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(0 0), LINESTRING(105 20, 106.1 20.1)))",
    ),
    ("protected-areas", "name LIKE 'Khu closed%'"),
    ("protected-areas", "NOT S_INTERSECTS(geometry, BBOX(105, 20, 105.1, 20.1))"),
    ("plots", "NOT observer = 'Observer B'"),
    ("plots", "S_INTERSECTS(geometry, BBOX(106.43, 20.53, 106.44, 20.54))"),
)
# Orders in which a hidden name or row would come first or last.
ORDERS = (
    ("plots", "name"), ("plots", "-name"), ("plots", "stratum"), ("occurrences", "scientificName"),
    ("occurrences", "-scientificName"), ("protected-areas", "name"), ("protected-areas", "-name"),
    ("species-ranges", "-sci_name"),
)  # fmt: skip
# Half a cell round the exact place of a plot of province A, and what has moved there, in metres.
AROUND_A_PLOT = "/collections/plots/items?crs=EPSG:3405&bbox=544000,2269000,546000,2272000&bbox-crs=EPSG:3405"


def requests(world: World) -> Iterable[Ask]:
    yield from gets("/collections", "/collections?f=html")
    for layer in LAYERS:
        yield from _of_layer(f"/collections/{layer}")
        if layer in WITH_ROWS:
            yield from _of_rows(f"/collections/{layer}", world.gids)
    yield from gets(
        *(f"/collections/occurrences/items/{gid}?f=html" for gid in world.gids[:4])
    )  # names neighbours
    yield from gets(*(f"/collections/protected-areas/items/closed-{code}" for code in "AB"))
    yield from gets(*(f"/collections/species-ranges/items/range-{number}" for number in (0, 1)))
    yield from _of_formats("/collections/occurrences")
    yield from _of_values(world.gids)
    yield from gets(*(f"/collections/{layer}/files/{name}" for layer, name in world.files))


def _of_layer(base: str) -> Iterable[Ask]:
    yield from gets(base, f"{base}?f=html", f"{base}/items?limit=100", f"{base}/export?f=json")
    yield from gets(*(f"{base}/{part}" for part in ("queryables", "sortables", "schema", "schema/geojson")))


def _of_rows(base: str, gids: Iterable[int]) -> Iterable[Ask]:
    yield from gets(*(f"{base}/items?{query}" for query in ("limit=2", "limit=100&release=1")))
    yield from gets(f"{base}/items?limit=100&f=html", f"{base}/items?limit=100&f=fgb")
    yield from gets(*(f"{base}/export?f={form}" for form in ("jsonfg", "ndjson", "csv", "fgb")))
    for box in SPOTS:
        yield Ask(f"{base}/items?limit=100&bbox={','.join(map(str, box.as_tuple()))}")
    yield from gets(*(f"{base}/items/{gid}" for gid in gids))


def _of_formats(base: str) -> Iterable[Ask]:
    """Every format of a page and of an export, but for one each of the two that take half a second."""
    pages, exports = (form.name for form in FORMATS if form is not GPKG), (form.name for form in EXPORTS)
    yield from gets(*(f"{base}/items?limit=100&f={form}" for form in pages))
    yield from gets(*(f"{base}/export?f={form}" for form in exports if form != PARQUET.name))


def _of_values(gids: list[int]) -> Iterable[Ask]:
    yield from gets(
        "/collections/occurrences/items?recordedBy=Recorder%20B0",
        "/collections/occurrences/items?coordinateUncertaintyInMeters=12",
        "/collections/occurrences/items?scientificName=Speciosus%20category1",
        "/collections/protected-areas/items?name=Khu%20closed%20B",
        AROUND_A_PLOT,
        "/collections/species-ranges/items?zoom-level=3&properties=presence&crs=EPSG:3857",
    )
    yield from gets(
        *(f"/collections/{layer}/items?limit=100&filter={quote(text)}" for layer, text in FILTERS)
    )
    yield from gets(*(f"/collections/{layer}/items?limit=1&sortby={key}" for layer, key in ORDERS))
    yield from gets(*(f"/collections/{layer}/items?id={gids[-1]}" for layer in ("occurrences", "plots")))
