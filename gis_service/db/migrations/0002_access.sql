-- Who may read what: database roles of the second wall, jurisdictions, organisations, principals, keys.

-- From PostgreSQL 16 on, who creates a role is its member without the right to SET ROLE to it.
create function gis.may_become(p_role text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('server_version_num')::int >= 160000 then
    return pg_has_role(current_user, p_role, 'set');
  end if;
  return pg_has_role(current_user, p_role, 'member');
end $$;

-- Roles belong to the whole cluster, so another database may have made them already or be making them now.
create function gis.ensure_role(p_role text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from pg_roles where rolname = p_role) then
    begin
      execute format('create role %I nologin', p_role);
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        raise exception 'role % is missing and % may not create roles', p_role, current_user
          using errcode = 'insufficient_privilege',
                hint = format('Ask the database''s administrator to run: create role %I nologin; grant %I to %I;',
                              p_role, p_role, current_user);
    end;
  end if;
  if gis.may_become(p_role) then
    return;
  end if;
  begin
    execute format('grant %I to %I', p_role, current_user);
  exception when insufficient_privilege then
    raise exception '% is no member of role % and may not make itself one', current_user, p_role
      using errcode = 'insufficient_privilege',
            hint = format('Ask the database''s administrator to run: grant %I to %I;', p_role, current_user);
  end;
end $$;

select gis.ensure_role('gis_public'), gis.ensure_role('gis_full'), gis.ensure_role('gis_jurisdiction');

create table gis.role_jurisdiction (
  role name not null,
  code text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$'),
  primary key (role, code)
);
create trigger epoch after insert or update or delete or truncate on gis.role_jurisdiction
  execute function gis.raise_policy_epoch();

-- The role of one jurisdiction, or of several together, made where it is missing. It inherits its grants.
create function gis.ensure_jurisdiction_role(p_codes text[]) returns text
language plpgsql set search_path = gis, pg_catalog, pg_temp as $$
declare
  codes text[] := array(select distinct unnest(p_codes) order by 1);
  made name;
  stands_for text[];
begin
  if cardinality(codes) = 0 or array_position(codes, null) is not null then
    raise exception 'a jurisdiction needs a code' using errcode = 'invalid_parameter_value';
  end if;
  select 'gis_j_' || string_agg(replace(lower(c), '-', '_'), '_' order by lower(c) collate "C")
    into made from unnest(codes) c;
  if length(made) > 62 then  -- PostgreSQL would cut it and two jurisdictions could share a role
    raise exception 'too many jurisdictions for one role: %', array_to_string(codes, ', ')
      using errcode = 'name_too_long';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('gis.role', 0));
  stands_for := array(select code from gis.role_jurisdiction where role = made order by code);
  if stands_for not in (codes, '{}') then
    raise exception 'role % stands for % already, not for %', made, stands_for, codes
      using errcode = 'duplicate_object';
  end if;
  perform gis.ensure_role(made);
  if not pg_has_role(made, 'gis_jurisdiction', 'member') then
    execute format('grant gis_jurisdiction to %I', made);
  end if;
  insert into gis.role_jurisdiction (role, code) select made, unnest(codes) on conflict do nothing;
  return made;
end $$;

create function gis.ensure_jurisdiction_role(p_code text) returns text
language sql set search_path = gis, pg_temp as $$ select gis.ensure_jurisdiction_role(array[p_code]) $$;

-- The codes that the acting role stands for. Inside a SECURITY DEFINER function current_user is the owner,
-- so the role that SET ROLE chose is read from its setting.
create function gis.my_jurisdictions() returns text[]
language sql stable security definer parallel safe set search_path = gis, pg_catalog, pg_temp as $$
  select coalesce(array_agg(code order by code), '{}')
    from gis.role_jurisdiction
   where role = case current_setting('role') when 'none' then session_user::name
                else current_setting('role')::name end
$$;

-- Tiers of organisations are data: ministries merge and provinces are redrawn.
create table gis.tier (
  tier text primary key,
  rank smallint not null unique,
  title text not null,
  title_vi text not null
);
insert into gis.tier (tier, rank, title, title_vi) values
  ('central', 1, 'Central agency', 'Cơ quan trung ương'),
  ('province', 2, 'Provincial department', 'Sở cấp tỉnh'),
  ('site', 3, 'Management board of a protected area', 'Ban quản lý khu bảo tồn'),
  ('partner', 4, 'Partner institute', 'Viện, trường đối tác'),
  ('registered', 5, 'Registered organisation', 'Tổ chức đăng ký');

create table gis.organisation (
  organisation_id int generated always as identity primary key,
  code text not null unique,
  name text not null check (name <> ''),
  name_en text,
  tier text not null references gis.tier,
  parent_id int references gis.organisation,
  jurisdictions text[] not null default '{}'
);
create index on gis.organisation (parent_id);

create function gis.refuse_cycle() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if exists (
    with recursive above as (
      select new.parent_id as id
      union
      select o.parent_id from above a join gis.organisation o on o.organisation_id = a.id
    )
    select from above where id = new.organisation_id
  ) then
    raise exception 'organisation % can''t stand below itself', new.code using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger tree after insert or update of parent_id on gis.organisation
  for each row when (new.parent_id is not null) execute function gis.refuse_cycle();

create table gis.principal (
  principal_id int generated always as identity primary key,
  name text not null unique check (name <> ''),
  tier text not null check (tier in ('public', 'jurisdiction', 'full')),
  jurisdictions text[] not null default '{}',
  organisation_id int references gis.organisation,
  created_at timestamptz not null default now(),
  constraint principal_jurisdictions_check check ((tier = 'jurisdiction') = (cardinality(jurisdictions) > 0))
);

-- Keys are 256 random bits; only their hash is here.
create table gis.api_key (
  key_id int generated always as identity primary key,
  sha256 bytea not null unique check (octet_length(sha256) = 32),
  principal_id int not null references gis.principal on delete cascade,
  label text,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
create index on gis.api_key (principal_id);

create function gis.tell_access() returns trigger language plpgsql as $$
begin
  perform pg_notify('gis_access', tg_table_name);
  return null;
end $$;
create trigger tell after insert or update or delete or truncate on gis.principal
  execute function gis.tell_access();
create trigger tell after insert or update or delete or truncate on gis.api_key
  execute function gis.tell_access();

-- The spatial index stays awake below a row policy only if `geom && box` is LEAKPROOF. Only a superuser may
-- say so. It compares two boxes, raises nothing and tells nothing but its answer.
create function gis.mark_overlaps_leakproof() returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  alter function public.geometry_overlaps(public.geometry, public.geometry) leakproof;
  return true;
exception when insufficient_privilege then
  return (select proleakproof from pg_proc
           where oid = 'public.geometry_overlaps(public.geometry, public.geometry)'::regprocedure);
end $$;
