"""The audit log as the database keeps it: who acts, its entries, its bytes for those who verify it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import psycopg

from gis_service.db.query import Binds, Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import DatabaseDown

Fields = tuple[bytes | None, ...]
"""An entry's values as PostgreSQL sends them in binary, in the order of COLUMNS."""

# As docs/audit.md numbers them: all that a hash covers, then the hash before and the entry's own.
COLUMNS = (
    "seq, at, actor, actor_role, action, subject, old_hash, new_hash, reason, client, details::text,"
    " previous, hash"
)
_COPY = f"copy (select {COLUMNS} from gis.audit order by seq) to stdout (format binary)"
_ACT = """
    select set_config('gis.actor', $1, $5::boolean), set_config('gis.actor_role', $2, $5::boolean),
           set_config('gis.client', $3, $5::boolean), set_config('gis.reason', $4, $5::boolean)
"""
_LIST = f"""
    select {COLUMNS} from gis.audit
     where ($1::timestamptz is null or at >= $1)
       and ($2::text is null or actor = $2)
       and ($3::text is null or starts_with(subject, $3))
     order by seq
"""
HEAD = Query("select seq, hash from gis.audit order by seq desc limit 1")
_SLEEPING = Query(
    """
    select tgrelid::regclass::text, tgname::text
      from pg_trigger
     where tgenabled in ('D', 'R') and not tgisinternal
       and (tgfoid = 'gis.audit_row'::regproc
            or tgrelid in ('gis.audit'::regclass, 'gis.audit_intake'::regclass))
     order by 1, 2
    """
)


@dataclass(frozen=True)
class Actor:
    """Who acts, in which role, through which client, and why where that was said."""

    name: str
    role: str
    client: str
    reason: str = ""


def as_actor(actor: Actor, *, session: bool = False) -> Query:
    """Name who acts: for the transaction, or for all that the session does from now on."""
    return Query(_ACT, (actor.name, actor.role, actor.client, actor.reason, not session))


def entries(since: datetime | None = None, actor: str | None = None, subject: str | None = None) -> Query:
    """Entries from a moment on, of one actor, about subjects that begin so; all where nothing is named."""
    return Query(_LIST, (since, actor, subject))


def sleeping(database: SyncDatabase) -> list[tuple[str, str]]:
    """Tables and names of the log's triggers that are switched off: changes pass untold."""
    return [(table, trigger) for table, trigger in database.run(_SLEEPING)]


@contextmanager
def copied(dsn: str) -> Iterator[Iterator[Fields]]:
    """Every entry in the order of its number, as of one moment, over a connection of its own.

    One entry is in memory at a time; DatabaseDown where there is no database.
    """
    options = "-c timezone=UTC -c jit=off -c application_name=gis-audit"
    try:
        with (
            psycopg.connect(dsn, options=options, connect_timeout=5, client_encoding="UTF8") as connection,
            connection.cursor() as cursor,
            cursor.copy(_COPY.encode()) as copy,
        ):
            yield cast(Iterator[Fields], copy.rows())
    except psycopg.OperationalError as err:
        raise DatabaseDown(str(err).strip()) from err


@dataclass(frozen=True)
class Sought:
    """Which entries: from and until a moment, of an actor, an action, about subjects that begin so."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None


def page(sought: Sought, before: int | None, limit: int) -> Query:
    """Entries with numbers below `before`, the newest first, in the order of COLUMNS."""
    binds = Binds()
    asked = (
        ("at >= {}", sought.since), ("at < {}", sought.until), ("actor = {}", sought.actor),
        ("starts_with(action, {})", sought.action), ("subject like {}", _prefix(sought.subject)),
        ("seq < {}", before),
    )  # fmt: skip
    conditions = [text.format(binds.add(value)) for text, value in asked if value is not None]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    sql = f"select {COLUMNS} from gis.audit{where} order by seq desc limit {binds.add(limit)}"
    return Query(sql, tuple(binds.values))


def _prefix(subject: str | None) -> str | None:
    """A pattern of texts that begin so, which an index answers."""
    if subject is None:
        return None
    return subject.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
