"""Every address in every document holds behind a proxy with a path prefix."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import sample
from tests.conftest import Starter, free_port

PATHS = (
    "/", "/conformance", "/api", "/collections", "/collections/provinces",
    "/collections/provinces/items?limit=1",
    "/collections/provinces/items/province-A", "/collections/provinces/queryables",
    "/collections/provinces/schema",
    "/collections/provinces/tiles", "/collections/provinces/tiles/WebMercatorQuad", "/tileMatrixSets",
    "/styles",
    "/styles/overview", "/xyz/provinces/tilejson.json", "/processes", "/jobs",
)  # fmt: skip
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /gis/nature/ {{
      proxy_pass {server}/;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-Prefix /gis/nature;
    }}
  }}
}}
"""


@pytest.fixture(scope="module")
def behind_proxy(start_server: Starter, database: str) -> str:
    sample.fill(database)
    return start_server(database, GIS_TRUSTED_PROXIES="127.0.0.1")


@pytest.fixture(scope="module")
def nginx(behind_proxy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx isn't installed")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, server=behind_proxy))
    proxy = subprocess.Popen([program, "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:
        yield answering(f"http://127.0.0.1:{port}/gis/nature", folder)
    finally:
        proxy.terminate()
        proxy.wait(timeout=10)


def answering(url: str, folder: Path) -> str:
    for _ in range(100):
        try:
            httpx.get(url + "/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return url
    pytest.fail((folder / "error.log").read_text())


def addresses(document: object) -> set[str]:
    """Every http address in a document that isn't a name of the OGC or of a schema."""
    found = re.findall(r'"(https?://[^"]*)"', json.dumps(document))
    names = (
        "http://www.opengis.net/",
        "https://geojson.org/",
        "https://json-schema.org/",
        "http://json-schema.org/",
    )
    return {address for address in found if not address.startswith(names)}


@pytest.mark.parametrize("path", PATHS)
def test_all_addresses_carry_the_public_prefix(path: str, nginx: str) -> None:
    public = nginx.replace("http://", "https://")
    answer = httpx.get(nginx + path)
    assert answer.status_code == 200
    ours = addresses(answer.json())
    assert all(address == public or address.startswith(public + "/") for address in ours), ours


def test_pages_point_below_the_prefix(nginx: str) -> None:
    public = nginx.replace("http://", "https://")
    for path in ("/", "/collections", "/collections/provinces", "/map"):
        page = httpx.get(nginx + path, headers={"Accept": "text/html"}).text
        for address in re.findall(r'(?:href|src)="([^"#]+)"', page):
            assert address.startswith((public, "https://", "data:")), (path, address)
            if address.startswith(public):
                inner = address.replace("https://", "http://")
                assert httpx.get(inner, headers={"Accept": "*/*"}).status_code == 200, address


def test_next_links_lead_on_through_the_proxy(nginx: str) -> None:
    page = httpx.get(nginx + "/collections/provinces/items?limit=1").json()
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert httpx.get(following.replace("https://", "http://")).json()["features"][0]["id"] == "province-B"


def test_the_public_url_of_the_settings_is_used_everywhere(start_server: Starter, database: str) -> None:
    server = start_server(database, GIS_PUBLIC_URL="https://maps.example.org/gis")
    ours = addresses(httpx.get(server + "/collections").json())
    assert all(address.startswith("https://maps.example.org/gis/") for address in ours)
