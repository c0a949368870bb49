-- Sites as jurisdictions: the board of a protected area sees what lies in its area and a buffer round it, as a
-- province sees its own rows. Its code is one more code in `jurisdiction`.

-- Pieces of jurisdictions of any kind. Of a province `gid` is its unit's; of a site, which `organisation_id`
-- names, that of the protected area which the piece is of.
alter table gis.province_piece rename to jurisdiction_piece;
alter table gis.jurisdiction_piece add column organisation_id int;
create index on gis.jurisdiction_piece (organisation_id, gid) where organisation_id is not null;
create index on gis.jurisdiction_piece (code) where organisation_id is not null;

create or replace function gis.jurisdictions_of(shape public.geometry) returns text[]
language sql stable parallel safe set search_path = public, pg_temp as $$
  select coalesce(array_agg(distinct p.code order by p.code), '{}')
    from gis.jurisdiction_piece p
   where p.geom && shape
     and (p.valid_from is null or p.valid_from <= current_date)
     and (p.valid_to is null or p.valid_to > current_date)
     and ST_Intersects(p.geom, shape)
$$;

create function gis.provinces_of(shape public.geometry) returns text[]
language sql stable parallel safe set search_path = public, pg_temp as $$
  select coalesce(array_agg(distinct p.code order by p.code), '{}')
    from gis.jurisdiction_piece p
   where p.organisation_id is null and p.geom && shape
     and (p.valid_from is null or p.valid_from <= current_date)
     and (p.valid_to is null or p.valid_to > current_date)
     and ST_Intersects(p.geom, shape)
$$;

-- The codes of an administrative unit: a province's own, a commune's or district's province. Units belong to no site.
create or replace function gis.admin_jurisdictions(p_level text, p_code text, p_parent text, shape public.geometry)
returns text[]
language sql stable set search_path = gis, pg_temp as $$
  select case when p_level = 'province' then array[p_code]
              when p_level <> 'country' and p_parent is not null then array[p_parent]
              else gis.provinces_of(shape) end
$$;

create or replace function gis.cut_province() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  if tg_op <> 'INSERT' then
    delete from gis.jurisdiction_piece where gid = old.gid and organisation_id is null;
  end if;
  if tg_op <> 'DELETE' and new.level = 'province' then
    if exists (select from gis.organisation o
                where o.tier = 'site' and gis.plain_code(o.code) = gis.plain_code(new.code)) then
      raise exception 'code % of a province is the code of a site', new.code
        using errcode = 'unique_violation', constraint = 'site_code';
    end if;
    insert into gis.jurisdiction_piece (gid, code, valid_from, valid_to, geom)
      select new.gid, new.code, new.valid_from, new.valid_to, ST_Subdivide(new.geom, 128);
  end if;
  perform set_config('gis.stale_provinces', 'on', true);
  return null;
end $$;

-- Codes that give one database role are one code.
create function gis.plain_code(p_code text) returns text
language sql immutable strict parallel safe
return replace(lower(p_code), '-', '_');

alter table gis.organisation
  add column buffer_m double precision not null default 0,
  add constraint organisation_buffer_check check (buffer_m = 0 or (tier = 'site' and buffer_m between 0 and 50000));

-- The areas of a site, by their permanent ids: an area that is withdrawn and comes back is the same.
create table gis.organisation_area (
  organisation_id int not null references gis.organisation,
  gid bigint not null references gis.feature_key,
  primary key (organisation_id, gid)
);
create index on gis.organisation_area (gid);

-- A site's code may be no province's: its board would see the province.
create function gis.check_codes() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
declare
  codes text[] := array(select gis.plain_code(c) from unnest(new.jurisdictions || case new.tier when 'site' then array[new.code] else '{}' end) c);
begin
  if new.tier = 'site' then
    -- Who writes provinces holds this lock to the end.
    perform pg_advisory_xact_lock(hashtextextended('gis.release', 0));
  end if;
  if (new.tier = 'site' and exists (
        select from gis.admin_unit u where u.level = 'province' and gis.plain_code(u.code) = gis.plain_code(new.code)))
     or exists (
        select from gis.organisation o cross join lateral unnest(gis.codes_of(o.tier, o.code, o.jurisdictions)) c
         where o.organisation_id <> new.organisation_id and 'site' in (o.tier, new.tier)
           and gis.plain_code(c) = any (codes)) then
    raise exception 'the code of a site must differ from those of provinces and of other sites: %', new.code
      using errcode = 'unique_violation', constraint = 'site_code';
  end if;
  return null;
end $$;
create trigger check_codes after insert or update of jurisdictions on gis.organisation
  for each row execute function gis.check_codes();

