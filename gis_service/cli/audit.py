"""`./gis audit`: read the log of who changed what, verify its chain of hashes, note where it ends."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from gis_service.cli import words
from gis_service.cli.command import Context
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.access.auditing import Fault

BROKEN = 1  # exit code of a log that isn't whole
NAMES = (
    "seq", "at", "actor", "role", "action", "subject", "old_hash", "new_hash", "reason", "client", "details",
    "previous", "hash",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take list, verify or head."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help=say("cli.audit.list", lang))
    listing.add_argument("--since", metavar="DATE", type=words.moment, help=say("cli.audit.since", lang))
    listing.add_argument("--actor", metavar="WHO", help=say("cli.audit.actor", lang))
    listing.add_argument("--subject", metavar="WHAT", help=say("cli.audit.subject", lang))
    listing.add_argument("--json", action="store_true", help=say("cli.audit.json", lang))
    listing.set_defaults(action=_list)
    verifying = actions.add_parser("verify", help=say("cli.audit.verify", lang))
    verifying.add_argument(
        "--head", metavar="SEQ:HASH", action="append", default=[], help=say("cli.audit.noted", lang)
    )
    verifying.set_defaults(action=_verify)
    actions.add_parser("head", help=say("cli.audit.head", lang)).set_defaults(action=_head)


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what was asked on the running database; 1 where the log isn't whole."""
    code: int = args.action(args, context)
    return code


def _list(args: argparse.Namespace, context: Context) -> int:
    from gis_service.db import audit, reads_sql
    from gis_service.db.sync import SyncDatabase

    with SyncDatabase(context.running_dsn()) as database:
        database.run(reads_sql.SEAL_ALL)
        for row in database.stream(audit.entries(args.since, args.actor, args.subject)):
            entry = {name: _plain(value) for name, value in zip(NAMES, row, strict=True)}
            entry["details"] = json.loads(entry["details"])
            sys.stdout.write((json.dumps(entry, ensure_ascii=False) if args.json else _line(entry)) + "\n")
    return 0


def _plain(value: Any) -> Any:  # what a column holds is known only to the statement
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _line(entry: dict[str, Any]) -> str:
    shown = [entry[name] for name in ("seq", "at", "actor", "role", "action", "subject", "reason", "client")]
    return "\t".join(map(_shown, [*shown, json.dumps(entry["details"], ensure_ascii=False)]))


def _shown(value: object) -> str:
    """On one line whatever it holds: who chooses a name or a label must not write lines of the log."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _verify(args: argparse.Namespace, context: Context) -> int:
    from gis_service.access import auditing
    from gis_service.db import audit
    from gis_service.db.sync import SyncDatabase

    noted = [auditing.head(text) for text in args.head]
    dsn = context.running_dsn()
    with audit.copied(dsn) as entries:
        verdict = auditing.verify(entries, noted)
    with SyncDatabase(dsn) as database:
        sleeping = audit.sleeping(database)
    for fault in verdict.faults:
        sys.stdout.write(_said(fault, context) + "\n")
    if verdict.more:
        context.print("cli.audit.more", number=len(verdict.faults))
    for table, trigger in sleeping:
        context.print("cli.audit.sleeping", table=table, trigger=trigger)
    if verdict.faults or sleeping:
        context.print("cli.audit.broken", entries=verdict.entries)
        return BROKEN
    context.print("cli.audit.whole", entries=verdict.entries, head=verdict.head)
    return 0


def _said(fault: "Fault", context: Context) -> str:
    form = "one" if fault.first == fault.last else "many"
    was = f"{fault.first + fault.by}–{fault.last + fault.by}" if form == "many" else fault.first + fault.by
    return context.say(f"cli.audit.{fault.kind}.{form}", first=fault.first, last=fault.last, was=was)


def _head(_args: argparse.Namespace, context: Context) -> int:
    from gis_service.access.auditing import START, Head
    from gis_service.db import audit
    from gis_service.db.sync import SyncDatabase

    with SyncDatabase(context.running_dsn()) as database:
        rows = database.run(audit.HEAD)
    sys.stdout.write(f"{Head(*rows[0]) if rows else Head(0, START)}\n")
    return 0
