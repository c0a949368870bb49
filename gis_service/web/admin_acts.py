"""How administrators' requests are worked on: by their rights of the moment, each write one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gis_service.access import administration, rights
from gis_service.access.administration import Administrator
from gis_service.access.principal import PUBLIC
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, Forbidden, InvalidParameter, Unauthorized
from gis_service.features.refusal import refusal
from gis_service.web import forms, problems, render
from gis_service.web.context import Context
from gis_service.web.forms import Fields
from gis_service.web.frame import Frame
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html

T = TypeVar("T")
Work = Callable[[SyncDatabase, Administrator], T]
NO_STORE = ("cache-control", "no-store")


@dataclass(frozen=True)
class Refused:
    """A form that wasn't accepted: why, and what stood in it, so that it needn't be filled in again."""

    fault: str = ""
    fields: Fields = field(default_factory=Fields)

    def value(self, name: str, default: str = "") -> str:
        return self.fields.text(name, default)


Shown = Callable[[Context, Request, Refused], Awaitable[Response]]
Acted = Callable[[Fields], Awaitable[Response]]
FRESH = Refused()


async def read(context: Context, request: Request, work: Work[T]) -> T:
    """What the work gives to an administrator; Unauthorized or Forbidden for everybody else.

    It has the connections of those who write, so that crowds of readers keep no administrator waiting.
    """
    _check(request)
    principal = request.principal
    return await context.writer.run(
        request,
        lambda database: work(database, administration.administrator(database, principal)),
        "administrator",
    )


async def write(context: Context, request: Request, work: Work[T]) -> T:
    """What the work gives; it stands as a whole or not at all, and no right changes while it runs."""
    _check(request)
    principal = request.principal

    def whole(database: SyncDatabase) -> T:
        with database.transaction():
            return work(database, administration.administrator(database, principal))

    return await context.writer.run(request, whole, "administrator")


def _check(request: Request) -> None:
    """Refuse whoever administers nothing before anything is asked of the database."""
    if request.principal is PUBLIC:
        raise Unauthorized
    if "administer" not in rights.abilities(request.principal):
        raise refusal(Forbidden, "admin.refused")


async def posted(context: Context, request: Request, act: Acted, shown: Shown) -> Response:
    """What a form does; a browser gets the form back with the fault where it wasn't accepted."""
    _check(request)
    fields = await forms.read(request)
    try:
        return await act(fields)
    except (Conflict, InvalidParameter, Forbidden) as err:
        if not for_people(request):
            raise
        page = await shown(context, request, Refused(problems.detail(err, request.lang), fields))
        return replace(page, status=err.status)


def for_people(request: Request) -> bool:
    return wants_html(request.parameters, request.header("accept"))


def onward(request: Request, address: str) -> Response:
    """Done: the page to look at."""
    chosen = request.parameters.get("lang")
    return Response(303, (("location", address + (f"?lang={chosen}" if chosen else "")), NO_STORE))


def secret(request: Request, document: Mapping[str, object], page: Callable[[Frame], str]) -> Response:
    """Something that is shown once."""
    if for_people(request):
        made = render.html(request, page(render.frame(request)), 201)
    else:
        made = replace(render.json(request, document), status=201)
    return made.with_headers(NO_STORE)
