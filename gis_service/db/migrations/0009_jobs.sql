-- Jobs of OGC API Processes: who asked for what, how far it is, and the documents that came out.

create table gis_queue.job (
  job_id uuid primary key default gen_random_uuid(),
  process_id text not null check (process_id <> ''),
  owner text not null check (owner <> ''),
  policy_class text not null check (policy_class <> ''),
  tier text not null check (tier in ('public', 'jurisdiction', 'full')),
  jurisdictions text[] not null default '{}',
  lang text not null check (lang in ('en', 'vi')),
  inputs jsonb not null,
  response text not null default 'raw' check (response in ('raw', 'document')),
  format text not null default 'json',
  callbacks jsonb,
  base_url text not null default '',
  status text not null default 'accepted'
    check (status in ('accepted', 'running', 'successful', 'failed', 'dismissed')),
  progress smallint not null default 0 check (progress between 0 and 100),
  step text,
  error jsonb,
  attempts int not null default 0,
  queue_id bigint,
  created timestamptz not null default now(),
  started timestamptz,
  updated timestamptz not null default now(),
  finished timestamptz
);
create index on gis_queue.job (owner, policy_class, created desc);
create index on gis_queue.job (finished);

create table gis_queue.job_document (
  job_id uuid not null references gis_queue.job on delete cascade,
  name text not null,
  media_type text not null,
  body bytea not null,
  primary key (job_id, name)
);
-- The bodies are gzip already.
alter table gis_queue.job_document alter column body set storage external;

-- Puts a job and its place in the queue into one transaction, so that neither is ever without the other.
-- Null when the owner has too many unfinished jobs already.
create function gis_queue.submit(
  p_process text, p_owner text, p_class text, p_tier text, p_jurisdictions text[], p_lang text, p_inputs jsonb,
  p_response text, p_format text, p_callbacks jsonb, p_base_url text, p_most int
) returns uuid
language plpgsql set search_path = gis_queue, pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('gis_queue.submit ' || p_owner, 0));
  if (select count(*) from job j where j.owner = p_owner and j.status in ('accepted', 'running')) >= p_most then
    return null;
  end if;
  insert into job (process_id, owner, policy_class, tier, jurisdictions, lang, inputs, response, format, callbacks,
                   base_url)
    values (p_process, p_owner, p_class, p_tier, p_jurisdictions, p_lang, p_inputs, p_response, p_format, p_callbacks,
            p_base_url)
    returning job_id into made;
  update job set queue_id = (procrastinate_defer_jobs_v1(array[row(
    'default', 'run_job', 0, null, null, jsonb_build_object('job_id', made), null)::procrastinate_job_to_defer_v1]))[1]
    where job_id = made;
  return made;
end $$;

-- Ends a job at its owner's wish: out of the queue, stopped if it runs, its documents gone. False if unknown.
create function gis_queue.dismiss(p_job uuid) returns boolean
language plpgsql set search_path = gis_queue, pg_catalog, pg_temp as $$
declare
  queued bigint;
begin
  update job set status = 'dismissed', finished = now(), updated = now(), step = null
    where job_id = p_job and status <> 'dismissed' returning queue_id into queued;
  if not found then
    return false;
  end if;
  delete from job_document where job_id = p_job;
  perform procrastinate_cancel_job_v1(queued, true, false);
  return true;
end $$;

-- Stores what a job made, unless it was dismissed or finished meanwhile; then false, and nothing is stored.
create function gis_queue.finish(p_job uuid, p_names text[], p_types text[], p_bodies bytea[]) returns boolean
language plpgsql set search_path = gis_queue, pg_catalog, pg_temp as $$
begin
  update job set status = 'successful', progress = 100, step = null, finished = now(), updated = now()
    where job_id = p_job and status = 'running';
  if not found then
    return false;
  end if;
  insert into job_document (job_id, name, media_type, body)
    select p_job, d.name, d.type, d.body from unnest(p_names, p_types, p_bodies) d (name, type, body);
  return true;
end $$;

-- Forgets jobs that ended so many days ago, with their documents and their places in the queue.
create function gis_queue.forget(p_days int) returns int
language plpgsql set search_path = gis_queue, pg_catalog, pg_temp as $$
declare
  gone int;
begin
  with old as (
    delete from job where finished < now() - make_interval(days => p_days) returning queue_id
  ), queued as (
    delete from procrastinate_jobs q using old where q.id = old.queue_id and q.status not in ('todo', 'doing')
  )
  select count(*) into gone from old;
  return gone;
end $$;

revoke execute on all functions in schema gis_queue from public;
