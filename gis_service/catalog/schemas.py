"""JSON Schemas of the files that operators write, for editors that complete and check YAML."""

from __future__ import annotations

import json
from pathlib import Path

from gis_service.catalog.layer import Layer

FOLDER = Path("config/schemas")


def documents() -> dict[str, str]:
    """The text of each schema file by its name in config/schemas."""
    layer = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Layer.model_json_schema()}
    return {"layer.schema.json": json.dumps(layer, indent=2, ensure_ascii=False) + "\n"}


def write(root: Path) -> None:
    """Bring config/schemas up to date."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, "utf-8")
