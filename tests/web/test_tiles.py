"""Vector tiles as MapLibre and QGIS ask for them. Area open-A lies at 105.4-105.6 E, 20.4-20.6 N."""

from typing import Any

import httpx
import mapbox_vector_tile
import pytest

from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from tests.web.conftest import Sample

X, Y, *_ = covering(BBox(105.5, 20.5, 105.5, 20.5), 8)
TILE = "/xyz/protected-areas/10/{}/{}.mvt".format(*covering(BBox(105.5, 20.5, 105.5, 20.5), 10))
MVT = "application/vnd.mapbox-vector-tile"


def decoded(answer: httpx.Response) -> Any:  # layers by name, as mapbox_vector_tile gives them
    assert (answer.status_code, answer.headers["content-type"]) == (200, MVT)
    return mapbox_vector_tile.decode(answer.content)


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt")
def test_a_tile_holds_the_layer_with_whole_ids_and_the_public_id(web: httpx.Client) -> None:
    """Row M3."""
    (feature,) = decoded(web.get(TILE))["protected-areas"]["features"]
    assert isinstance(feature["id"], int)
    assert feature["properties"]["id"] == "open-A"
    assert feature["properties"]["name_eng"] == "Area open A"


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core")
def test_the_ogc_address_gives_the_same_tile_with_row_before_column(web: httpx.Client) -> None:
    """Rows V7, C8."""
    ogc = web.get(f"/collections/protected-areas/tiles/WebMercatorQuad/8/{Y}/{X}")
    assert ogc.content == web.get(f"/xyz/protected-areas/8/{X}/{Y}.mvt").content


def test_layers_joined_by_commas_come_in_one_tile_each_once(web: httpx.Client) -> None:
    layers = decoded(web.get(f"/xyz/provinces,protected-areas,provinces/8/{X}/{Y}.mvt"))
    assert list(layers) == ["provinces", "protected-areas"]
    assert len(layers["provinces"]["features"]) == 2


def test_a_province_sees_its_own_layers_and_public_ones_in_one_tile(sampled: Sample) -> None:
    headers = {"X-API-Key": sampled.keys["province-a"]}
    path = f"/xyz/provinces,sea-areas,ecoregions,protected-areas,plots,occurrences/8/{X}/{Y}.mvt"
    layers = decoded(httpx.get(sampled.url + path, headers=headers))
    assert len(layers["protected-areas"]["features"]) == 2


def test_an_empty_tile_is_204(web: httpx.Client) -> None:
    """Row M4."""
    answer = web.get("/xyz/protected-areas/8/0/0.mvt")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "/xyz/protected-areas/8/256/0.mvt", "/xyz/protected-areas/8/-1/0.mvt",
        "/xyz/protected-areas/8/0/256.mvt",
        "/xyz/protected-areas/25/0/0.mvt", "/xyz/protected-areas/23/0/0.mvt",
        "/xyz/protected-areas/8.5/0/0.mvt",
        "/xyz/protected-areas/99999999999999999999/0/0.mvt", "/xyz/nothing/8/0/0.mvt", "/xyz/,/8/0/0.mvt",
        "/xyz/protected-areas/8/0/0.pbf", "/xyz/protected-areas/8/0.mvt", "/xyz/communes/0/0/0.mvt",
        "/xyz/" + ",".join(f"layer{n}" for n in range(17)) + "/8/0/0.mvt",
        "/xyz/protected-areas,nothing/8/0/0.mvt",
        "/collections/protected-areas/tiles/WorldCRS84Quad/0/0/2",
        "/collections/protected-areas/tiles/NoSuchGrid/0/0/0",
        "/collections/protected-areas/tiles/WebMercatorQuad/0/0/1",
    ],
)  # fmt: skip
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core")
def test_outside_the_grid_and_the_zooms_is_404(path: str, web: httpx.Client) -> None:
    """Rows C8, V4."""
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_ten_thousand_names_are_refused_before_anything_is_looked_up(web: httpx.Client) -> None:
    """The server reads no address that long."""
    for names in (2_000, 10_000):
        assert web.get("/xyz/" + "plots," * names + "/8/0/0.mvt").status_code in (400, 414)
    assert web.get("/xyz/plots/8/0/0.mvt").status_code == 204


def test_a_tile_is_held_by_its_etag(web: httpx.Client) -> None:
    """Row V5: strong, with Cache-Control, and 304 without a body. Who has edited a layer sees it at once."""
    first = web.get(TILE)
    assert first.headers["etag"].startswith('"')
    assert first.headers["cache-control"] == "no-cache"
    assert "max-age" in web.get(f"/xyz/provinces/8/{X}/{Y}.mvt").headers["cache-control"]
    again = web.get(TILE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert web.get(TILE).headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "HEAD"])
