"""The admin pages of organisations and groups of species."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.web.admin_acts import Refused
from gis_service.web.frame import Document, Frame, Urls, formats, rendered

SECTION = "administer"
_TABS = (
    ("overview", "admin"),
    ("organisations", "admin_organisations"),
    ("people", "admin_people"),
    ("invitations", "admin_invitations"),
    ("groups", "admin_groups"),
)


def page(
    frame: Frame,
    template: str,
    tab: str,
    doc: Document,
    steps: Sequence[tuple[str, str]] = (),
    refused: Refused | None = None,
    **values: object,
) -> str:
    """A page with the tabs of all of them and the fault of a form that wasn't accepted."""
    urls = Urls(frame)
    tabs = [
        (frame.say(f"admin.tab.{name}"), urls.page(getattr(frame.links, address)()), name == tab)
        for name, address in _TABS
        if name != "groups" or frame.tier == "full"  # for others it would be empty
    ]
    return rendered(
        template,
        frame,
        SECTION,
        trail=[(frame.say("admin.title"), frame.links.admin()), *steps] if steps else (),
        tabs=tabs,
        doc=doc,
        here=frame.here.partition("#")[0],
        fault=refused.fault if refused else "",
        given=refused or Refused(),
        formats=formats(doc),
        **values,
    )


def overview(frame: Frame, doc: Document) -> str:
    urls, links = Urls(frame), frame.links
    figures = [
        (frame.say("admin.tab.organisations"), doc["organisations"], links.admin_organisations()),
        (frame.say("admin.accounts"), doc["accounts"], links.admin_people()),
        (frame.say("admin.invitations.open"), doc["openInvitations"], links.admin_invitations()),
        (frame.say("admin.locked"), doc["locked"], links.admin_people({"state": "locked"})),
        (frame.say("admin.ending"), doc["endingWithin30Days"], links.admin_people({"state": "ending"})),
    ]
    shown = [(title, count, urls.page(address)) for title, count, address in figures]
    return page(frame, "admin.html", "overview", doc, figures=shown)


def organisations(frame: Frame, doc: Document, refused: Refused) -> str:
    urls = Urls(frame)
    rows = [{**each, "href": urls.page(each["href"])} for each in doc["organisations"]]
    steps = [(frame.say("admin.tab.organisations"), "")]
    return page(frame, "admin_organisations.html", "organisations", doc, steps, refused, rows=rows)


def organisation(frame: Frame, doc: Document, refused: Refused) -> str:
    steps = [
        (frame.say("admin.tab.organisations"), frame.links.admin_organisations()),
        (str(doc["title"]), ""),
    ]
    people = Urls(frame).page(str(doc["people"]))
    metres = f"{doc['bufferMetres']:.10g}"
    return page(
        frame, "admin_organisation.html", "organisations", doc, steps, refused, people=people, metres=metres
    )


def groups(frame: Frame, doc: Document, refused: Refused) -> str:
    urls = Urls(frame)
    rows = [{**each, "href": urls.page(each["href"])} for each in doc["groups"]]
    steps = [(frame.say("admin.tab.groups"), "")]
    return page(frame, "admin_groups.html", "groups", doc, steps, refused, rows=rows)


def group(frame: Frame, doc: Document, refused: Refused) -> str:
    urls = Urls(frame)
    steps = [(frame.say("admin.tab.groups"), frame.links.admin_groups()), (str(doc["title"]), "")]
    stewards = [(name, urls.page(frame.links.admin_person(name))) for name in doc["stewards"]]
    return page(frame, "admin_group.html", "groups", doc, steps, refused, stewards=stewards)
