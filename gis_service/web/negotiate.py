"""What form and language a caller wants: `f` and `lang` first, then Accept and Accept-Language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from gis_service.errors import NotAcceptable
from gis_service.features import formats
from gis_service.features.formats import FORMATS, Format
from gis_service.features.refusal import refuse
from gis_service.texts import LANGUAGES

JSON_FORMS = ("json", "geojson", "application/json", "application/geo+json")
_JSON_ACCEPTED = (
    "application/json",
    "application/geo+json",
    "application/vnd.oai.openapi+json",
    "application/*",
)


def wants_html(parameters: Mapping[str, str], accept: str | None) -> bool:
    """Whether a page is asked for; 400 for an unknown `f`, 406 where nothing that we have is accepted."""
    form = parameters.get("f")
    if form is not None:
        if form in ("html", "text/html"):
            return True
        if form not in JSON_FORMS:
            raise refuse("web.unknown-format", value=form[:100])
        return False
    if not accept or accept == "*/*":
        return False
    return _html_accepted(accept)


def chosen(parameters: Mapping[str, str], accept: str | None, offered: Sequence[Format] = FORMATS) -> Format:
    """The form of features that is asked for, the first offered where none is; 400 or 406 if we lack it."""
    known = ", ".join(each.name for each in offered)
    name = parameters.get("f")
    if name is not None:
        found = formats.named(name)
        if found is None or found not in offered:
            raise refuse("export.unknown-format", value=name[:100], known=known)
        return found
    if not accept:
        return offered[0]
    liked = _liked(accept, tuple(offered))
    if liked is None:
        raise NotAcceptable(", ".join(each.media for each in offered))
    return liked


@lru_cache(maxsize=256)  # a client sends the same header with every request
def _liked(accept: str, offered: tuple[Format, ...]) -> Format | None:
    return formats.accepted(preferences(accept), offered)


@lru_cache(maxsize=256)
def _html_accepted(accept: str) -> bool:
    weights = preferences(accept)
    html = max(weights.get("text/html", 0.0), weights.get("application/xhtml+xml", 0.0))
    json = max((weights.get(kind, 0.0) for kind in _JSON_ACCEPTED), default=0.0)
    json = max(json, *(q for kind, q in weights.items() if kind.endswith("json")), 0.0)
    anything = weights.get("*/*", 0.0)
    if max(html, json, anything, weights.get("text/*", 0.0)) <= 0:
        raise NotAcceptable("application/json, text/html")
    return html > max(json, anything) or (html > 0 and html == anything and json == 0)


def language(parameters: Mapping[str, str], accept: str | None, default: str) -> str:
    """en or vi; 400 for another `lang`."""
    chosen = parameters.get("lang")
    if chosen is not None:
        if chosen not in LANGUAGES:
            raise refuse("web.unknown-language", value=chosen[:100])
        return chosen
    return spoken(accept, default)


def spoken(accept: str | None, default: str) -> str:
    """The best of our languages in an Accept-Language header."""
    if not accept:
        return default
    weights = preferences(accept)
    ours = {
        lang: max((q for tag, q in weights.items() if tag.split("-")[0] == lang), default=0.0)
        for lang in LANGUAGES
    }
    best = max(LANGUAGES, key=lambda lang: (ours[lang], lang == default))
    return best if ours[best] > 0 else default


@lru_cache(maxsize=256)  # a client sends the same header with every request
def preferences(header: str) -> Mapping[str, float]:
    """The weights of an Accept-like header, by lower-case name."""
    found: dict[str, float] = {}
    for part in header[:2000].split(","):
        name, *options = part.strip().lower().split(";")
        if name.strip():
            found[name.strip()] = _weight(options)
    return MappingProxyType(found)


def _weight(options: Sequence[str]) -> float:
    for option in options:
        key, _, value = option.strip().partition("=")
        if key == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
