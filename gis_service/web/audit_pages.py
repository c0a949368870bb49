"""The pages of the audit log: a page of entries with its filter, and what verifying found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from gis_service.web.frame import Document, Frame, Urls, formats, rendered
from gis_service.web.release_pages import when

FIELDS = (("since", "date"), ("until", "date"), ("actor", "text"), ("action", "text"), ("subject", "text"))


def listing(frame: Frame, doc: Document, given: Mapping[str, str]) -> str:
    """Entries, the newest first."""
    urls, links = Urls(frame), doc["links"]
    rows = [_row(each) for each in doc["entries"]]
    following = next((each["href"] for each in links if each["rel"] == "next"), "")
    return rendered(
        "audit.html", frame, "audit",
        fields=[(name, kind, given.get(name, "")) for name, kind in FIELDS],
        rows=rows, head=doc["head"], next=urls.page(following) if following else "",
        here=urls.page(frame.links.audit()), verify=urls.page(frame.links.audit() + "/verify"),
        formats=formats(doc),
    )  # fmt: skip


def _row(each: Mapping[str, Any]) -> dict[str, Any]:
    details = orjson.dumps(each["details"], option=orjson.OPT_INDENT_2).decode() if each["details"] else ""
    return {**each, "when": when(datetime.fromisoformat(each["at"])), "details": details}


def verdict(frame: Frame, doc: Document) -> str:
    """Whether the log is as it was written."""
    back = Urls(frame).page(frame.links.audit())
    return rendered("audit_verify.html", frame, "audit", doc=doc, back=back, formats=formats(doc))
