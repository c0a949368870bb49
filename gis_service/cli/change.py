"""`./gis change`: propose changes of a layer, review and publish them, undo a release."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gis_service.catalog.layer import Layer
    from gis_service.changes.store import Manifest
    from gis_service.changes.values import Action, Proposal
    from gis_service.changes.verdict import Verdicts
    from gis_service.db.sync import SyncDatabase

VERDICTS = ("accept", "reject", "return")
WAIT_MS = 600_000


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take what is to be done, with which proposal, as whom."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _proposing(actions, lang)
    listing = _action(actions, "list", _list, lang)
    listing.add_argument("--state", help=say("cli.change.state", lang))
    _numbered(_action(actions, "show", _show, lang), lang)
    for name in ("submit", "withdraw"):
        taking = _action(actions, name, _step, lang)
        taking.set_defaults(verdict=name, leave_out=[])
        _decided(taking, lang)
    reviewing = _action(actions, "review", _step, lang)
    _decided(reviewing, lang)
    reviewing.add_argument("verdict", choices=VERDICTS, help=say("cli.change.verdict", lang))
    approving = _action(actions, "approve", _step, lang)
    approving.set_defaults(verdict="approve")
    _decided(approving, lang)
    for each in (reviewing, approving):
        each.add_argument(
            "--leave-out", action="append", default=[], metavar="CHANGE=REASON",
            help=say("cli.change.leave_out", lang),
        )  # fmt: skip
    publishing = _action(actions, "publish", _publish, lang)
    publishing.add_argument(
        "numbers", metavar="NUMBER", type=int, nargs="+", help=say("cli.change.numbers", lang)
    )
    publishing.add_argument("--dry-run", action="store_true", help=say("cli.change.dry_run", lang))
    publishing.add_argument("--name", metavar="TEXT", help=say("cli.change.release_name", lang))
    publishing.add_argument("--name-en", metavar="TEXT", help=say("cli.change.release_name_en", lang))
    undoing = _action(actions, "rollback", _rollback, lang)
    undoing.add_argument("release", type=int, help=say("cli.change.release", lang))
    undoing.add_argument("--dry-run", action="store_true", help=say("cli.change.dry_run", lang))
    for each in (publishing, undoing):
        each.add_argument("--note", metavar="TEXT", help=say("cli.change.release_note", lang))
        _acting(each, lang)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, action: object, lang: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=say(f"cli.change.{name}", lang))
    parser.set_defaults(action=action)
    return parser


def _acting(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("--as", dest="who", required=True, metavar="NAME", help=say("cli.change.as", lang))


def _numbered(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("number", type=int, help=say("cli.change.number", lang))


def _decided(parser: argparse.ArgumentParser, lang: str) -> None:
    _numbered(parser, lang)
    parser.add_argument("--comment", metavar="TEXT", help=say("cli.change.comment", lang))
    _acting(parser, lang)


def _proposing(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", lang: str) -> None:
    parser = _action(actions, "propose", _propose, lang)
    parser.add_argument("file", metavar="FILE", nargs="?", help=say("cli.change.file", lang))
    parser.add_argument("--layer", required=True, metavar="L", help=say("cli.change.layer", lang))
    parser.add_argument("--title", required=True, metavar="TEXT", help=say("cli.change.title", lang))
    parser.add_argument("--note", metavar="TEXT", help=say("cli.change.note", lang))
    parser.add_argument("--id", default="id", metavar="COLUMN", help=say("cli.change.id", lang))
    parser.add_argument(
        "--delete", action="append", default=[], metavar="ID", help=say("cli.change.delete", lang)
    )
    parser.add_argument("--organisation", metavar="CODE", help=say("cli.change.organisation", lang))
    for name in ("crs", "file-layer", "encoding"):
        parser.add_argument(f"--{name}", metavar="X", help=say(f"cli.load.{name}", lang))
    _acting(parser, lang)


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what was asked on the running database."""
    from gis_service.db.sync import SyncDatabase

    with SyncDatabase(context.running_dsn(), WAIT_MS) as database:
        code: int | None = args.action(args, context, database)
    return code or 0


