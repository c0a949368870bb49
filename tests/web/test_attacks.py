"""Hostile input (guide, clients, section 2): always a 4xx with a problem document, never a 500."""

import json
import socket

import httpx
import pytest

from tests.web.conftest import Sample

ITEMS = "/collections/protected-areas/items"


def raw(url: str, request: bytes) -> tuple[int, bytes, bytes]:
    """Status, head and body of a request that no honest client would send."""
    address = httpx.URL(url)
    assert address.port is not None
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        connection.sendall(request)
        answer = connection.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = answer.readline()
            if not line:
                break
            head += line
        length = next(
            (int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:")), 0
        )
        return int(head.split()[1]), head, answer.read(length)


def get(url: str, target: bytes) -> tuple[int, bytes, bytes]:
    return raw(url, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")


@pytest.mark.parametrize(
    "target",
    [
        b"/%00", b"/collections/%00", b"/collections/protected-areas/items/%00", b"/%ff%fe",
        b"/collections/protected-areas/items/%ff", b"/" + b"x" * 3000, b"/collections/" + b"%2F" * 500,
        *(ITEMS.encode() + b"?" + query for query in (
            b"name=%00", b"name=%ff", b"name=%ed%a0%80", b"%00=1", b"bbox=NaN,NaN,NaN,NaN",
            b"bbox=-Infinity,0,1,1", b"bbox=0,0,1e309,1", b"bbox=" + b"1," * 5000,
            b"status_yr=9223372036854775808",
            b"status_yr=-9223372036854775809", b"limit=-9223372036854775808", b"offset=9223372036854775808",
            b"x" * 20000, b"&".join(b"a%d=1" % n for n in range(100)), b"name=a&name=b",
            b"datetime=99999-01-01", b"datetime=" + b"9" * 10000, b"after=" + b"A" * 10000,
            b"f=" + b"x" * 1000,
            b"lang=../../etc", b"release=99999999999999999999", b"crs=file:///etc/passwd",
            b"gid=1", b"geom=1", b"restricted=true", b"sensitivity=0",
        )),
        b"/static/../pages.py", b"/static/%2e%2e/pages.py", b"/static/ui/../../pages.py",
        b"/static/..%5c..%5cpages.py", b"/static//etc/passwd", b"/static/ui/%00", b"/static/",
        b"/styles/..%2f..%2fconfig%2fserver", b"/xyz/../../8/0/0.mvt",
    ],
    ids=lambda target: target[-40:].decode("latin-1"),
)  # fmt: skip
def test_a_hostile_address_is_refused(target: bytes, sampled: Sample) -> None:
    status, head, body = get(sampled.url, target)
    assert 400 <= status < 500, (status, body[:300])
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize("target", [b"/\xff\xfe", b"/?\xff", b"/" + b"x" * 1_000_000])
def test_what_is_no_http_at_all_is_refused_by_the_server(target: bytes, sampled: Sample) -> None:
    status, _, _ = get(sampled.url, target)
    assert 400 <= status < 500


@pytest.mark.parametrize("request_line", [b"OPTIONS * HTTP/1.1", b"GET * HTTP/1.1", b"PROPFIND / HTTP/1.1"])
def test_unusual_methods_and_targets_are_refused(request_line: bytes, sampled: Sample) -> None:
    status, _, _ = raw(sampled.url, request_line + b"\r\nHost: localhost\r\n\r\n")
    assert 400 <= status < 500


def test_a_huge_body_is_refused_before_it_is_sent(sampled: Sample) -> None:
    """2 GB announced: the answer comes at once, after three bytes."""
    for target in (b"/collections", b"/processes/overlap-report/execution"):
        head = b"POST " + target + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        status, _, _ = raw(sampled.url, head + b"Content-Length: 2147483648\r\n\r\nabc")
        assert status in (405, 413)


def test_an_injection_is_only_a_value(web: httpx.Client) -> None:
    for value in ("'; drop table gis.plot; --", "' or '1'='1", "$1", "%s", "\\'; select 1"):
        for name in ("name", "iucn_cat"):
            answer = web.get(ITEMS, params={name: value})
            assert answer.status_code == 200
            assert answer.json()["features"] == []
        assert web.get(f"{ITEMS}/{value}").status_code == 404
        assert web.get(ITEMS, params={value: "1"}).status_code == 400


def test_markup_in_an_address_stays_text_in_pages(web: httpx.Client) -> None:
    script = "<script>alert(1)</script>"
    for path in (
        f"/{script}",
        f"/collections/{script}",
        f"{ITEMS}/{script}",
        f"{ITEMS}?name={script}&f=html",
    ):
        page = web.get(path, headers={"Accept": "text/html"}).text
        assert "<script>alert" not in page, path


def test_a_forged_host_stays_out_of_the_links(sampled: Sample) -> None:
    status, _, body = raw(sampled.url, b'GET / HTTP/1.1\r\nHost: evil"><script>\r\n\r\n')
    assert status in (200, 400)
    assert b"evil" not in body
