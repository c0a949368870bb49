"""QGIS's own converter turns every style into renderers and labels without a warning."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT

PYTHON = "/usr/bin/python3"
STYLES = sorted((ROOT / "styles").glob("*.json"))

CONVERT = """
import json, sys
from qgis.core import QgsApplication, QgsMapBoxGlStyleConversionContext, QgsMapBoxGlStyleConverter
QgsApplication.setPrefixPath("/usr", True)
app = QgsApplication([], False)
app.initQgis()
said = {}
for path in sys.argv[1:]:
    converter, context = QgsMapBoxGlStyleConverter(), QgsMapBoxGlStyleConversionContext()
    converter.convert(open(path).read(), context)
    names = [style.styleName() for style in converter.renderer().styles()]
    labels = converter.labeling()
    names += [style.styleName() for style in labels.styles()] if labels else []
    texts = [style.labelSettings().fieldName for style in labels.styles()] if labels else []
    said[path] = {"warnings": context.warnings(), "layers": sorted(names), "labels": sorted(texts)}
print("RESULT" + json.dumps(said))
"""


def converted(paths: Sequence[Path]) -> Mapping[str, Any]:
    """What QGIS made of each file, and what it complained of."""
    if subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False).returncode:
        pytest.skip("needs QGIS for Python (python3-qgis)")
    run = subprocess.run(
        [PYTHON, "-c", CONVERT, *map(str, paths)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert "RESULT" in run.stdout, run.stderr
    said: Mapping[str, Any] = json.loads(run.stdout.partition("RESULT")[2])
    return said


def test_qgis_converts_every_layer_of_every_style() -> None:
    said = converted(STYLES)
    for path in STYLES:
        drawn = [layer["id"] for layer in json.loads(path.read_text())["layers"]]
        assert said[str(path)] | {"labels": []} == {"warnings": [], "layers": sorted(drawn), "labels": []}


def test_qgis_labels_in_english_as_in_vietnamese(service: str, tmp_path: Path) -> None:
    """Its converter makes an empty label of expressions that it doesn't know, without a warning."""
    path = tmp_path / "provinces.json"
    for lang, fields in (("vi", ["name"]), ("en", ["name", "name_en"])):
        path.write_text(httpx.get(f"{service}/styles/provinces?lang={lang}").text, "utf-8")
        said = converted([path])[str(path)]
        assert (said["warnings"], said["labels"]) == ([], [f'"{field}"' for field in fields])
