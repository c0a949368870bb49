-- An author's editing drafts laid over the rows: what publishing would make of them, for nobody else. The roles of the
-- classes may ask, but a draft comes out only to who holds its key, and the service alone gives that to its author.

alter table gis.proposal add column draft_key uuid not null default gen_random_uuid();
create index proposal_draft_key on gis.proposal (draft_key) where channel = 'features' and state = 'draft';

-- The changes of these drafts to a table: of two to one row the one of the draft that was begun first.
create function gis.drafted_changes(p_table text, p_keys uuid[])
returns table (proposal_id bigint, number int, operation text, gid bigint, source_id text, dataset_id int,
               "values" jsonb, geom public.geometry, geom_original bytea, srid_original int, datum_operation text)
language sql stable set search_path = gis, public, pg_temp as $$
  select distinct on (coalesce(c.gid, 0), case when c.gid is null then c.proposal_id end,
                      case when c.gid is null then c.number end)
         c.proposal_id, c.number, c.operation, c.gid, c.source_id, p.dataset_id,
         c."values", c.geom, c.geom_original, c.srid_original, c.datum_operation
    from gis.proposal p join gis.proposed_change c using (proposal_id)
   where p.draft_key = any (p_keys) and p.channel = 'features' and p.state = 'draft' and p.table_name = p_table
   order by coalesce(c.gid, 0), case when c.gid is null then c.proposal_id end,
            case when c.gid is null then c.number end, c.proposal_id
$$;

-- The rows that standing ones give way to.
create function gis.drafted_gids(p_table text, p_keys uuid[]) returns setof bigint
language sql stable security definer rows 20 set search_path = gis, public, pg_temp as $$
  select c.gid
    from gis.proposal p join gis.proposed_change c using (proposal_id)
   where p.draft_key = any (p_keys) and p.channel = 'features' and p.state = 'draft' and p.table_name = p_table
     and c.gid is not null
$$;

-- A column of a row as it would be: a new row has the table's default where its change names none.
create function gis.drafted_column(p_table text, p_column text) returns text
language plpgsql stable set search_path = gis, public, pg_temp as $$
declare
  made record;
begin
  select a.attnotnull, pg_get_expr(d.adbin, d.adrelid) as preset into made
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = format('gis.%I', p_table)::regclass and a.attname = p_column;
  return case p_column
    when 'gid' then 'coalesce(c.gid, c.number - c.proposal_id * 2147483648)'
    when 'public_id' then 'coalesce(o.public_id, draft_id)'
    when 'source_id' then 'coalesce(o.source_id, c.source_id)'
    when 'dataset_id' then 'coalesce(o.dataset_id, c.dataset_id)'
    when 'rev' then 'coalesce(o.rev, 1)'
    when 'release_from' then 'coalesce(o.release_from, 0)'
    when 'basis' then 'coalesce(o.basis, d.basis)'
    when 'restricted' then 'coalesce(o.restricted, not d.redistribution, true)'
    when 'geom' then 'coalesce(c.geom, o.geom)'
    when 'jurisdiction' then format('case when c.geom is null then o.jurisdiction else %s end',
      case p_table when 'admin_unit' then 'gis.admin_jurisdictions(r.level, r.code, r.parent_code, c.geom)'
                   else 'gis.jurisdictions_of(c.geom)' end)
    else case
      when p_column in ('geom_original', 'srid_original', 'datum_operation')
        then format('case when c.geom is null then o.%1$I else c.%1$I end', p_column)
      when p_column = any (gis.proposable_columns(p_table)) and made.preset is not null
        then format('case when c.operation = ''insert'' and r.%1$I is null%2$s then %3$s else r.%1$I end', p_column,
                    case when made.attnotnull then '' else format(' and not c."values" ? %L', p_column) end, made.preset)
      when p_column = any (gis.proposable_columns(p_table)) then format('r.%I', p_column)
      else format('o.%I', p_column) end
    end;
end $$;

-- (Re)defines gis.draft_rows_<table>(keys): the table's columns with what the triggers and generated columns would fill
-- in, the id of a new row, and the proposal. A column that the asking role may not read of the table is null here too.
create function gis.define_draft_rows(p_table text) returns void
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  relation regclass := format('gis.%I', p_table)::regclass;
  named text;
  types text;
  merged text;
  derived text;
  shown text;
