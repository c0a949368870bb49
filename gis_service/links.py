"""Every address that the service gives out is built here, below one public base."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, quote_plus

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
PROBLEM = "application/problem+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
MVT = "application/vnd.mapbox-vector-tile"
STYLE = "application/vnd.mapbox.style+json"
SVG = "image/svg+xml"
PNG = "image/png"
WEBP = "image/webp"
GLYPHS = "application/x-protobuf"
_PLAIN = re.compile(r"[A-Za-z0-9_.~/:,-]*").fullmatch
OGC_REL = "http://www.opengis.net/def/rel/ogc/1.0/"


def link(href: str, rel: str, media: str, title: str = "", templated: bool = False) -> dict[str, object]:
    """A link object of the OGC documents; each has `rel` and `type` (row C5)."""
    made: dict[str, object] = {"href": href, "rel": rel, "type": media}
    if title:
        made["title"] = title
    if templated:
        made["templated"] = True
    return made


@lru_cache(maxsize=4096)  # the names of layers stand in every answer several times
def _name(text: str) -> str:
    """One segment of a path, nothing of it left to be read as anything else."""
    return quote(text, safe="")


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses below `base`: scheme, host and the proxy's path prefix, without a slash at the end.

    `assets` names the version of the static files, so that browsers may keep them for ever.
    """

    base: str
    assets: str = ""

    def here(self, path: str, query: str) -> str:
        """The public address of a request."""
        return f"{self.base}{quote(path)}{'?' + query if query else ''}"

    def landing(self) -> str:
        return self.base + "/"

    def conformance(self) -> str:
        return self.base + "/conformance"

    def api(self) -> str:
        return self.base + "/api"

    def map(self) -> str:
        return self.base + "/map"

    def collections(self) -> str:
        return self.base + "/collections"

    def collection(self, layer: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.base}/collections/{_name(layer)}", query)

    def queryables(self, layer: str) -> str:
        return self.collection(layer) + "/queryables"

    def sortables(self, layer: str) -> str:
        return self.collection(layer) + "/sortables"

    def schema(self, layer: str) -> str:
        return self.collection(layer) + "/schema"

    def feature_schema(self, layer: str) -> str:
        return self.schema(layer) + "/geojson"

    def items(self, layer: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.collection(layer) + "/items", query)

    def export(self, layer: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.collection(layer) + "/export", query)

    def file(self, layer: str, name: str) -> str:
        return f"{self.collection(layer)}/files/{_name(name)}"

    def item(self, layer: str, feature: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.collection(layer)}/items/{_name(feature)}", query)

    def tilesets(self, layer: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.collection(layer) + "/tiles", query)

    def tileset(self, layer: str, grid: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.tilesets(layer)}/{_name(grid)}", query)

    def ogc_tile_template(self, layer: str, grid: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.tileset(layer, grid)}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", query)

    def dataset_tilesets(self) -> str:
        return self.base + "/tiles"

    def dataset_tileset(self, grid: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.dataset_tilesets()}/{_name(grid)}", query)

    def dataset_tile_template(self, grid: str, query: Mapping[str, str] | None = None) -> str:
        template = "{tileMatrix}/{tileRow}/{tileCol}"
        return with_query(f"{self.dataset_tileset(grid)}/{template}", query)

    def grids(self) -> str:
        return self.base + "/tileMatrixSets"

    def grid(self, grid: str) -> str:
        return f"{self.grids()}/{_name(grid)}"

    def xyz_template(self, layers: Iterable[str], query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self._xyz(layers)}/{{z}}/{{x}}/{{y}}.mvt", query)

    def tilejson(self, layers: Iterable[str], query: Mapping[str, str] | None = None) -> str:
        return with_query(self._xyz(layers) + "/tilejson.json", query)

    def map_tilesets(self, layer: str) -> str:
        return self._map_of(layer, "tiles")

    def map_tileset(self, layer: str, grid: str) -> str:
        return f"{self.map_tilesets(layer)}/{_name(grid)}"

    def map_tile_template(self, layer: str, grid: str, form: str) -> str:
        return f"{self.map_tileset(layer, grid)}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}?f={form}"

    def map_xyz(self, layer: str, form: str, at: str = "{z}/{x}/{y}") -> str:
        return f"{self._xyz([layer])}/{at}.{form}"

    def map_style(self, layer: str) -> str:
        return self._map_of(layer, "style.json")

    def map_legend(self, layer: str, file: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(self._map_of(layer, file), query)

    def position(self, layer: str) -> str:
        return self.collection(layer) + "/position"

    def _map_of(self, layer: str, part: str) -> str:
        return f"{self.collection(layer)}/map/{part}"

    def history(self, layer: str, feature: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.item(layer, feature)}/history", query)

    def releases(self, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.base + "/releases", query)

    def release(self, number: int) -> str:
        return f"{self.releases()}/{number:d}"

    def rollback(self, number: int) -> str:
        return self.release(number) + "/rollback"

    def proposals(self, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.base + "/proposals", query)

    def proposal(self, number: int, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.proposals()}/{number:d}", query)

    def proposal_changes(self, number: int, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.proposal(number)}/changes", query)

    def proposal_steps(self, number: int) -> str:
        return self.proposal(number) + "/steps"

    def styles(self) -> str:
        return self.base + "/styles"

    def style(self, name: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.styles()}/{_name(name)}", query)

    def legend(self, style: str, file: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.style(style)}/{file}", query)

    def glyphs(self) -> str:
        return self.base + "/fonts/{fontstack}/{range}.pbf"

    def sprite(self, name: str) -> str:
        return f"{self.base}/sprites/{_name(name)}"

    def static(self, path: str) -> str:
        return f"{self.base}/static/{self.assets + '/' if self.assets else ''}{quote(path)}"

    def processes(self) -> str:
        return self.base + "/processes"

    def process(self, name: str) -> str:
        return f"{self.processes()}/{_name(name)}"

    def execution(self, name: str) -> str:
        return self.process(name) + "/execution"

    def jobs(self) -> str:
        return self.base + "/jobs"

    def job(self, job: str) -> str:
        return f"{self.jobs()}/{_name(job)}"

    def job_results(self, job: str) -> str:
        return self.job(job) + "/results"

    def report(self, report: str, extension: str = "") -> str:
        return f"{self.base}/reports/{_name(report)}{extension}"

    def sign_in(self, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.base + "/sign-in", query)

    def sign_in_at_issuer(self, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.sign_in() + "/oidc", query)

    def sign_in_callback(self) -> str:
        return self.sign_in() + "/callback"

    def sign_out(self) -> str:
        return self.base + "/sign-out"

    def account(self) -> str:
        return self.base + "/account"

    def notices(self) -> str:
        return self.account() + "/notices"

    def end_notices(self, token: str) -> str:
        return f"{self.notices()}/{_name(token)}"

    def account_keys(self) -> str:
        return self.account() + "/keys"

    def contribute(self) -> str:
        return self.base + "/contribute"

    def contribute_to(self, layer: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(f"{self.contribute()}/{_name(layer)}", query)

    def template(self, layer: str, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.contribute_to(layer) + "/template.xlsx", query)

    def upload(self, identity: str) -> str:
        return f"{self.contribute()}/uploads/{identity}"

    def admin(self) -> str:
        return self.base + "/admin"

    def admin_organisations(self) -> str:
        return self.admin() + "/organisations"

    def admin_organisation(self, code: str) -> str:
        return f"{self.admin_organisations()}/{_name(code)}"

    def admin_people(self, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.admin() + "/people", query)

    def admin_person(self, name: str) -> str:
        return f"{self.admin_people()}/{_name(name)}"

    def admin_invitations(self, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.admin() + "/invitations", query)

    def admin_groups(self) -> str:
        return self.admin() + "/groups"

    def admin_group(self, code: str) -> str:
        return f"{self.admin_groups()}/{_name(code)}"

    def audit(self, query: Mapping[str, str] | None = None) -> str:
        return with_query(self.base + "/audit", query)

    def _xyz(self, layers: Iterable[str]) -> str:
        return f"{self.base}/xyz/{','.join(_name(layer) for layer in layers)}"


def with_query(address: str, query: Mapping[str, str] | None) -> str:
    """The address with a query string; `/` and `:` stay readable, as in times and CRS names."""
    if not query:
        return address
    return f"{address}?{'&'.join(f'{_part(name)}={_part(query[name])}' for name in query)}"


def _part(text: str) -> str:
    return text if _PLAIN(text) else quote_plus(text, safe="/:,")  # which takes ten times as long to look
