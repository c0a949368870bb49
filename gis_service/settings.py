"""Settings: environment over config/server.yaml over defaults, nothing else; built once and passed on."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gis_service.errors import ConfigRefused

# Advertised beside CRS84: WGS 84, Web Mercator, UTM 48N and 49N, and VN-2000 in degrees, UTM and TM-3 zones.
CRS = (4326, 3857, 32648, 32649, 4756, 3405, 3406, *range(5896, 5900), *range(9205, 9219))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for."""

    default_items: int = 10
    max_items: int = 10_000
    page_bytes: int = 32_000_000
    statement_timeout_ms: int = 10_000
    export_seconds: int = 900
    export_bytes: int = 4_000_000_000
    body_bytes: int = 64 * 1024 * 1024
    report_vertices: int = 2_000_000
    small_count: int = 5
    report_seconds: int = 120
    sync_seconds: int = 20
    raster_seconds: int = 10
    job_days: int = 30
    session_hours: int = 12
    session_idle_minutes: int = 120
    session_days: int = 90


@dataclass(frozen=True, slots=True)
class TileSettings:
    """What each web process keeps of tiles: so many megabytes, and the lowest zooms from the start."""

    cache_mb: int = 128
    warm_zooms: int = 6


@dataclass(frozen=True, slots=True)
class Workflow:
    """Whose reviewers take which step of a proposal, and whose proposals skip one.

    A step without tiers is left out. `licence` and `redistribution` are those of rows that organisations add.
    Edits through the API by members of `direct` tiers stand at once if the editor may publish them.
    """

    province_review: tuple[str, ...] = ("province",)
    central_approval: tuple[str, ...] = ("central",)
    publish: tuple[str, ...] = ("central",)
    skip_province_review: tuple[str, ...] = ()
    skip_central_approval: tuple[str, ...] = ()
    licence: str = "All rights reserved"
    redistribution: bool = False
    direct: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Oidc:
    """The identity provider at which people sign in; none without an issuer (docs/sign-in.md)."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)  # of the environment alone
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    claim: str = "email"
    title_en: str = ""
    title_vi: str = ""
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    register: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes notices for people; none without a host (docs/notices.md)."""

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)  # of the environment alone
    sender: str = ""
    wait_seconds: int = 60
    give_up_days: int = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a process of the service is told from outside."""

    root: Path
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    workers: int = 2
    database_url: str | None = None
    country: str = "VNM"
    default_lang: str = "en"
    log_level: str = "warning"
    trusted_proxies: tuple[str, ...] = ()
    callback_hosts: tuple[str, ...] = ()
    crs: tuple[int, ...] = CRS
    limits: Limits = field(default_factory=Limits)
    tiles: TileSettings = field(default_factory=TileSettings)
    workflow: Workflow = field(default_factory=Workflow)
    oidc: Oidc = field(default_factory=Oidc)
    mail: Mail = field(default_factory=Mail)


Parser = Callable[[str], object]
GROUPS = ("limits", "tiles", "workflow", "oidc", "mail")
SECRETS = ("oidc.client_secret", "mail.password")  # files are copied and committed


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError(f"{number} isn't above zero")
    return number


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(f"{number} is below zero")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise ValueError(f"{number} isn't a port (1 to 65535)")
    return number


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _codes(text: str) -> tuple[int, ...]:
    """EPSG codes, each once, in the order given."""
    return tuple(dict.fromkeys(_positive(word.upper().removeprefix("EPSG:")) for word in _words(text)))


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"{text!r} doesn't start with http:// or https://")
    return text.rstrip("/")


def _issuer(text: str) -> str:
    """Told as the issuer tells itself, a slash at the end included."""
    parts = urlsplit(text)
    near = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and near)):
        raise ValueError(f"{text!r} isn't an address by https (by http only on this machine)")
    if parts.query or parts.fragment:
        raise ValueError(f"{text!r} has a query or a fragment, which an issuer has not")
    return text


def _language(text: str) -> str:
    if text not in ("en", "vi"):
        raise ValueError(f"{text!r} isn't en or vi")
    return text


def _security(text: str) -> str:
    if text not in ("starttls", "tls", "none"):
        raise ValueError(f"{text!r} isn't starttls, tls or none")
    return text


def _sender(text: str) -> str:
    """One address, with a name before it or without."""
    name, address = parseaddr(text)
    if "@" not in address or any(sign in text for sign in "\r\n,;"):
        raise ValueError(f"{text!r} isn't one address, as `Nature data <gis@example.org>`")
    return formataddr((name, address))


def _level(text: str) -> str:
    if text not in ("debug", "info", "warning", "error"):
        raise ValueError(f"{text!r} isn't debug, info, warning or error")
    return text


def _among(*known: str) -> Parser:
    """Words that are all known; an empty list is `none` in the environment."""

    def parse(text: str) -> tuple[str, ...]:
        words = tuple(word for word in _words(text) if word != "none")
        if strange := sorted(set(words) - set(known)):
            raise ValueError(f"{', '.join(strange)} isn't among {', '.join(known)}")
        return words

    return parse


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise ValueError(f"{text!r} isn't yes or no")
    return text.lower() in ("yes", "true")


def _publishers(text: str) -> object:
    tiers = _among(*REVIEWING)(text)
    if not tiers:
        raise ValueError("somebody must publish: province, central or both")
    return tiers


REVIEWING = ("province", "central")
TIERS = ("central", "province", "site", "partner", "registered")
WORKFLOW: Mapping[str, Parser] = {
    "province_review": _among(*REVIEWING),
    "central_approval": _among(*REVIEWING),
    "publish": _publishers,
    "skip_province_review": _among(*TIERS),
    "skip_central_approval": _among(*TIERS),
    "licence": str,
    "redistribution": _yes_or_no,
    "direct": _among(*TIERS),
}

OIDC: Mapping[str, Parser] = {
    "issuer": _issuer,
    "client_id": str,
    "client_secret": str,
    "scopes": _words,
    "claim": str,
    "title_en": str,
    "title_vi": str,
    "algorithms": _among("RS256", "ES256"),
    "register": _yes_or_no,
}

MAIL: Mapping[str, Parser] = {
    "host": str,
    "port": _port,
    "security": _security,
    "user": str,
    "password": str,
    "sender": _sender,
    "wait_seconds": _positive,
    "give_up_days": _positive,
}

# What a file or the environment may say. Every value passes as text, so both are read by the same rules.
PARSERS: Mapping[str, Parser] = {
    "host": str,
    "port": _port,
    "public_url": _url,
    "workers": _positive,
    "database_url": str,
    "country": str,
    "default_lang": _language,
    "log_level": _level,
    "trusted_proxies": _words,
    "callback_hosts": _words,
    "crs": _codes,
    **{f"limits.{each.name}": _positive for each in dataclasses.fields(Limits)},
    **{f"tiles.{each.name}": _natural for each in dataclasses.fields(TileSettings)},
    **{f"workflow.{name}": parser for name, parser in WORKFLOW.items()},
    **{f"oidc.{name}": parser for name, parser in OIDC.items()},
    **{f"mail.{name}": parser for name, parser in MAIL.items()},
}


def variable(key: str) -> str:
    """Name the environment variable of a setting: `limits.max_items` is GIS_LIMITS_MAX_ITEMS."""
    return "GIS_" + key.replace(".", "_").upper()


def load_settings(root: Path, env: Mapping[str, str]) -> Settings:
    """Build the settings for the folder with layers/, styles/, config/; ConfigRefused lists all mistakes."""
    mistakes: list[str] = []
    values = {**_from_file(root / "config" / "server.yaml", mistakes), **_from_env(env, mistakes)}
    if bool(values.get("oidc.issuer")) != bool(values.get("oidc.client_id")):
        mistakes.append("oidc: issuer and client_id go together: one of them is missing")
    if bool(values.get("mail.host")) != bool(values.get("mail.sender")):
        mistakes.append("mail: host and sender go together: one of them is missing")
    if mistakes:
        raise ConfigRefused(*mistakes)
    limits, workflow = _taken(values, "limits."), _taken(values, "workflow.")
    data_dir = Path(env.get("GIS_DATA") or root / ".gis").expanduser().resolve()
    oidc = Oidc(**_taken(values, "oidc."))
    groups = {
        "limits": Limits(**limits),
        "tiles": TileSettings(**_taken(values, "tiles.")),
        "workflow": Workflow(**workflow),
        "oidc": oidc,
        "mail": Mail(**_taken(values, "mail.")),
    }
    return Settings(root=root.resolve(), data_dir=data_dir, **groups, **values)  # type: ignore[arg-type]  # each value came from its key's parser


def _taken(values: dict[str, object], prefix: str) -> dict[str, Any]:
    """The values of a group, taken out; each came from its key's parser."""
    return {key.removeprefix(prefix): values.pop(key) for key in list(values) if key.startswith(prefix)}


