"""Invitations: a token, shown once, that opens one membership for the owner of an address."""

from __future__ import annotations

from datetime import datetime

from gis_service.access import keys
from gis_service.access.accounts import Language, plain
from gis_service.access.principal import Role
from gis_service.access.rules import change
from gis_service.db.sync import SyncDatabase
from gis_service.errors import RuleBroken
from gis_service.texts import say

PREFIX = "gisinv_"

_INVITE = """
    insert into gis.invitation (sha256, email, organisation_id, role, species_group, expires_at)
    values ($1, $2, gis.organisation_id($3), $4, $5, $6) returning invitation_id
"""
_INVITED = """
    select coalesce(p.name, lower(i.email))
      from gis.invitation i left join gis.principal p on lower(p.email) = lower(i.email)
     where i.sha256 = $1 and i.accepted_at is null and i.expires_at > clock_timestamp()
"""


def invite(
    database: SyncDatabase,
    email: str,
    organisation: str,
    role: Role,
    expires: datetime,
    group: str | None = None,
) -> str:
    """The token to hand over; only its hash is kept."""
    token = keys.new_secret(PREFIX)
    change(database, _INVITE, keys.hashed(token), plain(email), organisation, role, group, expires)
    return token


def accept(
    database: SyncDatabase, token: str, display_name: str | None = None, language: Language = "vi"
) -> str:
    """The name of the account that now holds the role; RuleBroken where the token opens nothing."""
    name = plain(display_name) if display_name else None
    values = (keys.hashed(token.strip()), name, language)
    return str(change(database, "select gis.accept_invitation($1, $2, $3)", *values)[0][0])


def invited(database: SyncDatabase, token: str) -> str:
    """The name of the account that would accept, made or not: whom the log names; RuleBroken as accept."""
    rows = change(database, _INVITED, keys.hashed(token.strip()))
    if not rows:
        raise RuleBroken(say("rule.invitation_open", "en"), key="rule.invitation_open")
    return str(rows[0][0])
