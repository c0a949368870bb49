"""Static files: our own scripts and the libraries', found at start; a path is only ever looked up."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import Path

from gis_service import javascript

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "public, no-cache"
_PACKAGE = Path(__file__).parent
# Aids for developers: 20 MB that no page asks for.
_UNUSED = (".map", ".d.ts", ".d.mts", "-dev.mjs", "-src.js", "-src.esm.js")
_TEXT = ("text/", "application/json", "image/svg+xml")


def folders() -> Mapping[str, Path]:
    """Where the files are: ours beside this module, the libraries' where npm put them."""
    return {
        "ui/": _PACKAGE / "ui",
        "maplibre/": javascript.folder("maplibre-gl"),
        "leaflet/": javascript.folder("leaflet"),
        "maplibre-leaflet/": javascript.folder("@maplibre/maplibre-gl-leaflet"),
    }


class StaticFiles:
    """The files by public name, with one version for all of them, since scripts import each other by name."""

    def __init__(self, roots: Mapping[str, Path]) -> None:
        self._files = {name: path for prefix, root in roots.items() for name, path in _found(prefix, root)}
        marks = [
            f"{name}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in self._files.items()
        ]
        self.version = hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]

    def get(self, name: str) -> tuple[Path, str] | None:
        """The file and its Cache-Control; a name that carries the present version may be kept for ever."""
        if (path := self._files.get(name)) is not None:
            return path, REVALIDATED
        version, _, rest = name.partition("/")
        if (path := self._files.get(rest)) is None:
            return None
        return path, IMMUTABLE if version == self.version else REVALIDATED


def media_type(path: Path) -> str:
    kind = "text/javascript" if path.suffix in (".js", ".mjs") else mimetypes.guess_type(path.name)[0]
    kind = kind or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(_TEXT) else kind


def _found(prefix: str, root: Path) -> Iterable[tuple[str, Path]]:
    for path in sorted(root.rglob("*")) if root.is_dir() else ():
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_UNUSED):
            yield prefix + path.relative_to(root).as_posix(), path
