"""Headless QGIS (Debian's python3-qgis) reads every collection and draws from the vector tiles."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import PUBLIC_COUNTS
from tests.clients.recorder import Recorder, recorded

PYTHON = "/usr/bin/python3"

READ = r"""
import json, sys
from qgis.core import (QgsApplication, QgsProject, QgsVectorLayer, QgsVectorTileLayer, QgsMapSettings,
                       QgsMapRendererSequentialJob, QgsCoordinateReferenceSystem, QgsRectangle,
                       QgsDataSourceUri, QgsFeatureRequest)
from qgis.PyQt.QtCore import QSize
QgsApplication.setPrefixPath("/usr", True)
app = QgsApplication([], False)
app.initQgis()
url, names = sys.argv[1], sys.argv[2].split(",")
said = {}
for name in names:
    layer = QgsVectorLayer(f"url='{url}/' typename='{name}' version='OGC_API_FEATURES'", name, "OAPIF")
    said[name] = sum(1 for _ in layer.getFeatures()) if layer.isValid() else layer.error().summary()
def counts(box=None, **more):
    uri = QgsDataSourceUri()
    given = {"url": url + "/", "typename": "occurrences", "version": "OGC_API_FEATURES", **more}
    for key, value in given.items():
        uri.setParam(key, value)
    layer = QgsVectorLayer(uri.uri(False), "occurrences", "OAPIF")
    request = QgsFeatureRequest()
    if box:
        request.setFilterRect(QgsRectangle(*box))
    return sorted(feature["individualCount"] for feature in layer.getFeatures(request))
said["since"] = counts(filter='"eventDate" >= \'2024-03-15T12:00:00Z\'')
said["until"] = counts(filter='"eventDate" < \'2023-02-01T00:00:00Z\'')
said["some"] = counts(filter='"individualCount" > 12')
said["boxed"] = counts((105, 20, 106, 21), restrictToRequestBBOX="1")
said["paged"] = counts(pagingEnabled="true", pageSize="3")
tiles = QgsVectorTileLayer(f"type=xyz&url={url}/xyz/provinces/{{z}}/{{x}}/{{y}}.mvt&zmin=0&zmax=14", "tiles")
look = QgsMapSettings()
look.setLayers([tiles])
look.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
look.setExtent(QgsRectangle(11650000, 2250000, 11950000, 2450000))
look.setOutputSize(QSize(256, 256))
job = QgsMapRendererSequentialJob(look)
job.start()
job.waitForFinished()
image = job.renderedImage()
paper = image.pixel(0, 0)
said["drawn"] = sum(image.pixel(x, y) != paper for x in range(256) for y in range(256))
said["tiles"] = tiles.isValid()
print("RESULT" + json.dumps(said))
sys.stdout.flush()
import os
os._exit(0)  # QGIS's own teardown crashes now and then after the work is done
"""


def _has_qgis() -> bool:
    if not Path(PYTHON).exists():
        return False
    return (
        subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture(scope="module")
def recorder(service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    with recorded(service, tmp_path_factory.mktemp("recorder") / "log") as made:
        yield made


@pytest.fixture(scope="module")
def said(recorder: Recorder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What QGIS says of the sample: a count for each collection, and how many pixels its tiles coloured."""
    if not _has_qgis():
        pytest.skip("QGIS is absent: no package python3-qgis")
    home = tmp_path_factory.mktemp("qgis")
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
    }
    done = subprocess.run(
        [PYTHON, "-c", READ, recorder.url, ",".join(PUBLIC_COUNTS)],
        capture_output=True, text=True, timeout=200, env=environment, check=False,
    )  # fmt: skip
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert results, done.stderr[-3000:]
    said: dict[str, object] = json.loads(results[0].removeprefix("RESULT"))
    return said


def test_qgis_reads_every_collection_with_the_right_count(said: dict[str, object]) -> None:
    assert {name: said[name] for name in PUBLIC_COUNTS} == PUBLIC_COUNTS


def test_q10_qgis_asks_with_years_0_and_9999_for_open_ends(
    said: dict[str, object], recorder: Recorder
) -> None:
    """Counts are 0 to 4 in A and 10 to 14 in B without those of category 1, in the middle of each month."""
    assert said["since"] == [2, 3, 4]
    assert said["until"] == [10]
    asked = [query for query in recorder.items() if "datetime=" in query]
    assert any("datetime=2024-03-15T12:00:00" in query and "/9999-12-31" in query for query in asked), asked
    assert any("datetime=0000-01-01T00:00:00Z/2023-02-01" in query for query in asked), asked


def test_qgis_asks_for_a_box_and_filters_the_rest_itself(said: dict[str, object], recorder: Recorder) -> None:
    assert said["boxed"] == [0, 2, 3, 4]
    assert any("bbox=105," in query for query in recorder.items())
    assert said["some"] == [13, 14]


def test_q11_qgis_pages_to_the_end(said: dict[str, object], recorder: Recorder) -> None:
    assert said["paged"] == [0, 2, 3, 4, 10, 12, 13, 14]
    assert any("after=" in query for query in recorder.items())


def test_qgis_draws_the_vector_tiles(said: dict[str, object]) -> None:
    """The two provinces fill most of the picture."""
    assert said["tiles"] is True
    drawn = said["drawn"]
    assert isinstance(drawn, int)
    assert drawn > 1000
