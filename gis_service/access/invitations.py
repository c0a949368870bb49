"""Invitations: a token, shown once, that opens one membership for the owner of an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gis_service.access import keys
from gis_service.access.accounts import Language, plain
from gis_service.access.principal import Role
from gis_service.access.rules import change, hold
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound, RuleBroken
from gis_service.texts import say

PREFIX = "gisinv_"

_INVITE = """
    insert into gis.invitation (sha256, email, organisation_id, role, species_group, expires_at)
    values ($1, $2, gis.organisation_id($3), $4, $5, $6) returning invitation_id
"""
_INVITED = """
    select lower(i.email), p.principal_id is not null
      from gis.invitation i left join gis.principal p on lower(p.email) = lower(i.email)
     where i.sha256 = $1 and i.accepted_at is null and i.expires_at > clock_timestamp()
"""
_LIST = """
    select i.invitation_id, i.email, o.code, i.role, i.species_group, i.invited_by, i.created_at,
           i.expires_at, i.accepted_at, p.name
      from gis.invitation i
      join gis.organisation o using (organisation_id)
      left join gis.principal p on p.principal_id = i.accepted_by
     where ($1::text[] is null or o.code = any ($1))
       and ($2::bigint is null or i.invitation_id < $2)
       and (not $3 or (i.accepted_at is null and i.expires_at > clock_timestamp()))
     order by i.invitation_id desc limit $4
"""
_WITHDRAW = """
    update gis.invitation i set expires_at = clock_timestamp()
      from gis.organisation o
     where o.organisation_id = i.organisation_id and i.invitation_id = $1
       and ($2::text[] is null or o.code = any ($2))
       and i.accepted_at is null and i.expires_at > clock_timestamp()
    returning i.invitation_id
"""


@dataclass(frozen=True)
class Invitation:
    """An invitation as those who invite see it: never its token."""

    number: int
    email: str
    organisation: str
    role: Role
    group: str | None
    invited_by: str
    created: datetime
    expires: datetime
    accepted: datetime | None
    account: str | None  # that accepted it


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
    """The name of the account that accepting will make: whom the log names; RuleBroken as accept.

    RuleBroken too where the address has an account: its owner accepts while signed in. Whoever invites holds
    the token, and mustn't come by it into the account of anybody whose address he knows.
    """
    hold(database)
    rows = change(database, _INVITED, keys.hashed(token.strip()))
    rule = "invitation_open" if not rows else "invitation_known" if rows[0][1] else None
    if rule:
        raise RuleBroken(say(f"rule.{rule}", "en"), key=f"rule.{rule}", constraint=rule)
    return str(rows[0][0])


def listed(
    database: SyncDatabase,
    organisations: Sequence[str] | None,
    before: int | None = None,
    limit: int = 50,
    only_open: bool = False,
) -> list[Invitation]:
    """Invitations into these organisations, or into all, the newest first, from below a number on."""
    codes = None if organisations is None else list(organisations)
    return [Invitation(*row) for row in database.run(Query(_LIST, (codes, before, only_open, limit)))]


def withdraw(database: SyncDatabase, number: int, organisations: Sequence[str] | None) -> None:
    """Close an open invitation into one of these organisations; NotFound where there is none."""
    codes = None if organisations is None else list(organisations)
    if not change(database, _WITHDRAW, number, codes):
        raise NotFound(f"open invitation {number}")
