"""The processes that make up the running service: their commands and their environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from gis_service.settings import Settings

MARK = "GIS_SUPERVISED"  # set in each child to its data folder, so that leftovers of a kill -9 are recognised

# glibc keeps what large answers took, in an arena a thread; so it gives it back. After pages of 17 MB two web
# workers hold 295 MB in place of 366, at no cost in time that could be measured. numpy's threads for matrices
# have nothing to do here, yet spin: 3 % of a worker's time.
MEMORY = {
    "MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "4194304", "MALLOC_MMAP_THRESHOLD_": "1048576",
    "OPENBLAS_NUM_THREADS": "1",
}  # fmt: skip


def web_command(settings: Settings) -> list[str]:
    """The web server: granian speaking RSGI, with processes that are started anew when they die."""
    return [
        sys.executable, "-P", "-m", "granian", "--interface", "rsgi",
        "--host", settings.host, "--port", str(settings.port), "--workers", str(settings.workers),
        "--loop", "uvloop", "--http", "1", "--no-ws", "--log-level", settings.log_level,
        # A worker asked to stop while it still starts wouldn't; ten seconds let running requests end.
        "--workers-kill-timeout", "10", "--respawn-failed-workers", "gis_service.web.main:app",
    ]  # fmt: skip


def worker_command() -> list[str]:
    """The job worker, which runs what takes longer than a request."""
    return [sys.executable, "-P", "-m", "gis_service.processes.worker"]


def geoprocessor_command() -> list[str]:
    """The process that holds the geoprocessing engine and answers statistics."""
    return [sys.executable, "-P", "-m", "gis_service.processes.geoprocessor"]


def import_path(env: Mapping[str, str]) -> str:
    """Give the PYTHONPATH that finds this checkout from any folder."""
    return ":".join(filter(None, [str(Path(__file__).parents[2]), env.get("PYTHONPATH")]))


def _compiled(settings: Settings) -> dict[str, str]:
    """Where compiled functions are kept: beside their source, or with the data where that is read-only."""
    beside = os.access(Path(__file__).parents[1] / "geoprocessing" / "engine", os.W_OK)
    return {} if beside else {"NUMBA_CACHE_DIR": str(settings.data_dir / "engine" / "compiled")}


def child_environment(settings: Settings, dsn: str, env: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment with our settings spelled out, so that children read the very same."""
    return {
        **MEMORY,
        **_compiled(settings),
        **env,
        "PYTHONPATH": import_path(env),
        "GIS_ROOT": str(settings.root),
        "GIS_DATA": str(settings.data_dir),
        "GIS_DATABASE_URL": dsn,
        "GIS_HOST": settings.host,
        "GIS_PORT": str(settings.port),
        MARK: str(settings.data_dir),
    }
