"""JSON Schemas of the files that operators write, for editors that complete and check YAML."""

from __future__ import annotations

import json
from pathlib import Path

from gis_service.catalog.layer import Layer, Part
from gis_service.catalog.raster import RasterLayer

FOLDER = Path("config/schemas")


def documents() -> dict[str, str]:
    """The text of each schema file by its name in config/schemas."""
    return {"layer.schema.json": _text(Layer), "raster.schema.json": _text(RasterLayer)}


def _text(model: type[Part]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(root: Path) -> None:
    """Bring config/schemas up to date."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, "utf-8")
