-- What a row says of itself where its position is shown coarsely: how far the true place may be, how the
-- position was generalised, what is withheld. All of it derives from the cell and the category alone, so two
-- places in one cell give the same bytes. And who decided on a sensitive taxon.

-- Cells to a degree of a category's grid (gis.public_point); null where a position isn't on a grid.
create function gis.cells_of(sensitivity smallint) returns int
language sql immutable strict parallel safe
return case sensitivity when 2 then 10 when 3 then 100 when 4 then 1000 end;

-- Metres on WGS 84 from the centre of the cell that holds the point to the farthest of its corners, which are
-- the two towards the equator; whole metres, rounded up. At 16 N a cell of 0.1 degree has 7,700.
-- In plpgsql, for a function of SQL isn't inlined here and costs 87 µs a row in place of 6.
create function gis.half_diagonal(point public.geometry, n int) returns double precision
language plpgsql immutable strict parallel safe as $$
declare
  centre public.geometry := gis.cell_centre(point, n);
  half double precision := 0.5::double precision / n;
begin
  return ceil(public.ST_Distance(
    centre::public.geography,
    public.ST_Translate(centre, half, -half * sign(public.ST_Y(centre)))::public.geography));
end $$;

-- Metres rounded up to a power of ten, 10 at least; 0 where none are told. An uncertainty of 37.4 m marks its
-- record in every copy of it, and there the exact place may stand: nine steps mark none.
create function gis.coarse_metres(metres double precision) returns double precision
language sql immutable parallel safe
return case
  when metres is null then 0
  when metres <= 10 then 10
  when metres <= 100 then 100
  when metres <= 1000 then 1000
  when metres <= 10000 then 10000
  when metres <= 100000 then 100000
  when metres <= 1000000 then 1000000
  when metres <= 10000000 then 10000000
  else 100000000
end;

-- The circle round the cell's centre that surely holds the true place.
create function gis.public_uncertainty(metres double precision, point public.geometry, n int)
returns double precision
language sql immutable parallel safe
return gis.coarse_metres(metres) + gis.half_diagonal(point, n);

create function gis.generalization(n int) returns text
language sql immutable parallel safe
return case n
  when 10 then 'Coordinates given to the centre of a cell of 0.1 degree'
  when 100 then 'Coordinates given to the centre of a cell of 0.01 degree'
  when 1000 then 'Coordinates given to the centre of a cell of 0.001 degree'
  else 'Coordinates withheld'
end;

