"""The contributor's pages: what I have sent, what a file for a layer looks like, how far a file is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gis_service import links as media
from gis_service.access.principal import Principal
from gis_service.catalog.view import ViewedLayer
from gis_service.changes.names import SUFFIXES
from gis_service.changes.propose import columns
from gis_service.changes.sheet import VN2000
from gis_service.changes.values import Proposal
from gis_service.links import Links
from gis_service.texts import say
from gis_service.web import field
from gis_service.web.frame import Document, Frame, Urls, rendered

_SECTION = "contribute"
_NOTHING = {"filter": "1 = 2"}  # of an export: the fields of a layer, no row


def word(name: str, lang: str) -> str:
    """What a field of the form is called."""
    return say(f"contribute.field.{name}", lang)


def home(frame: Frame, made: Document) -> str:
    """My submissions and the layers that I may contribute to."""
    urls = Urls(frame)
    return rendered(
        "contribute.html",
        frame,
        _SECTION,
        trail=[(frame.say("contribute.title"), "")],
        proposals=[
            {**each, "href": urls.page(frame.links.proposal(each["number"]))} for each in made["proposals"]
        ],
        uploads=[{**each, "href": urls.page(frame.links.upload(each["id"]))} for each in made["uploads"]],
        layers=[{**each, "href": urls.page(each["href"])} for each in made["layers"]],
        formats=[],
    )


def layer_document(view: ViewedLayer, principal: Principal, links: Links, lang: str) -> Document:
    """The properties that this person may propose, and where templates and files are."""
    writable = columns(view)
    projected = [
        {"crs": f"EPSG:{srid}", "title": title, "href": links.template(view.id, {"crs": f"EPSG:{srid}"})}
        for srid, title in (VN2000.items() if view.geometry_type == "Point" else ())
    ]
    return {
        "layer": view.id,
        "title": view.title.say(lang),
        "geometry": view.geometry_type,
        "properties": [
            {
                "name": name,
                "title": prop.title.say(lang),
                "type": prop.type,
                "unit": prop.unit,
                "values": field.titles(prop, lang) or None,
            }
            for name, prop in view.properties.items()
            if name in writable
        ],
        "organisations": sorted({grant.organisation for grant in principal.roles if grant.role == "editor"}),
        "formats": SUFFIXES,
        "templates": {
            "xlsx": links.template(view.id),
            "xlsx_projected": projected,
            "xlsx_filled": links.template(view.id, {"filled": ""}),
            "gpkg": links.export(view.id, {"f": "gpkg", **_NOTHING}),
            "filled": links.export(view.id, {"f": "gpkg"}),
        },
        "links": [{"href": links.contribute_to(view.id), "rel": "self", "type": media.JSON}],
    }


def layer(frame: Frame, made: Document, replaced: Proposal | None) -> str:
    """What a file for a layer looks like, and the form to send one, maybe in the place of a draft."""
    urls = Urls(frame)
    return rendered(
        "contribute_layer.html",
        frame,
        _SECTION,
        trail=[(frame.say("contribute.title"), frame.links.contribute()), (made["title"], "")],
        doc=made,
        action=urls.page(frame.links.contribute_to(made["layer"])),
        accept=",".join(SUFFIXES),
        replaced=replaced,
        formats=[],
    )


def upload(frame: Frame, made: Mapping[str, Any]) -> str:
    """How far a file is, or what is wrong with it."""
    urls = Urls(frame)
    return rendered(
        "contribute_upload.html",
        frame,
        _SECTION,
        trail=[(frame.say("contribute.title"), frame.links.contribute()), (made["title"], "")],
        doc=made,
        again=urls.page(frame.links.contribute_to(made["layer"], _again(made))),
        formats=[],
    )


def _again(made: Mapping[str, Any]) -> Mapping[str, str] | None:
    return {"replaces": str(made["replaces"])} if made["replaces"] else None
