"""The admin pages of accounts: the list with its search, one with its roles and keys, invitations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from gis_service import links as media
from gis_service.access import administration, invitations, staff
from gis_service.access.accounts import NewAccount
from gis_service.access.administration import Administrator
from gis_service.access.invitations import Invitation
from gis_service.access.staff import Listed, Person
from gis_service.db.sync import SyncDatabase
from gis_service.features.refusal import refuse
from gis_service.web import admin_acts, admin_documents, admin_forms, admin_people_pages, forms, render
from gis_service.web.admin_acts import FRESH, Refused
from gis_service.web.admin_documents import Places
from gis_service.web.admin_routes import METHODS
from gis_service.web.context import Context
from gis_service.web.forms import Fields
from gis_service.web.message import Request, Response
from gis_service.web.router import PLAIN, Route, route

PAGE = 50
_ASKED = ("q", "organisation", "state", "after")
_ACTIONS = ("grant", "revoke", "lock", "unlock", "end-sessions", "revoke-key", "make-key")


async def people(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The accounts within reach; POST makes one for a program."""
    if request.method != "POST":
        return await _people(context, request, FRESH)

    async def act(fields: Fields) -> Response:
        name, role = admin_forms.text(fields, "name", request.lang), admin_forms.role(fields, request.lang)
        title = admin_forms.optional(fields, "display_name")
        new = NewAccount(name, "service", title, None, "vi" if request.lang == "vi" else "en")
        await admin_acts.write(
            context, request, lambda database, who: staff.make_service(database, who, new, role)
        )
        return admin_acts.onward(request, request.links.admin_person(name))

    return await admin_acts.posted(context, request, act, _people)


async def _people(context: Context, request: Request, refused: Refused) -> Response:
    asked = {name: request.parameters.get(name, "").strip() or None for name in _ASKED}
    if any(len(given or "") > admin_forms.LONGEST for given in asked.values()):
        raise refuse("admin.too-long", name="q", maximum=admin_forms.LONGEST)
    state = next((each for each in staff.STATES if each == asked["state"]), None)
    if asked["state"] and state is None:
        known = ", ".join(staff.STATES)
        raise refuse("admin.unknown-value", name="state", value=str(asked["state"])[:40], known=known)
    sought = staff.Sought(asked["q"], asked["organisation"], state)

    def work(database: SyncDatabase, who: Administrator) -> tuple[list[Listed], Places]:
        found = staff.listed(database, who, sought, asked["after"], PAGE + 1)
        return found, _places(database, who)

    found, places = await admin_acts.read(context, request, work)
    made = admin_documents.people(request, found[:PAGE], places, _more(request, found))
    return render.document(
        request, made, media.JSON, lambda frame: admin_people_pages.people(frame, made, asked, refused)
    )


def _places(database: SyncDatabase, who: Administrator) -> Places:
    organisations = administration.organisations_of(database, who)
    return Places(who, organisations, administration.groups_of(database, who))


def _more(request: Request, found: Sequence[Listed]) -> Mapping[str, str] | None:
    """The parameters of the next page, where there is one."""
    if len(found) <= PAGE:
        return None
    kept = {name: given for name, given in request.parameters.items() if name in (*_ASKED, *PLAIN)}
    return {**kept, "after": found[PAGE - 1].name}


