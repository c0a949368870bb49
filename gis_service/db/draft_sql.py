"""Statements over the drafts that edits through the API collect in, and the changes that these hold."""

from __future__ import annotations

from typing import Final

from gis_service.catalog.layer import Layer
from gis_service.db.query import Query, ident

# What tells two drafts of one row apart.
_DIGEST: Final = (
    """md5(concat_ws('|', c.proposal_id, c.number, c.operation, c."values"::text, c.geom::text))"""
)
_OPEN: Final = "p.layer = $1 and p.author = $2 and p.channel = 'features' and p.state = 'draft'"
_ON_ROW: Final = f"""
    select {_DIGEST} from gis.proposed_change c join gis.proposal p using (proposal_id)
     where {_OPEN} and c.gid = $3 order by c.proposal_id limit 1
"""
_NEW_ROW: Final = f"""
    select {_DIGEST} from gis.proposed_change c join gis.proposal p using (proposal_id)
     where {_OPEN} and c.proposal_id = $3 and c.number = $4 and c.operation = 'insert'
"""
LOCK: Final = f"select p.proposal_id from gis.proposal p where {_OPEN} order by p.proposal_id for update"
MAKE: Final = """
    with made as (
      insert into gis.proposal (layer, table_name, organisation_id, author, title, base_release, channel)
      select $1, $2, o.organisation_id, $4, $5, (select coalesce(max(release), 0) from gis.release), $6
        from gis.organisation o where o.code = $3
      on conflict (layer, author, organisation_id) where channel = 'features' and state = 'draft' do nothing
      returning proposal_id
    ), began as (
      insert into gis.proposal_event (proposal_id, who, role, action, to_state)
      select proposal_id, $4, 'editor', 'propose', 'draft' from made
    )
    select proposal_id from made
"""
THE_ONE: Final = f"""
    select p.proposal_id from gis.proposal p join gis.organisation o using (organisation_id)
     where {_OPEN} and o.code = $3 for update of p
"""
_CHANGE: Final = f"""
    select c.proposal_id, c.number, c.operation, c.gid, c.base_rev, c."values"::text, ST_AsBinary(c.geom),
           c.geom_original, c.srid_original, c.datum_operation, {_DIGEST}
      from gis.proposed_change c
"""
ON: Final = _CHANGE + " where c.proposal_id = any($1::bigint[]) and c.gid = $2 order by c.proposal_id limit 1"
AT: Final = _CHANGE + " where c.proposal_id = $1 and c.number = $2"
WRITE: Final = """
    insert into gis.proposed_change
      (proposal_id, number, operation, gid, source_id, base_rev, "values", geom, geom_original, srid_original,
       datum_operation)
    select $1::bigint, $2::int, $3::text, $4::bigint,
           case $3::text when 'insert' then format('p%s-%s', $1::bigint, $2::int) end,
           $5::int, $6::jsonb, ST_GeomFromWKB($7::bytea, 4326), $8::bytea, $9::int, $10::text
    on conflict (proposal_id, number) do update
       set operation = excluded.operation, base_rev = excluded.base_rev, "values" = excluded."values",
           geom = excluded.geom, geom_original = excluded.geom_original,
           srid_original = excluded.srid_original, datum_operation = excluded.datum_operation
    returning number
"""
NEXT: Final = "select coalesce(max(number), 0) + 1 from gis.proposed_change where proposal_id = $1"
DROP: Final = "delete from gis.proposed_change where proposal_id = $1 and number = $2 returning number"
TOUCH: Final = """
    update gis.proposal
       set revision = revision + 1, changed_at = clock_timestamp(),
           dataset_id = coalesce(dataset_id, case when $2 then gis.edits_dataset(organisation_id, $3, $4) end)
     where proposal_id = $1 returning revision
"""


def on_row(layer: str, author: str, gid: int) -> Query:
    """One row with the digest of what the author has drafted over a row that stands, or none."""
    return Query(_ON_ROW, (layer, author, gid))


def new_row(layer: str, author: str, proposal: int, number: int) -> Query:
    """One row with the digest of a new feature of the author's, or none."""
    return Query(_NEW_ROW, (layer, author, proposal, number))


def opened(layer: str, author: str) -> Query:
    """Rows (proposal, revision, key) of somebody's open editing drafts of a layer."""
    sql = f"""
        select p.proposal_id, p.revision, p.draft_key::text from gis.proposal p
         where {_OPEN} order by p.proposal_id
    """
    return Query(sql, (layer, author))


def identity(layer: Layer, proposal: int) -> Query:
    """One row with the id of the feature that a published proposal of one change is about."""
    table = ident(layer.schema_name, layer.table_name)
    sql = (
        f"select t.{ident(layer.id_column)}::text from gis.proposed_change c join {table} t using (gid)"
        " where c.proposal_id = $1"
    )
    return Query(sql, (proposal,))
