"""The catalogue: every mistake of every file at once, each with its place."""

import json
from pathlib import Path

import pytest

from gis_service.catalog import schemas
from gis_service.catalog.registry import load_catalog, read_catalog
from gis_service.errors import ConfigRefused

GOOD = """\
id: trees
title: {en: Trees, vi: Cây}
description: {en: Trees., vi: Cây.}
table: gis.tree
geometry: {column: geom, type: Point}
properties:
  height: {title: {en: Height, vi: Chiều cao}, type: number}
tiles: {zoom: [4, 14], properties: [height]}
style: trees
access: {public: {}}
source: {title: {en: Trees, vi: Cây}}
"""
STYLE = {
    "version": 8,
    "sources": {"trees": {"type": "vector"}},
    "layers": [
        {"id": "dots", "type": "circle", "source": "trees", "source-layer": "trees",
         "paint": {"circle-radius": ["get", "height"]}}
    ],
}  # fmt: skip


def folder(tmp_path: Path, layer: str = GOOD, style: object = STYLE) -> Path:
    (tmp_path / "layers").mkdir()
    (tmp_path / "styles").mkdir()
    (tmp_path / "layers" / "trees.yaml").write_text(layer, "utf-8")
    (tmp_path / "styles" / "trees.json").write_text(json.dumps(style), "utf-8")
    return tmp_path


def test_a_good_layer_is_read_whole(tmp_path: Path) -> None:
    layer = load_catalog(folder(tmp_path)).layers["trees"]
    assert layer.title.say("vi") == "Cây"
    assert layer.columns() >= {"gid", "public_id", "geom", "height", "rev", "jurisdiction"}


def test_all_mistakes_are_told_at_once_with_file_and_line(tmp_path: Path) -> None:
    bad = (
        GOOD.replace("type: Point", "type: Dot")
        .replace("type: number", "type: float")
        .replace("style:", "stile:")
    )
    _, mistakes = read_catalog(folder(tmp_path, bad))
    places = {(m.file, m.line) for m in mistakes}
    assert {("layers/trees.yaml", 5), ("layers/trees.yaml", 7), ("layers/trees.yaml", 9)} <= places
    assert any("stile: unknown key" in str(m) for m in mistakes)
    with pytest.raises(ConfigRefused, match=r"trees\.yaml:5"):
        load_catalog(tmp_path)


def test_a_key_given_twice_is_a_mistake(tmp_path: Path) -> None:
    _, mistakes = read_catalog(folder(tmp_path, GOOD + "table: gis.other\n"))
    assert "layers/trees.yaml:12: key 'table' is given twice" in [str(m) for m in mistakes]


def test_a_layer_is_named_as_its_file(tmp_path: Path) -> None:
    _, mistakes = read_catalog(folder(tmp_path, GOOD.replace("id: trees", "id: bushes")))
    assert mistakes[0].line == 1
    assert "must be the file's name" in mistakes[0].message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "shrubs"}, "source 'shrubs': no such layer"),
        ({"source-layer": "shrubs"}, "source-layer must be 'trees'"),
        ({"paint": {"circle-radius": ["get", "girth"]}}, "carry no property 'girth'"),
        ({"minzoom": 15}, "minzoom lies above the layer's last zoom 14"),
    ],
)
def test_a_style_is_held_against_its_layers(tmp_path: Path, change: dict[str, object], said: str) -> None:
    drawn = {**STYLE["layers"][0], **change}  # type: ignore[index]  # STYLE is JSON
    sources = {str(drawn["source"]): {"type": "vector"}}
    _, mistakes = read_catalog(folder(tmp_path, style={**STYLE, "sources": sources, "layers": [drawn]}))
    assert any(said in m.message for m in mistakes)


def test_the_digest_changes_with_the_meaning_of_a_file(tmp_path: Path) -> None:
    layer = load_catalog(folder(tmp_path)).layers["trees"]
    assert layer.digest() == layer.model_copy().digest()
    assert layer.digest() != layer.model_copy(update={"table": "gis.bush"}).digest()


def test_our_own_catalogue_has_no_mistakes(root: Path) -> None:
    assert [str(m) for m in read_catalog(root)[1]] == []


def test_editor_schemas_are_up_to_date(root: Path) -> None:
    for name, text in schemas.documents().items():
        assert (root / schemas.FOLDER / name).read_text("utf-8") == text
