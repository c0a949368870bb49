"""ETag and Last-Modified of answers made of rows: from the layer's version and the request, not the rows."""

from __future__ import annotations

import hashlib
import time
from email.utils import formatdate, parsedate_to_datetime

from gis_service import __version__
from gis_service import links as media
from gis_service.access.principal import PUBLIC
from gis_service.catalog.view import ViewedLayer
from gis_service.db import versions
from gis_service.web import finish
from gis_service.web.context import Context
from gis_service.web.message import Headers, Request, Response

# A date is exact to the second: one that is shown only later can't stand for two states of the layer.
SETTLED_SECONDS = 2


async def stamp(context: Context, view: ViewedLayer) -> str:
    """The version of what the caller sees of the layer; empty where none is kept."""
    if not versions.is_kept(view):
        return ""
    return str((await context.database.run(versions.of(view)))[0][0])


def headers(request: Request, view: ViewedLayer, of: str, kind: str, weak: bool = True) -> Headers:
    """The validators of an answer of this kind (a media type); none where no version is kept.

    Weak where the body holds the time of the answer. A page for somebody bears a name and a session's token:
    it gets the tag of its own bytes when it's finished.
    """
    if not of or (kind == media.HTML and request.principal is not PUBLIC):
        return ()
    known = (
        view.digest,
        of,
        request.links.base,
        request.path,
        request.query,
        request.lang,
        kind,
        __version__,
    )
    tag = hashlib.sha256("\n".join(known).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    made = [("etag", f'W/"{tag}"' if weak else f'"{tag}"')]
    if view.drafts is not None:  # no second is kept in which a draft was last changed
        return tuple(made)
    changed = int(of.rpartition("@")[2])
    if changed + SETTLED_SECONDS < time.time():
        made.append(("last-modified", formatdate(changed, usegmt=True)))
    return tuple(made)


def named(request: Request) -> bool:
    """Whether the caller names an answer that it holds: a date or `*` fits what was never there too."""
    tags = request.header("if-none-match")
    return tags is not None and "*" not in tags


def asked(request: Request) -> bool:
    """Whether the caller holds an earlier answer and asks if it still stands."""
    return request.header("if-none-match") is not None or request.header("if-modified-since") is not None


def unchanged(request: Request, made: Headers) -> Response | None:
    """304 where the caller holds the answer that has these validators; the date counts without tags alone."""
    known = dict(made)
    tags = request.header("if-none-match")
    if tags is not None:
        held = finish.held(tags, known["etag"]) if "etag" in known else None
        return None if held is None else Response(304, (*made[1:], ("etag", held)))
    since, changed = request.header("if-modified-since"), known.get("last-modified")
    if since is None or changed is None or not _is_as_new(since, changed):
        return None
    return Response(304, made)


def _is_as_new(since: str, changed: str) -> bool:
    try:
        return parsedate_to_datetime(since) >= parsedate_to_datetime(changed)
    except (ValueError, TypeError):  # no date, or one without a zone: RFC 9110, 13.1.3 says to ignore it
        return False
