"""Requests for statistics, which the resident geoprocessor computes of indexes that hold everybody's rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gis_service.processes.statistics import STATISTICS
from tests.web.leaks.ask import Ask, post
from tests.web.leaks.processes import PROJECT
from tests.web.leaks.world import World

EVERYWHERE: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "overlap": ({"area": PROJECT, "rings": [30_000], "nearest": 5, "geometry": True},),
    "coverage": (
        {"zones": "provinces"},
        {"zones": "provinces", "by": "year", "area_method": "mollweide_sphere"},
        {"zones": "species-ranges", "by": "designation"},
        {"area": PROJECT, "by": "site_type"},
    ),
    "representation": ({}, {"rule": "polak", "species": ["Speciosus category0"]}),
    "range-metrics": tuple({"taxon": f"Speciosus category{category}"} for category in (0, 1, 3)),
    "plots": ({"area": PROJECT, "reach_m": 30_000, "strata": ["evergreen", "karst"]},),
    "connectivity": (
        {"area": PROJECT, "beyond_m": 100_000, "delta": True},
        {"zones": "provinces", "zone": "province-A", "least_m2": 1000},
    ),
}
# They compute with what they are given, and read no row.
OF_WHAT_IS_SENT: Mapping[str, Sequence[Mapping[str, Any]]] = {
    name: (STATISTICS[name].example,) for name in ("estimate", "class-areas")
}
AS_TABLES = ("coverage", "overlap")  # the same numbers, written by the same function for all
BY_THEIR_ROWS = tuple(f"/processes/{name}/execution" for name in EVERYWHERE)  # change as those change


def requests(_: World) -> Iterable[Ask]:
    for name, questions in {**EVERYWHERE, **OF_WHAT_IS_SENT}.items():
        address, first = f"/processes/{name}/execution", questions[0]
        yield from (post(address, {"inputs": inputs}) for inputs in questions)
        if name in AS_TABLES:
            yield post(address, {"inputs": {**first, "format": "csv"}})
