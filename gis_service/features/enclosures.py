"""Links to bulk files, as a collection's document holds them (row Q13)."""

from __future__ import annotations

from collections.abc import Iterable

from gis_service.catalog.view import ViewedLayer
from gis_service.db.published import PublishedFile
from gis_service.features import formats
from gis_service.links import Links, link
from gis_service.texts import say


def enclosures(
    view: ViewedLayer, files: Iterable[PublishedFile], links: Links, lang: str
) -> list[dict[str, object]]:
    """One `enclosure` for each file: its address, type, length in bytes and SHA-256."""
    return [_enclosure(view, each, links, lang) for each in files]


def _enclosure(view: ViewedLayer, each: PublishedFile, links: Links, lang: str) -> dict[str, object]:
    form = formats.named(each.format)
    media = form.media if form else "application/octet-stream"
    title = say(
        "files.title", lang, title=view.title.say(lang), release=each.release, format=_name(each.format)
    )
    made = link(links.file(view.id, each.name), "enclosure", media, title)
    return {**made, "length": each.length, "checksum": f"sha256:{each.sha256.hex()}"}


def _name(form: str) -> str:
    names = {"gpkg": "GeoPackage", "fgb": "FlatGeobuf", "parquet": "GeoParquet", "pmtiles": "PMTiles"}
    return names.get(form, form)
