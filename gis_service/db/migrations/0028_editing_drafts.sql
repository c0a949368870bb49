-- Edits of single features through the API: they collect in a draft of the author's, one a layer and organisation.

-- How a proposal came: `file`; `features`, edit by edit through OGC API Features; `direct`, one edit that stood at once.
alter table gis.proposal add column channel text not null default 'file' check (channel in ('file', 'features', 'direct'));
create unique index proposal_editing_draft on gis.proposal (layer, author, organisation_id) nulls not distinct
  where channel = 'features' and state = 'draft';

-- A proposal that comes back from review while its author has begun another draft is no longer the one that edits go to.
create function gis.keep_one_editing_draft() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if exists (select from gis.proposal p
              where p.channel = 'features' and p.state = 'draft' and p.proposal_id <> new.proposal_id
                and p.layer = new.layer and p.author = new.author
                and p.organisation_id is not distinct from new.organisation_id) then
    new.channel := 'file';
  end if;
  return new;
end $$;
create trigger one_editing_draft before update of state on gis.proposal for each row
  when (new.channel = 'features' and new.state = 'draft' and old.state <> 'draft')
  execute function gis.keep_one_editing_draft();

-- Takes out of one change of a draft what it doesn't change, as gis.trim_changes does for all; false where nothing is
-- left, and then the change is gone. A geometry that was given in a system of metres is equal to the row's if it is
-- there to the millimetre, which is how the row is given out.
create function gis.trim_change(p_proposal bigint, p_number int) returns boolean
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  name text := (select table_name from gis.proposal where proposal_id = p_proposal);
  equal text;
  left_over boolean;
begin
  select string_agg(format('case when r.%1$I is not distinct from o.%1$I then %1$L end', key), ', ')
    into equal
    from (select jsonb_object_keys(c."values") as key from gis.proposed_change c
           where c.proposal_id = p_proposal and c.number = p_number) k
   where key = any (gis.proposable_columns(name));
  execute format($sql$
    with trimmed as (
      select me."values" - array_remove(array[%s]::text[], null) as "values",
             case when me.geom is distinct from o.geom and
                       ST_AsGeoJSON(ST_Normalize(me.geom), 7) is distinct from ST_AsGeoJSON(ST_Normalize(o.geom), 7)
                  then me.geom end as geom
        from gis.proposed_change me
        join gis.%I o on o.gid = me.gid
        cross join lateral jsonb_populate_record(o, me."values") r
       where me.proposal_id = $1 and me.number = $2)
    update gis.proposed_change c
       set "values" = t."values", geom = t.geom,
           geom_original = case when t.geom is not null then c.geom_original end,
           srid_original = case when t.geom is not null then c.srid_original end,
           datum_operation = case when t.geom is not null then c.datum_operation end
      from trimmed t
     where c.proposal_id = $1 and c.number = $2
    returning c."values" <> '{}' or c.geom is not null
  $sql$, coalesce(equal, ''), name) into left_over using p_proposal, p_number;
  if not left_over then
    delete from gis.proposed_change c where c.proposal_id = p_proposal and c.number = p_number;
  end if;
  return coalesce(left_over, false);
end $$;

-- The rules of a feature table that a row would break, new or as the change of a row that stands: each by its name,
-- with the columns that it looks at. The table's own rules, so that a draft is refused what publishing would refuse.
create function gis.broken_rules(p_table text, p_gid bigint, p_values jsonb, p_geom public.geometry)
returns table (rule text, columns text[])
language plpgsql stable set search_path = gis, public, pg_temp as $$
declare
  relation regclass := format('gis.%I', p_table)::regclass;
  rules text;
  row_now text;
begin
  select string_agg(format('(%L, %L::text[], (%s) is false)', name, named, test), ', ' order by name) into rules
    from (
      select c.conname::text as name, pg_get_expr(c.conbin, c.conrelid) as test,
             array(select a.attname::text from pg_attribute a
                    where a.attrelid = relation and a.attnum = any (c.conkey) order by a.attnum) as named
        from pg_constraint c where c.conrelid = relation and c.contype = 'c'
      union all
      select format('%s_not_null', a.attname), format('%I is not null', a.attname), array[a.attname::text]
        from pg_attribute a
       where a.attrelid = relation and a.attnotnull and a.attname = any (gis.proposable_columns(p_table))) r;
  if p_gid is not null then
    row_now := format('select b from gis.%I b where b.gid = $1', p_table);
  else
    select format('select b from jsonb_populate_record(null::gis.%I, jsonb_build_object(%s)) b', p_table,
                  coalesce(string_agg(format('%L, %s', a.attname, pg_get_expr(d.adbin, d.adrelid)), ', '), ''))
      into row_now
      from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = relation and a.attgenerated = '' and a.attname = any (gis.proposable_columns(p_table));
  end if;
  return query execute format($sql$
    select x.rule, x.columns
      from (%1$s) o (b)
      cross join lateral jsonb_populate_record(
        o.b, $2 || case when $3 is null then '{}' else jsonb_build_object('geom', $3::text) end) t
      cross join lateral (values %2$s) x (rule, columns, broken)
     where x.broken
  $sql$, row_now, rules) using p_gid, p_values, p_geom;
end $$;

revoke execute on function
  gis.keep_one_editing_draft(), gis.trim_change(bigint, int), gis.broken_rules(text, bigint, jsonb, public.geometry)
  from public;
