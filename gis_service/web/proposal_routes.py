"""Proposals over HTTP: lists, one with its changes, and the steps that its readers take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar, get_args

from gis_service import links as media
from gis_service.access.principal import PUBLIC, Principal
from gis_service.changes import reading, store, verdict
from gis_service.changes.reading import Told
from gis_service.changes.values import Action, Proposal, State
from gis_service.db.proposal_sql import Wanted
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound, Unauthorized
from gis_service.features.refusal import refusal, refuse
from gis_service.web import forms, proposal_documents, proposal_pages, render
from gis_service.web.called import Called, called
from gis_service.web.context import Context
from gis_service.web.forms import Fields
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html
from gis_service.web.router import PLAIN, READ, Route, route
from gis_service.web.writer import Work

T = TypeVar("T")
PAGE, LONGEST_PAGE = 20, 100
_YES: Final = ("yes", "true", "1", "on")
_LONGEST_TEXT: Final = 5_000
_NUMBER_LIMIT: Final = 2**31


async def listed(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The proposals that the caller may read, the newest first; those that wait for it on top of the page."""
    principal, given = _known(request), request.parameters
    asked = _wanted(given, principal)
    flow, layers = context.settings.workflow, context.catalog.layers

    def read(database: SyncDatabase) -> tuple[list[Proposal], list[Proposal]]:
        first = asked.before is None
        waiting = reading.waiting(database, flow, layers, principal) if first else []
        return reading.listed(database, principal, asked), waiting

    found, waiting = await _read(context, request, read)
    if given.get("waiting") in _YES:
        found = waiting
    shown = found[: asked.limit - 1]
    following = None
    if len(found) > len(shown):
        following = request.links.proposals({**given, "before": str(shown[-1].number)})
    heads, first = (
        [proposal_documents.head(each, layers, request.links, request.lang) for each in those]
        for those in (shown, waiting)
    )
    here = request.links.here(request.path, request.query)
    made = proposal_documents.listing(heads, here, following, request.lang)
    if not wants_html(given, request.header("accept")):
        return render.json(request, made)
    named = await _called(context, request, [*found, *waiting])
    page = proposal_pages.listing(render.frame(request), made, first, given, layers, named)
    return render.html(request, page)


