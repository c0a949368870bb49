"""Accounts of persons whom an issuer of OpenID Connect vouches for."""

from __future__ import annotations

from dataclasses import dataclass

from gis_service.access import accounts
from gis_service.access.accounts import Language, NewAccount, plain
from gis_service.access.rules import change
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Forbidden
from gis_service.texts import say

_LINKED = """
    select p.name from gis.identity i join gis.principal p using (principal_id)
     where i.issuer = $1 and i.subject = $2
"""
_OPEN = """
    select sha256 from gis.invitation
     where lower(email) = lower($1) and accepted_at is null and expires_at > clock_timestamp()
     order by invitation_id
"""
_ACCEPTED = """
    select p.name from gis.principal p
     where lower(p.email) = lower($1)
       and exists (select from gis.invitation i
                    where i.accepted_by = p.principal_id and lower(i.email) = lower($1))
"""
_LINK = """
    insert into gis.identity (issuer, subject, principal_id)
    select $1, $2, principal_id from gis.principal where name = $3 returning principal_id
"""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the issuer vouches for. `email` only if it has verified it, `name` for a new account."""

    issuer: str
    subject: str
    email: str | None
    display_name: str | None
    name: str | None


def resolve(database: SyncDatabase, who: Vouched, language: Language, register: bool) -> str:
    """The name of the person's account; Forbidden where there is none and none may be made.

    Known by its subject, else by the verified address of an invitation: the open ones are accepted. Then the
    subject is linked, and no other subject of the issuer opens that account, whatever address it has.
    """
    with database.transaction():
        linked = database.run(Query(_LINKED, (who.issuer, who.subject)))
        if linked:
            return str(linked[0][0])
        name = _invited(database, who, language)
        if name is None and register and who.name is not None:
            new = NewAccount(who.name, "person", who.display_name, who.email, language)
            accounts.create(database, new)
            name = plain(who.name)
        if name is None:
            raise Forbidden(say("sign-in.no-account", "en"), key="sign-in.no-account")
        change(database, _LINK, who.issuer, who.subject, name)
        return name


def _invited(database: SyncDatabase, who: Vouched, language: Language) -> str | None:
    if who.email is None:
        return None
    accepted = None
    for (sha256,) in database.run(Query(_OPEN, (who.email,))):
        values = (bytes(sha256), who.display_name, language)
        accepted = str(change(database, "select gis.accept_invitation($1, $2, $3)", *values)[0][0])
    if accepted is not None:
        return accepted
    known = database.run(Query(_ACCEPTED, (who.email,)))
    return str(known[0][0]) if known else None
