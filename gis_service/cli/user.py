"""`./gis user`: accounts of persons and services, their roles, and invitations."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gis_service.cli import words
from gis_service.cli.command import Context
from gis_service.errors import Usage
from gis_service.texts import LANGUAGES, say

if TYPE_CHECKING:
    from gis_service.access import accounts
    from gis_service.db.sync import SyncDatabase

INVITED_DAYS = 14


def add_arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take what is to be done and with whom."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _creating(actions, lang)
    _describing(actions, lang)
    _inviting(actions, lang)
    listing = actions.add_parser("list", help=say("cli.user.list", lang))
    listing.add_argument("--organisation", "--org", metavar="CODE", help=say("cli.user.of", lang))
    listing.set_defaults(action=_list)
    granting = _named(actions, "grant", lang)
    words.add_role(granting, lang)
    granting.add_argument("--until", metavar="DATE", type=words.moment, help=say("cli.user.until", lang))
    granting.set_defaults(action=_grant)
    revoking = _named(actions, "revoke", lang)
    words.add_role(revoking, lang)
    revoking.set_defaults(action=_revoke)
    for name, action in (("show", _show), ("lock", _lock), ("unlock", _unlock)):
        _named(actions, name, lang).set_defaults(action=action)


def _named(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, lang: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=say(f"cli.user.{name}", lang))
    parser.add_argument("name", help=say("cli.user.name", lang))
    return parser


def _creating(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", lang: str) -> None:
    creating = _named(actions, "create", lang)
    creating.add_argument(
        "--kind", choices=["person", "service"], default="person", help=say("cli.user.kind", lang)
    )
    creating.add_argument("--display-name", help=say("cli.user.display_name", lang))
    creating.add_argument("--email", help=say("cli.user.email", lang))
    creating.add_argument("--language", choices=LANGUAGES, default=lang, help=say("cli.user.language", lang))
    creating.set_defaults(action=_create)


def _describing(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", lang: str) -> None:
    describing = _named(actions, "set", lang)
    describing.add_argument("--display-name", help=say("cli.user.display_name", lang))
    describing.add_argument("--email", help=say("cli.user.email", lang))
    describing.add_argument("--language", choices=LANGUAGES, help=say("cli.user.language", lang))
    describing.set_defaults(action=_describe)


def _inviting(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", lang: str) -> None:
    inviting = actions.add_parser("invite", help=say("cli.user.invite", lang))
    inviting.add_argument("email", help=say("cli.user.email", lang))
    words.add_role(inviting, lang)
    inviting.add_argument("--days", type=int, default=INVITED_DAYS, help=say("cli.user.days", lang))
    inviting.set_defaults(action=_invite)
    accepting = actions.add_parser("accept", help=say("cli.user.accept", lang))
    accepting.add_argument("token", help=say("cli.user.token", lang))
    accepting.add_argument("--display-name", help=say("cli.user.display_name", lang))
    accepting.add_argument("--language", choices=LANGUAGES, default=lang, help=say("cli.user.language", lang))
    accepting.set_defaults(action=_accept)


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what was asked on the running database."""
    from gis_service.cli.acting import acting

    with acting(context.running_dsn()) as database:
        args.action(args, context, database)
    return 0


def _create(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    new = accounts.NewAccount(args.name, args.kind, args.display_name, args.email, args.language)
    accounts.create(database, new)
    context.print("cli.user.created", name=new.name)


def _describe(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    accounts.describe(database, args.name, args.display_name, args.email, args.language)
    _show(args, context, database)


def _invite(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import invitations

    if not 1 <= args.days <= 365:
        raise Usage(context.say("cli.user.days_range"))
    expires = datetime.now(UTC) + timedelta(days=args.days)
    token = invitations.invite(database, args.email, args.organisation, args.role, expires, args.group)
    sys.stderr.write(context.say("cli.user.invited", email=args.email, day=f"{expires:%Y-%m-%d}") + "\n")
    sys.stdout.write(token + "\n")


def _accept(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import invitations

    name = invitations.accept(database, args.token, args.display_name, args.language)
    context.print("cli.user.accepted", name=name)


def _list(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    for each in accounts.listed(database, args.organisation):
        roles = sorted({f"{grant.role}@{grant.organisation}" for grant in each.principal.roles})
        state = context.say("cli.user.locked" if each.locked else "cli.user.open")
        fields = (each.principal.name, each.kind, each.principal.policy_class, ",".join(roles), state)
        sys.stdout.write("\t".join(fields) + "\n")


def _show(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    each = accounts.named(database, args.name)
    facts = {
        "kind": context.say(f"cli.user.kind.{each.kind}"),
        "display_name": each.display_name or "",
        "email": each.email or "",
        "language": each.language,
        "sees": each.principal.policy_class,
        "state": context.say("cli.user.locked" if each.locked else "cli.user.open"),
    }
    sys.stdout.write(f"{each.principal.name}\n")
    for name, value in facts.items():
        sys.stdout.write(f"  {context.say(f'cli.user.fact.{name}')}: {value}\n")
    for held in accounts.memberships(database, args.name):
        sys.stdout.write("  " + _membership(held, context) + "\n")


def _membership(held: "accounts.Membership", context: Context) -> str:
    role = f"{held.role} ({held.group})" if held.group else held.role
    since, until = f"{held.since:%Y-%m-%d}", f"{held.until:%Y-%m-%d}" if held.until else ""
    key = "cli.user.membership_until" if held.until else "cli.user.membership"
    return context.say(
        key, role=role, organisation=held.organisation, since=since, until=until, by=held.granted_by
    )


def _grant(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    accounts.grant(database, args.name, args.organisation, args.role, args.group, args.until)
    sees = accounts.named(database, args.name).principal.policy_class
    context.print(
        "cli.user.granted", name=args.name, role=args.role, organisation=args.organisation, sees=sees
    )


def _revoke(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    accounts.revoke(database, args.name, args.organisation, args.role, args.group)
    sees = accounts.named(database, args.name).principal.policy_class
    context.print(
        "cli.user.revoked", name=args.name, role=args.role, organisation=args.organisation, sees=sees
    )


def _lock(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    accounts.lock(database, args.name)
    context.print("cli.user.is_locked", name=args.name)


def _unlock(args: argparse.Namespace, context: Context, database: "SyncDatabase") -> None:
    from gis_service.access import accounts

    accounts.unlock(database, args.name)
    context.print("cli.user.is_unlocked", name=args.name)
