-- Derived tile tables: which geometries of which tables are generalised beforehand, and which rows must be so anew.
-- The tables themselves are made from the layers (gis_service/db/tile_tables.py).

create schema gis_tiles;

-- A geometry column of a table. While `ready` is false, its tiles are made from the table itself; statements ask in
-- their own snapshot, so that no tile mixes the two.
create table gis_tiles.surface (
  surface text primary key,  -- table.column
  table_name text not null,
  definition text not null,
  ready boolean not null default false,
  built_at timestamptz
);
create index on gis_tiles.surface (table_name);

-- Rows that were written since they were last derived: tiles take them from the table itself.
create sequence gis_tiles.mark;
create table gis_tiles.dirty (
  table_name text not null,
  gid bigint not null,
  mark bigint not null default nextval('gis_tiles.mark'),
  primary key (table_name, gid)
) with (autovacuum_vacuum_scale_factor = 0.05);

-- Portions of a build, in the order of places: what is done is known after a crash.
create table gis_tiles.portion (
  surface text not null references gis_tiles.surface on delete cascade,
  number int not null,
  gids bigint[] not null,
  done boolean not null default false,
  primary key (surface, number)
);

-- More rows than this in one statement: all is derived anew, which is quicker than row by row.
create function gis_tiles.many() returns bigint language sql immutable parallel safe return 50000;

create function gis_tiles.mark_rows(p_table text, p_gids bigint[]) returns void
language plpgsql set search_path = gis_tiles, pg_temp as $$
begin
  if not exists (select from surface s where s.table_name = p_table and s.ready
                 union all select from portion p join surface s using (surface) where s.table_name = p_table) then
    return;  -- nothing is derived yet
  end if;
  if cardinality(p_gids) > gis_tiles.many() then
    perform gis_tiles.forget(p_table);
  else
    insert into dirty (table_name, gid) select p_table, gid from unnest(p_gids) gid group by gid order by gid
      on conflict (table_name, gid) do update set mark = nextval('gis_tiles.mark');
  end if;
end $$;

-- What was derived of a table counts no longer, a build under way begins anew.
create function gis_tiles.forget(p_table text) returns void
language sql set search_path = gis_tiles, pg_temp as $$
  update surface set ready = false, built_at = null where table_name = p_table;
  delete from portion p using surface s where p.surface = s.surface and s.table_name = p_table;
$$;

create function gis_tiles.mark_inserted() returns trigger
language plpgsql security definer set search_path = gis_tiles, pg_temp as $$
begin perform gis_tiles.mark_rows(tg_table_name, array(select gid from new_rows)); return null; end $$;
create function gis_tiles.mark_updated() returns trigger
language plpgsql security definer set search_path = gis_tiles, pg_temp as $$
begin perform gis_tiles.mark_rows(tg_table_name, array(select gid from new_rows)); return null; end $$;
create function gis_tiles.mark_deleted() returns trigger
language plpgsql security definer set search_path = gis_tiles, pg_temp as $$
begin perform gis_tiles.mark_rows(tg_table_name, array(select gid from old_rows)); return null; end $$;

-- A geometry of Web Mercator on the integer grid of a zoom (4096 units a tile, y downwards), valid and clockwise, cut
-- at the tiles of a coarser zoom `p_cells` with a margin, so that no tile clips more than its neighbourhood. Snapping
-- leaves nearly all polygons valid, and to look is ten times cheaper than to mend. Polygons that fit into a pixel of a
-- 512-pixel tile (8 units) are left out.
create function gis_tiles.pieces(p_shape public.geometry, p_zoom int, p_cells int, p_margin int)
returns table (tx int, ty int, geom public.geometry)
language plpgsql immutable parallel safe set search_path = public, pg_temp as $$
declare
  half constant float8 := pi() * 6378137;
  k constant float8 := 2048 * (1 << p_zoom) / half;
  side constant int := 4096 << (p_zoom - p_cells);
  kind constant int := ST_Dimension(p_shape) + 1;
  sound geometry := ST_SnapToGrid(ST_SetSRID(ST_TransScale(p_shape, half, -half, k, -k), 0), 1);
begin
  if sound is null or ST_IsEmpty(sound) then return; end if;
  if kind = 3 then
    if not ST_IsValid(sound) then
      sound := ST_CollectionExtract(ST_ReducePrecision(ST_MakeValid(sound), 1), 3);
    end if;
    if greatest(ST_XMax(sound) - ST_XMin(sound), ST_YMax(sound) - ST_YMin(sound)) < 8 then return; end if;
    sound := ST_ForcePolygonCW(sound);
  end if;
  if p_cells = 0 then
    return query select 0, 0, sound;
    return;
  end if;
  return query
    with cells as (
      select x, y from generate_series(floor((ST_XMin(sound) - p_margin) / side)::int, floor((ST_XMax(sound) + p_margin) / side)::int) x,
                       generate_series(floor((ST_YMin(sound) - p_margin) / side)::int, floor((ST_YMax(sound) + p_margin) / side)::int) y),
    cut as materialized (
      select x, y, case when (select count(*) from cells) = 1 then sound else
               ST_CollectionExtract(ST_SnapToGrid(ST_ClipByBox2D(sound, ST_MakeEnvelope(
                 x * side - p_margin, y * side - p_margin, (x + 1) * side + p_margin, (y + 1) * side + p_margin)::box2d), 1), kind)
             end as piece
        from cells)
    select x, y, case when kind = 3 then ST_ForcePolygonCW(piece) else piece end from cut where not ST_IsEmpty(piece);
end $$;

revoke execute on all functions in schema gis_tiles from public;
