"""Hostile files: none makes the loader fetch, read another file or wait; each is refused with its reason."""

import contextlib
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gis_service.errors import DataRefused, GisError
from gis_service.reports.area_file import read_area
from tests.db.loads import one, put

POLYGON = '{"type":"Polygon","coordinates":[[[105,20],[106,20],[106,21],[105,20]]]}'
RING = "<outerBoundaryIs><LinearRing><coordinates>105,20 106,20 106,21 105,20</coordinates></LinearRing>"
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
PLACE = "<Placemark><name>{}</name><Polygon>" + RING + "</outerBoundaryIs></Polygon></Placemark>"


class Listener:
    """A web server on this machine that notes what it is asked for."""

    def __init__(self) -> None:
        asked = self.asked = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            do_HEAD = do_POST = do_GET  # noqa: N815  # the names that http.server calls

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def vrt(source: str) -> str:
    layer = f'<OGRVRTLayer name="secret"><SrcDataSource>{source}</SrcDataSource>'
    return f"<OGRVRTDataSource>{layer}<LayerSRS>EPSG:4326</LayerSRS></OGRVRTLayer></OGRVRTDataSource>"


def referring(folder: Path, url: str) -> dict[str, str]:
    """Files by name that point elsewhere."""
    secret = folder / "secret.geojson"
    secret.write_text('{"type":"FeatureCollection","features":[]}')
    link = f"<NetworkLink><Link><href>{url}/n.kml</href></Link></NetworkLink>"
    entity = f'<!DOCTYPE k [<!ENTITY x SYSTEM "{url}/x"><!ENTITY y SYSTEM "file:///etc/passwd">]>'
    next_page = f'"links":[{{"rel":"next","href":"{url}/next"}}],"next":"{url}/next"'
    return {
        "remote.vrt": vrt(f"/vsicurl/{url}/x.geojson"),
        "disguised.geojson": vrt(f"/vsicurl/{url}/x.geojson"),
        "local.vrt": vrt(str(secret)),
        "service.xml": f"<OGRWFSDataSource><URL>{url}/wfs</URL></OGRWFSDataSource>",
        "links.kml": KML.format(link + PLACE.format("A")),
        "entity.kml": entity + KML.format(PLACE.format("&x;&y;")),
        "paged.geojson": f'{{"type":"FeatureCollection",{next_page},"features":'
        f'[{{"type":"Feature","properties":{{"name":"A"}},"geometry":{POLYGON}}}]}}',
    }


def test_no_file_makes_the_loader_look_elsewhere(
    fresh_database: str, tmp_path: Path, listener: Listener
) -> None:
    for name, content in referring(tmp_path, listener.url).items():
        path = tmp_path / name
        path.write_text(content)
        packed = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(path, name)
        for each in (path, packed):
            try:
                put(fresh_database, each, id_field=None, dry_run=True)
                allowed = name in ("links.kml", "paged.geojson")
                assert allowed, f"{each.name} was read"
            except DataRefused:
                pass
            with contextlib.suppress(GisError):
                read_area(each)
    assert listener.asked == []


@pytest.mark.parametrize("name", ["/vsicurl/{}/x.geojson", "/vsizip//vsicurl/{}/x.zip", "{}/x.geojson"])
def test_an_address_is_no_file(fresh_database: str, listener: Listener, name: str) -> None:
    with pytest.raises(DataRefused, match="no file"):
        put(fresh_database, Path(name.format(listener.url)))
    assert listener.asked == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("deep.geojson", b'{"type":"FeatureCollection","features":' + b"[" * 9000, "can't be read"),
        ("cut.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature","prop', "can't be read"),
        ("wide.csv", b",".join(b"c%d" % n for n in range(200_000)) + b"\n1,2", "longer than"),
        ("cell.csv", b"name,lon,lat\n" + b"x" * 10_000_000 + b",105,20\n", "can't be read"),
        ("mixed.csv", "name,lon,lat\nViệt,105,20\n".encode() + b"\xff\xfe,105,20\n", "isn't UTF-8"),
        ("open.csv", b'name,lon,lat\n"' + b"x\n" * 100_000, "can be used"),
        ("laughs.kml", b'<!DOCTYPE k [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><kml>&b;</kml>', "can't be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_broken_file_is_refused_whole(
    fresh_database: str, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataRefused, match=reason):
        put(fresh_database, path, layer="plots" if name.endswith("csv") else "protected-areas", id_field=None)
    assert one(fresh_database, "select count(*) from gis.load") == 0


def test_a_pipe_is_not_waited_for(fresh_database: str, tmp_path: Path) -> None:
    path = tmp_path / "pipe.geojson"
    os.mkfifo(path)
    with pytest.raises(DataRefused, match="neither a file nor a folder"):
        put(fresh_database, path)