async def person(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One account; POST gives and ends roles, locks, and deals with its keys."""
    name = taken[0]
    shown = partial(_person, name=name)
    if request.method != "POST":
        return await shown(context, request, FRESH)

    async def act(fields: Fields) -> Response:
        action = admin_forms.choice(fields, *_ACTIONS)
        if action == "make-key":
            return await _new_key(context, request, name, fields)
        await _change(context, request, name, action, fields)
        return admin_acts.onward(request, request.links.admin_person(name))

    return await admin_acts.posted(context, request, act, shown)


async def _change(context: Context, request: Request, name: str, action: str, fields: Fields) -> None:
    if action in ("grant", "revoke"):
        role = admin_forms.role(fields, request.lang)
        change = staff.grant if action == "grant" else staff.revoke
        await admin_acts.write(context, request, lambda database, who: change(database, who, name, role))
    elif action == "revoke-key":
        number = admin_forms.number(fields, "key")
        await admin_acts.write(
            context, request, lambda database, who: staff.revoke_key(database, who, name, number)
        )
    else:
        simple = {"lock": staff.lock, "unlock": staff.unlock, "end-sessions": staff.end_sessions}[action]
        await admin_acts.write(context, request, lambda database, who: simple(database, who, name))


async def _new_key(context: Context, request: Request, name: str, fields: Fields) -> Response:
    """A key that is shown this once."""
    label, until = admin_forms.optional(fields, "label"), admin_forms.day(fields, "until")
    scopes = admin_forms.scopes(fields)
    key = await admin_acts.write(
        context,
        request,
        lambda database, who: staff.make_key(database, who, name, label, until, scopes),
    )
    made = {"name": name, "key": key}
    return admin_acts.secret(request, made, lambda frame: admin_people_pages.new_key(frame, name, key))


async def _person(context: Context, request: Request, refused: Refused, name: str) -> Response:
    def work(database: SyncDatabase, who: Administrator) -> tuple[Person, Places]:
        return staff.person(database, who, name), _places(database, who)

    found, places = await admin_acts.read(context, request, work)
    made = admin_documents.person(request, found, places)
    return render.document(
        request, made, media.JSON, lambda frame: admin_people_pages.person(frame, made, found, refused)
    )


async def invited(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The invitations within reach; POST makes one, whose link is shown this once, or withdraws one."""
    if request.method != "POST":
        return await _invitations(context, request, FRESH)

    async def act(fields: Fields) -> Response:
        if admin_forms.choice(fields, "invite", "withdraw") == "invite":
            return await _invite(context, request, fields)
        number = admin_forms.number(fields, "invitation")
        await admin_acts.write(
            context, request, lambda database, who: invitations.withdraw(database, number, who.codes)
        )
        return admin_acts.onward(request, request.links.admin_invitations())

    return await admin_acts.posted(context, request, act, _invitations)


async def _invite(context: Context, request: Request, fields: Fields) -> Response:
    email, role = admin_forms.text(fields, "email", request.lang), admin_forms.role(fields, request.lang)
    expires = admin_forms.expiry(fields)
    token = await admin_acts.write(
        context, request, lambda database, who: staff.invite(database, who, email, role, expires)
    )
    made = {
        "email": email,
        "expires": expires.isoformat(),
        "token": token,
        # Behind `#`, so that no server, proxy or log sees it: the page reads it, and the form sends it.
        "href": f"{request.links.sign_in()}#invitation={token}",
    }
    return admin_acts.secret(request, made, lambda frame: admin_people_pages.new_invitation(frame, made))


async def _invitations(context: Context, request: Request, refused: Refused) -> Response:
    before = request.parameters.get("before")
    start = admin_forms.number(forms.Fields({"before": (before,)}), "before") if before else None
    only_open = request.parameters.get("state") != "all"

    def work(database: SyncDatabase, who: Administrator) -> tuple[list[Invitation], Places]:
        found = invitations.listed(database, who.codes, start, PAGE + 1, only_open)
        return found, _places(database, who)

    found, places = await admin_acts.read(context, request, work)
    kept = {name: given for name, given in request.parameters.items() if name != "before"}
    more = {**kept, "before": str(found[PAGE - 1].number)} if len(found) > PAGE else None
    made = admin_documents.invitations(request, found[:PAGE], places, more)
    return render.document(
        request,
        made,
        media.JSON,
        lambda frame: admin_people_pages.invitations(frame, made, only_open, refused),
    )


def routes() -> list[Route]:
    return [
        route("admin-people", "/admin/people", people, METHODS, parameters=(*PLAIN, *_ASKED)),
        route("admin-person", "/admin/people/{*}", person, METHODS),
        route(
            "admin-invitations",
            "/admin/invitations",
            invited,
            METHODS,
            parameters=(*PLAIN, "state", "before"),
        ),
    ]
