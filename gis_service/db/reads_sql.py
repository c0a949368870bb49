"""Statements that count reads of exact rows of categories 1 and 2, and move the counts into the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from gis_service.db.query import Query

SEAL = Query("select gis.seal_reads()")  # minutes that are over
SEAL_ALL = Query("select gis.seal_reads(true)")


def note(reads: Sequence[Mapping[str, object]]) -> Query:
    """One row: how many of the reads are told, the others having held no such row."""
    return Query("select gis.note_reads($1::jsonb)", (orjson.dumps(reads).decode(),))
