"""Hostile bodies of an execution: each gets a 4xx with its reason, and none fills the server's memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gis_service.errors import Busy, TooLarge
from gis_service.processes import reading
from gis_service.web import body
from tests.web.conftest import Sample

EXECUTION = "/processes/overlap-report/execution"
AREA = {"type": "Polygon", "coordinates": [[[105.3, 20.2], [105.8, 20.2], [105.8, 20.5], [105.3, 20.2]]]}


def asked(**more: object) -> str:
    return json.dumps({"inputs": {"area": AREA}, **more})


def nested(opening: str, closing: str, times: int) -> str:
    return '{"inputs": {"area": ' + opening * times + "{}" + closing * times + "}}"


@pytest.mark.parametrize(
    "sent",
    [
        "", "1", "[]", "null", '"x"', '{"inputs": []}', '{"inputs": null}', '{"inputs": "x"}', "{}",
        "[" * 100_000, nested('{"a": ', "}", 900), nested('{"a": ', "}", 300), nested("[", "]", 900),
        nested('{"type": "GeometryCollection", "geometries": [', "]}", 400),
        '{"inputs": {"area": {"type": "Polygon", "coordinates": [[[NaN, 1], [1, 1], [1, 2], [0, 1]]]}}}',
        '{"inputs": {"area": {"type": "Polygon", "coordinates": [[[Infinity, 1], [1, 1], [1, 2], [0, 1]]]}}}',
        '{"inputs": {"area": {}, "title": "a\\u0000b"}}', '{"inputs": {"area": {}, "title": "\\ud800"}}',
        '{"inputs": {"area": {"a\\u0000": 1}}}', b'{"inputs": {"area": "\xff"}}', asked().encode("utf-16"),
        '{"inputs": {"area": {}, "status_filter": []}}', '{"inputs": {"area": {}, "format": {}}}',
        '{"inputs": {"area": {}, "as_of": 5}}', '{"inputs": {"area": {}, "principal": "centre"}}',
        asked(subscriber={"successUri": "http://["}), asked(subscriber=["http://127.0.0.1/"]),
        asked(subscriber={"successUri": "http://127.0.0.1:5432/"}),
        asked(subscriber={"successUri": "file:///etc/passwd"}),
    ],
    ids=lambda sent: str(sent)[:40],
)  # fmt: skip
def test_a_hostile_execution_is_refused(sent: str | bytes, web: httpx.Client) -> None:
    answer = web.post(EXECUTION, content=sent, headers={"Prefer": "respond-async"})
    assert 400 <= answer.status_code < 500, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_plain_execution_is_taken(web: httpx.Client) -> None:
    """So that the refusals above aren't refusals of everything."""
    answer = web.post(EXECUTION, content=asked(), headers={"Prefer": "respond-async"})
    assert answer.status_code == 201, answer.text[:300]


@pytest.mark.parametrize("unit", [b"[],", b"{},", b"1,"])
def test_small_parts_in_great_number_are_refused_before_they_become_objects(
    unit: bytes, sampled: Sample
) -> None:
    whole = b'{"inputs":{"area":{"type":"Polygon","coordinates":[' + unit * 12_000_000 + b"1]}}}"
    answer = httpx.post(sampled.url + EXECUTION, content=whole, timeout=60)
    assert answer.status_code == 413, answer.text[:300]


def test_as_many_vertices_as_are_allowed_can_be_read() -> None:
    """With heights, which GeoJSON may have."""
    ring = b"[" + b"[105.1,20.1,0.5]," * 4999 + b"[105.1,20.1,0.5]]"
    made = reading.document(b'{"inputs":{"area":{"coordinates":[' + ring + b"]}}}", 5000)
    assert len(made["inputs"]["area"]["coordinates"][0]) == 5000
    with pytest.raises(TooLarge):
        reading.document(ring * 30, 5000)


async def chunks(*sizes: int, pause: float = 0) -> AsyncIterator[bytes]:
    for size in sizes:
        await asyncio.sleep(pause)
        yield bytes(size)


def test_large_bodies_share_an_allowance() -> None:
    """What a body holds beyond the free part counts until its request is answered."""

    async def held() -> None:
        allowance = body.Allowance(3_000_000)
        first, second = (body.Intake(chunks(2_000_000), {}, 9_000_000, allowance) for _ in range(2))
        assert len(await first.read()) == 2_000_000
        with pytest.raises(Busy):
            await second.read()
        first.close()
        again = body.Intake(chunks(2_000_000), {}, 9_000_000, allowance)
        assert len(await again.read()) == 2_000_000

    asyncio.run(held())


def test_a_body_that_dribbles_is_given_up() -> None:
    async def dribbled() -> Any:
        slow = body.Intake(chunks(*[1] * 100, pause=0.05), {}, 9_000, body.Allowance(0), seconds=0.2)
        with pytest.raises(body.SlowBody):
            await slow.read()

    asyncio.run(dribbled())
