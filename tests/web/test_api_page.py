"""The page of the API tells what there is, and its examples run."""

import re
import shlex

import httpx
import pytest

from gis_service.features.query import RESERVED
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"^    (curl .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_runs(web: httpx.Client, example: str) -> None:
    words = shlex.split(example)[1:]
    asked = [
        pair.split("=", 1)
        for pair in (words[at + 1] for at, w in enumerate(words) if w == "--data-urlencode")
    ]
    (address,) = [word for word in words if word.startswith("http")]
    path = address.removeprefix("http://127.0.0.1:8080")
    answer = web.get(path, params=dict(asked)) if asked else web.get(path)
    assert answer.status_code == 200, answer.text
    if "EPSG:3405" in example:
        (plot,) = answer.json()["features"]
        assert 500_000 < plot["geometry"]["coordinates"][0] < 600_000
    if "sortby=-rep_area" in example:
        assert answer.json()["features"][0]["properties"].keys() == {"name", "rep_area"}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 9


def test_every_parameter_is_told() -> None:
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", row)
    }
    assert set(RESERVED) - {"f", "lang"} <= told