async def one(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A proposal; as a page with its changes."""
    principal, number = _known(request), proposal_number(taken[0])
    page = _page(request.parameters)
    told = await _told(context, request, principal, number)
    layers = context.catalog.layers
    made = proposal_documents.one(told, layers, request.links, request.lang)
    if not wants_html(request.parameters, request.header("accept")):
        return render.json(request, made)
    drawn, more = await _drawn(context, request, told.proposal, page)
    layer = layers[told.proposal.layer]
    named = await _called(context, request, [told.proposal], told)
    shown = proposal_pages.one(render.frame(request), made, told, layer, drawn, (page, more), named)
    return render.html(request, shown)


async def changes(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A page of a proposal's changes as GeoJSON."""
    principal, number = _known(request), proposal_number(taken[0])
    page = _page(request.parameters)
    proposal = await _read(context, request, lambda database: reading.one(database, principal, number))
    drawn, more = await _drawn(context, request, proposal, page)
    here = request.links.here(request.path, request.query)
    following = request.links.proposal_changes(number, {"page": str(page + 1)}) if more else None
    layer = context.catalog.layers[proposal.layer]
    made = proposal_documents.changes(drawn, layer, here, following, request.lang)
    return render.json(request, made, media.GEOJSON)


async def step(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """A step with one proposal, or a comment on it; the answer is the proposal as it is then."""
    principal, number = _known(request), proposal_number(taken[0])
    fields = await forms.read(request)
    action = fields.text("action")
    if action in ("publish", "try"):
        return await _published(context, request, [number], fields)
    if action not in (*get_args(Action), "comment"):
        raise refuse(
            "proposals.bad-action", value=action[:40], known=", ".join((*get_args(Action), "comment"))
        )
    comment = _text(fields, "comment")
    flow, layers = context.settings.workflow, context.catalog.layers
    left_out = _left_out(fields)

    def work(database: SyncDatabase) -> None:
        proposal = _as_read(reading.one(database, principal, number), fields)
        if action == "comment":
            reading.comment(database, principal, proposal, comment or "")
        elif action == "submit":
            verdict.submit(database, flow, layers, proposal, principal, comment)
        else:
            layer = layers[proposal.layer]
            store.take(database, flow, layer, proposal, action, principal, comment, left_out)  # type: ignore[arg-type]  # one of Action's

    role = "editor" if action in ("submit", "withdraw") else "reviewer"
    await context.writer.run(request, work, role=role, reason=comment or "")  # type: ignore[arg-type]  # a Role
    return await _after(context, request, principal, number)


async def publish(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Publish several proposals as one release."""
    _known(request)
    fields = await forms.read(request)
    numbers = [proposal_number(text) for text in dict.fromkeys(fields.all("proposal"))]
    if fields.text("action") != "publish" or not numbers:
        raise refuse("proposals.bad-publish")
    return await _published(context, request, numbers, fields)


async def _published(context: Context, request: Request, numbers: Sequence[int], fields: Fields) -> Response:
    """The manifest of the release, or what it would be."""
    principal, dry = request.principal, fields.text("dry_run") in _YES or fields.text("action") == "try"
    flow, layers = context.settings.workflow, context.catalog.layers
    note = _text(fields, "comment") or _text(fields, "note")
    names = store.Names(_text(fields, "name"), _text(fields, "name_en"))

    def work(database: SyncDatabase) -> store.Manifest:
        found = [reading.one(database, principal, number) for number in numbers]
        proposals = [_as_read(each, fields) if len(found) == 1 else each for each in found]
        words = note or "; ".join(each.title for each in proposals)
        return store.publish(database, flow, layers, proposals, principal, words, dry_run=dry, names=names)

    made = await context.writer.run(request, work, role="reviewer", reason=note or "")
    told = proposal_documents.manifest(made, dry)
    if not wants_html(request.parameters, request.header("accept")):
        answer = render.json(request, told)
        return Response(409 if made.refused and not dry else 200, answer.headers, answer.body)
    if dry or made.refused or made.release is None:
        page = proposal_pages.published(render.frame(request), numbers, made, dry, fields)
        return render.html(request, page, 409 if made.refused and not dry else 200)
    return _see_other(request, request.links.release(made.release))


async def _after(context: Context, request: Request, principal: Principal, number: int) -> Response:
    if wants_html(request.parameters, request.header("accept")):
        return _see_other(request, request.links.proposal(number))
    told = await _told(context, request, principal, number)
    return render.json(
        request, proposal_documents.one(told, context.catalog.layers, request.links, request.lang)
    )


async def _told(context: Context, request: Request, principal: Principal, number: int) -> Told:
    flow, layers = context.settings.workflow, context.catalog.layers
    return await _read(
        context, request, lambda database: reading.told(database, flow, layers, principal, number)
    )


async def _called(
    context: Context, request: Request, proposals: Sequence[Proposal], told: Told | None = None
) -> Called:
    """What its page calls those who have to do with a proposal."""
    codes = {each.organisation for each in proposals if each.organisation} | set(told.codes if told else ())
    people = {each.author for each in proposals} | {each.who for each in (told.events if told else ())}
    return await called(context, request.lang, codes, people)


async def _drawn(
    context: Context, request: Request, proposal: Proposal, page: int
) -> tuple[proposal_pages.Drawn, bool]:
    """A page of changes with what they do on the ground."""
    layer, principal = context.catalog.layers[proposal.layer], request.principal

    def read(database: SyncDatabase) -> tuple[proposal_pages.Drawn, bool]:
        from gis_service.changes.sketch import sketch  # noqa: PLC0415  # shapely: 30 MB, when somebody reviews

        found, more = reading.changes(database, layer, principal, proposal, page)
        return [(each, sketch(each)) for each in found], more

    drawn, more = await _read(context, request, read)
    shown = [each.id for each, _ in drawn if each.id is not None]  # rows that stand and that the reader sees
    keys = [int(name) for name in shown] if layer.id_column == layer.key else None
    await context.reads.shown(request, layer.id, "proposal", keys)
    return drawn, more


async def _read(context: Context, request: Request, work: Work[T]) -> T:
    return await context.writer.run(request, work, role="reader")


def _known(request: Request) -> Principal:
    """Proposals are for those who have an account."""
    if request.principal is PUBLIC:
        raise Unauthorized
    return request.principal


def _as_read(proposal: Proposal, fields: Fields) -> Proposal:
    """The proposal at the revision that the caller read, so that a step taken since is noticed."""
    text = fields.text("revision")
    if not text:
        return proposal
    if not text.isascii() or not text.isdecimal() or int(text[:11]) >= _NUMBER_LIMIT:
        raise refuse("proposals.bad-revision", value=text[:40])
    return replace(proposal, revision=int(text))


def _left_out(fields: Fields) -> Mapping[int, str]:
    """Changes that are left out with the reason of each: `leave_out` of JSON, or ticked boxes of the form."""
    document: Any = fields.document.get("leave_out") or {}
    if not isinstance(document, dict):
        raise refuse("proposals.bad-leave-out")
    given = {str(number): str(reason) for number, reason in document.items()}
    same = fields.text("reason")
    given |= {number: fields.text(f"reason-{number}") or same for number in fields.all("out")}
    if any(not reason.strip() for reason in given.values()):
        raise refuse(
            "proposals.no-reason", numbers=", ".join(n for n, r in given.items() if not r.strip())[:200]
        )
    return {proposal_number(number): reason.strip()[:_LONGEST_TEXT] for number, reason in given.items()}


def _text(fields: Fields, name: str) -> str | None:
    text = fields.text(name)
    if len(text) > _LONGEST_TEXT:
        raise refuse("proposals.too-long", name=name, most=_LONGEST_TEXT)
    return text or None


def _wanted(given: Mapping[str, str], principal: Principal) -> Wanted:
    """What is asked for; one more than the page, to learn whether there are more."""
    state, layer = given.get("state"), given.get("layer")
    if state and state not in get_args(State):
        raise refuse("proposals.bad-state", value=state[:40], known=", ".join(get_args(State)))
    limit = _whole(given, "limit") or PAGE
    return Wanted(
        states=(state,) if state else (),
        layer=layer or None,
        author=principal.name if given.get("mine") in _YES else None,
        before=_whole(given, "before"),
        limit=min(limit, LONGEST_PAGE) + 1,
    )


def _page(given: Mapping[str, str]) -> int:
    return _whole(given, "page") or 0


def _whole(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or int(text[:11]) >= 1_000_000_000:
        raise refuse("proposals.bad-number", name=name, value=text[:40])
    return int(text)


def proposal_number(text: str) -> int:
    """The number in an address; NotFound for what is none."""
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:11]) < _NUMBER_LIMIT:
        raise refusal(NotFound, "proposals.none", number=text[:40])
    return int(text)


def _see_other(request: Request, address: str) -> Response:
    headers = (("location", address), ("content-language", request.lang), ("cache-control", "no-store"))
    return Response(303, headers)


def routes() -> list[Route]:
    post = ("POST", "OPTIONS")
    listing = (*PLAIN, "state", "layer", "mine", "waiting", "before", "limit")
    return [
        route("proposals", "/proposals", _both, (*READ, "POST"), parameters=listing),
        route("proposal", "/proposals/{}", one, parameters=(*PLAIN, "page")),
        route("proposal-changes", "/proposals/{}/changes", changes, parameters=(*PLAIN, "page")),
        route("proposal-steps", "/proposals/{}/steps", step, post),
    ]


async def _both(context: Context, request: Request, taken: Sequence[str]) -> Response:
    handler = publish if request.method == "POST" else listed
    return await handler(context, request, taken)
