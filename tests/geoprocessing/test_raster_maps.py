"""Rasters as Cloud Optimised GeoTIFFs, as pictures, and as values at a place."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from gis_service.catalog.registry import read_catalog
from gis_service.cli.__main__ import main
from gis_service.geoprocessing import cog, raster_maps
from gis_service.geoprocessing.raster_maps import frugal, picture, reader, value
from gis_service.geoprocessing.raster_refusal import RasterRefused
from tests import rasters
from tests.conftest import ROOT
from tests.rasters import BLUE, BOX, CLASSES, FOREST, GREEN, RAMP, UNNAMED, WATER, colours, pixels

# rasterio and rio-tiler multiply transforms by `*`, which affine will give up some day.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.mark.parametrize("form", ["png", "webp"])
def test_a_picture_of_classes_has_their_colours_and_no_other(tmp_path: Path, form: str) -> None:
    file = reader(rasters.write(tmp_path / "cover.tif", rasters.cover(), nodata=0), 1)
    found = pixels(picture(rasters.layer("cover", {"classes": CLASSES}), file, BOX, 4326, (64, 64), form))
    assert (found[:32, 1:] == GREEN).all()
    assert (found[32:, 1:32] == BLUE).all()
    assert (found[:, 0, 3] == 0).all(), "no data is transparent"
    assert (found[32:, 32:, 3] == 0).all(), "and so is what has no name"
    mercator = (11688546.53, 2273030.93, 11799866.02, 2391878.59)
    layer = rasters.layer("cover", {"classes": CLASSES})
    warped = pixels(picture(layer, file, mercator, 3857, (300, 17), form))
    assert {each for each in colours(warped) if each[3]} == {GREEN, BLUE}


def test_values_are_drawn_along_the_ramp(tmp_path: Path) -> None:
    file = reader(rasters.write(tmp_path / "heights.tif", rasters.heights()), 1)
    found = pixels(picture(rasters.layer("heights", {"ramp": RAMP}), file, BOX, 4326, (64, 64), "png"))
    wanted = np.linspace(0, 255, 64)
    assert np.abs(found[10, :, 0].astype(float) - wanted).max() <= 1
    assert (found[..., 3] == 255).all()


def test_places_have_the_value_of_their_cell(tmp_path: Path) -> None:
    file = reader(rasters.write(tmp_path / "cover.tif", rasters.cover(), nodata=0), 1)
    layer = rasters.layer("cover", {"classes": CLASSES})
    places = {(105.5, 20.9): FOREST, (105.2, 20.1): WATER, (105.9, 20.1): UNNAMED}
    assert {at: value(layer, file, *at) for at in places} == places
    assert value(layer, file, 105.001, 20.5) is None, "no data"
    assert value(layer, file, 10.0, 20.5) is None, "beyond"


def test_stored_numbers_are_turned_into_values(tmp_path: Path) -> None:
    path = rasters.write(tmp_path / "t.tif", np.full((8, 8), 250, "int16"))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.1,), (-5.0,)
    assert value(rasters.layer("t", {"ramp": RAMP}), reader(path, 2), 105.5, 20.5) == pytest.approx(20.0)


def test_overviews_of_classes_hold_no_other_class(tmp_path: Path) -> None:
    """Of each four cells one is 30: by majority none of it is left, the mean would be 15."""
    values = np.full((1536, 1536), 10, "uint8")
    values[::2, ::2] = 30
    made = cog.make(rasters.write(tmp_path / "in.tif", values), tmp_path / "out.tif", classes=True)
    assert (made.width, made.height, made.codes) == (1536, 1536, (10, 30))
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)[0] == 2
        np.testing.assert_array_equal(file.read(1), values)
    with rasterio.open(tmp_path / "out.tif", overview_level=0) as file:
        assert set(np.unique(file.read(1))) == {10}
    cog.make(tmp_path / "in.tif", tmp_path / "mean.tif", classes=False)
    with rasterio.open(tmp_path / "mean.tif", overview_level=0) as file:
        assert set(np.unique(file.read(1))) == {15}


@pytest.mark.parametrize("fault", ["text", "truncated", "nowhere", "fractions"])
def test_a_raster_that_cant_be_used_is_refused_and_the_old_one_stays(tmp_path: Path, fault: str) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "rasters" / "out.tif"
    cog.make(rasters.write(source, rasters.cover()), target, classes=True)
    before = target.read_bytes()
    if fault == "text":
        source.write_text("no raster")
    elif fault == "truncated":
        noise = np.random.default_rng(1).integers(0, 9, (900, 900), "uint8")
        rasters.write(source, noise)
        source.write_bytes(source.read_bytes()[:200_000])
    elif fault == "nowhere":
        rasters.write(source, rasters.cover(), crs=None)
    else:
        rasters.write(source, rasters.heights())
    with pytest.raises(RasterRefused):
        cog.make(source, target, classes=True)
    assert target.read_bytes() == before
    assert [each.name for each in target.parent.iterdir()] == ["out.tif"]


def test_a_damaged_file_is_told_and_the_process_goes_on(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 9, (2048, 2048), "uint8")
    path = tmp_path / "noise.tif"
    cog.make(rasters.write(tmp_path / "in.tif", noise), path, classes=True)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    layer = rasters.layer("noise", {"classes": CLASSES})
    with frugal(), pytest.raises(RasterRefused, match="damaged"):
        picture(layer, reader(path, 3), BOX, 4326, (2048, 2048), "png")
    with pytest.raises(RasterRefused, match="as a raster"):
        raster_maps.reader(tmp_path / "missing.tif", 1)


def test_the_command_declares_what_it_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIS_ROOT", str(tmp_path))
    monkeypatch.setenv("GIS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GIS_LANG", "en")
    for folder in ("layers", "styles"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    rasters.write(tmp_path / "Cover_1.tif", rasters.cover(), nodata=0)
    rasters.write(tmp_path / "dem.tif", rasters.heights())
    assert main(["raster", "add", str(tmp_path / "Cover_1.tif")]) == 2
    assert "must never be averaged" in capsys.readouterr().err
    for name, kind in (("Cover_1.tif", "--classes"), ("dem.tif", "--values")):
        assert main(["raster", "add", str(tmp_path / name), kind]) == 0
    catalog, mistakes = read_catalog(tmp_path)
    assert mistakes == []
    assert set(catalog.rasters["cover-1"].classes or {}) == {FOREST, WATER, UNNAMED}
    assert catalog.rasters["dem"].ramp is not None
    assert catalog.rasters["dem"].ramp.range == (0, 1000)
    assert main(["raster", "add", str(tmp_path / "Cover_1.tif"), "--id", "cover-1"]) == 0, (
        "its kind is declared"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ramp": RAMP}, "either classes or a ramp"),
        ({"file": "../../etc/secret.tif"}, "below the folder rasters/"),
        ({"file": "/etc/secret.tif"}, "below the folder rasters/"),
        ({"classes": None, "ramp": {"stops": RAMP["stops"][::-1]}}, "must rise"),
        ({"classes": {1: {"title": rasters.TITLE, "colour": "red"}}}, "is no colour"),
    ],
)
def test_declarations_are_held_to_what_can_be_drawn(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rasters.layer("cover", {"classes": CLASSES} | change)
