-- What changed on the map: boxes of rows that a statement changed, for each class that sees the change. Web workers
-- read it to throw away the tiles that show those places, and no others (gis_service/access/tile_changes.py makes the
-- triggers, gis_service/db/tile_feed.py reads).

-- A reader names the snapshot of its last reading and gets what has become visible since, whatever the order of
-- commits. The numbers of a sequence wouldn't do: who took a lower one may commit later.
create table gis_tiles.change (
  number bigint generated always as identity primary key,
  xact xid8 not null default pg_current_xact_id(),
  noted_at timestamptz not null default clock_timestamp(),
  table_name text not null,  -- with its schema
  class text not null,  -- as in gis.class_version; 'table' for layers that depend on it as a whole, '*' for all
  boxes float8[] not null  -- west, south, east, north, and so on
);
create index on gis_tiles.change (xact);

-- The newest transaction whose notes were thrown away: a reader that may have missed it keeps nothing.
create table gis_tiles.change_log (
  only_one boolean primary key default true check (only_one),
  pruned xid8 not null default '0'
);
insert into gis_tiles.change_log default values;

create function gis_tiles.tell_change() returns trigger
language plpgsql as $$
begin
  perform pg_notify('gis_tiles', '');
  return null;
end $$;
create trigger tell after insert on gis_tiles.change for each row execute function gis_tiles.tell_change();

create function gis_tiles.note_change(p_table text, p_class text, p_boxes float8[]) returns void
language sql security definer set search_path = gis_tiles, pg_temp as $$
  insert into change (table_name, class, boxes) values (p_table, p_class, p_boxes);
$$;

-- A table of which no more is known than that something of it changed.
create function gis_tiles.note_table() returns trigger
language plpgsql security definer set search_path = gis_tiles, pg_temp as $$
begin
  perform gis_tiles.note_change(tg_table_schema || '.' || tg_table_name, 'table', '{-180,-90,180,90}');
  return null;
end $$;

-- Derived shapes have other vertices than those made on the spot: a tile isn't kept from before into after.
create function gis_tiles.note_surface() returns trigger
language plpgsql security definer set search_path = gis_tiles, pg_temp as $$
begin
  perform gis_tiles.note_change('gis.' || new.table_name, '*', '{-180,-90,180,90}');
  return null;
end $$;
create trigger note after update on gis_tiles.surface
  for each row when (new.ready <> old.ready or new.definition <> old.definition) execute function gis_tiles.note_surface();

-- Notes older than that, or more than so many, go; those of transactions beside which others still run stay.
create function gis_tiles.prune_changes(p_age interval, p_most bigint) returns bigint
language sql security definer set search_path = gis_tiles, pg_temp as $$
  with gone as (
    delete from change
     where xact < pg_snapshot_xmin(pg_current_snapshot())
       and (noted_at < clock_timestamp() - p_age or number <= (select max(number) from change) - p_most)
    returning xact),
  known as (
    update change_log set pruned = greatest(pruned, (select max(xact) from gone)) where exists (select from gone))
  select count(*) from gone
$$;

revoke execute on all functions in schema gis_tiles from public;
