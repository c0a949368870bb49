"""QGIS 3.32 and newer as an editor: what it asks before it offers editing, what it sends when a user saves.

Requests as its OAPIF provider makes them (computeCapabilities, addFeatures, changeGeometryValues,
changeAttributeValues, deleteFeatures); what it concludes is given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.clients.qgis_oapif import CRS84, GEOJSON

MERGE_PATCH = "application/merge-patch+json"
AGENT = "Mozilla/5.0 QGIS/34405/Linux"
Json = dict[str, Any]


@dataclass(frozen=True)
class Editor:
    """A layer that is open for editing; coordinates are east first, as QGIS holds them."""

    client: httpx.Client
    items: str
    crs: str = CRS84
    inverted: bool = False

    def capabilities(self) -> frozenset[str]:
        """What QGIS offers its user: by the collection's items, and by the first feature for all of them."""
        found: set[str] = set()
        if "POST" not in self._options(self.items):
            return frozenset()
        found.add("add features")
        features = self._get(f"{self.items}?limit=10{self._crs('&')}")["features"]
        options = self._options(f"{self.items}/{features[0]['id'] if features else 'unknown_id'}")
        if "PUT" in options:
            found |= {"change attributes", "change geometries"}
        if "DELETE" in options:
            found.add("delete features")
        if "PATCH" in options:
            found.add("patch")
        return frozenset(found)

    def add(self, geometry: Json, attributes: Json) -> tuple[str, Json] | None:
        """The new feature's id, taken from Location, and its attributes as the server has filled them in."""
        body = {"type": "Feature", "geometry": self._turned(geometry), "properties": attributes}
        answer = self._send("POST", self.items, body, GEOJSON, self._content_crs())
        place = answer.headers.get("location", "").rfind("/items/")
        if not answer.is_success or place < 0:
            return None
        identity = answer.headers["location"][place + len("/items/") :]
        return identity, {**attributes, **self._get(f"{self.items}/{identity}")["properties"]}

    def change_geometry(self, identity: str, geometry: Json) -> bool:
        body = {"geometry": self._turned(geometry)}
        return self._send(
            "PATCH", f"{self.items}/{identity}", body, MERGE_PATCH, self._content_crs()
        ).is_success

    def change_attributes(self, identity: str, attributes: Json) -> bool:
        return self._send(
            "PATCH", f"{self.items}/{identity}", {"properties": attributes}, MERGE_PATCH
        ).is_success

    def put(self, identity: str, feature: Json) -> bool:
        """How it changes a feature of a server that has no PATCH: whole, with its id."""
        body = {
            "type": "Feature",
            "id": identity,
            "geometry": self._turned(feature["geometry"]),
            "properties": feature["properties"],
        }
        return self._send("PUT", f"{self.items}/{identity}", body, GEOJSON, self._content_crs()).is_success

    def delete(self, identity: str) -> bool:
        return self.client.delete(f"{self.items}/{identity}", headers={"User-Agent": AGENT}).is_success

    def feature(self, identity: str) -> Json:
        """A feature as it is in the layer's system, east first."""
        made = self._get(f"{self.items}/{identity}{self._crs('?')}")
        return {**made, "geometry": self._turned(made["geometry"])}

    def _options(self, url: str) -> set[str]:
        answer = self.client.options(url, headers={"User-Agent": AGENT})
        assert answer.is_success, answer.text
        return {method.strip() for method in answer.headers["allow"].split(",")}

    def _get(self, url: str) -> Json:
        answer = self.client.get(url, headers={"User-Agent": AGENT, "Accept": f"{GEOJSON}, application/json"})
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    def _send(
        self, method: str, url: str, body: Json, kind: str, more: Mapping[str, str] | None = None
    ) -> httpx.Response:
        headers = {"User-Agent": AGENT, "Content-Type": kind, **(more or {})}
        return self.client.request(method, url, json=body, headers=headers)

    def _content_crs(self) -> dict[str, str]:
        """The bare address, and only where the system isn't the default one."""
        return {} if self.crs == CRS84 else {"Content-Crs": self.crs}

    def _crs(self, sign: str) -> str:
        return "" if self.crs == CRS84 else f"{sign}crs={self.crs}"

    def _turned(self, geometry: Json) -> Json:
        return {**geometry, "coordinates": _swapped(geometry["coordinates"])} if self.inverted else geometry


def _swapped(value: Any) -> Any:
    if isinstance(value[0], list):
        return [_swapped(each) for each in value]
    return [value[1], value[0], *value[2:]]
