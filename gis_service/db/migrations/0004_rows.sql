-- What every feature table has in common: system columns, stamps, history, and rows as of a release.

-- The centre of the cell of 1/n degree that holds the point: a grid hides what random noise, averaged, gives away.
create function gis.cell_centre(point public.geometry, n int) returns public.geometry
language sql immutable strict parallel safe
return public.ST_SetSRID(public.ST_MakePoint(
  (least(floor(public.ST_X(point) * n), 180 * n - 1) + 0.5) / n,
  (least(floor(public.ST_Y(point) * n), 90 * n - 1) + 0.5) / n), 4326);

-- What the public may see of a position, by Chapman's category; null is withheld.
create function gis.public_point(point public.geometry, sensitivity smallint) returns public.geometry
language sql immutable parallel safe
return case sensitivity
  when 0 then point
  when 2 then gis.cell_centre(point, 10)
  when 3 then gis.cell_centre(point, 100)
  when 4 then gis.cell_centre(point, 1000)
end;

create function gis.within_bounds(shape public.geometry) returns boolean
language sql immutable strict parallel safe
return public.ST_XMin(shape) >= -180 and public.ST_XMax(shape) <= 180
   and public.ST_YMin(shape) >= -90 and public.ST_YMax(shape) <= 90;

-- Provinces cut into small pieces, so that finding the provinces of a point costs microseconds.
create table gis.province_piece (
  gid bigint not null,
  code text not null,
  valid_from date,
  valid_to date,
  geom public.geometry(Polygon, 4326) not null
);
create index on gis.province_piece (gid);
create index on gis.province_piece using gist (geom);

-- The codes of the provinces, as they stand today, that a geometry meets.
create function gis.jurisdictions_of(shape public.geometry) returns text[]
language sql stable parallel safe set search_path = public, pg_temp as $$
  select coalesce(array_agg(distinct p.code order by p.code), '{}')
    from gis.province_piece p
   where p.geom && shape
     and (p.valid_from is null or p.valid_from <= current_date)
     and (p.valid_to is null or p.valid_to > current_date)
     and ST_Intersects(p.geom, shape)
$$;

-- Makes gis.<table> with the system columns; the migration that calls it adds the table's own ones and then
-- calls gis.keep_history.
create function gis.create_feature_table(p_table text, p_type text) returns void
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  execute format($sql$
    create table gis.%1$I (
      gid bigint primary key,
      public_id text not null unique,
      source_id text not null,
      dataset_id int not null references gis.dataset,
      rev int not null check (rev > 0),
      release_from int not null,
      basis text not null check (basis in ('published', 'indicative', 'simulated')),
      restricted boolean not null,
      jurisdiction text[] not null,
      geom geometry(%2$s, 4326) not null,
      geom_original bytea,
      srid_original int,
      datum_operation text,
      extra jsonb,
      constraint %3$I check (ST_IsValid(geom)),
      constraint %4$I check (not ST_IsEmpty(geom)),
      constraint %5$I check (gis.within_bounds(geom))
    )$sql$, p_table, p_type,
    p_table || '_geom_valid', p_table || '_geom_not_empty', p_table || '_geom_within_bounds');
  execute format('create index on gis.%I using gist (geom)', p_table);
  execute format('create index on gis.%I using gin (jurisdiction)', p_table);
  execute format('create index on gis.%I (dataset_id)', p_table);
end $$;

-- Names of a table's columns, ready for SQL; generated ones are left out, for they can't be written.
create function gis.stored_columns(p_table text, p_prefix text default '') returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select string_agg(p_prefix || quote_ident(attname), ', ' order by attnum)
    from pg_attribute
   where attrelid = format('gis.%I', p_table)::regclass
     and attnum > 0 and not attisdropped and attgenerated = ''
$$;

create function gis.begin_write() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform gis.open_release();
  return null;
end $$;

-- The codes of an administrative unit: a province's own, a commune's or district's province.
create function gis.admin_jurisdictions(p_level text, p_code text, p_parent text, shape public.geometry)
returns text[]
language sql stable set search_path = gis, pg_temp as $$
  select case when p_level = 'province' then array[p_code]
              when p_level <> 'country' and p_parent is not null then array[p_parent]
              else gis.jurisdictions_of(shape) end
