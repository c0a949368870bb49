"""Proposals as their readers may see them: lists of heads, and the changes of one a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.db.query import Query, ident, literal

# In the order of changes.values.Proposal.
HEAD = """
    select p.proposal_id, p.layer, p.author, p.title, p.state, o.code, o.tier, p.note, p.base_release,
           p.release, p.revision, p.created_at, p.changed_at,
           (select count(*)::int from gis.proposed_change c where c.proposal_id = p.proposal_id)
      from gis.proposal p left join gis.organisation o using (organisation_id)
"""
# A draft that was never submitted is its organisation's own affair. `places_of` is asked last: it costs most.
_READABLE = """
    (p.author = $1 or o.code = any ($2::text[])
     or (exists (select from gis.proposal_event e where e.proposal_id = p.proposal_id and e.action = 'submit')
         and ($3::boolean or (cardinality($4::text[]) > 0 and exists (
               select from gis.places_of(p.proposal_id) place where place && $4::text[])))))
"""
_CHANGE = """
    select c.number, c.operation, c.gid, b.{identity}::text, c."values"::text, {before},
           c.operation = 'update' and c.geom is not null, c.decision, c.reason,
           coalesce(c.verdict, '[]')::text,
           coalesce(gis.only_places(coalesce(t.jurisdiction, b.jurisdiction)), '{{}}'),
           case when c.geom is null then '{{}}' else gis.jurisdictions_of(c.geom) end,
           ST_AsBinary(b.{geometry}), ST_AsBinary(c.geom)
      from gis.proposed_change c
      left join {table} t on t.gid = c.gid
      left join lateral (
        select {columns} from {table} s where s.gid = c.gid and s.rev = c.base_rev
        union all
        select {columns} from {history} s where s.gid = c.gid and s.rev = c.base_rev) b on true
     where c.proposal_id = $1
     order by (c.verdict @? '$[*] ? (@.level == "fault")') is true desc, c.number
    offset $2 limit $3
"""
_FINDINGS = """
    select f ->> 'level', count(*)::int, count(distinct number)::int
      from gis.proposed_change c cross join lateral jsonb_array_elements(c.verdict) f
     where c.proposal_id = $1 group by 1
"""
COMMENT = """
    insert into gis.proposal_event (proposal_id, who, role, action, from_state, to_state, comment)
    select proposal_id, $2, $3, 'comment', state, state, $4 from gis.proposal where proposal_id = $1
    returning event_id
"""
# What others did with somebody's proposals, the newest first.
DONE_BY_OTHERS = """
    select e.event_id, p.proposal_id, p.title, e.action, e.comment, e.at
      from gis.proposal p join gis.proposal_event e using (proposal_id)
     where p.author = $1 and e.who <> $1
       and e.action in ('accept', 'approve', 'publish', 'return', 'reject', 'comment', 'refuse', 'rollback')
     order by e.event_id desc limit $2
"""
# The words of the last step where it was a return.
RETURNED = """
    select p.proposal_id, e.comment
      from gis.proposal p
     cross join lateral (
       select action, coalesce(comment, '') as comment from gis.proposal_event e
        where e.proposal_id = p.proposal_id and e.action <> 'comment' order by event_id desc limit 1) e
     where p.proposal_id = any ($1::bigint[]) and p.state = 'draft' and e.action = 'return'
"""


@dataclass(frozen=True)
class Reach:
    """Whose proposals somebody reads: its own, its organisations', as reviewer all or those of its places."""

    name: str
    organisations: tuple[str, ...] = ()
    all: bool = False
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """Which proposals of those: states, a layer, an author; those before a number, newest first."""

    states: tuple[str, ...] = ()
    layer: str | None = None
    author: str | None = None
    before: int | None = None
    limit: int = 20


def listed(reach: Reach, wanted: Wanted) -> Query:
    """The heads that a reader may see, the newest first."""
    sql = (
        f"{HEAD} where {_READABLE}"
        " and (cardinality($5::text[]) = 0 or p.state = any ($5::text[]))"
        " and ($6::text is null or p.layer = $6) and ($7::text is null or p.author = $7)"
        " and ($8::bigint is null or p.proposal_id < $8) order by p.proposal_id desc limit $9"
    )
    mine = (reach.name, list(reach.organisations), reach.all, list(reach.codes))
    asked = (list(wanted.states), wanted.layer, wanted.author, wanted.before, wanted.limit)
    return Query(sql, (*mine, *asked))


def changes(view: ViewedLayer, number: int, offset: int, limit: int, columns: Sequence[str]) -> Query:
    """A page of changes, those with faults first, each with its row as it stood when it was proposed.

    Number, operation, gid, id, values, the row's values of `columns` (both as JSON), whether it is drawn
    anew, decision, reason, verdict, jurisdictions of the row and of what is drawn, both geometries as WKB.
    """
    layer = view.layer
    schema, table = layer.schema_name, layer.table_name
    read = sorted({*columns, view.id_column, layer.geometry.column, "jurisdiction"})
    sql = _CHANGE.format(
        identity=ident(view.id_column),
        before=f"jsonb_build_object({', '.join(f'{literal(c)}, b.{ident(c)}' for c in columns)})::text",
        columns=", ".join(f"s.{ident(c)}" for c in read),
        geometry=ident(layer.geometry.column),
        table=ident(schema, table),
        history=ident(schema + "_history", table),
    )
    return Query(sql, (number, offset, limit), timeout_ms=60_000)


def findings(number: int) -> Query:
    """How many findings of each level there are, and in how many changes."""
    return Query(_FINDINGS, (number,), timeout_ms=60_000)
