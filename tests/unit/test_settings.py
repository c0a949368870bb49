"""Settings come from the environment over the file over defaults, and mistakes are all said at once."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from gis_service.errors import ConfigRefused
from gis_service.settings import GROUPS, PARSERS, load_settings, variable

ROOT = Path(__file__).parents[2]


def _with_file(tmp_path: Path, text: str) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "server.yaml").write_text(text)
    return tmp_path


def test_defaults_stand_where_nothing_is_said(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 2)
    assert settings.data_dir == tmp_path / ".gis"


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    root = _with_file(tmp_path, "port: 9000\nworkers: 3\n")
    settings = load_settings(root, {"GIS_PORT": "9001"})
    assert (settings.port, settings.workers) == (9001, 3)


def test_limits_are_read_from_both(tmp_path: Path) -> None:
    root = _with_file(tmp_path, "limits:\n  max_items: 50\n")
    settings = load_settings(root, {"GIS_LIMITS_DEFAULT_ITEMS": "5"})
    assert (settings.limits.max_items, settings.limits.default_items) == (50, 5)


def test_every_group_of_the_environment_is_taken_in(tmp_path: Path) -> None:
    """A group of settings that isn't put together stops the start of whoever uses one of its settings."""
    own = {"GIS_MAIL_SENDER": "gis@example.org", "GIS_OIDC_CLIENT_ID": "gis"}
    env = {"GIS_MAIL_HOST": "mail.example.org", "GIS_OIDC_ISSUER": "https://sso.example.org", **own}
    made = load_settings(tmp_path, env)
    assert (made.mail.host, made.mail.sender) == ("mail.example.org", "gis@example.org")
    assert (made.oidc.issuer, made.oidc.client_id) == ("https://sso.example.org", "gis")
    for group in GROUPS:
        assert dataclasses.is_dataclass(getattr(made, group)), group


def test_lists_are_written_as_yaml_or_with_commas(tmp_path: Path) -> None:
    root = _with_file(tmp_path, "trusted_proxies: [10.0.0.1, 10.0.0.2]\n")
    assert load_settings(root, {}).trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert load_settings(root, {"GIS_TRUSTED_PROXIES": "::1"}).trusted_proxies == ("::1",)


def test_reference_systems_are_named_by_their_codes(tmp_path: Path) -> None:
    root = _with_file(tmp_path, "crs: [4326, EPSG:3405, 4326]\n")
    assert load_settings(root, {}).crs == (4326, 3405)
    with pytest.raises(ConfigRefused, match="GIS_CRS"):
        load_settings(root, {"GIS_CRS": "VN-2000"})


def test_every_mistake_is_reported_with_its_line(tmp_path: Path) -> None:
    root = _with_file(tmp_path, "country: VNM\nprot: 80\nport: 99999\nlimits:\n  max_items: -1\n")
    with pytest.raises(ConfigRefused) as refused:
        load_settings(root, {"GIS_WORKERS": "many"})
    said = str(refused.value)
    assert "server.yaml:2: unknown key 'prot'" in said
    assert "server.yaml:3: port" in said
    assert "server.yaml:5: limits.max_items" in said
    assert "GIS_WORKERS" in said


def test_a_file_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match=r"server\.yaml"):
        load_settings(_with_file(tmp_path, "port: [\n"), {})


def test_the_annotated_example_names_every_setting() -> None:
    text = (ROOT / "config" / "server.example.yaml").read_text()
    missing = [key for key in PARSERS if f"{key.rpartition('.')[2]}:" not in text]
    assert not missing
    yaml.safe_load(text)


def test_an_environment_variable_is_named_after_its_setting() -> None:
    assert variable("limits.max_items") == "GIS_LIMITS_MAX_ITEMS"
