"""Importing does nothing, and the web server's workers stay small."""

import subprocess
import sys

from tests.conftest import ROOT

HEAVY = {"geopandas", "pandas", "rasterio", "numba", "pyogrio", "pyproj", "pyarrow"}


def test_the_web_server_imports_no_geoprocessing_libraries() -> None:
    code = f"import sys, gis_service.web.main; print(*sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env={"PATH": ""}
    )
    assert done.stdout.split() == []


def test_every_module_can_be_imported_without_files_settings_or_a_database() -> None:
    code = """
import importlib, pkgutil, gis_service
for found in pkgutil.walk_packages(gis_service.__path__, "gis_service."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""
    env = {"PATH": "", "GIS_DATABASE_URL": "nonsense", "GIS_PORT": "nonsense", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
