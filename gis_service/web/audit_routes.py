"""The audit log for its auditors: a page of entries at a time, and whether all of it is as it was written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from gis_service import links as media
from gis_service.access import auditing, rights
from gis_service.access.auditing import START, Fault, Head, Verdict
from gis_service.access.principal import PUBLIC
from gis_service.db import audit, reads_sql
from gis_service.db.audit import Sought
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Busy, Forbidden, Unauthorized
from gis_service.features.refusal import refusal, refuse
from gis_service.links import link
from gis_service.texts import say
from gis_service.web import audit_pages, render
from gis_service.web.context import Context
from gis_service.web.frame import Document
from gis_service.web.message import Request, Response
from gis_service.web.router import PLAIN, Route, route

PAGE: Final = 100
MOST: Final = 10_000
MOST_VERIFIED: Final = 1_000_000  # entries, some ten seconds; the command line takes its time
LONGEST: Final = 300
NAMES: Final = (
    "seq", "at", "actor", "role", "action", "subject", "old_hash", "new_hash", "reason", "client", "details",
    "previous", "hash",
)  # fmt: skip
_ASKED: Final = ("since", "until", "actor", "action", "subject", "before", "limit")
_CSV: Final = "text/csv; charset=utf-8"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def _check(request: Request) -> None:
    if request.principal is PUBLIC:
        raise Unauthorized
    if not rights.may_audit(request.principal):
        raise refusal(Forbidden, "audit.refused")


async def listing(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Entries, the newest first, reads of this minute among them; hashes and no row."""
    _check(request)
    given = {name: request.parameters[name] for name in _ASKED if request.parameters.get(name)}
    sought, before, limit = _sought(given), _number(given, "before"), _number(given, "limit") or PAGE
    if limit > MOST:
        raise refuse("audit.limit", maximum=MOST)

    def work(database: SyncDatabase) -> tuple[list[Any], list[Any]]:
        database.run(reads_sql.SEAL_ALL)
        return database.run(audit.page(sought, before, limit + 1)), database.run(audit.HEAD)

    rows, head = await context.writer.run(request, work, "auditor")
    entries = [_entry(row) for row in rows[:limit]]
    if request.parameters.get("f") == "csv":
        return _as_csv(entries)
    made = _document(request, given, entries, len(rows) > limit, Head(*head[0]) if head else Head(0, START))
    return render.document(request, made, media.JSON, lambda frame: audit_pages.listing(frame, made, given))


def _document(
    request: Request, given: Mapping[str, str], entries: Sequence[Mapping[str, Any]], more: bool, head: Head
) -> Document:
    plain = {name: request.parameters[name] for name in PLAIN if name in request.parameters}
    links = [
        link(request.links.audit(given), "self", media.JSON),
        link(request.links.audit({**given, "f": "csv"}), "alternate", "text/csv"),
    ]
    if more:
        after = {**given, **plain, "before": str(entries[-1]["seq"])}
        links.append(link(request.links.audit(after), "next", media.JSON))
    return {"title": say("audit.title", request.lang), "head": str(head), "entries": entries, "links": links}


def _sought(given: Mapping[str, str]) -> Sought:
    for name, value in given.items():
        if len(value) > LONGEST or "\x00" in value:
            raise refuse("audit.too-long", name=name, maximum=LONGEST)
    since, until = _moment(given, "since"), _moment(given, "until", end=True)
    return Sought(since, until, given.get("actor"), given.get("action"), given.get("subject"))


def _moment(given: Mapping[str, str], name: str, end: bool = False) -> datetime | None:
    """A moment, or a day in UTC: from its beginning, or until its end."""
    if (text := given.get(name)) is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        whole = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is not None
        moment = found if found.tzinfo else found.replace(tzinfo=UTC)
        return moment + timedelta(days=1) if whole and end else moment
    except (ValueError, OverflowError) as err:
        raise refuse("audit.moment", name=name, value=text[:40]) from err


def _number(given: Mapping[str, str], name: str) -> int | None:
    if (text := given.get(name)) is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,17}", text, re.ASCII):
        raise refuse("audit.number", name=name, value=text[:40])
    return int(text)


def _entry(row: Sequence[Any]) -> dict[str, Any]:
    made = {name: _plain(value) for name, value in zip(NAMES, row, strict=True)}
    return {**made, "details": orjson.loads(made["details"])}


def _plain(value: Any) -> Any:  # what a column holds is known only to the statement
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, datetime) else value


def _as_csv(entries: Sequence[Mapping[str, Any]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(NAMES)
    for each in entries:
        details = orjson.dumps(each["details"]).decode()
        writer.writerow([_cell(value) for value in {**each, "details": details}.values()])
    headers = (("content-type", _CSV), ("content-disposition", 'attachment; filename="audit.csv"'))
    return Response(200, headers, text.getvalue().encode())


def _cell(value: Any) -> Any:
    """Whoever chooses a label or a browser's name must not write a formula into an auditor's sheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


async def verifying(context: Context, request: Request, _: Sequence[str]) -> Response:
    """Walk the whole log, held against heads that were noted elsewhere (`head`, several by blanks)."""
    _check(request)
    noted = [auditing.head(text) for text in request.parameters.get("head", "").split()]
    guard = context.guards.verifying
    if guard.locked():
        raise Busy
    async with guard:
        verdict, sleeping = await context.writer.run(
            request, lambda database: _verified(database, context.writer.dsn, noted), "auditor"
        )
    made = _verdict(request, verdict, sleeping)
    return render.document(request, made, media.JSON, lambda frame: audit_pages.verdict(frame, made))


def _verified(
    database: SyncDatabase, dsn: str, noted: Sequence[Head]
) -> tuple[Verdict, list[tuple[str, str]]]:
    last = database.run(audit.HEAD)
    if last and last[0][0] > MOST_VERIFIED:
        raise refuse("audit.long", maximum=MOST_VERIFIED)
    with audit.copied(dsn) as entries:
        return auditing.verify(entries, noted), audit.sleeping(database)


def _verdict(request: Request, verdict: Verdict, sleeping: Sequence[tuple[str, str]]) -> Document:
    faults = [_said(each, request.lang) for each in verdict.faults]
    return {
        "title": say("audit.verify", request.lang),
        "whole": not verdict.faults and not sleeping,
        "entries": verdict.entries,
        "head": str(verdict.head),
        "faults": faults,
        "more": verdict.more,
        "sleeping": [{"table": table, "trigger": trigger} for table, trigger in sleeping],
        "links": [link(request.links.audit(), "up", media.JSON)],
    }


def _said(fault: Fault, lang: str) -> str:
    first, last = fault.first + fault.by, fault.last + fault.by
    form, was = ("one", first) if first == last else ("many", f"{first}–{last}")
    return say(f"cli.audit.{fault.kind}.{form}", lang, first=fault.first, last=fault.last, was=was)


def routes() -> list[Route]:
    return [
        route("audit", "/audit", listing, parameters=(*PLAIN, *_ASKED)),
        route("audit-verify", "/audit/verify", verifying, parameters=(*PLAIN, "head")),
    ]
