"""Words of the command line that several commands read alike."""

import argparse
from datetime import UTC, datetime

from gis_service.access.principal import ROLES
from gis_service.texts import say


def moment(text: str) -> datetime:
    """A day or a moment as ISO 8601 writes it, in UTC where it names no zone; a day begins at midnight."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def add_role(parser: argparse.ArgumentParser, lang: str) -> None:
    """Take a role in an organisation, with a steward's group."""
    parser.add_argument(
        "--organisation", "--org", metavar="CODE", required=True, help=say("cli.user.organisation", lang)
    )
    parser.add_argument("--role", choices=ROLES, required=True, help=say("cli.user.role", lang))
    parser.add_argument("--group", help=say("cli.user.group", lang))