def _from_env(env: Mapping[str, str], mistakes: list[str]) -> dict[str, object]:
    values = {}
    for key, parse in PARSERS.items():
        if text := env.get(variable(key)):
            try:
                values[key] = parse(text)
            except ValueError as err:
                mistakes.append(f"environment: {variable(key)}: {err}")
    return values


def _from_file(path: Path, mistakes: list[str]) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        node = yaml.compose(path.read_text("utf-8"), yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        mistakes.append(f"{path}: {err}")
        return {}
    values: dict[str, object] = {}
    for key, value in _pairs(node, "", path, mistakes):
        where = f"{path}:{value.start_mark.line + 1}"
        if key not in PARSERS:
            mistakes.append(f"{where}: unknown key {key!r}")
            continue
        if key in SECRETS:
            mistakes.append(f"{where}: {key} is a secret: put it into the environment, as {variable(key)}")
            continue
        try:
            values[key] = PARSERS[key](_text(value))
        except ValueError as err:
            mistakes.append(f"{where}: {key}: {err}")
    return values


def _pairs(
    node: yaml.Node | None, prefix: str, path: Path, mistakes: list[str]
) -> list[tuple[str, yaml.Node]]:
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        mistakes.append(f"{path}:{node.start_mark.line + 1}: expected `key: value` lines")
        return []
    found: list[tuple[str, yaml.Node]] = []
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        found += _pairs(value, f"{name}.", path, mistakes) if name in GROUPS else [(name, value)]
    return found


def _text(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return ",".join(_text(each) for each in node.value)
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    raise ValueError("expected one value or a list")
