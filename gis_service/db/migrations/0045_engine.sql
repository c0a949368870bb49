-- Which areas were written, and by which transaction, for the geoprocessing engine: it holds the areas of whole tables
-- in memory and on disk, names the snapshot that they are of, and reads here what it doesn't know of yet. One row for
-- each feature ever written, so that nothing need be thrown away; gid -1 stands for a whole table.

create schema gis_engine;

create table gis_engine.written (
  table_name text not null,
  gid bigint not null,
  xact xid8 not null default pg_current_xact_id(),
  primary key (table_name, gid)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index on gis_engine.written (table_name, xact);

create function gis_engine.mark(p_table text, p_gids bigint[]) returns void
language sql set search_path = gis_engine, pg_temp as $$
  insert into written (table_name, gid) select p_table, gid from unnest(p_gids) gid order by gid
    on conflict (table_name, gid) do update set xact = excluded.xact;
$$;

create function gis_engine.mark_inserted() returns trigger
language plpgsql security definer set search_path = gis_engine, public, pg_temp as $$
begin perform gis_engine.mark(tg_table_name, array(select gid from new_rows)); return null; end $$;

-- Attributes are read anew for every answer: a row whose shape stayed needs no mark. The trigger's argument is the
-- geometry column.
create function gis_engine.mark_updated() returns trigger
language plpgsql security definer set search_path = gis_engine, public, pg_temp as $$
declare gids bigint[];
begin
  execute format('select array_agg(n.gid) from new_rows n join old_rows o using (gid) where n.%1$I is distinct from o.%1$I',
    tg_argv[0]) into gids;
  perform gis_engine.mark(tg_table_name, gids);
  return null;
end $$;

create function gis_engine.mark_deleted() returns trigger
language plpgsql security definer set search_path = gis_engine, public, pg_temp as $$
begin perform gis_engine.mark(tg_table_name, array(select gid from old_rows)); return null; end $$;

create function gis_engine.mark_truncated() returns trigger
language plpgsql security definer set search_path = gis_engine, public, pg_temp as $$
begin perform gis_engine.mark(tg_table_name, '{-1}'); return null; end $$;

revoke execute on all functions in schema gis_engine from public;
