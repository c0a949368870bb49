"""The admin pages of accounts and invitations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gis_service.access.principal import SCOPES
from gis_service.access.staff import LONGEST_INVITATION_DAYS, Person
from gis_service.web import admin_forms
from gis_service.web.admin_acts import Refused
from gis_service.web.admin_pages import page
from gis_service.web.frame import Document, Frame, Urls
from gis_service.web.release_pages import when


def people(frame: Frame, doc: Document, asked: Mapping[str, str | None], refused: Refused) -> str:
    urls = Urls(frame)
    rows = [
        {**each, "href": urls.page(each["href"]), "roles": [_role(frame, role) for role in each["roles"]]}
        for each in doc["people"]
    ]
    steps = [(frame.say("admin.tab.people"), "")]
    return page(
        frame, "admin_people.html", "people", doc, steps, refused, rows=rows, asked=asked, next=_next(doc)
    )


def person(frame: Frame, doc: Document, found: Person, refused: Refused) -> str:
    """One account with what may be done with it."""
    steps = [(frame.say("admin.tab.people"), frame.links.admin_people()), (str(doc["name"]), "")]
    return page(
        frame,
        "admin_person.html",
        "people",
        doc,
        steps,
        refused,
        held=[_membership(frame, each) for each in doc["memberships"] if each["held"]],
        before=[_membership(frame, each) for each in doc["memberships"] if not each["held"]],
        keys=[
            {**each, **{name: _when(each[name]) for name in ("created", "expires", "revoked")}}
            for each in doc.get("keys", ())
        ],
        created=when(found.account.created),
        locked=_when(doc["locked"]),
        scopes=[each for each in SCOPES if each != "read"],
    )


def invitations(frame: Frame, doc: Document, only_open: bool, refused: Refused) -> str:
    urls, links = Urls(frame), frame.links
    rows = [
        {
            **each,
            "said": _role(frame, each),
            "created": _when(each["created"]),
            "expires": _when(each["expires"]),
            "accepted": _when(each["accepted"]),
            "state": "accepted" if each["accepted"] else "open" if each["open"] else "ended",
        }
        for each in doc["invitations"]
    ]
    steps = [(frame.say("admin.tab.invitations"), "")]
    other = links.admin_invitations({"state": "all"} if only_open else None)
    return page(
        frame,
        "admin_invitations.html",
        "invitations",
        doc,
        steps,
        refused,
        rows=rows,
        only_open=only_open,
        other=urls.page(other),
        next=_next(doc),
        days=admin_forms.INVITED_DAYS,
        most_days=LONGEST_INVITATION_DAYS,
    )


def new_invitation(frame: Frame, doc: Document) -> str:
    """The link and the token, this once."""
    steps = [
        (frame.say("admin.tab.invitations"), frame.links.admin_invitations()),
        (str(doc["email"]), ""),
    ]
    return page(
        frame,
        "admin_secret.html",
        "invitations",
        {},
        steps,
        heading=frame.say("admin.invited", email=doc["email"], day=str(doc["expires"])[:10]),
        about=frame.say("admin.invited.about"),
        secrets=[
            ("link", frame.say("admin.invited.link"), doc["href"]),
            ("token", frame.say("sign-in.invitation.label"), doc["token"]),
        ],
        back=Urls(frame).page(frame.links.admin_invitations()),
    )


def new_key(frame: Frame, name: str, key: str) -> str:
    """A key, this once."""
    address = frame.links.admin_person(name)
    steps = [(frame.say("admin.tab.people"), frame.links.admin_people()), (name, address)]
    return page(
        frame,
        "admin_secret.html",
        "people",
        {},
        steps,
        heading=frame.say("admin.key.made", name=name),
        about=frame.say("admin.key.made.about"),
        secrets=[("key", frame.say("sign-in.key.label"), key)],
        back=Urls(frame).page(address),
    )


def _role(frame: Frame, role: Document) -> str:
    """A role as people say it."""
    words = (frame.say(f"role.{role['role']}"), role["organisation"], role.get("group"))
    return " · ".join(filter(None, words))


def _membership(frame: Frame, each: Document) -> Document:
    moments = {name: _when(each[name]) for name in ("since", "until")}
    return {"group": "", **each, **moments, "said": _role(frame, each)}


def _when(text: str | None) -> str:
    return when(datetime.fromisoformat(text)) if text else ""


def _next(doc: Document) -> str:
    return next((str(each["href"]) for each in doc["links"] if each["rel"] == "next"), "")
