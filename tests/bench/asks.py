"""What a case asks, apart from who is asked: each server's paths for the same question."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

Kind = Literal["landing", "collections", "collection", "items", "item", "tile", "tilejson", "report"]
Encoding = Literal["gzip", "identity"]


@dataclass(frozen=True)
class Ask:
    """One question. `depth` is the number of features before a deep page; `full` asks for full detail."""

    kind: Kind
    layer: str = ""
    fid: str = ""
    limit: int = 10
    bbox: tuple[float, float, float, float] | None = None
    equals: tuple[str, str] | None = None
    depth: int = 0
    sort: str = ""
    tile: tuple[int, int, int] = (0, 0, 0)
    full: bool = False
    polygon: tuple[tuple[float, float], ...] = ()
    held: bool = False  # the caller has the answer and asks whether it changed

    def box(self) -> str:
        """The bbox as a query parameter's value."""
        return ",".join(f"{v:.6f}" for v in self.bbox or ())

    def body(self) -> bytes:
        """The JSON body of a POST; empty for a GET."""
        if self.kind != "report":
            return b""
        ring = [list(at) for at in (*self.polygon, self.polygon[0])]
        return json.dumps({"inputs": {"area": {"type": "Polygon", "coordinates": [ring]}}}).encode()


PathOf = Callable[[Ask], str | None]


def http(ask: Ask, path: str, host: str, encoding: Encoding, key: str = "", tag: str = "") -> bytes:
    """The request as it goes over the wire, with a key where somebody in particular asks.

    `tag` is the ETag of what the caller holds.
    """
    body = ask.body()
    lines = [
        f"{'POST' if body else 'GET'} {path} HTTP/1.1",
        f"Host: {host}",
        "Accept: application/geo+json, application/json;q=0.9, */*;q=0.5",
        f"Accept-Encoding: {encoding}",
    ]
    if key:
        lines.append(f"X-API-Key: {key}")
    if tag:
        lines.append(f"If-None-Match: {tag}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body


@dataclass(frozen=True)
class OgcServer:
    """Paths of an OGC API server: ours, or a peer that names its collections with a prefix."""

    prefix: str = ""
    paths: Mapping[str, str] = ()  # type: ignore[assignment]  # filled by the constructors below
    deep: Mapping[tuple[str, int], str] | None = None
    filter_text: bool = False  # property filters as CQL2 text: TiPg ignores parameters in mixed case

    def __call__(self, ask: Ask) -> str | None:
        """The path of a question; None where this server has nothing to answer it with."""
        name = "tile-full" if ask.kind == "tile" and ask.full else ask.kind
        template = self.paths.get(name)
        if template is None:
            return None
        z, x, y = ask.tile
        path = template.format(
            layer=quote(self.prefix + ask.layer, safe=","), id=quote(ask.fid, safe=""), z=z, x=x, y=y
        )
        return path + self._query(ask) if ask.kind == "items" else path

    def _query(self, ask: Ask) -> str:
        """The query string of a page; a deep page comes from the links followed before, or by offset."""
        if ask.depth and self.deep is not None:
            return self.deep[ask.layer, ask.depth]
        pairs: list[tuple[str, str]] = [("limit", str(ask.limit))]
        pairs += [("bbox", ask.box())] if ask.bbox else []
        pairs += self._filter(*ask.equals) if ask.equals else []
        pairs += [("sortby", ask.sort)] if ask.sort else []
        pairs += [("offset", str(ask.depth))] if ask.depth else []
        return "?" + urlencode(pairs, safe=",")

    def _filter(self, name: str, value: str) -> list[tuple[str, str]]:
        """Equality as a parameter of the property's name, or as a filter."""
        if not self.filter_text:
            return [(name, value)]
        quoted = value.replace("'", "''")
        return [("filter", f"\"{name}\" = '{quoted}'"), ("filter-lang", "cql2-text")]


FEATURES = {
    "landing": "/",
    "collections": "/collections",
    "collection": "/collections/{layer}",
    "items": "/collections/{layer}/items",
    "item": "/collections/{layer}/items/{id}",
}
OURS = FEATURES | {
    "tile": "/xyz/{layer}/{z}/{x}/{y}.mvt",
    "tilejson": "/xyz/{layer}/tilejson.json",
    "report": "/processes/overlap-report/execution",
}
OURS_FULL = {"tile-full": OURS["tile"]}  # of the twin with thinning off: see full_detail
_TIPG_TILES = "/collections/{layer}/tiles/WebMercatorQuad"
TIPG = FEATURES | {
    "tile": _TIPG_TILES + "/{z}/{x}/{y}",
    "tile-full": _TIPG_TILES + "/{z}/{x}/{y}",
    "tilejson": _TIPG_TILES + "/tilejson.json",
}
TIPG_PREFIX = "bench."


@dataclass(frozen=True)
class TemplateServer:
    """Any other server, from the URL templates of `--peer`; a question without its template isn't asked."""

    templates: tuple[str, ...]

    def __call__(self, ask: Ask) -> str | None:
        """The path by the first template whose placeholders the question fills."""
        wanted = {"tile": ("{z}", "{x}", "{y}"), "item": ("{id}",), "items": ("{limit}",)}.get(ask.kind)
        if wanted is None or ask.full or (ask.kind == "items" and (ask.bbox or ask.equals or ask.depth)):
            return None
        for template in self.templates:
            if all(mark in template for mark in wanted):
                z, x, y = ask.tile
                return template.format(layer=ask.layer, id=ask.fid, z=z, x=x, y=y, limit=ask.limit)
        return None


def peer_paths(templates: tuple[str, ...]) -> PathOf:
    """A bare address speaks OGC API Features at our layer ids; templates say where each question goes."""
    if any("{" in template for template in templates):
        return TemplateServer(templates)
    return OgcServer(paths={kind: templates[0].rstrip("/") + path for kind, path in FEATURES.items()})
