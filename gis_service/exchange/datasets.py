"""What a load says of its data set, and what stands where it says nothing."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from gis_service import texts
from gis_service.db.loading import LoadSession
from gis_service.exchange.mapping import unaccented
from gis_service.exchange.reasons import refused
from gis_service.exchange.request import LoadRequest

UNKNOWN_LICENCE: Final = "unknown"

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_BASES: Final = ("published", "indicative", "simulated")
# At the start of the licence's name, so that "not CC BY" opens nothing; NC and ND stay closed.
_OPEN: Final = re.compile(
    r"(cc0|cc[ -]by(?![ -]n[cd])|public domain|pddl|odbl|odc-by|ogl|open government licen[cs]e|mit|us-pd)\b",
    re.IGNORECASE,
)


def slug_of(name: str) -> str:
    """A data set's name made of a file's: `Khu bảo tồn.gpkg` → `khu-bao-ton`."""
    return re.sub(r"[^a-z0-9._]+", "-", unaccented(name).lower()).strip("-._")[:100] or "data"


def allows_redistribution(licence: str) -> bool:
    """Whether a licence of that name is known to let the rows be passed on; an unknown one isn't."""
    return _OPEN.match(licence.strip()) is not None


def check(request: LoadRequest) -> None:
    """DataRefused where the data set's own facts can't stand."""
    if not _SLUG.fullmatch(request.dataset.slug):
        raise refused("slug", request.lang, slug=request.dataset.slug)
    if request.dataset.basis not in _BASES:
        raise refused("basis", request.lang, basis=request.dataset.basis)


def version(request: LoadRequest) -> str:
    """The version that was given, else today's date."""
    return request.dataset.version or dt.datetime.now(dt.UTC).date().isoformat()


def save(session: LoadSession, request: LoadRequest, file_name: str) -> tuple[int, list[str]]:
    """Write the data set and give its id; what the request leaves open stays as it was before."""
    said, known = request.dataset, session.dataset(request.dataset.slug)
    licence = said.licence or (known.licence if known else UNKNOWN_LICENCE)
    title = said.title or (known.title if known else file_name)
    dataset_id = session.save_dataset(
        {
            "slug": said.slug,
            "title": title,
            "title_vi": said.title_vi or (known.title_vi if known else None),
            "source_url": said.source_url or (known.source_url if known else None),
            "licence": licence,
            "redistribution": _redistribution(request, licence, known.redistribution if known else None),
            "citation": said.citation or (known.citation if known else title),
            "basis": said.basis,
        }
    )
    unknown = licence == UNKNOWN_LICENCE
    return dataset_id, [texts.say("load.note.no_licence", request.lang)] if unknown else []


def _redistribution(request: LoadRequest, licence: str, before: bool | None) -> bool:
    if request.dataset.redistribution is not None:
        return request.dataset.redistribution
    if request.dataset.licence is None and before is not None:
        return before
    return allows_redistribution(licence)
