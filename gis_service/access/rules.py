"""Changes of accounts and organisations as the database takes or refuses them.

Its rules hold for every writer, so they stand there alone; a refusal carries the key of its sentence.
"""

from __future__ import annotations

from gis_service.db.pool import Row
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import RuleBroken
from gis_service.texts import catalogue, say

_HOLD = "select pg_advisory_xact_lock(hashtextextended('gis.accounts', 0))"


def change(database: SyncDatabase, sql: str, *values: object) -> list[Row]:
    """The rows of a statement; RuleBroken in the reader's words where a rule of the tables forbids it."""
    try:
        return database.run(Query(sql, values))
    except RuleBroken as err:
        key = f"rule.{err.values['constraint']}"
        if key not in catalogue():
            raise
        raise RuleBroken(say(key, "en"), key=key, constraint=err.values["constraint"]) from err


def hold(database: SyncDatabase) -> None:
    """Wait for all other changes of accounts, so that what is read from here on holds until the commit."""
    database.run(Query(_HOLD))
