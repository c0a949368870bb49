"""The admin pages: an overview, the tree of organisations, groups of species."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gis_service import links as media
from gis_service.access import administration, keystore, staff
from gis_service.access.administration import Administrator
from gis_service.access.groups import Group
from gis_service.access.organisations import Organisation
from gis_service.access.staff import Counts
from gis_service.db.sync import SyncDatabase
from gis_service.web import admin_acts, admin_documents, admin_forms, admin_pages, render
from gis_service.web.admin_acts import FRESH, Refused
from gis_service.web.context import Context
from gis_service.web.forms import Fields
from gis_service.web.message import Request, Response
from gis_service.web.router import Route, route

METHODS = ("GET", "HEAD", "POST", "OPTIONS")


async def overview(context: Context, request: Request, _: Sequence[str]) -> Response:
    """How much there is to administer, and where."""

    def work(database: SyncDatabase, who: Administrator) -> tuple[Administrator, int, Counts]:
        return who, len(administration.organisations_of(database, who)), staff.counts(database, who)

    who, organisations, counts = await admin_acts.read(context, request, work)
    made = admin_documents.overview(request, who, organisations, counts)
    return render.document(request, made, media.JSON, lambda frame: admin_pages.overview(frame, made))


async def organisations(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The tree; POST makes an organisation."""
    if request.method != "POST":
        return await _organisations(context, request, FRESH)

    async def act(fields: Fields) -> Response:
        new = admin_forms.organisation(fields, request.lang)
        await admin_acts.write(
            context, request, lambda database, who: administration.found(database, who, new)
        )
        return admin_acts.onward(request, request.links.admin_organisation(new.code))

    return await admin_acts.posted(context, request, act, _organisations)


async def _organisations(context: Context, request: Request, refused: Refused) -> Response:
    def work(database: SyncDatabase, who: Administrator) -> tuple[Administrator, list[Organisation]]:
        return who, administration.organisations_of(database, who)

    who, found = await admin_acts.read(context, request, work)
    made = admin_documents.organisations(request, who, found)
    return render.document(
        request, made, media.JSON, lambda frame: admin_pages.organisations(frame, made, refused)
    )


async def organisation(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One organisation; POST renames it, moves it or says anew what it looks after."""
    code = taken[0]
    shown = partial(_organisation, code=code)
    if request.method != "POST":
        return await shown(context, request, FRESH)

    async def act(fields: Fields) -> Response:
        await _change(context, request, code, fields)
        return admin_acts.onward(request, request.links.admin_organisation(code))

    return await admin_acts.posted(context, request, act, shown)


async def _change(context: Context, request: Request, code: str, fields: Fields) -> None:
    action = admin_forms.choice(fields, "rename", "move", "look-after")
    name = admin_forms.text(fields, "name", request.lang) if action == "rename" else ""
    name_en, parent = admin_forms.optional(fields, "name_en"), admin_forms.optional(fields, "parent")
    provinces, areas = admin_forms.several(fields, "jurisdiction"), admin_forms.several(fields, "area")
    buffer_m = admin_forms.metres(fields)

    def work(database: SyncDatabase, who: Administrator) -> None:
        if action == "rename":
            administration.rename(database, who, code, name, name_en)
        elif action == "move":
            administration.move(database, who, code, parent)
        else:
            administration.look_after(database, who, code, provinces, areas, buffer_m)

    await admin_acts.write(context, request, work)


async def _organisation(context: Context, request: Request, refused: Refused, code: str) -> Response:
    def work(
        database: SyncDatabase, who: Administrator
    ) -> tuple[Administrator, Organisation, list[Organisation], list[str]]:
        held = administration.organisation(database, who, code)
        strange = keystore.codes_of_no_province(database, held.jurisdictions)
        return who, held, administration.organisations_of(database, who), strange

    who, held, all_of_them, strange = await admin_acts.read(context, request, work)
    made = admin_documents.organisation(request, who, held, all_of_them, strange)
    return render.document(
        request, made, media.JSON, lambda frame: admin_pages.organisation(frame, made, refused)
    )


async def species_groups(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The groups of species with their stewards; POST makes one."""
    if request.method != "POST":
        return await _groups(context, request, FRESH)

    async def act(fields: Fields) -> Response:
        new = admin_forms.group(fields, admin_forms.text(fields, "code", request.lang), request.lang)
        await admin_acts.write(
            context, request, lambda database, who: administration.make_group(database, who, new)
        )
        return admin_acts.onward(request, request.links.admin_group(new.code))

    return await admin_acts.posted(context, request, act, _groups)


async def _groups(context: Context, request: Request, refused: Refused) -> Response:
    def work(database: SyncDatabase, who: Administrator) -> tuple[Administrator, list[Group]]:
        return who, administration.groups_of(database, who)

    who, found = await admin_acts.read(context, request, work)
    made = admin_documents.groups(request, who, found)
    return render.document(request, made, media.JSON, lambda frame: admin_pages.groups(frame, made, refused))


async def species_group(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One group; POST sets its names and taxa."""
    code = taken[0]
    shown = partial(_group, code=code)
    if request.method != "POST":
        return await shown(context, request, FRESH)

    async def act(fields: Fields) -> Response:
        changed = admin_forms.group(fields, code, request.lang)
        await admin_acts.write(
            context, request, lambda database, who: administration.set_group(database, who, changed)
        )
        return admin_acts.onward(request, request.links.admin_group(code))

    return await admin_acts.posted(context, request, act, shown)


async def _group(context: Context, request: Request, refused: Refused, code: str) -> Response:
    found = await admin_acts.read(
        context, request, lambda database, who: administration.group(database, who, code)
    )
    made = admin_documents.group(request, found)
    return render.document(request, made, media.JSON, lambda frame: admin_pages.group(frame, made, refused))


def routes() -> list[Route]:
    return [
        route("admin", "/admin", overview),
        route("admin-organisations", "/admin/organisations", organisations, METHODS),
        route("admin-organisation", "/admin/organisations/{}", organisation, METHODS),
        route("admin-groups", "/admin/groups", species_groups, METHODS),
        route("admin-group", "/admin/groups/{}", species_group, METHODS),
    ]
