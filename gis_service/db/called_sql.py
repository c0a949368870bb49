"""What people call those that rows, roles and proposals know by a code or a name."""

from __future__ import annotations

from collections.abc import Collection

from gis_service.db.query import Query

_CALLED = """
    select 'organisation', code, name, coalesce(name_en, name) from gis.organisation
     where code = any($1::text[])
    union all
    (select distinct on (code) 'province', code, name, coalesce(name_en, name) from gis.admin_unit
      where level = 'province' and code = any($1::text[])
      order by code, valid_to desc nulls first)
    union all
    select 'person', name, display_name, display_name from gis.principal
     where name = any($2::text[]) and display_name is not null
"""


def called(codes: Collection[str], people: Collection[str]) -> Query:
    """Rows (kind, code, Vietnamese name, English name) of organisations, provinces and people with a name."""
    return Query(_CALLED, (sorted(codes), sorted(people)))
