"""Connectivity over HTTP: the real server asks the real geoprocessor."""

import csv
import io
import math
from typing import Any

import pytest
import shapely
from shapely.geometry import mapping

from gis_service.geo import areas
from gis_service.geoprocessing.nearest import GEOD
from tests.web import test_statistics
from tests.web.test_statistics import CLOSED_A, OPEN_A, World

A = areas.box(105, 20, 106, 21)
world = test_statistics.world  # the fixture


def test_one_area_is_connected_with_itself_alone(world: World) -> None:
    told = world.ask("connectivity", zones="provinces", zone="province-A", delta=True).json()
    assert (told["area_m2"], told["patches"]) == (pytest.approx(A), 1)
    (found,) = told["distances"]
    assert found["protconn"] == pytest.approx(100 * OPEN_A / A)
    assert (found["relconn"], found["within"]) == (pytest.approx(100), pytest.approx(found["protconn"]))
    (patch,) = found["delta"]
    assert (patch["areas"], patch["dpc"]) == (["open-A"], pytest.approx(100))


def test_two_areas_are_connected_by_half_at_the_median_distance(world: World) -> None:
    apart = GEOD.inv(105.5, 20.6, 105.5, 20.7)[2]
    drawn = mapping(shapely.box(105, 20, 106, 21))
    told = world.ask("connectivity", world.centre, area=drawn, medians_m=[apart]).json()
    (found,) = told["distances"]
    eca = math.sqrt(OPEN_A**2 + CLOSED_A**2 + OPEN_A * CLOSED_A)
    assert found["eca_m2"] == pytest.approx(eca, rel=1e-6)
    assert found["prot"] == pytest.approx(100 * (OPEN_A + CLOSED_A) / A)
    parts = sum(found[name] for name in ("within", "contig", "trans", "unprot"))
    assert parts == pytest.approx(found["protconn"])


def test_small_areas_are_left_out_and_each_distance_has_a_row(world: World) -> None:
    inputs: dict[str, Any] = {"zones": "provinces", "zone": "province-A", "least_m2": 1e10}
    told = world.ask("connectivity", **inputs).json()
    assert told["small"] == {"patches": 1, "area_m2": pytest.approx(OPEN_A)}
    assert told["distances"][0]["relconn"] is None
    answer = world.ask("connectivity", **inputs, medians_m=[1000, 30_000], format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [float(row["median_m"]) for row in rows] == [1000, 30_000]


@pytest.mark.parametrize(
    ("inputs", "status", "told"),
    [
        ({}, 400, "either `area`"),
        ({"zones": "provinces"}, 400, "either `area`"),
        ({"zones": "provinces", "zone": "province-Z"}, 404, "province-Z"),
        ({"zones": "nowhere", "zone": "a"}, 404, "nowhere"),
    ],
)
def test_a_refusal_says_what_is_wrong(world: World, inputs: dict[str, Any], status: int, told: str) -> None:
    answer = world.ask("connectivity", **inputs)
    assert answer.status_code == status
    assert told in answer.json()["detail"]
