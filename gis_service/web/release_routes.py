"""Releases: the list, one with its manifest, and its undoing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gis_service import links as media
from gis_service.access import policy, rights
from gis_service.access.principal import PUBLIC
from gis_service.catalog.view import ViewedLayer
from gis_service.changes import store
from gis_service.db import release_sql
from gis_service.errors import Busy, Forbidden, NotFound, Timeout, Unauthorized
from gis_service.features import releases as documents
from gis_service.features.refusal import refusal, refuse
from gis_service.features.releases import Counts, Known, Told
from gis_service.web import forms, release_pages, render
from gis_service.web.called import called
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html
from gis_service.web.router import PLAIN, Route, route

PAGE, LONGEST_PAGE = 20, 100
_YES = ("yes", "true", "1")
_LOAD_OF_OPEN = ("dataset", "title", "title_vi", "layer", "version")
_LOAD = (*_LOAD_OF_OPEN, "sha256", "inserted", "changed", "withdrawn", "quarantined")


async def listed(context: Context, request: Request, _: Sequence[str]) -> Response:
    """The releases in which something changed that the caller sees, the newest first."""
    before, limit = _whole(request.parameters, "before"), _whole(request.parameters, "limit") or PAGE
    limit = min(limit, LONGEST_PAGE)
    role = policy.class_role(request.principal)
    rows = await context.database.run(release_sql.known(role, before, limit + 1))
    found = [_known(row) for row in rows[:limit]]
    kept = {name: text for name, text in request.parameters.items() if name in ("limit", "lang", "f")}
    more = {**kept, "before": str(found[-1].number)} if len(rows) > limit else None
    views = list((await context.current_views(request)).values())
    made = documents.listing(found, more, views, request.links, request.lang)
    return render.document(
        request, made, media.JSON, lambda frame: release_pages.listing(frame, made, found, views)
    )


async def one(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One release; NotFound alike where there is none and where it changed nothing that the caller sees."""
    told = await _told(context, request, taken[0])
    made = documents.release(told, request.links, request.lang)
    if not wants_html(request.parameters, request.header("accept")):
        return render.json(request, made)
    proposals = told.proposals or ()
    codes = {str(each["organisation"]) for each in proposals if each["organisation"]}
    people = {str(each["author"]) for each in proposals} | {
        str(each) for each in (told.decided or ())[1:2] if each
    }
    named = await called(context, request.lang, codes, people)
    return render.html(request, release_pages.release(render.frame(request), made, told, named))


async def rollback(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """Undo a release by a new one, or say what that would be; for reviewers of the centre."""
    if request.principal is PUBLIC:
        raise Unauthorized
    if not _may_undo(request):
        raise refusal(Forbidden, "releases.no-undo")
    fields = await forms.read(request)
    number, note = _number(taken[0]), fields.text("note") or None
    dry = fields.text("dry_run") in _YES
    principal = request.principal
    made = await context.writer.run(
        request,
        lambda database: store.rollback(database, number, principal, note, dry_run=dry),
        role="reviewer",
        reason=note or "",
    )
    assert made.release is not None, "a rollback that isn't refused makes a release"
    for_people = wants_html(request.parameters, request.header("accept"))
    if dry and for_people:
        return render.html(request, release_pages.dry_run(render.frame(request), number, note or "", made))
    if dry:
        return render.json(request, _manifest(made, number, dry=True))
    address = request.links.release(made.release)
    if for_people:
        headers = (("location", address), ("content-language", request.lang), ("cache-control", "no-store"))
        return Response(303, headers)
    answer = render.json(request, _manifest(made, number, dry=False))
    return Response(201, (*answer.headers, ("location", address)), answer.body)


def _manifest(made: store.Manifest, undoes: int, dry: bool) -> Mapping[str, object]:
    tables = [
        {
            "table": each.table,
            "inserted": each.inserted,
            "changed": each.changed,
            "withdrawn": each.withdrawn,
            "sha256": each.checksum,
        }
        for each in made.tables
    ]
    return {"release": made.release, "undoes": undoes, "dryRun": dry, "tables": tables}


def _may_undo(request: Request) -> bool:
    return rights.may_review(request.principal, "central", ())


async def _told(context: Context, request: Request, text: str) -> Told:
    """All that the caller may know of a release, and nothing asked that it may not."""
    number, principal = _number(text), request.principal
    role = policy.class_role(principal)
    rows = await context.database.run(release_sql.one(role, number))
    if not rows:
        raise refusal(NotFound, "web.no-such-release", value=number)
    known, full = _known(rows[0]), principal.tier == "full"
    views = [view for view in (await context.current_views(request)).values() if known.shows(view)]
    counts = await asyncio.gather(*(_counts(context, view, number) for view in views))
    reviews = _may_undo(request)
    manifest = await _manifest_of(context, number) if full else None
    decided = rights.may_read_decisions(principal)
    return Told(
        known=known,
        counts=[(view, each) for view, each in zip(views, counts, strict=True) if each is None or each.any],
        loads=await _loads(context, role, number, full),
        tables=manifest,
        decided=(await context.database.run(release_sql.decisions(number)))[0] if decided else None,
        proposals=await _proposals(context, number) if reviews else None,
        may_undo=reviews and bool(manifest) and known.undone_by is None,
    )


async def _manifest_of(context: Context, number: int) -> list[documents.Row]:
    """What it did to each table, but to those of which something is hidden from the full tier too."""
    layers = context.catalog.layers.values()
    hidden = {layer.table_name for layer in layers if layer.access.full.hide}
    seen = {layer.table_name for layer in layers} - hidden
    return [row for row in await context.database.run(release_sql.manifest(number)) if row[0] in seen]


async def _counts(context: Context, view: ViewedLayer, number: int) -> Counts | None:
    """What the past holds for a class changes with rights alone, which are in the view's digest."""
    key = (view.digest, number)
    if (held := context.release_counts.get(key)) is not None:
        return held
    try:
        new, old, both, changed = (await context.database.run(release_sql.counts(view, number)))[0]
    except (Busy, Timeout):
        return None
    made = Counts(new - both, changed, old - both)
    context.release_counts.put(key, made)
    return made


async def _loads(context: Context, role: str, number: int, full: bool) -> list[documents.Document]:
    """Whole loads count hidden rows, and a file's checksum holds them: the others learn of which data set."""
    names = _LOAD if full else _LOAD_OF_OPEN
    rows = await context.database.run(release_sql.loads(role, number, full))
    return [dict(zip(names, row[: len(names)], strict=True)) for row in rows]


async def _proposals(context: Context, number: int) -> list[documents.Document]:
    heads = await context.database.run(release_sql.proposals(number))
    verdicts = await context.database.run(release_sql.verdicts(number)) if heads else []
    return documents.proposals(heads, verdicts)


def _known(row: Sequence[object]) -> Known:
    number, made, name, name_en, undoes, undone_by, tables = row
    return Known(number, made, name, name_en, undoes, undone_by, tuple(tables))  # type: ignore[arg-type]  # as release_sql.known selects them


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:11]) < 2**31:
        raise refusal(NotFound, "web.no-such-release", value=text[:40])
    return int(text)


def _whole(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:11]) < 2**31:
        raise refuse("releases.bad-number", name=name, value=text[:40])
    return int(text)


def routes() -> list[Route]:
    return [
        route("releases", "/releases", listed, parameters=(*PLAIN, "before", "limit")),
        route("release", "/releases/{}", one),
        route("rollback", "/releases/{}/rollback", rollback, ("POST", "OPTIONS")),
    ]