$$;

-- Stamps a row as it is written: gid, revision, release, rights. Its arguments name the columns that derive
-- from today's rights and not from the source; a change of those alone is no new revision.
create function gis.stamp() returns trigger
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
    end if;
    if old.release_from <> current_setting('gis.release')::int and before is distinct from new then
      new.rev := old.rev + 1;
      new.release_from := current_setting('gis.release')::int;
    end if;
  end if;
  return new;
end $$;

-- Superseded rows go to history. A row that was written and changed in one transaction was never seen.
create function gis.record_update() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  execute format(
    'insert into gis_history.%I (%s, release_to) select %s, n.release_from
       from old_rows o join new_rows n on n.gid = o.gid where n.release_from <> o.release_from',
    tg_table_name, gis.stored_columns(tg_table_name), gis.stored_columns(tg_table_name, 'o.'));
  perform gis.raise_layer_version(tg_table_name);
  return null;
end $$;

create function gis.record_delete() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  release int := current_setting('gis.release')::int;
begin
  execute format(
    'insert into gis_history.%I (%s, release_to) select %s, $1 from old_rows o where o.release_from <> $1',
    tg_table_name, gis.stored_columns(tg_table_name), gis.stored_columns(tg_table_name, 'o.')) using release;
  update gis.feature_key k set last_rev = o.rev from old_rows o where k.gid = o.gid;
  perform gis.raise_layer_version(tg_table_name);
  return null;
end $$;

create function gis.record_insert() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform gis.raise_layer_version(tg_table_name);
  return null;
end $$;

create function gis.refuse_truncate() returns trigger language plpgsql as $$
begin
  raise exception 'gis.% keeps its history: delete its rows instead', tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;

-- Gives a feature table its history, its triggers, and gis.<table>_as_of(release).
create function gis.keep_history(p_table text) returns void
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  derived text := (
    select coalesce(string_agg(quote_literal(attname), ', '), '') from pg_attribute
     where attrelid = format('gis.%I', p_table)::regclass and attname in ('sensitivity', 'geom_public'));
begin
  execute format('create table gis_history.%1$I (like gis.%1$I including generated, release_to int not null)', p_table);
  execute format('alter table gis_history.%I add primary key (gid, release_from)', p_table);
  execute format('create index on gis_history.%I (release_to)', p_table);
  execute format('create index on gis_history.%I (public_id)', p_table);
  execute format('create index on gis_history.%I (dataset_id)', p_table);
  execute format('create index on gis_history.%I using gist (geom)', p_table);
  execute format('create index on gis_history.%I using gin (jurisdiction)', p_table);
  if derived like '%geom_public%' then
    execute format('create index on gis_history.%I using gist (geom_public)', p_table);
  end if;
  execute format('create trigger a_begin before insert or update or delete on gis.%I
    for each statement execute function gis.begin_write()', p_table);
  execute format('create trigger b_stamp before insert or update on gis.%I
    for each row execute function gis.stamp(%s)', p_table, derived);
  execute format('create trigger c_insert after insert on gis.%I
    for each statement execute function gis.record_insert()', p_table);
  execute format('create trigger c_update after update on gis.%I referencing old table as old_rows new table as new_rows
    for each statement execute function gis.record_update()', p_table);
  execute format('create trigger c_delete after delete on gis.%I referencing old table as old_rows
    for each statement execute function gis.record_delete()', p_table);
  execute format('create trigger keep before truncate on gis.%I
    for each statement execute function gis.refuse_truncate()', p_table);
  insert into gis.layer_version (table_name) values (p_table);
  perform gis.define_as_of(p_table);
end $$;

-- (Re)defines gis.<table>_as_of(release); a migration that adds columns to both tables calls it again.
create function gis.define_as_of(p_table text) returns void
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
end $$;

-- Tables that gis.keep_history has enrolled.
create view gis.feature_table as
  select c.relname::text as table_name,
         exists (select from pg_attribute a
                  where a.attrelid = c.oid and a.attname = 'sensitivity' and not a.attisdropped) as sensitive
    from pg_class c
   where c.relnamespace = 'gis_history'::regnamespace and c.relkind = 'r';