def test_any_page_may_read_any_answer(method: str, web: httpx.Client) -> None:
    """Row M1: tiles, 304, errors and OPTIONS."""
    etag = web.get(TILE).headers["etag"]
    for path, headers in (
        (TILE, {}),
        (TILE, {"If-None-Match": etag}),
        ("/nowhere", {}),
        ("/collections", {}),
    ):
        answer = web.request(method, path, headers={**headers, "Origin": "https://example.org"})
        assert answer.headers["access-control-allow-origin"] == "*"
        if method != "OPTIONS":
            exposed = answer.headers["access-control-expose-headers"]
            assert {"ETag", "Link", "OGC-NumberMatched", "Content-Crs"} <= set(exposed.split(", "))


def test_a_preflight_allows_the_key(web: httpx.Client) -> None:
    answer = web.options(
        TILE, headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    )
    assert {"X-API-Key", "Authorization"} <= set(answer.headers["access-control-allow-headers"].split(", "))


def test_tilejson_tells_all_that_maplibre_asks(web: httpx.Client, sampled: Sample) -> None:
    """Rows M2, V2."""
    document = web.get("/xyz/protected-areas,plots/tilejson.json").json()
    assert document["tilejson"] == "3.0.0"
    assert document["tiles"] == [f"{sampled.url}/xyz/protected-areas,plots/{{z}}/{{x}}/{{y}}.mvt"]
    assert [layer["id"] for layer in document["vector_layers"]] == ["protected-areas", "plots"]
    assert "name_eng" in document["vector_layers"][0]["fields"]
    west, south, east, north = document["bounds"]
    assert west == pytest.approx(105.4, abs=0.06)
    assert east == pytest.approx(106.6, abs=0.06)
    assert south < north
    assert document["attribution"]
    assert document["minzoom"] <= document["maxzoom"]


def test_styles_have_absolute_addresses_that_answer(web: httpx.Client, sampled: Sample) -> None:
    """Rows V1, V2."""
    for entry in web.get("/styles").json()["styles"]:
        style = web.get(entry["links"][0]["href"]).json()
        for source in style["sources"].values():
            if source["type"] == "vector":
                assert source["url"].startswith(sampled.url + "/xyz/")
                assert web.get(source["url"]).status_code == 200
    assert web.get("/styles/nothing").status_code == 404


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset")
def test_the_grid_is_web_mercator_quad(web: httpx.Client) -> None:
    grid = web.get("/tileMatrixSets/WebMercatorQuad").json()
    first = grid["tileMatrices"][0]
    assert first["scaleDenominator"] == pytest.approx(559082264.028717)
    assert first["pointOfOrigin"] == pytest.approx([-20037508.342789244, 20037508.342789244])
    assert grid["tileMatrices"][14]["matrixWidth"] == 16384
    tileset = web.get("/collections/protected-areas/tiles/WebMercatorQuad").json()
    assert tileset["dataType"] == "vector"
    template = next(link["href"] for link in tileset["links"] if link["rel"] == "item")
    address = template.format(tileMatrix=8, tileRow=Y, tileCol=X)
    assert web.get(address).status_code == 200


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets")
def test_every_collection_links_to_the_list_of_its_tilesets(web: httpx.Client) -> None:
    """From the collection to the list, from the list to a tileset, from there to its grid and its tiles."""
    rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
    for collection in web.get("/collections").json()["collections"]:
        (link,) = [link for link in collection["links"] if link["rel"] == rel]
        listed, *_ = web.get(link["href"]).json()["tilesets"]
        assert listed["dataType"] == "vector"
        assert listed["crs"] == "http://www.opengis.net/def/crs/EPSG/0/3857"
        assert listed["tileMatrixSetURI"].endswith("/WebMercatorQuad")
        (address,) = [link["href"] for link in listed["links"] if link["rel"] == "self"]
        tileset = web.get(address).json()
        grid = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
        (scheme,) = [link["href"] for link in tileset["links"] if link["rel"] == grid]
        assert web.get(scheme).json()["id"] == "WebMercatorQuad"
        (item,) = [link for link in tileset["links"] if link["rel"] == "item"]
        assert item["type"] == "application/vnd.mapbox-vector-tile"


def test_a_tile_says_what_it_leaves_out_of_each_layer(web: httpx.Client) -> None:
    """Of eight visible occurrences, four beside one another in each province, the public's cells show two."""
    answer = web.get("/xyz/protected-areas,occurrences/4/12/7.mvt")
    shown = decoded(answer)["occurrences"]["features"]
    told = "protected-areas;rule=generalized;returned=2, occurrences;rule=thin;matched=8;returned={}"
    assert answer.headers["tile-reduction"] == told.format(len(shown))
    assert len(shown) < 8
    assert "Tile-Reduction" in answer.headers["access-control-expose-headers"]
    again = web.get(
        "/xyz/protected-areas,occurrences/4/12/7.mvt", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.headers["tile-reduction"]) == (304, answer.headers["tile-reduction"])


def test_tilejson_says_by_which_rule_layers_are_reduced(web: httpx.Client) -> None:
    layers = web.get("/xyz/protected-areas,occurrences/tilejson.json?lang=vi").json()["vector_layers"]
    rules = [(each["reduction"]["rule"], each["reduction"].get("below")) for each in layers]
    assert rules == [("generalized", None), ("thin", 10)]
    assert "mức thu phóng 10" in layers[1]["reduction"]["description"]
