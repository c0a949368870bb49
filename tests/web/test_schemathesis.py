"""Schemathesis over our own definition: whatever it says may be sent is answered as it says, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# Two of the layers: all are described and answered alike, these have every type of property.
LAYERS = ("provinces", "occurrences")
# Text of any form by the definition; what isn't a system, a page or a release of ours is refused first.
REFUSED_FIRST = ("crs", "bbox-crs", "filter-crs", "after", "release", "datetime", "filter")
Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]
CHECKS = [response_schema_conformance, content_type_conformance, status_code_conformance]
PROFILE = settings(
    max_examples=5, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
)  # fmt: skip


def operations(web: httpx.Client) -> Iterator[Operation]:
    schema = schemathesis.openapi.from_dict(web.get("/api").json())
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), "a part of the definition is no OpenAPI"
        operation = result.ok()
        folder = operation.path.split("/")
        if folder[1] != "collections" or len(folder) < 3 or folder[2] in (*LAYERS, "{collectionId}"):
            yield operation


def holds(web: httpx.Client, operation: Operation, mode: GenerationMode) -> set[int]:
    """The codes that requests of one operation were answered with, none of them a fault of the server's."""
    codes: set[int] = set()

    @PROFILE
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Case) -> None:
        for plain in (False, True) if mode is GenerationMode.POSITIVE else (False,):
            if plain:
                case.query = {name: v for name, v in (case.query or {}).items() if name not in REFUSED_FIRST}
            answer = case.call(base_url=str(web.base_url))
            assert answer.status_code < 500, (answer.request.url, answer.text)
            case.validate_response(answer, checks=CHECKS)
            codes.add(answer.status_code)

    answered()
    return codes


def test_what_the_definition_allows_is_answered_as_it_says(web: httpx.Client) -> None:
    codes = {operation.label: holds(web, operation, GenerationMode.POSITIVE) for operation in operations(web)}
    assert len(codes) > 35
    for layer in LAYERS:
        assert 200 in codes[f"GET /collections/{layer}/items"]
        assert 200 in codes[f"GET /collections/{layer}/export"]


def test_what_the_definition_forbids_is_no_fault_of_the_server(web: httpx.Client) -> None:
    for operation in operations(web):
        if any(each.name not in ("f", "lang") for each in operation.query):
            codes = holds(web, operation, GenerationMode.NEGATIVE)
            # 401 where one must sign in; 429 after many keys that random requests made up.
            assert codes & {400, 401, 404, 405, 429}, (operation.label, codes)
