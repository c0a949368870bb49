"""The public address of a request: the setting, or what a trusted proxy says, or the Host header."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache

from gis_service.settings import Settings

_HOST = re.compile(r"[A-Za-z0-9._~-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))\s*')


def base(settings: Settings, headers: Mapping[str, str], client: str, scheme: str) -> str:
    """The base of all links, without a slash at the end."""
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    host, prefix = headers.get("host", ""), ""
    if settings.trusted_proxies and _trusted(client, settings.trusted_proxies):
        forwarded = _forwarded(headers.get("forwarded", ""))
        scheme = forwarded.get("proto") or _first(headers.get("x-forwarded-proto")) or scheme
        host = forwarded.get("host") or _first(headers.get("x-forwarded-host")) or host
        prefix = _first(headers.get("x-forwarded-prefix")).rstrip("/")
    if not _HOST.fullmatch(host):
        host = f"{settings.host}:{settings.port}"
    if scheme not in ("http", "https"):
        scheme = "http"
    return f"{scheme}://{host}{prefix if _PREFIX.fullmatch(prefix) else ''}"


def client_address(settings: Settings, headers: Mapping[str, str], client: str) -> str:
    """Who asks: the last address before the trusted proxies, for logs."""
    if not (settings.trusted_proxies and _trusted(client, settings.trusted_proxies)):
        return client
    chain = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    return next((a for a in reversed(chain) if not _trusted(a, settings.trusted_proxies)), client)


@lru_cache(maxsize=1024)
def _trusted(client: str, proxies: tuple[str, ...]) -> bool:
    try:
        address = ipaddress.ip_address(client.strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in _networks(proxies))


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]


def _first(value: str | None) -> str:
    return (value or "").partition(",")[0].strip()


def _forwarded(value: str) -> Mapping[str, str]:
    """The pairs of the first hop of a Forwarded header (RFC 7239)."""
    first = value.partition(",")[0]
    found = (_PAIR.fullmatch(part) for part in first.split(";"))
    return {pair[1].lower(): pair[2] or pair[3] for pair in found if pair is not None}
