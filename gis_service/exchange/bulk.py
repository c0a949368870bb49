"""What an encoder is told of the features that it will get, as it passes from process to process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gis_service.catalog.fields import Field

WGS84_SRID = 4326


@dataclass(frozen=True, slots=True)
class Bulk:
    """A table of features: its columns, its geometry (None without), and where the data come from.

    Coordinates are x before y in the system `srid`; 4326 then means longitude and latitude, which is CRS84.
    """

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    geometry_type: str | None
    srid: int
    metadata: Mapping[str, object]

    @property
    def metadata_json(self) -> str:
        return json.dumps(self.metadata, ensure_ascii=False)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Bulk:
        """What `to_json` gave."""
        held = json.loads(text)
        return cls(**{**held, "fields": tuple(Field(**each) for each in held["fields"])})
