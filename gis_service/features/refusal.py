"""Refusals whose sentence stands in the catalogue of texts, so that each caller reads his own language."""

from __future__ import annotations

from gis_service.errors import GisError, InvalidParameter
from gis_service.texts import say


def refusal(kind: type[GisError], key: str, **values: object) -> GisError:
    """The error with its English detail; `web.problems` says the same key in the caller's language."""
    return kind(say(key, "en", **values), key=key, **values)


def refuse(key: str, **values: object) -> GisError:
    """A parameter that can't be answered: 400."""
    return refusal(InvalidParameter, key, **values)
