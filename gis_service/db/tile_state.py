"""Whether derived tiles lag behind their rows."""

from __future__ import annotations

from collections.abc import Collection

from gis_service.db.query import Query

_LAGS = """
select exists (
  select from gis_tiles.surface s
   where ($1::text[] is null or s.table_name = any($1::text[]))
     and (not s.ready or exists (select from gis_tiles.dirty d where d.table_name = s.table_name)))
"""


def lags(tables: Collection[str] | None) -> Query:
    """One row, one truth: whether rows of one of these tables, or of any, wait to be derived."""
    return Query(_LAGS, (None if tables is None else sorted(tables),))
