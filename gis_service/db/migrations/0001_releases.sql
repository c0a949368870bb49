-- Releases, datasets and loads: where every row comes from, and since when it stands.

create schema if not exists gis;
create schema if not exists gis_history;
create schema if not exists gis_staging;
create schema if not exists gis_queue;

-- One counter for the whole database. `xact` proves that a release belongs to the transaction that names it.
create table gis.release (
  release int primary key check (release > 0),
  opened_at timestamptz not null default clock_timestamp(),
  opened_by text not null default session_user,
  note text,
  xact xid8 not null default pg_current_xact_id()
);

-- This transaction's release, opened when it is first asked for. The lock is held until the transaction
-- ends, so releases become visible in the order of their numbers and none is ever missing below another.
create function gis.open_release(note text default null) returns int
language plpgsql set search_path = gis, pg_temp as $$
declare
  opened int := nullif(current_setting('gis.release', true), '')::int;
begin
  if exists (select from gis.release r where r.release = opened and r.xact = pg_current_xact_id()) then
    update gis.release r set note = open_release.note where r.release = opened and open_release.note is not null;
    return opened;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('gis.release', 0));
  insert into gis.release (release, note)
    select coalesce(max(r.release), 0) + 1, open_release.note from gis.release r
    returning release into opened;
  perform set_config('gis.release', opened::text, true);
  return opened;
end $$;

create table gis.dataset (
  dataset_id int generated always as identity primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
  title text not null check (title <> ''),
  title_vi text,
  source_url text,
  publisher text,
  licence text not null check (licence <> ''),
  licence_url text,
  redistribution boolean not null,
  citation text not null check (citation <> ''),
  basis text not null check (basis in ('published', 'indicative', 'simulated')),
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table gis.load (
  load_id int generated always as identity primary key,
  dataset_id int not null references gis.dataset,
  layer text,
  version text not null check (version <> ''),
  checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
  file_name text not null,
  release int not null references gis.release,
  inserted int not null default 0 check (inserted >= 0),
  superseded int not null default 0 check (superseded >= 0),
  withdrawn int not null default 0 check (withdrawn >= 0),
  unchanged int not null default 0 check (unchanged >= 0),
  quarantined int not null default 0 check (quarantined >= 0),
  repaired int not null default 0 check (repaired >= 0),
  details jsonb not null default '{}',
  loaded_at timestamptz not null default now(),
  loaded_by text not null default session_user
);
create index on gis.load (dataset_id);

-- Rows that a load couldn't take, each with its reason; the source's own fields are kept as they came.
create table gis.quarantine (
  quarantine_id bigint generated always as identity primary key,
  load_id int references gis.load,
  dataset_id int not null references gis.dataset,
  layer text,
  row_number bigint,
  source_id text,
  code text not null,
  reason text not null check (reason <> ''),
  attributes jsonb,
  geom_original bytea,
  created_at timestamptz not null default now()
);
create index on gis.quarantine (load_id);
create index on gis.quarantine (dataset_id);

-- The permanent id of a feature, found again by table, source and the source's own id, and never given twice.
-- `last_rev` is the revision with which it was last withdrawn, so that a returning feature counts on from there.
create table gis.feature_key (
  gid bigint generated always as identity primary key,
  table_name text not null,
  source text not null,
  source_id text not null check (source_id <> ''),
  last_rev int not null default 0,
  unique (table_name, source, source_id)
);

-- The gid of each source id: the old one where the source has been seen before, a new one where not.
create function gis.claim_gids(p_table text, p_source text, p_ids text[])
returns table (source_id text, gid bigint)
language plpgsql set search_path = gis, pg_temp as $$
#variable_conflict use_column
begin
  insert into gis.feature_key (table_name, source, source_id)
    select p_table, p_source, asked.id
      from (select distinct unnest(p_ids) as id) asked
     where not exists (
       select from gis.feature_key k
        where k.table_name = p_table and k.source = p_source and k.source_id = asked.id)
     order by asked.id
    on conflict do nothing;
  return query
    select k.source_id, k.gid from gis.feature_key k
     where k.table_name = p_table and k.source = p_source and k.source_id = any (p_ids);
end $$;

-- Ids stand for ever, and a dataset's slug is half of them.
create function gis.refuse() returns trigger language plpgsql as $$
begin
  raise exception '%', tg_argv[0] using errcode = 'integrity_constraint_violation';
end $$;
create trigger keep before delete or truncate on gis.feature_key
  execute function gis.refuse('ids of features are permanent: gis.feature_key keeps every row');
create trigger keep before delete or truncate on gis.release
  execute function gis.refuse('releases are permanent: gis.release keeps every row');
create trigger keep_slug before update of slug on gis.dataset
  for each row when (new.slug <> old.slug)
  execute function gis.refuse('the slug of a dataset is part of its features'' ids and can''t change');

-- An edit counter for each table, raised in the transaction that writes; caches are keyed by it.
create table gis.layer_version (
  table_name text primary key,
  version bigint not null default 0
);

create function gis.raise_layer_version(p_table text) returns void
language sql set search_path = gis, pg_temp as $$
  insert into gis.layer_version as v (table_name, version) values (p_table, 1)
    on conflict (table_name) do update set version = v.version + 1;
  select pg_notify('gis_layer', p_table);
$$;

-- Rises in the transaction that changes rights or sensitivity; part of every layer's digest.
create table gis.policy_epoch (
  only_row boolean primary key default true check (only_row),
  epoch bigint not null default 1
);
insert into gis.policy_epoch default values;

create function gis.raise_policy_epoch() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  update gis.policy_epoch set epoch = epoch + 1;
  perform pg_notify('gis_access', tg_table_name);
  return null;
end $$;
