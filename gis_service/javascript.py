"""Where the browser libraries are that `./gis up` installs with npm; no copy of them is kept here."""

from __future__ import annotations

from pathlib import Path

from gis_service.errors import MachineFault

MODULES = Path(__file__).parents[1] / "node_modules"


class LibraryMissing(MachineFault):
    """The browser library {name} isn't installed; `./gis up` installs it."""

    code = "javascript-missing"


def folder(package: str) -> Path:
    """The folder with a package's ready files, which may be absent."""
    return MODULES / package / "dist"


def text(package: str, file: str) -> str:
    """A ready file of a package; LibraryMissing where npm hasn't put it."""
    try:
        return (folder(package) / file).read_text("utf-8")
    except FileNotFoundError as err:
        raise LibraryMissing(name=package) from err
