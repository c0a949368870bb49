"""`./gis key`: list, create and revoke API keys."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gis_service.access.principal import SCOPES
from gis_service.cli import words
from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import say

if TYPE_CHECKING:
    from gis_service.access.keystore import ListedKey
    from gis_service.db.sync import SyncDatabase


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take list, create or revoke."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help=say("cli.key.list", lang))
    listing.set_defaults(action=_list)
    creating = actions.add_parser("create", help=say("cli.key.create", lang))
    creating.add_argument("name", help=say("cli.key.name", lang))
    creating.add_argument(
        "--tier", choices=["public", "jurisdiction", "full"], help=say("cli.key.tier", lang)
    )
    creating.add_argument(
        "--jurisdiction", action="append", default=[], help=say("cli.key.jurisdiction", lang)
    )
    creating.add_argument("--label", help=say("cli.key.label", lang))
    creating.add_argument(
        "--scope", action="append", default=[], choices=SCOPES, help=say("cli.key.scope", lang)
    )
    creating.add_argument("--until", metavar="DATE", type=words.moment, help=say("cli.key.until", lang))
    creating.set_defaults(action=_create)
    revoking = actions.add_parser("revoke", help=say("cli.key.revoke", lang))
    revoking.add_argument("number", type=int, help=say("cli.key.number", lang))
    revoking.set_defaults(action=_revoke)


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what was asked on the running database."""
    from gis_service.cli.acting import acting

    with acting(context.running_dsn()) as database:
        args.action(args, context, database)
    return 0


def _list(_args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import keystore

    for key in keystore.listed(database):
        fields = (
            str(key.number),
            key.principal.name,
            key.principal.policy_class,
            key.label or "",
            f"{key.created:%Y-%m-%d}",
            _state(key, context),
            ",".join(key.scopes),
        )
        sys.stdout.write("\t".join(fields) + "\n")


def _state(key: "ListedKey", context: Context) -> str:
    if key.revoked:
        return context.say("cli.key.closed")
    if key.expires and key.expires <= datetime.now(UTC):
        return context.say("cli.key.expired")
    return (
        context.say("cli.key.until_day", day=f"{key.expires:%Y-%m-%d}")
        if key.expires
        else context.say("cli.key.open")
    )


def _create(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import keystore
    from gis_service.access.principal import TIERS, Principal

    if bool(args.jurisdiction) != (args.tier == "jurisdiction"):
        raise Usage(context.say("cli.key.pair"))
    if args.tier:
        principal = Principal(args.name, TIERS[args.tier], tuple(args.jurisdiction))
        keystore.ensure_principal(database, principal)
    made = keystore.create(database, args.name, args.label, args.until, args.scope)
    if strange := keystore.codes_of_no_province(database, args.jurisdiction):
        sys.stderr.write(context.say("cli.key.no_province", codes=", ".join(strange)) + "\n")
    sys.stderr.write(context.say("cli.key.made", name=args.name) + "\n")
    sys.stdout.write(made + "\n")


def _revoke(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import keystore

    keystore.revoke(database, args.number)
    context.print("cli.key.revoked", number=args.number)
