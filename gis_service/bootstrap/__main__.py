"""Install what the command needs and is missing, then become the command."""

import os
import sys
from pathlib import Path

from gis_service.bootstrap import packages, system
from gis_service.bootstrap.steps import Steps
from gis_service.errors import GisError

ROOT = Path(__file__).parents[2]
WITHOUT_INSTALL = ("down", "status")


def main(words: list[str]) -> int:  # noqa: RET503  # execv never returns
    """Prepare this checkout for the command and hand over; gives the exit code when that can't be."""
    command = next((word for word in words if not word.startswith("-")), "")
    python = packages.python_of(ROOT)
    if command in WITHOUT_INSTALL and not python.is_file():
        sys.stderr.write("gis-service isn't running here.\n")
        return 3 if command == "status" else 0
    try:
        if command not in WITHOUT_INSTALL:
            install(command)
    except GisError as err:
        sys.stderr.write(f"{err}\n")
        return err.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; the next start goes on from here.\n")
        return 130
    os.environ.setdefault("GIS_ROOT", str(ROOT))
    sys.stdout.flush()
    os.execv(python, [str(python), "-P", "-m", "gis_service.cli", *words])  # noqa: S606  # becoming the command is meant


def install(command: str) -> None:
    """Install system packages, Python packages and the map's JavaScript, each only if missing."""
    steps = Steps()
    system.install_python_venv(steps)
    # A database of one's own needs no PostgreSQL here, but tests run a cluster of theirs.
    if command == "test" or (command == "up" and not os.environ.get("GIS_DATABASE_URL")):
        system.install_postgis(steps)
    if command == "test":
        system.install_test_programs(steps)
    packages.install_python(
        ROOT, "requirements-dev.lock" if command == "test" else "requirements.lock", steps
    )
    packages.install_javascript(ROOT, steps)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
