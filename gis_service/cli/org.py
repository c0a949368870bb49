"""`./gis org`: the tree of organisations and what they look after."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.db.sync import SyncDatabase

TIERS = ("central", "province", "site", "partner", "registered")


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take what is to be done and with which organisation."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    creating = _coded(actions, "create", lang)
    creating.add_argument("name", help=say("cli.org.name", lang))
    creating.add_argument("--tier", choices=TIERS, required=True, help=say("cli.org.tier", lang))
    creating.add_argument("--name-en", help=say("cli.org.name_en", lang))
    creating.add_argument("--parent", metavar="CODE", help=say("cli.org.parent", lang))
    _looking_after(creating, lang)
    creating.set_defaults(action=_create)
    actions.add_parser("list", help=say("cli.org.list", lang)).set_defaults(action=_list)
    _coded(actions, "show", lang).set_defaults(action=_show)
    moving = _coded(actions, "move", lang)
    moving.add_argument("--parent", metavar="CODE", help=say("cli.org.parent", lang))
    moving.set_defaults(action=_move)
    renaming = _coded(actions, "rename", lang)
    renaming.add_argument("name", help=say("cli.org.name", lang))
    renaming.add_argument("--name-en", help=say("cli.org.name_en", lang))
    renaming.set_defaults(action=_rename)
    setting = _coded(actions, "set", lang)
    _looking_after(setting, lang)
    setting.set_defaults(action=_set)


def _coded(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, lang: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=say(f"cli.org.{name}", lang))
    parser.add_argument("code", help=say("cli.org.code", lang))
    return parser


def _looking_after(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument(
        "--jurisdiction", metavar="CODE", action="append", help=say("cli.org.jurisdiction", lang)
    )
    parser.add_argument("--area", metavar="ID", action="append", help=say("cli.org.area", lang))
    parser.add_argument("--buffer", metavar="METRES", type=float, help=say("cli.org.buffer", lang))


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what was asked on the running database."""
    from gis_service.cli.acting import acting

    with acting(context.running_dsn()) as database:
        args.action(args, context, database)
    return 0


def _create(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import organisations
    from gis_service.access.organisations import Organisation

    codes = tuple(_given(args.jurisdiction))
    new = Organisation(args.code, args.name, args.name_en, args.tier, args.parent, codes)
    new = replace(new, areas=tuple(_given(args.area)), buffer_m=args.buffer or 0)
    organisations.create(database, new)
    _warn_of_strange(context, database, codes)
    context.print("cli.org.created", code=args.code)


def _list(_args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import organisations

    for depth, each in organisations.tree(organisations.listed(database)):
        looks_after = ",".join((*each.jurisdictions, *each.areas))
        words = (each.code, each.called(context.lang), each.tier, looks_after, str(each.members))
        sys.stdout.write("  " * depth + "\t".join(words) + "\n")


def _show(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import organisations

    each = organisations.named(database, args.code)
    facts = {
        "name": each.name,
        "name_en": each.name_en or "",
        "tier": context.say(f"cli.org.tier.{each.tier}"),
        "parent": each.parent or "",
        "jurisdictions": ", ".join(each.jurisdictions),
        "areas": ", ".join(each.areas),
        "buffer": f"{each.buffer_m:g}",
        "members": str(each.members),
    }
    sys.stdout.write(f"{each.code}\n")
    for name, value in facts.items():
        sys.stdout.write(f"  {context.say(f'cli.org.fact.{name}')}: {value}\n")


def _move(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import organisations

    organisations.move(database, args.code, args.parent)
    context.print("cli.org.moved", code=args.code)


def _rename(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import organisations

    organisations.rename(database, args.code, args.name, args.name_en)
    context.print("cli.org.renamed", code=args.code, name=args.name)


def _set(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import organisations

    if args.jurisdiction is None and args.area is None and args.buffer is None:
        raise Usage(context.say("cli.org.nothing"))
    with database.transaction():
        if args.jurisdiction is not None:
            organisations.set_jurisdictions(database, args.code, _given(args.jurisdiction))
        if args.buffer is not None:
            organisations.set_buffer(database, args.code, args.buffer)
        if args.area is not None:
            organisations.set_areas(database, args.code, _given(args.area))
    _warn_of_strange(context, database, _given(args.jurisdiction))
    context.print("cli.org.is_set", code=args.code)


def _given(values: Sequence[str] | None) -> list[str]:
    """What was said, without the empty word that stands for nothing at all."""
    return [value for value in values or () if value]


def _warn_of_strange(context: Context, database: "SyncDatabase", codes: Sequence[str]) -> None:
    from gis_service.access import keystore

    if strange := keystore.codes_of_no_province(database, codes):
        sys.stderr.write(context.say("cli.org.no_province", codes=", ".join(strange)) + "\n")