create function gis.check_area() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if not exists (select from gis.organisation o where o.organisation_id = new.organisation_id and o.tier = 'site')
     or not exists (select from gis.feature_key k where k.gid = new.gid and k.table_name = 'protected_area') then
    raise exception 'only sites look after areas, and only after protected ones'
      using errcode = 'check_violation', constraint = 'organisation_area_check';
  end if;
  return new;
end $$;

-- A buffer in metres round each part. Parts are brought to longitude 0 and back, for none may meet 180° in between.
create function gis.buffered(shape public.geometry, metres double precision) returns public.geometry
language sql immutable strict parallel safe set search_path = public, pg_temp as $$
  select ST_CollectionExtract(ST_MakeValid(ST_Union(
           ST_WrapX(ST_WrapX(ST_Translate(
             ST_Buffer(ST_Translate(part.geom, -middle, 0)::geography, metres)::geometry, middle, 0),
             180, -360), -180, 360))), 3)
    from ST_Dump(shape) part
    cross join lateral (select (ST_XMin(part.geom) + ST_XMax(part.geom)) / 2 as middle) m
$$;

-- Places where the rows of a site must be looked at again; empty between transactions.
create table gis.stale_site (
  stale_id bigint generated always as identity primary key,
  code text not null,
  box public.geometry not null
);

-- Cuts a site's pieces of one area anew, and marks the boxes of what it was and is.
create function gis.cut_site(p_organisation int, p_gid bigint) returns void
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  insert into gis.stale_site (code, box)
    select code, ST_SetSRID(ST_Extent(geom)::geometry, 4326) from gis.jurisdiction_piece
     where organisation_id = p_organisation and gid = p_gid group by code;
  delete from gis.jurisdiction_piece where organisation_id = p_organisation and gid = p_gid;
  -- The area itself too: a buffer is made of straight lines in another projection and may cut into it by metres.
  insert into gis.jurisdiction_piece (gid, code, organisation_id, geom)
    select a.gid, o.code, o.organisation_id, ST_Subdivide(s.shape, 128)
      from gis.organisation_area a
      join gis.organisation o using (organisation_id)
      join gis.protected_area t on t.gid = a.gid
      cross join lateral (
        select t.geom as shape
        union all
        select gis.buffered(t.geom, o.buffer_m) where o.buffer_m > 0) s
     where a.organisation_id = p_organisation and a.gid = p_gid;
  insert into gis.stale_site (code, box)
    select code, ST_SetSRID(ST_Extent(geom)::geometry, 4326) from gis.jurisdiction_piece
     where organisation_id = p_organisation and gid = p_gid group by code;
end $$;

create function gis.meets_site(shape public.geometry, p_code text) returns boolean
language sql stable parallel safe set search_path = public, pg_temp as $$
  select exists (
    select from gis.jurisdiction_piece p
     where p.organisation_id is not null and p.code = p_code and p.geom && shape and ST_Intersects(p.geom, shape))
$$;

-- Puts a code into a row's jurisdictions, or takes it out where it is there; in the order of gis.jurisdictions_of.
create function gis.toggled(p_codes text[], p_code text) returns text[]
language sql immutable strict parallel safe
return case when p_code = any (p_codes) then array_remove(p_codes, p_code)
            else array(select c from unnest(p_codes || p_code) c order by c) end;

-- Brings the rows of a table that lie in a box, and their history, up to date with one site; gives how many changed.
create function gis.refresh_site_rows(p_table text, p_sensitive boolean, p_code text, p_box public.geometry)
returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  relation text;
  changed bigint;
  total bigint := 0;
begin
  foreach relation in array array['gis', 'gis_history'] loop
    execute format(
      'update %I.%I set jurisdiction = gis.toggled(jurisdiction, $1)
        where geom && $2 and ($1 = any (jurisdiction)) <> gis.meets_site(geom, $1)', relation, p_table)
      using p_code, p_box;
    get diagnostics changed = row_count;
    total := total + changed;
  end loop;
  -- Current rows are stamped as they are written; a category may hold in this jurisdiction alone.
  if p_sensitive and exists (select from gis.sensitivity s where s.jurisdiction = p_code) then
    execute format(
      'update gis_history.%1$I set sensitivity = gis.sensitivity_of(taxon_id, %2$I, jurisdiction)
        where geom && $1 and sensitivity <> gis.sensitivity_of(taxon_id, %2$I, jurisdiction)',
      p_table, case p_table when 'species_range' then 'sci_name' else 'scientific_name' end) using p_box;
  end if;
  return total;
end $$;

-- At the end of the transaction, once for each box, when all pieces are cut.
create function gis.refresh_site() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
declare
  changed bigint;
begin
  perform gis.open_release();  -- for the same reason as in gis.refresh_rights
  delete from gis.stale_site where stale_id = new.stale_id;
  select sum(gis.refresh_site_rows(table_name, sensitive, new.code, new.box)) into changed
    from (select * from gis.feature_table where table_name <> 'admin_unit' order by table_name) t;
  if changed > 0 then
    perform gis.tell_rights('rights');
  end if;
  return null;
end $$;
create constraint trigger refresh after insert on gis.stale_site
  deferrable initially deferred for each row execute function gis.refresh_site();

create function gis.follow_area() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if tg_op <> 'DELETE' then
    perform gis.cut_site(new.organisation_id, new.gid);
  end if;
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or (old.organisation_id, old.gid) <> (new.organisation_id, new.gid)) then
    perform gis.cut_site(old.organisation_id, old.gid);
  end if;
  return null;
