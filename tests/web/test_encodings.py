"""Answers packed as the client likes them best: gzip, zstd or plain, the same bytes in each."""

import gzip
import sys
from collections.abc import Callable, Mapping

import httpx
import pytest

from gis_service.features import formats
from gis_service.web import packing

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SCHEMA = "/collections/protected-areas/schema"  # a document, kept
STYLE = "/styles/overview"  # made for each request
PATHS = [SCHEMA, STYLE, "/collections/occurrences/schema?f=html"]
UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": zstd.decompress,
    "identity": bytes,
}


def raw(web: httpx.Client, path: str, accepted: str | None, **headers: str) -> tuple[httpx.Response, bytes]:
    """The answer and its bytes as they were sent."""
    request = web.build_request("GET", path, headers=headers)
    request.headers.pop("accept-encoding")
    if accepted is not None:
        request.headers["accept-encoding"] = accepted
    answer = web.send(request, stream=True)
    return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, "identity"),
        ("identity", "identity"),
        ("br", "identity"),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, zstd;q=0.9", "gzip"),
        ("gzip;q=0.1, zstd;q=0.2", "zstd"),
        ("gzip;q=0, zstd;q=0", "identity"),
        ("*", "gzip"),
    ],
)
def test_each_coding_holds_the_same_bytes(web: httpx.Client, path: str, accepted: str, coding: str) -> None:
    _, plain = raw(web, path, "identity")
    answer, body = raw(web, path, accepted)
    assert answer.headers.get("content-encoding", "identity") == coding
    assert UNPACK[coding](body) == plain
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert int(answer.headers["content-length"]) == len(body)


@pytest.mark.parametrize("path", [SCHEMA, STYLE])
def test_each_coding_has_an_etag_of_its_own_that_stands_for_the_same_content(
    web: httpx.Client, path: str
) -> None:
    tags = {coding: raw(web, path, coding)[0].headers["etag"] for coding in UNPACK}
    plain = tags["identity"].strip('"')
    assert tags == {"identity": f'"{plain}"', "gzip": f'"{plain}-gz"', "zstd": f'"{plain}-zst"'}
    for coding in UNPACK:
        for tag in tags.values():
            answer, body = raw(web, path, coding, **{"If-None-Match": tag})
            assert (answer.status_code, body) == (304, b"")
            assert answer.headers["etag"] == tags[coding]


def test_a_small_answer_is_left_as_it_is(web: httpx.Client) -> None:
    answer, body = raw(web, "/collections/plots/items/none", "zstd, gzip")
    assert "content-encoding" not in answer.headers
    assert len(body) < packing.LEAST


def test_what_packs_its_own_columns_is_not_packed_again() -> None:
    packed = {each.name for each in formats.FORMATS if packing.is_compressible(each.content_type)}
    assert {each.name for each in formats.FORMATS} - packed == {"parquet"}
