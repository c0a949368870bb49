-- Reference systems that clients ask for (VN-2000 whole, boxes in any system), and indexes for sorted pages.

-- PostGIS 3.3 brings VN-2000 in UTM zones 48N and 49N and in TM-3 zones 481, 482, 491 and 107-45, but not in
-- the zones of 3 degrees that the provinces use (EPSG 9205-9218). PROJ knows them by code; text is its fall-back.
-- spatial_ref_sys is the extension's own: where the migrating user may not write it, `./gis check` says so and its
-- owner may call the function.
create function gis.add_vn2000() returns void
language plpgsql set search_path = public, pg_temp as $$
declare
  geographic constant text :=
    'GEOGCS["VN-2000",DATUM["Vietnam_2000",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'TOWGS84[-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278],'
    'AUTHORITY["EPSG","6756"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4756"]]';
begin
  insert into spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text)
  select srid, 'EPSG', srid,
         format('PROJCS["VN-2000 / TM-3 %s",%s,PROJECTION["Transverse_Mercator"],'
                'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",%s],PARAMETER["scale_factor",0.9999],'
                'PARAMETER["false_easting",500000],PARAMETER["false_northing",0],'
                'UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],'
                'AUTHORITY["EPSG","%s"]]', zone, geographic, meridian, srid),
         format('+proj=tmerc +lat_0=0 +lon_0=%s +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 '
                '+towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278 '
                '+units=m +no_defs', meridian)
    from (values
      (9205, '103-00', '103'), (9206, '104-00', '104'), (9207, '104-30', '104.5'), (9208, '104-45', '104.75'),
      (9209, '105-30', '105.5'), (9210, '105-45', '105.75'), (9211, '106-00', '106'), (9212, '106-15', '106.25'),
      (9213, '106-30', '106.5'), (9214, '107-00', '107'), (9215, '107-15', '107.25'), (9216, '107-30', '107.5'),
      (9217, '108-15', '108.25'), (9218, '108-30', '108.5')
    ) zones (srid, zone, meridian)
  on conflict (srid) do nothing;
end $$;
revoke execute on function gis.add_vn2000() from public;
do $$
begin
  perform gis.add_vn2000();
exception when insufficient_privilege then
  raise notice 'the VN-2000 systems EPSG:9205-9218 could not be added: %', sqlerrm;
end $$;

-- A box in its own system as a shape in longitude and latitude. Its sides are cut into 128 pieces, for they are
-- bent there: the shape is true to 1 cm for a box of 100 km and to 1 m for one of 1,000 km. A ring that goes
-- over the antimeridian or round a pole is unrolled, and what lies beyond 180 degrees is brought back.
create function gis.box_shape(
  p_west float8, p_south float8, p_east float8, p_north float8, p_srid int, p_target int
) returns public.geometry
language plpgsql immutable strict parallel safe set search_path = public, pg_temp as $$
declare
  side constant float8 := greatest(p_east - p_west, p_north - p_south);
  box constant geometry := ST_Envelope(ST_MakeEnvelope(p_west, p_south, p_east, p_north, p_srid));
  shape geometry := ST_Transform(case when side > 0 then ST_Segmentize(box, side / 128) else box end, p_target);
  ring geometry;
  pole float8;
begin
  if ST_XMax(shape) - ST_XMin(shape) <= 180 then
    return shape;
  end if;
  with corner as (
    select path[cardinality(path)] as n, ST_X(geom) as x, ST_Y(geom) as y from ST_DumpPoints(shape)
  ), step as (
    select n, x, y, x - lag(x, 1, x) over (order by n) as width from corner
  ), unrolled as (
    select n, y, x + sum(case when width > 180 then -360 when width < -180 then 360 else 0 end) over (order by n) as x
      from step
  )
  select ST_MakeLine(ST_SetSRID(ST_MakePoint(x, y), p_target) order by n) into ring from unrolled;
  if ST_Dimension(shape) = 2 then
    if abs(ST_X(ST_EndPoint(ring)) - ST_X(ST_StartPoint(ring))) > 180 then  -- a pole lies inside
      pole := case when ST_YMin(ring) + ST_YMax(ring) > 0 then 90 else -90 end;
      ring := ST_AddPoint(ring, ST_SetSRID(ST_MakePoint(ST_X(ST_EndPoint(ring)), pole), p_target));
      ring := ST_AddPoint(ring, ST_SetSRID(ST_MakePoint(ST_X(ST_StartPoint(ring)), pole), p_target));
      ring := ST_AddPoint(ring, ST_StartPoint(ring));
    elsif ST_XMax(ring) - ST_XMin(ring) >= 360 then  -- once round the Earth, or oftener
      return ST_MakeEnvelope(-180, ST_YMin(ring), 180, ST_YMax(ring), p_target);
    end if;
    ring := ST_MakePolygon(ring);
  end if;
  return ST_WrapX(ST_WrapX(ring, 180, -360), -180, 360);
end $$;

-- A page sorted by a property is the walk of one index over (property, key), forwards or backwards, at any depth.
-- layers/*.yaml says `sort: true` for these; `./gis check` holds the two against each other.
drop index if exists gis.admin_unit_level_code_idx;  -- the new ones answer what these did
drop index if exists gis.occurrence_scientific_name_idx;
drop index if exists gis.occurrence_event_date_idx;
drop index if exists gis.species_range_sci_name_idx;
drop index if exists gis.protected_area_site_pid_idx;
drop index if exists gis.management_zone_site_id_idx;
do $$
declare
  sortable record;
begin
  for sortable in select * from (values
    ('admin_unit', '{level,code}'), ('admin_unit', '{level,name}'), ('admin_unit', '{level,name_en}'),
    ('admin_unit', '{level,area_km2}'), ('admin_unit', '{level,valid_from}'),
    ('ecoregion', '{code}'), ('ecoregion', '{name}'),
    ('sea_area', '{code}'), ('sea_area', '{name}'),
    ('management_zone', '{site_id}'), ('management_zone', '{name}'),
    ('protected_area', '{site_id}'), ('protected_area', '{site_pid}'), ('protected_area', '{name}'),
    ('protected_area', '{name_eng}'), ('protected_area', '{iucn_cat}'), ('protected_area', '{status_yr}'),
    ('protected_area', '{rep_area}'), ('protected_area', '{decision_date}'),
    ('protected_area', '{decided_area_ha}'), ('protected_area', '{valid_from}'),
    ('species_range', '{sci_name}'), ('species_range', '{category}'), ('species_range', '{yrcompiled}'),
    ('occurrence', '{scientific_name}'), ('occurrence', '{event_date}'), ('occurrence', '{individual_count}'),
    ('plot', '{name}'), ('plot', '{stratum}'), ('plot', '{established}'), ('plot', '{last_visit}')
  ) sortables (name, columns)
  loop
    execute format('create index on gis.%I (%s, gid)', sortable.name,
                   (select string_agg(quote_ident(c), ', ') from unnest(sortable.columns::text[]) c));
  end loop;
end $$;
