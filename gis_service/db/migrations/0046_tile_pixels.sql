-- Whether a polygon fits into a pixel, and so is left out of tiles, is asked of the shape as it stands in its table, before
-- it is simplified: simplified and snapped, one of 1.07 pixels fitted. What is left here is what can't be drawn at all.
-- Outer rings go clockwise on the screen, where y points downwards (Vector Tile specification 2.1, 4.3.4.4): what PostGIS
-- calls counter-clockwise. QGIS draws no polygon that goes the other way round, MapLibre and Leaflet draw both.
create or replace function gis_tiles.pieces(p_shape public.geometry, p_zoom int, p_cells int, p_margin int)
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
    if ST_IsEmpty(sound) then return; end if;
    sound := ST_ForcePolygonCCW(sound);
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
    select x, y, case when kind = 3 then ST_ForcePolygonCCW(piece) else piece end from cut where not ST_IsEmpty(piece);
end $$;
