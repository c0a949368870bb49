"""Refusals whose sentence stands in the catalogue of texts, for each reader in its language."""

from __future__ import annotations

from gis_service.errors import GisError
from gis_service.texts import say


def refusal(kind: type[GisError], key: str, **values: object) -> GisError:
    """The error with its English detail and the key of its sentence."""
    return kind(say(key, "en", **values), key=key, **values)
