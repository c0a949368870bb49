-- What is done with proposals and releases is in the log; and a file that turns a ring round changes nothing.

select gis.audit_table('gis.proposal', 'proposal', 'proposal_id',
                       'layer organisation_id author title state base_release release revision');
select gis.audit_table('gis.release_manifest', 'release', 'release',
                       'table_name inserted changed withdrawn checksum undoes');

-- As before, but for rings that begin at another corner or run the other way round, as GeoJSON wants them.
create or replace function gis.trim_changes(p_proposal bigint) returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  name text := (select table_name from gis.proposal where proposal_id = p_proposal);
  equal text;
begin
  select string_agg(format('case when r.%1$I is not distinct from o.%1$I then %1$L end', key), ', ')
    into equal
    from (select distinct jsonb_object_keys(c."values") as key
            from gis.proposed_change c where c.proposal_id = p_proposal) k
   where key = any (gis.proposable_columns(name));
  -- Materialised, so that each change is found by its key: without statistics of a draft that was just written a join
  -- of all its changes with all its changes looks cheap.
  execute format($sql$
    with trimmed as materialized (
      select me.proposal_id, me.number,
             me."values" - array_remove(array[%s]::text[], null) as "values",
             case when me.geom is distinct from o.geom and
                       ST_AsGeoJSON(ST_Normalize(me.geom), 7) is distinct from ST_AsGeoJSON(ST_Normalize(o.geom), 7) then me.geom end as geom
        from gis.proposed_change me
        join gis.%I o on o.gid = me.gid
        cross join lateral jsonb_populate_record(o, me."values") r
       where me.proposal_id = $1 and me.operation = 'update')
    update gis.proposed_change c set "values" = t."values", geom = t.geom
      from trimmed t
     where c.proposal_id = t.proposal_id and c.number = t.number
       and (c."values" <> t."values" or (c.geom is not null and t.geom is null))
  $sql$, coalesce(equal, ''), name) using p_proposal;
  delete from gis.proposed_change c
   where c.proposal_id = p_proposal and c.operation = 'update' and c."values" = '{}' and c.geom is null;
  return (select count(*) from gis.proposed_change c where c.proposal_id = p_proposal);
end $$;
