"""Cookies: the session's and, for some minutes, that of a sign-in under way at the issuer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

SESSION: Final = "gis_session"
SIGN_IN: Final = "gis_sign_in"
LONGEST: Final = 200


def value(headers: Mapping[str, str], name: str) -> str | None:
    """The cookie of that name; None where it isn't sent, is empty or far too long."""
    header = headers.get("cookie", "")
    if name not in header:
        return None
    for pair in header.split(";"):
        key, _, found = pair.strip().partition("=")
        if key == name:
            return found if 0 < len(found) <= LONGEST else None
    return None


def kept(base: str, name: str, content: str) -> tuple[str, str]:
    """The header that sets a cookie until the browser closes; the server knows when it's over."""
    return "set-cookie", f"{name}={content}; {_attributes(base)}"


def dropped(base: str, name: str) -> tuple[str, str]:
    """The header that takes a cookie away."""
    return "set-cookie", f"{name}=; Max-Age=0; {_attributes(base)}"


def _attributes(base: str) -> str:
    """Out of reach of scripts and other sites' forms; where the base is https, of plain http too."""
    parts = urlsplit(base)
    secure = "; Secure" if parts.scheme == "https" else ""
    return f"Path={parts.path or '/'}; HttpOnly; SameSite=Lax{secure}"