-- A source's own words of a sensitive record may tell its place, so they are replaced as well.
create function gis.derive_coarse_columns(p_relation text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format($sql$
    alter table %s
      add column uncertainty_public double precision generated always as (
        case sensitivity when 0 then coordinate_uncertainty_in_meters
        else gis.public_uncertainty(coordinate_uncertainty_in_meters, geom, gis.cells_of(sensitivity)) end) stored,
      add column generalizations_public text generated always as (
        case sensitivity when 0 then data_generalizations
        else gis.generalization(gis.cells_of(sensitivity)) end) stored,
      add column withheld_public text generated always as (
        case sensitivity when 0 then information_withheld
        else 'Withheld, for the taxon is sensitive: coordinates and coordinateUncertaintyInMeters as recorded, '
          'verbatimCoordinates, footprintWKT, locality, recordedBy, identifiedBy, eventID, occurrenceID, '
          'catalogNumber, occurrenceRemarks' end) stored
  $sql$, p_relation);
end $$;
select gis.derive_coarse_columns('gis.occurrence'), gis.derive_coarse_columns('gis_history.occurrence');
drop function gis.derive_coarse_columns(text);
select gis.define_as_of('occurrence');

-- The public sees every plot on the grid of 0.1 degree.
create function gis.derive_coarse_columns(p_relation text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format($sql$
    alter table %s
      add column coordinate_uncertainty_in_meters double precision check (coordinate_uncertainty_in_meters >= 0),
      add column data_generalizations text,
      add column information_withheld text
  $sql$, p_relation);
  execute format($sql$
    alter table %s
      add column uncertainty_public double precision generated always as (
        gis.public_uncertainty(coordinate_uncertainty_in_meters, geom, 10)) stored,
      add column generalizations_public text generated always as (gis.generalization(10)) stored,
      add column withheld_public text generated always as (
        'Withheld: coordinates and coordinateUncertaintyInMeters as recorded, footprintWKT, locationID, name, '
        'locality, observer') stored
  $sql$, p_relation);
end $$;
select gis.derive_coarse_columns('gis.plot'), gis.derive_coarse_columns('gis_history.plot');
drop function gis.derive_coarse_columns(text);
select gis.define_as_of('plot');

-- What derives is no content: generated columns are still null in a trigger before the write.
create or replace function gis.stamp() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  made_by record;
  known_as record;
  before record;
begin
  select slug, basis, not redistribution as restricted into made_by
    from gis.dataset where dataset_id = new.dataset_id;
  if not found then
    raise exception 'dataset_id % of gis.% is in no row of gis.dataset', new.dataset_id, tg_table_name
      using errcode = 'foreign_key_violation', column = 'dataset_id';
  end if;
  new.restricted := made_by.restricted;
  new.basis := coalesce(new.basis, made_by.basis);

  if tg_op = 'INSERT' then
    if new.gid is null then
      select c.gid into new.gid from gis.claim_gids(tg_table_name, made_by.slug, array[new.source_id]) c;
    end if;
    select last_rev into known_as from gis.feature_key k
     where k.gid = new.gid and k.table_name = tg_table_name
       and k.source = made_by.slug and k.source_id = new.source_id;
    if not found then
      raise exception 'gid % isn''t that of % % of dataset %', new.gid, tg_table_name, new.source_id, made_by.slug
        using errcode = 'foreign_key_violation', column = 'gid',
              hint = 'Ask gis.claim_gids for the gids of source ids.';
    end if;
    new.public_id := coalesce(new.public_id, new.gid::text);
    new.rev := known_as.last_rev + 1;
    new.release_from := current_setting('gis.release')::int;
  else
    if (new.gid, new.source_id, new.dataset_id) is distinct from (old.gid, old.source_id, old.dataset_id) then
      raise exception 'gid, source_id and dataset_id of a row of gis.% can''t change', tg_table_name
        using errcode = 'integrity_constraint_violation';
    end if;
    if new.geom is distinct from old.geom and new.jurisdiction is not distinct from old.jurisdiction then
      new.jurisdiction := null;
    end if;
  end if;

  if new.jurisdiction is null then
    if tg_table_name = 'admin_unit' then
      new.jurisdiction := gis.admin_jurisdictions(new.level, new.code, new.parent_code, new.geom);
    else
      new.jurisdiction := gis.jurisdictions_of(new.geom);
    end if;
  end if;

  if tg_op = 'UPDATE' then
    new.rev := old.rev;
    new.release_from := old.release_from;
    before := old;
    before.restricted := new.restricted;
    before.jurisdiction := new.jurisdiction;
    if 'sensitivity' = any (tg_argv) then
      before.sensitivity := new.sensitivity;
    end if;
    if 'geom_public' = any (tg_argv) then
      before.geom_public := new.geom_public;
      before.uncertainty_public := new.uncertainty_public;
      before.generalizations_public := new.generalizations_public;
      before.withheld_public := new.withheld_public;
    end if;
    if old.release_from <> current_setting('gis.release')::int and before is distinct from new then
      new.rev := old.rev + 1;
      new.release_from := current_setting('gis.release')::int;
    end if;
  end if;
  return new;
end $$;

-- Who put a taxon on the list. A review date that has passed opens nothing; `./gis check` names it.
alter table gis.sensitivity add column authority text check (authority <> '');
