"""The MapLibre styles: valid by the specification, drawable by QGIS, true to layers and legends."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gis_service import texts
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog

ROOT = Path(__file__).parents[2]
STYLES = sorted((ROOT / "styles").glob("*.json"))
SPEC = ROOT / "node_modules" / "@maplibre" / "maplibre-gl-style-spec" / "dist" / "gl-style-validate.mjs"
# What QGIS 3.22's converter turns into its own expressions; anything else is dropped there without a word.
QGIS_OPERATORS = {"get", "match", "==", "!=", "!", "has", "interpolate", "linear", "zoom", "literal"}


def _read(path: Path) -> dict[str, Any]:
    style: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return style


def _drawn(style: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (layer for layer in style["layers"] if "source" in layer)


@pytest.fixture(scope="module")
def layers() -> dict[str, Layer]:
    return dict(load_catalog(ROOT).layers)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_m7_every_style_is_valid_by_the_maplibre_specification(path: Path) -> None:
    node = shutil.which("node")
    if node is None or not SPEC.exists():
        pytest.skip("needs node and node_modules (./gis up installs both)")
    run = subprocess.run([node, str(SPEC), str(path)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_every_layer_has_a_style_of_its_own_and_a_place_in_the_overview(layers: dict[str, Layer]) -> None:
    own = {path.stem for path in STYLES} - {"overview"}
    assert own == set(layers) == set(_read(ROOT / "styles" / "overview.json")["sources"])


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_v6_no_style_layer_starts_above_the_last_zoom_of_its_tiles(
    path: Path, layers: dict[str, Layer]
) -> None:
    for drawn in _drawn(_read(path)):
        least, most = layers[drawn["source"]].tiles.zoom
        assert least <= drawn.get("minzoom", least) <= most, drawn["id"]
        assert "maxzoom" not in drawn, f"{drawn['id']} would vanish when zoomed in"


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_every_expression_is_one_that_qgis_converts(path: Path) -> None:
    for drawn in _drawn(_read(path)):
        values = [drawn.get("filter"), *drawn["paint"].values(), *drawn.get("layout", {}).values()]
        assert set(_operators(values)) <= QGIS_OPERATORS, drawn["id"]


def _operators(value: Any) -> Iterator[str]:  # a JSON value of any shape
    """The first words of nested expressions; lists of numbers, fonts and match labels aren't expressions."""
    if not isinstance(value, list):
        return
    if value and isinstance(value[0], str) and value[0].islower() and " " not in value[0]:
        yield value[0]
    for item in value:
        yield from _operators(item)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_no_style_needs_a_font_or_sprite_server(path: Path) -> None:
    assert {"glyphs", "sprite"}.isdisjoint(_read(path))
    assert "://" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_every_colour_of_the_legend_is_a_colour_of_the_map_and_has_its_words(path: Path) -> None:
    style = _read(path)
    legend = style["metadata"]["gis:legend"]
    assert set(legend) == set(style["sources"])
    for layer_id, entries in legend.items():
        paint = json.dumps([drawn["paint"] for drawn in _drawn(style) if drawn["source"] == layer_id])
        for entry in entries:
            assert entry["colour"] in paint, entry
            assert set(texts.catalogue()[entry["text"]]) == set(texts.LANGUAGES)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_dark_colours_replace_colours_that_the_style_has(path: Path) -> None:
    """So that turning light again by the style's own values undoes all of them."""
    style = _read(path)
    paint = {layer["id"]: set(layer["paint"]) for layer in style["layers"]}
    for layer_id, colours in style["metadata"]["gis:dark"].items():
        assert set(colours) <= paint[layer_id], layer_id
