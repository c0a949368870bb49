"""The rows that somebody wants to change, as that reader sees them."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.query import Binds, Query, ident

_KINDS = """
    select a.attname, t.typname, a.attnotnull,
           case when t.typname in ('varchar', 'bpchar') then nullif(a.atttypmod, -1) - 4 end
      from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
"""


def places_only(codes: str) -> str:
    """The codes of provinces and sites, as SQL: a species group is nobody's place (gis.only_places)."""
    return f"array(select c from unnest({codes}) c where not starts_with(c, 'G-') order by c)"


def standing(view: ViewedLayer, ids: Sequence[str]) -> Query:
    """Id as text, key, revision and places of the rows of those ids that the reader sees."""
    binds = Binds()
    relation, conditions = rows.relation(view, binds), rows.visible(view, binds)
    integer = view.layer.id_type == "integer"
    # Digits beyond 64 bits are no key of ours, and PostgreSQL would refuse them.
    wanted = [int(each) for each in ids if each.isdecimal() and len(each) < 19] if integer else list(ids)
    identity = f"t.{ident(view.id_column)}"
    conditions.append(f"{identity} = any({binds.add(wanted)}::{'bigint' if integer else 'text'}[])")
    sql = (
        f"select {identity}::text, t.{ident(view.key)}, t.rev, {places_only('t.jurisdiction')}"
        f" from {relation} where {' and '.join(conditions)}"
    )
    return Query(sql, tuple(binds.values), view.role)


def kinds(table: str) -> Query:
    """Of each column: name, type, whether it is never null, most characters where the type says so."""
    return Query(_KINDS, (table,))
