"""Layers of a service in a notebook: as data frames, and on folium's maps with scripts of the service.

    from gis_service.notebook import Service

    gis = Service("https://gis.example.org")
    parks = gis.features("protected-areas", filter="iucn_cat = 'II'")
    gis.map("protected-areas", "provinces")

Nothing is asked of any other server, so it works in a network without internet.
"""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import folium
import geopandas as gpd
import pandas as pd
from branca.element import MacroElement
from jinja2 import Template

from gis_service.errors import GisError

STYLE: Final = "overview"
_SECONDS: Final = 900  # as long as the service takes for an export, by its own default
_LEAFLET: Final = "static/leaflet/leaflet"


class ServiceRefused(GisError):
    """{detail}"""

    code = "service-refused"


@dataclass(frozen=True)
class Service:
    """A service at its public address.

    With a key it reads what the key's account may; maps show what the public sees.
    """

    address: str
    key: str | None = field(default=None, repr=False)

    def layers(self) -> pd.DataFrame:
        """Id, title and number of features of each layer that the reader may see."""
        told = json.loads(self._read("collections", f="json"))["collections"]
        rows = [(each["id"], each["title"], each.get("itemCount")) for each in told]
        return pd.DataFrame(rows, columns=["id", "title", "features"]).set_index("id")

    def features(self, layer: str, **parameters: str) -> gpd.GeoDataFrame:
        """All features that match, in longitude and latitude.

        Parameters are those of the service's items, as `bbox`, `filter`, `datetime` and `release`;
        ServiceRefused with its own words.
        """
        body = self._read(f"collections/{quote(layer, safe='')}/export", **parameters, f="parquet")
        return gpd.read_parquet(io.BytesIO(body))

    def map(self, *layers: str, style: str = STYLE, **options: Any) -> folium.Map:
        """A map of these layers, or of all that the style shows; `options` are folium's own."""
        made = folium.Map(tiles=None, **{"location": self._middle(layers), "zoom_start": 6, **options})
        made.default_js = [("leaflet", self._at(f"{_LEAFLET}.js"))]  # folium's own point to other servers
        made.default_css = [("leaflet-sheet", self._at(f"{_LEAFLET}.css"))]
        self.style(*layers, style=style).add_to(made)
        return made

    def style(self, *layers: str, style: str = STYLE) -> StyledLayer:
        """The layers as one that is added to a map; their tiles are drawn as the service's style says."""
        return StyledLayer(self._at(f"styles/{quote(style, safe='')}"), layers)

    def _middle(self, layers: tuple[str, ...]) -> list[float]:
        told = json.loads(self._read("collections", f="json"))["collections"]
        boxes = [
            each["extent"]["spatial"]["bbox"][0]
            for each in told
            if (not layers or each["id"] in layers) and each.get("extent", {}).get("spatial")
        ]
        if not boxes:
            return [0.0, 0.0]
        west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
        east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
        return [(south + north) / 2, (west + east) / 2]

    def _at(self, path: str) -> str:
        return f"{self.address.rstrip('/')}/{path}"

    def _read(self, path: str, **parameters: str) -> bytes:
        address = f"{self._at(path)}?{urlencode(parameters)}"
        if not address.startswith(("http://", "https://")):
            raise ServiceRefused(f"{self.address!r} doesn't begin with http:// or https://")
        request = urllib.request.Request(address, headers={"X-API-Key": self.key} if self.key else {})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as err:
            raise ServiceRefused(_words(err)) from err
        except OSError as err:
            raise ServiceRefused(f"{self.address} doesn't answer: {err}") from err


def _words(err: urllib.error.HTTPError) -> str:
    """What the service says of a refusal."""
    try:
        told = json.loads(err.read())
        return str(told.get("detail") or told["title"])
    except (ValueError, KeyError):
        return f"{err.code} {err.reason}"


class StyledLayer(MacroElement):
    """Layers of a service on a Leaflet map, by MapLibre with the service's own style."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        import({{ this.module | tojson }}).then(
          ({ drawStyle }) => drawStyle({{ this._parent.get_name() }}, {{ this.options | tojson }}));
        {% endmacro %}
        """
    )

    def __init__(self, address: str, layers: tuple[str, ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca has no types
        self._name = "StyledLayer"
        self.module = f"{address.rsplit('/styles/', 1)[0]}/static/ui/leaflet-style.js"
        self.options = {"style": address, "layers": list(layers) or None}
