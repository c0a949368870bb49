"""`./gis group`: groups of species, whose records their stewards see exactly."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.db.sync import SyncDatabase


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take what is to be done and with which group."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    creating = _coded(actions, "create", lang)
    creating.add_argument("name", help=say("cli.group.name", lang))
    creating.set_defaults(action=_create)
    actions.add_parser("list", help=say("cli.group.list", lang)).set_defaults(action=_list)
    _coded(actions, "show", lang).set_defaults(action=_show)
    setting = _coded(actions, "set", lang)
    setting.add_argument("--name", help=say("cli.group.name", lang))
    setting.set_defaults(action=_set)
    for each in (creating, setting):
        each.add_argument("--name-en", help=say("cli.group.name_en", lang))
        each.add_argument("--taxon", metavar="ID", action="append", help=say("cli.group.taxon", lang))


def _coded(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, lang: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=say(f"cli.group.{name}", lang))
    parser.add_argument("code", help=say("cli.group.code", lang))
    return parser


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what was asked on the running database."""
    from gis_service.cli.acting import acting

    with acting(context.running_dsn()) as database:
        args.action(args, context, database)
    return 0


def _create(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import groups

    groups.create(database, groups.Group(args.code, args.name, args.name_en, tuple(_given(args.taxon))))
    context.print("cli.group.created", code=args.code)


def _list(_args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import groups

    for each in groups.listed(database):
        words = (each.code, each.called(context.lang), ",".join(each.taxa), ",".join(each.stewards))
        sys.stdout.write("\t".join(words) + "\n")


def _show(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import groups

    each = groups.named(database, args.code)
    facts = {
        "name": each.name,
        "name_en": each.name_en or "",
        "taxa": ", ".join(each.taxa),
        "covered": str(each.covered),
        "stewards": ", ".join(each.stewards),
    }
    sys.stdout.write(f"{each.code}\n")
    for name, value in facts.items():
        sys.stdout.write(f"  {context.say(f'cli.group.fact.{name}')}: {value}\n")


def _set(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import groups

    if args.name is None and args.name_en is None and args.taxon is None:
        raise Usage(context.say("cli.group.nothing"))
    with database.transaction():
        held = groups.named(database, args.code)
        if args.name is not None or args.name_en is not None:
            name_en = held.name_en if args.name_en is None else args.name_en
            groups.rename(database, args.code, args.name or held.name, name_en)
        if args.taxon is not None:
            groups.set_taxa(database, args.code, _given(args.taxon))
    context.print("cli.group.is_set", code=args.code)


def _given(values: Sequence[str] | None) -> list[str]:
    """What was said, without the empty word that stands for nothing at all."""
    return [value for value in values or () if value]
