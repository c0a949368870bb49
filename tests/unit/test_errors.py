"""Errors say what happened and carry the code that callers act on."""

import inspect

import pytest

from gis_service import errors
from gis_service.errors import ConfigRefused, GisError, NotFound, PortTaken, Unauthorized

ALL = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, GisError)]


def test_the_docstring_is_the_message() -> None:
    assert str(NotFound("layer 'rivers'")) == "Not found: layer 'rivers'"


def test_values_fill_the_message() -> None:
    assert "Port 8080 is taken" in str(PortTaken(port=8080, other=8081))
    assert "--port 8081" in str(PortTaken(port=8080, other=8081))


def test_a_detail_without_a_place_follows_a_colon() -> None:
    assert str(Unauthorized("no such key")) == "The API key is missing, wrong or revoked: no such key"


def test_braces_in_a_detail_stay_as_they_are() -> None:
    assert str(NotFound("{x}")) == "Not found: {x}"


def test_all_mistakes_of_a_configuration_are_said() -> None:
    assert str(ConfigRefused("a.yaml:1: x", "a.yaml:2: y")).splitlines()[1:] == ["a.yaml:1: x", "a.yaml:2: y"]


@pytest.mark.parametrize("kind", ALL)
def test_each_error_has_a_status_and_an_exit_code(kind: type[GisError]) -> None:
    assert 400 <= kind.status < 600
    assert 1 <= kind.exit_code <= 5
    assert kind.code == kind.code.lower()
