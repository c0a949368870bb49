"""Bulk files that were made beforehand, whole or in ranges."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

from gis_service.db.published import PublishedFile
from gis_service.errors import NotFound
from gis_service.features import formats
from gis_service.features.refusal import refusal
from gis_service.web import problems, ranges
from gis_service.web.context import Context
from gis_service.web.finish import CREDENTIALS
from gis_service.web.message import Headers, Request, Response
from gis_service.web.ranges import BehindTheEnd
from gis_service.web.router import Route, route


async def file(context: Context, request: Request, taken: Sequence[str]) -> Response:
    """One of the files of the caller's own class; its name opens nothing else."""
    view = await context.current_view(request, taken[0])
    offered = (await context.published.of([view])).get(view.id, ())
    found = next((each for each in offered if each.name == taken[1]), None)
    path = None if found is None else context.published.folder / found.stored
    if found is None or path is None or not path.is_file():
        address = request.links.collection(view.id)
        raise refusal(NotFound, "files.none", layer=view.id, name=taken[1][:200], address=address)
    headers, modified = _headers(found), _modified(found)
    if ranges.unchanged(request, modified):
        return Response(304, headers)
    try:
        span = ranges.asked(request, found.length, dict(headers)["etag"], modified)
    except BehindTheEnd as err:
        told = problems.response(err, request.lang, request.path)
        return told.with_headers(("content-range", f"bytes */{found.length}"))
    if span is None:
        return Response(200, (*headers, ("content-length", str(found.length))), file=path)
    begin, end = span
    part = (
        ("content-length", str(end - begin)),
        ("content-range", f"bytes {begin}-{end - 1}/{found.length}"),
    )
    return Response(206, (*headers, *part), file=path, span=span)


def _headers(found: PublishedFile) -> Headers:
    form = formats.named(found.format)
    return (
        ("content-type", form.content_type if form else "application/octet-stream"),
        ("content-disposition", f'attachment; filename="{found.name}"'),
        ("etag", f'"{found.sha256.hex()[:32]}"'),
        ("last-modified", ranges.http_date(_modified(found))),
        ("accept-ranges", "bytes"),
        ("repr-digest", f"sha-256=:{base64.b64encode(found.sha256).decode()}:"),  # RFC 9530
        ("vary", CREDENTIALS),
    )


def _modified(found: PublishedFile) -> datetime:
    """In whole seconds, as HTTP tells times."""
    assert found.made is not None, "the database stamps it"
    return found.made.replace(microsecond=0)


def routes() -> list[Route]:
    return [route("file", "/collections/{}/files/{}", file)]