begin
  select string_agg(format('%I %s', a.attname, format_type(a.atttypid, null)), ', ' order by a.attnum),
         string_agg(quote_ident(a.attname), ', ' order by a.attnum)
           filter (where a.attgenerated = '' and a.attname <> 'sensitivity'),
         string_agg(format('%s as %I', gis.drafted_column(p_table, a.attname), a.attname), ', ' order by a.attnum)
           filter (where a.attgenerated = '' and a.attname <> 'sensitivity'),
         string_agg(format(', %s as %I', pg_get_expr(d.adbin, d.adrelid), a.attname), '' order by a.attnum)
           filter (where a.attgenerated <> ''),
         string_agg(format('case when %L = any (p_seen) then made.%I end', a.attname, a.attname), ', ' order by a.attnum)
    into types, named, merged, derived, shown
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
  if exists (select from pg_attribute where attrelid = relation and attname = 'sensitivity' and not attisdropped) then
    named := named || format(
      ', case when exists (select from gis.sensitive_name) then gis.sensitivity_of(taxon_id, %I, jurisdiction)
         else 0::smallint end as sensitivity',
      case p_table when 'species_range' then 'sci_name' else 'scientific_name' end);
  end if;
  execute format('drop function if exists gis.%I(uuid[])', 'draft_rows_' || p_table);
  execute format($sql$
    create function gis.%1$I(p_keys uuid[]) returns table (%2$s, draft_id text, draft_proposal bigint)
    language plpgsql stable security definer rows 20 set search_path = gis, public, pg_temp as $f$
    #variable_conflict use_column
    declare
      p_seen text[] := array(
        select a.attname from pg_attribute a
         where a.attrelid = %3$L::regclass and a.attnum > 0 and not a.attisdropped
           and has_column_privilege(coalesce(nullif(current_setting('role'), 'none'), session_user::text),
                                    a.attrelid, a.attnum, 'select'));
    begin
      return query
        select %4$s, made.draft_id, made.draft_proposal
          from (select stamped.*%5$s
                  from (select %6$s, draft_id, draft_proposal
                          from (select %7$s, case c.operation when 'insert' then draft_id end as draft_id,
                                       c.proposal_id as draft_proposal
                                  from gis.drafted_changes(%8$L, p_keys) c
                                  left join gis.%9$I o on o.gid = c.gid
                                  left join gis.dataset d on d.dataset_id = c.dataset_id
                                  cross join lateral jsonb_populate_record(o, c."values") r
                                  cross join lateral format('draft-%%s-%%s', c.proposal_id, c.number) draft_id
                                 where c.operation = 'insert' or (c.operation = 'update' and o.gid is not null)) merged
                       ) stamped) made;
    end $f$ $sql$, 'draft_rows_' || p_table, types, relation, shown, coalesce(derived, ''), named, merged, p_table, p_table);
  execute format('revoke execute on function gis.%I(uuid[]) from public', 'draft_rows_' || p_table);
  execute format('grant execute on function gis.%I(uuid[]) to gis_public, gis_jurisdiction, gis_full', 'draft_rows_' || p_table);
end $$;

-- As in 0004; what derives from a table's columns is made anew with them.
create or replace function gis.define_as_of(p_table text) returns void
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  columns text := (
    select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
     where attrelid = format('gis.%I', p_table)::regclass and attnum > 0 and not attisdropped);
begin
  execute format($sql$
    create or replace function gis.%1$I(release int) returns setof gis.%2$I
    language sql stable as $f$
      select %3$s from gis.%2$I where release_from <= release
      union all
      select %3$s from gis_history.%2$I where release_from <= release and release_to > release
    $f$ $sql$, p_table || '_as_of', p_table, columns);
  perform gis.define_draft_rows(p_table);
end $$;
select gis.define_draft_rows(table_name) from gis.feature_table order by table_name;

revoke execute on function
  gis.drafted_changes(text, uuid[]), gis.drafted_gids(text, uuid[]), gis.drafted_column(text, text),
  gis.define_draft_rows(text) from public;
grant execute on function gis.drafted_gids(text, uuid[]) to gis_public, gis_jurisdiction, gis_full;
