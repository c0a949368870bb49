"""The pages of signing in and of one's own account."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service import links as media
from gis_service.access.principal import Grant, Principal
from gis_service.access.sessions import ListedSession
from gis_service.links import link
from gis_service.settings import Oidc
from gis_service.texts import say
from gis_service.web import render
from gis_service.web.called import Called
from gis_service.web.frame import Document, Frame, Urls, formats, rendered
from gis_service.web.message import Request
from gis_service.web.release_pages import when

# The first that fits: most browsers also call themselves by others' names.
_BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("coc_coc", "Cốc Cốc"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("QGIS/", "QGIS"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def ways(request: Request, issuer: Oidc | None) -> Document:
    """The ways to sign in, for programs that show them."""
    links, lang = request.links, request.lang
    ways: list[dict[str, object]] = [
        {"way": name, "title": say(f"sign-in.{name}", lang), "href": links.sign_in()}
        for name in ("key", "invitation")
    ]
    if issuer is not None:
        ways.insert(0, {"way": "oidc", "title": title(issuer, lang), "href": links.sign_in_at_issuer()})
    return {
        "title": say("sign-in.title", lang),
        "ways": ways,
        "links": [link(links.sign_in(), "self", media.JSON), link(links.account(), "related", media.JSON)],
    }


def title(issuer: Oidc, lang: str) -> str:
    """What the way to the issuer is called."""
    named = issuer.title_vi if lang == "vi" else issuer.title_en
    return named or say("sign-in.oidc", lang)


def sign_in(frame: Frame, issuer: Oidc | None, onward: str, fault: str) -> str:
    """The page with the ways to sign in; `fault` is what went wrong with the last try."""
    urls = Urls(frame)
    at_issuer = frame.links.sign_in_at_issuer({"next": onward}) if issuer is not None else ""
    return rendered(
        "sign_in.html",
        frame,
        "account",
        action=urls.page(frame.links.sign_in()),
        at_issuer=urls.page(at_issuer) if at_issuer else "",
        issuer=title(issuer, frame.lang) if issuer is not None else "",
        onward=onward,
        fault=fault,
    )


def account_document(request: Request, found: Sequence[ListedSession]) -> Document:
    """Who asks, as JSON."""
    principal, session, links = request.principal, request.session, request.links
    known = render.account(request)
    assert known is not None, "the public has no account"
    return {
        "name": principal.name,
        "title": known.name,
        "tier": principal.tier,
        "jurisdictions": sorted(principal.places),
        "roles": [
            {
                "role": each.role,
                "organisation": each.organisation,
                **({"group": each.group} if each.group else {}),
            }
            for each in _grants(principal)
        ],
        "scopes": sorted(principal.scopes),
        "may": sorted(known.may),
        "sessions": [
            {
                "number": each.number,
                "method": each.method,
                "client": each.client,
                "created": each.created.isoformat(),
                "seen": each.seen.isoformat(),
                "expires": each.expires.isoformat(),
                "current": session is not None and each.number == session.number,
            }
            for each in found
        ],
        "links": [
            link(links.account(), "self", media.JSON),
            link(links.account(), "alternate", media.HTML),
            link(links.account_keys(), "related", media.JSON, say("account.keys", request.lang)),
        ],
    }


def _grants(principal: Principal) -> list[Grant]:
    return sorted(principal.roles, key=lambda grant: (grant.organisation, grant.role, grant.group or ""))


def _role(frame: Frame, grant: Grant, called: Called) -> str:
    """A role as people say it, with its organisation and a steward's group."""
    parts = (frame.say(f"role.{grant.role}"), called.organisation(grant.organisation), grant.group)
    return " · ".join(filter(None, parts))


def browser_of(client: str) -> str:
    """The address and the browser's own name, of all that it says of itself."""
    where, _, told = client.partition(" ")
    name = next((name for mark, name in _BROWSERS if mark in told), told)
    system = next((name for mark, name in _SYSTEMS if mark in told), "")
    return " · ".join(filter(None, (name, system, where)))


def account(frame: Frame, request: Request, found: Sequence[ListedSession], called: Called) -> str:
    """Who asks, as a page."""
    urls, session, principal = Urls(frame), request.session, request.principal
    rows = [
        {
            "number": each.number,
            "method": frame.say(f"account.by.{each.method}"),
            "client": browser_of(each.client),
            "told": each.client,
            "created": when(each.created),
            "seen": when(each.seen),
            "expires": when(each.expires),
            "current": session is not None and each.number == session.number,
        }
        for each in found
    ]
    return rendered(
        "account.html",
        frame,
        "account",
        principal=principal,
        roles=[_role(frame, each, called) for each in _grants(principal)],
        places=sorted(called.place(each) for each in principal.places),
        rows=rows,
        here=urls.page(frame.links.account()),
        sign_out=urls.page(frame.links.sign_out()),
        keys=urls.page(frame.links.account_keys()),
        notices=urls.page(frame.links.notices()),
        formats=formats(account_document(request, found)),
    )
