"""QGIS's own converter turns every style into renderers and labels without a warning."""

from __future__ import annotations

import json
import os
import subprocess

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
    said[path] = {"warnings": context.warnings(), "layers": sorted(names)}
print("RESULT" + json.dumps(said))
"""


def test_qgis_converts_every_layer_of_every_style() -> None:
    if subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False).returncode:
        pytest.skip("needs QGIS for Python (python3-qgis)")
    run = subprocess.run(
        [PYTHON, "-c", CONVERT, *map(str, STYLES)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert "RESULT" in run.stdout, run.stderr
    said = json.loads(run.stdout.partition("RESULT")[2])
    for path in STYLES:
        drawn = [layer["id"] for layer in json.loads(path.read_text())["layers"]]
        assert said[str(path)] == {"warnings": [], "layers": sorted(drawn)}
