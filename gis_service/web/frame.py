"""What every page is set in: language, addresses, content security policy, the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from gis_service.links import HTML, Links
from gis_service.texts import LANGUAGES, catalogue, say
from gis_service.web.field import number, shown

Document = Mapping[str, Any]  # a JSON document of the API: its shape is that of the OGC standards

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; connect-src 'self';"
    " img-src 'self' data: blob:; font-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors {frames}"
)
OVERVIEW = "overview"


@dataclass(frozen=True, slots=True)
class Account:
    """Who reads the page: name, and which pages are for it (see rights.abilities)."""

    name: str
    may: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page knows of its request: language, addresses, its own address, whose view it is."""

    lang: str
    links: Links
    here: str  # this page's public address with its query string
    tier: str = "public"
    csrf: str = ""  # of the reader's session: forms send it back
    account: Account | None = None  # None for the public
    back: str = ""  # the page of ours whose form was sent

    def say(self, key: str, **values: object) -> str:
        return say(key, self.lang, **values)


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of pages; a language that the reader chose travels along."""

    frame: Frame

    def page(self, address: str, fragment: str = "", **query: str) -> str:
        chosen = dict(parse_qsl(urlsplit(self.frame.here).query)).get("lang")
        return with_query(address, {**query, **({"lang": chosen} if chosen else {})}, fragment)

    def sign_in(self) -> str:
        """The way to sign in and come back to this page."""
        here = self.frame.here.removeprefix(self.frame.links.base)
        back = {} if here.startswith(("/sign-in", "/sign-out")) else {"next": here}
        return self.page(self.frame.links.sign_in(back))

    def languages(self) -> list[tuple[str, str]]:
        """This page in each language."""
        return [(lang, with_query(self.frame.here, {"lang": lang})) for lang in LANGUAGES]

    def html(self, address: str) -> str:
        """The HTML form of a page of data."""
        return with_query(self.page(address), {"f": "html"})


def content_security_policy(embedded: bool = False) -> str:
    """The header for every page; only a map without its panel may stand in a frame of another site."""
    return _POLICY.format(frames="*" if embedded else "'self'")


def with_query(address: str, query: Mapping[str, str], fragment: str = "") -> str:
    """The address with these parameters set in place of equal ones."""
    parts = urlsplit(address)
    text = urlencode({**dict(parse_qsl(parts.query, keep_blank_values=True)), **query}, safe="/:,")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, text, fragment or parts.fragment))


def rendered(template: str, frame: Frame, section: str = "", **values: object) -> str:
    """The page of a template; `section` is the part of the menu that it belongs to."""
    common = {
        "frame": frame,
        "lang": frame.lang,
        "links": frame.links,
        "url": Urls(frame),
        "t": frame.say,
        "say": say,
        "number": partial(number, lang=frame.lang),
        "shown": partial(shown, lang=frame.lang),
        "section": section,
        "tier": frame.tier,
        "trail": (),
        "formats": (),
    }
    return _environment().get_template(template).render({**common, **values})


def trail(frame: Frame, last: str, *steps: tuple[str, str]) -> list[tuple[str, str]]:
    """The way to a page below the layers: names with addresses, the page itself without one."""
    first = (frame.say("page.nav.collections"), frame.links.collections())
    return [first, *steps, (last, "")]


def formats(doc: Document) -> list[dict[str, str]]:
    """The other forms of a page: whatever its document calls self or alternate and isn't HTML."""
    return [
        labelled({**each, "href": as_data(each["href"]) if each["rel"] == "self" else each["href"]})
        for each in doc.get("links", ())
        if each["rel"] in ("self", "alternate") and each.get("type") != HTML
    ]


def as_data(address: str) -> str:
    """The same address as JSON, also for a browser, which would get the page again."""
    given = dict(parse_qsl(urlsplit(address).query)).get("f", "html")
    return with_query(address, {"f": "json"}) if given == "html" else address


def labelled(link: Document) -> dict[str, str]:
    return {
        "href": link["href"],
        "rel": link["rel"],
        "type": link.get("type", ""),
        "label": link.get("title") or link["href"],
    }


def listed(doc: Document) -> list[dict[str, str]]:
    """The links of a document by title, each address once."""
    found = {
        each["href"]: labelled(each)
        for each in doc.get("links", ())
        if each["rel"] not in ("self", "alternate") and not each.get("templated")
    }
    return list(found.values())


def map_settings(frame: Frame, past: Mapping[str, str] | None = None, **more: object) -> dict[str, Any]:
    """What a map's script is told; it asks for nothing outside these addresses, nor of another release."""
    return {
        "lang": frame.lang,
        "base": frame.links.base,
        "style": frame.links.style(OVERVIEW, past),
        "bbox": None,
        "texts": texts(frame.lang, "map.control."),
        **more,
    }


def texts(lang: str, *prefixes: str) -> dict[str, str]:
    """The sentences that a script says by itself."""
    return {key: say(key, lang) for key in catalogue() if key.startswith(prefixes)}


@cache
def _environment() -> Environment:
    loader = PackageLoader("gis_service.web", "templates")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
