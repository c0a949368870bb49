"""The ETag of a row for those who edit it: of what stands, and of what its author has drafted over it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import Final

from gis_service.catalog.view import ViewedLayer

_DRAFT: Final = re.compile(r"draft-([1-9][0-9]{0,17})-([1-9][0-9]{0,8})", re.ASCII)


def draft_id(proposal: int, number: int) -> str:
    """The id of a new feature until it is published."""
    return f"draft-{proposal}-{number}"


def draft_of(identity: str) -> tuple[int, int] | None:
    """Proposal and number of a new feature's id; None for any other id."""
    found = _DRAFT.fullmatch(identity)
    return None if found is None else (int(found.group(1)), int(found.group(2)))


def of_row(view: ViewedLayer, gid: int, rev: int, places: Collection[str], draft: str | None) -> str:
    """The tag of a row that stands; its jurisdictions change without a new revision, and it with them."""
    return _tag(view, str(gid), str(rev), ",".join(sorted(places)), draft or "")


def of_draft(view: ViewedLayer, identity: str, draft: str) -> str:
    """The tag of a new feature."""
    return _tag(view, identity, draft)


def _tag(view: ViewedLayer, *known: str) -> str:
    # The reader's class, and not the epoch of all rights: those of others change nothing of an own row.
    text = "\n".join((view.layer.digest(), view.policy_class, *known))
    return '"' + hashlib.sha256(text.encode()).hexdigest()[:24] + '"'