def _propose(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import keystore, policy
    from gis_service.changes.file import Given, read
    from gis_service.changes.propose import Asked, Draft, propose

    layer = _layers(context).get(args.layer)
    if layer is None:
        raise Usage(context.say("cli.no_layer", layer=args.layer, layers=", ".join(_layers(context))))
    who = keystore.principal_named(database, args.who)
    asked = [Asked("delete", identity) for identity in args.delete]
    if args.file:
        given = Given(Path(args.file), args.id, args.crs, args.file_layer, args.encoding, context.lang)
        found = read(database, policy.view(who, layer), given)
        asked = [*found.asked, *asked]
        for identity in found.repaired:
            context.print("cli.change.repaired", id=identity)
    draft = Draft(args.title, args.note, args.organisation)
    made = propose(database, context.settings.workflow, layer, who, draft, asked)
    context.print("cli.change.made", number=made.number, changes=made.changes)


def _list(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.changes import store
    from gis_service.changes.values import State

    if args.state is not None and args.state not in get_args(State):
        raise Usage(context.say("cli.change.no_state", state=args.state, states=", ".join(get_args(State))))
    for each in store.listed(database, args.state):
        words = (str(each.number), each.state, each.layer, each.organisation or "", each.author, each.title)
        sys.stdout.write("\t".join((*words, str(each.changes))) + "\n")


def _show(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.changes import store, verdict

    proposal = store.numbered(database, args.number)
    state = context.say(f"change.state.{proposal.state}")
    sys.stdout.write(f"{proposal.number}\t{proposal.layer}\t{proposal.author}\t{proposal.title}\t{state}\n")
    found = verdict.verdicts(database, proposal.number)
    for each in store.changes(database, _layers(context)[proposal.layer], proposal.number):
        what = context.say(f"change.operation.{each.operation}")
        left_out = "" if each.decision != "rejected" else f"\t{context.say('cli.change.left')} {each.reason}"
        sys.stdout.write(f"  {each.number}\t{what}\t{each.gid or ''}{left_out}\n")
        for one in each.differences:
            sys.stdout.write(f"    {one.column}: {_cell(one.before)} → {_cell(one.after)}\n")
        if each.moved:
            sys.stdout.write(f"    {context.say('cli.change.moved')}\n")
        for finding in found.get(each.number, ()):
            level = context.say(f"check.level.{finding.level}")
            sys.stdout.write(f"    {level}: {finding.rule}: {finding.say(context.lang)}\n")
    for event in store.events(database, proposal.number):
        words = (f"{event.at:%Y-%m-%d %H:%M}Z", event.who, event.action, event.after, event.comment or "")
        sys.stdout.write("  " + "\t".join(words).rstrip() + "\n")


def _cell(value: str | None) -> str:
    return "–" if value is None else value


def _step(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import keystore
    from gis_service.changes import store, verdict

    action: Action = args.verdict
    proposal = store.numbered(database, args.number)
    flow, layers = context.settings.workflow, _layers(context)
    left_out = dict(_pair(each, context) for each in args.leave_out)
    who = keystore.principal_named(database, args.who)
    if action == "submit":
        after = verdict.submit(database, flow, layers, proposal, who, args.comment)
        _tell_findings(verdict.verdicts(database, proposal.number), context)
    else:
        after = store.take(
            database, flow, layers[proposal.layer], proposal, action, who, args.comment, left_out
        )
    _tell(after, context)


def _tell_findings(found: "Verdicts", context: Context) -> None:
    """How many faults, warnings and notes there are; `show` tells each."""
    levels = Counter(each.level for findings in found.values() for each in findings)
    numbers = {name: levels[name] for name in ("fault", "warning", "note")}
    context.print("cli.change.checked", **numbers)


def _pair(text: str, context: Context) -> tuple[int, str]:
    number, _, reason = text.partition("=")
    if not (number.isdecimal() and reason):
        raise Usage(context.say("cli.change.bad_pair", text=text))
    return int(number), reason


def _tell(proposal: "Proposal", context: Context) -> None:
    state = context.say(f"change.state.{proposal.state}")
    context.print("cli.change.now", number=proposal.number, state=state)


def _publish(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> int:
    from gis_service.access import keystore
    from gis_service.changes import store
    from gis_service.errors import Conflict

    who = keystore.principal_named(database, args.who)
    proposals = [store.numbered(database, number) for number in dict.fromkeys(args.numbers)]
    made = store.publish(
        database, context.settings.workflow, _layers(context), proposals, who,
        args.note or "; ".join(each.title for each in proposals), dry_run=args.dry_run,
        names=store.Names(args.name, args.name_en),
    )  # fmt: skip
    _print(made, context, "cli.change.would" if args.dry_run else "cli.change.published")
    for each in made.refused:
        gids = store.shown([str(gid) for gid in each.gids])
        sys.stderr.write(context.say(f"change.refused.{each.reason}", number=each.proposal, gids=gids) + "\n")
    return Conflict.exit_code if made.refused else 0


def _rollback(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import keystore
    from gis_service.changes import store

    who = keystore.principal_named(database, args.who)
    made = store.rollback(database, args.release, who, args.note, dry_run=args.dry_run)
    _print(made, context, "cli.change.would" if args.dry_run else "cli.change.published")


def _print(made: "Manifest", context: Context, key: str) -> None:
    if made.release is not None:
        context.print(key, release=made.release)
    for each in made.tables:
        context.print(
            "cli.change.counts", table=each.table, inserted=each.inserted, changed=each.changed,
            withdrawn=each.withdrawn, checksum=each.checksum,
        )  # fmt: skip


def _layers(context: Context) -> "Mapping[str, Layer]":
    from gis_service.catalog.registry import load_catalog

    return load_catalog(context.settings.root).layers
