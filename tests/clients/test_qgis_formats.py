"""The other formats that QGIS 4 can be told to read features in (rows Q12 and Q13)."""

import hashlib
from pathlib import Path

import httpx
import pyogrio
import pytest

from gis_service.access.principal import PUBLIC
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db.sync import SyncDatabase
from gis_service.features.formats import FGB, Format
from gis_service.links import Links
from gis_service.processes import encoding, publishing
from gis_service.settings import Settings
from tests.clients.qgis_oapif import Layer, Qgis
from tests.conftest import ROOT

FLATGEOBUF = "application/flatgeobuf"
JSONFG = "application/fg+json"


@pytest.mark.parametrize("media", [FLATGEOBUF, JSONFG])
def test_q12_other_formats_are_paged_by_header(qgis: Qgis, media: str) -> None:
    """From the items link of that type, `next` in a Link header of the same type until the last page."""
    layer = qgis.open("occurrences", media=media)
    pages = list(qgis.pages(layer, "(individualCount >= 2)", limit=3))
    assert len(pages) == 3
    assert {page.headers["content-type"].split(";")[0] for page in pages} == {media}


@pytest.mark.parametrize("media", [FLATGEOBUF, JSONFG])
def test_q12_the_number_of_matches_stands_in_a_header(qgis: Qgis, media: str) -> None:
    """Where it's known exactly; QGIS opens the layer with ten features, and there are eight."""
    assert qgis.open("occurrences", media=media).number_matched == 8


@pytest.mark.parametrize(("media", "extension"), [(FLATGEOBUF, "fgb"), (JSONFG, "json")])
def test_q12_features_of_other_formats_have_their_ids_and_values(
    qgis: Qgis, tmp_path: Path, media: str, extension: str
) -> None:
    """QGIS tells features of all pages apart by the field `id`; it reads a page with GDAL, as here."""
    layer = qgis.open("occurrences", media=media)
    found, places = [], []
    for number, page in enumerate(qgis.pages(layer, limit=3)):
        file = tmp_path / f"{number}.{extension}"
        file.write_bytes(page.content)
        frame = pyogrio.read_dataframe(file, fid_as_index=True)
        ids = frame.get("id", frame.index).astype(int)
        found += list(zip(ids, frame["individualCount"], strict=True))
        places += list(frame.geometry.x)
    plain = qgis.features(qgis.open("occurrences"))
    assert found == [(each["id"], each["properties"]["individualCount"]) for each in plain]
    assert places == pytest.approx([each["geometry"]["coordinates"][0] for each in plain], abs=1e-7)


def test_q13_the_formats_to_choose_from(areas: Layer) -> None:
    assert set(areas.formats) == {"application/geo+json", FLATGEOBUF, JSONFG}


def test_q13_a_bulk_file_says_its_length_and_checksum(
    qgis: Qgis, service: str, database: str, settings: Settings, tmp_path: Path
) -> None:
    """Made beforehand by the service's own encoder; QGIS shows the length before it downloads."""
    with SyncDatabase(database) as db:

        def encode(view: ViewedLayer, form: Format, path: Path) -> None:
            encoding.encode(db, view, form, path, Links(service), most_bytes=1_000_000)

        layer = load_catalog(ROOT).layers["provinces"]
        list(publishing.publish(db, layer, [PUBLIC], [FGB], publishing.folder(settings.data_dir), encode))
    (link,) = qgis.open("provinces").bulk
    body = httpx.get(link["href"]).content
    assert (link["type"], link["length"]) == (FLATGEOBUF, len(body))
    assert link["checksum"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
    (tmp_path / "provinces.fgb").write_bytes(body)
    assert pyogrio.read_info(tmp_path / "provinces.fgb")["features"] == 2
