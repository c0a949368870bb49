"""The public address of a request: setting, trusted proxy, Host header."""

from pathlib import Path

import pytest

from gis_service.settings import Settings
from gis_service.web import origin

HERE = Path("/nowhere")
PLAIN = Settings(root=HERE, data_dir=HERE)
PROXIED = Settings(root=HERE, data_dir=HERE, trusted_proxies=("127.0.0.1", "10.0.0.0/8", "::1"))
FORWARDED = {
    "host": "inner:8080",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "gis.example.org",
    "x-forwarded-prefix": "/nature/",
}


def test_the_setting_goes_before_all() -> None:
    fixed = Settings(
        root=HERE, data_dir=HERE, public_url="https://gis.example.org/x", trusted_proxies=("10.0.0.1",)
    )
    assert origin.base(fixed, FORWARDED, "10.0.0.1", "http") == "https://gis.example.org/x"


@pytest.mark.parametrize("client", ["127.0.0.1", "10.1.2.3", "::1", "[::1]"])
def test_a_trusted_proxy_tells_scheme_host_and_prefix(client: str) -> None:
    assert origin.base(PROXIED, FORWARDED, client, "http") == "https://gis.example.org/nature"


@pytest.mark.parametrize(
    ("settings", "client"), [(PLAIN, "127.0.0.1"), (PROXIED, "192.0.2.1"), (PROXIED, "")]
)
def test_anybody_else_is_not_believed(settings: Settings, client: str) -> None:
    assert origin.base(settings, FORWARDED, client, "http") == "http://inner:8080"


def test_the_standard_header_is_read_too() -> None:
    headers = {
        "host": "inner",
        "forwarded": 'for=192.0.2.60;proto=https;host="gis.example.org:8443", for=10.0.0.1',
    }
    assert origin.base(PROXIED, headers, "127.0.0.1", "http") == "https://gis.example.org:8443"


@pytest.mark.parametrize("host", ["", 'a"><script>', "a b", "a/b", "user@host", "x" * 300, "a\r\nb"])
def test_a_host_that_is_no_host_is_left_out(host: str) -> None:
    assert origin.base(PLAIN, {"host": host}, "127.0.0.1", "http") == "http://127.0.0.1:8080"


@pytest.mark.parametrize("prefix", ["//evil.example", "/a b", "/a?b", "/../x/<", "javascript:"])
def test_a_prefix_that_is_no_path_is_left_out(prefix: str) -> None:
    headers = {**FORWARDED, "x-forwarded-prefix": prefix}
    assert origin.base(PROXIED, headers, "127.0.0.1", "http") == "https://gis.example.org"