end $$;
-- Accounts first, then the lock of the release: who writes areas or rows holds that one to the end.
create trigger a_hold before insert or update or delete on gis.organisation_area
  for each statement execute function gis.hold_accounts();
create trigger b_begin before insert or update or delete on gis.organisation_area
  for each statement execute function gis.begin_write();
create trigger c_check before insert or update on gis.organisation_area
  for each row execute function gis.check_area();
create trigger d_follow after insert or update or delete on gis.organisation_area
  for each row execute function gis.follow_area();
create trigger keep before truncate on gis.organisation_area
  execute function gis.refuse('delete the rows of gis.organisation_area: a truncated list would leave its pieces behind');

create function gis.follow_buffer() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform gis.open_release();
  perform gis.cut_site(a.organisation_id, a.gid) from gis.organisation_area a
    where a.organisation_id = new.organisation_id order by a.gid;
  return null;
end $$;
create trigger follow_buffer after update of buffer_m on gis.organisation
  for each row when (new.buffer_m <> old.buffer_m) execute function gis.follow_buffer();

-- Boundaries: one look for each statement, for a load writes hundreds of thousands of areas that no site names.
create function gis.follow_boundaries() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    perform gis.cut_site(a.organisation_id, a.gid) from gis.organisation_area a join new_rows n using (gid);
  elsif tg_op = 'DELETE' then
    perform gis.cut_site(a.organisation_id, a.gid) from gis.organisation_area a join old_rows o using (gid);
  else
    perform gis.cut_site(a.organisation_id, a.gid)
       from gis.organisation_area a join old_rows o using (gid) join new_rows n using (gid)
      where n.geom is distinct from o.geom;
  end if;
  return null;
end $$;
create trigger e_site_insert after insert on gis.protected_area referencing new table as new_rows
  for each statement execute function gis.follow_boundaries();
create trigger e_site_update after update on gis.protected_area
  referencing old table as old_rows new table as new_rows
  for each statement execute function gis.follow_boundaries();
create trigger e_site_delete after delete on gis.protected_area referencing old table as old_rows
  for each statement execute function gis.follow_boundaries();

-- The areas that a site looks after, by public ids, in place of those before.
create function gis.set_areas(p_organisation text, p_ids text[]) returns void
language plpgsql set search_path = gis, pg_temp as $$
declare
  organisation int := gis.organisation_id(p_organisation);
  missing text := (
    select min(id) from unnest(p_ids) id where not exists (select from gis.protected_area t where t.public_id = id));
begin
  if missing is not null then
    raise exception 'there is no protected area %', missing
      using errcode = 'foreign_key_violation', constraint = 'unknown_area';
  end if;
  delete from gis.organisation_area a where a.organisation_id = organisation
     and not exists (select from gis.protected_area t where t.gid = a.gid and t.public_id = any (p_ids));
  insert into gis.organisation_area (organisation_id, gid)
    select organisation, t.gid from gis.protected_area t where t.public_id = any (p_ids) on conflict do nothing;
end $$;

revoke execute on function
  gis.provinces_of(public.geometry), gis.plain_code(text), gis.check_codes(), gis.check_area(),
  gis.buffered(public.geometry, double precision), gis.cut_site(int, bigint), gis.meets_site(public.geometry, text),
  gis.toggled(text[], text), gis.refresh_site_rows(text, boolean, text, public.geometry), gis.refresh_site(),
  gis.follow_area(), gis.follow_buffer(), gis.follow_boundaries(), gis.set_areas(text, text[])
  from public;

-- The log tells of areas and buffers too.
drop trigger audit on gis.organisation;
drop trigger audit_emptied on gis.organisation;
select gis.audit_table('gis.organisation', 'organisation', 'code',
                       'organisation_id name tier parent_id jurisdictions buffer_m');
select gis.audit_table('gis.organisation_area', 'organisation-area', 'organisation_id', 'gid');
