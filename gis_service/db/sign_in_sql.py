"""Sign-ins that are under way at the issuer: begun by one worker, taken once by any."""

from __future__ import annotations

from typing import Final

from gis_service.db.query import Query

MINUTES: Final = 10  # for passwords, second factors, forgotten telephones

_BEGIN = f"""
    with over as (delete from gis.sign_in where expires_at < clock_timestamp())
    insert into gis.sign_in (state, browser, issuer, nonce, verifier, redirect, next, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + interval '{MINUTES} minutes')
    returning state
"""
_TAKE = """
    with taken as (
      delete from gis.sign_in where state = $1 returning browser, nonce, verifier, redirect, next, expires_at)
    select browser, nonce, verifier, redirect, next from taken where expires_at > clock_timestamp()
"""


def begin(
    *, state: bytes, browser: bytes, issuer: str, nonce: str, verifier: str, redirect: str, onward: str
) -> Query:
    """Keep what the browser's return will be held against."""
    return Query(_BEGIN, (state, browser, issuer, nonce, verifier, redirect, onward))


def take(state: bytes) -> Query:
    """Take the sign-in of that state away: browser, nonce, verifier, redirect, next."""
    return Query(_TAKE, (state,))
