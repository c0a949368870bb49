"""The raw query string as a mapping: strict UTF-8, each name once, nothing that PostgreSQL can't hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from gis_service.features.refusal import refuse

MAX_QUERY = 16_384  # characters; the longest honest one is a long list of ids
MAX_PATH = 2_048
MAX_PARAMETERS = 64
_SECRET = re.compile(
    r"(?:^|&)(?:(x-api-key|api[_-]?key|key|access[_-]?token|token|auth|authorization|password|secret)="
    r"|([^&=]*)=(?:gis_|gisinv_|gisses_)[A-Za-z0-9_-]{43}(?:&|$))",
    re.IGNORECASE,
)


def parse(query: str) -> Mapping[str, str]:
    """The parameters; 400 for a name given twice, bytes that aren't UTF-8, or a NUL.

    `+` is a space and `%2B` a plus, as HTML forms and GDAL write them; unencoded `:/,` pass (row G5). Beside
    a `%20`, which no form writes, a `+` is a plus: QGIS leaves those of a filter as they are (row Q7).
    """
    if not query:
        return {}
    if len(query) > MAX_QUERY:
        raise refuse("web.query-too-long", maximum=MAX_QUERY)
    pairs = [pair for pair in query.split("&", MAX_PARAMETERS + 1) if pair]
    if len(pairs) > MAX_PARAMETERS:
        raise refuse("web.too-many-parameters", maximum=MAX_PARAMETERS)
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = (_decoded(part) for part in pair.partition("="))
        if name in found:
            raise refuse("web.parameter-twice", name=name[:100])
        found[name] = value
    return found


def _decoded(text: str) -> str:
    try:
        made = unquote_to_bytes(text if "%20" in text else text.replace("+", " ")).decode("utf-8")
    except UnicodeError as err:  # bytes that aren't UTF-8, or a lone surrogate that can't become bytes
        raise refuse("web.not-utf8") from err
    if "\x00" in made:
        raise refuse("web.nul")
    return made


def check_secrets(query: str) -> None:
    """400 for a key or a password in the address, by its parameter's name or by its own beginning."""
    if query and (found := _SECRET.search(query)) is not None:
        raise refuse("web.key-in-address", name=found[1] or found[2])


def check_path(path: str) -> None:
    """400 for a path that can't name anything: a NUL, bytes that weren't UTF-8, or far too long."""
    if len(path) > MAX_PATH:
        raise refuse("web.path-too-long", maximum=MAX_PATH)
    if "\x00" in path:
        raise refuse("web.nul")
    if not path.isascii() and ("\ufffd" in path or any(0xD800 <= ord(char) <= 0xDFFF for char in path)):
        raise refuse("web.not-utf8")
