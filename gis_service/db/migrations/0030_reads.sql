-- Reads of exact rows of categories 1 and 2 are told by the audit log: one entry for each account, layer, kind of
-- access, class and minute. They are counted here while the minute runs; `gis.seal_reads` moves them into the log.

create table gis.read_minute (
  minute timestamptz not null,
  actor text not null,
  actor_role text not null,
  client text not null,
  layer text not null,
  access text not null,  -- pages, item, tiles, export, file, report
  class text not null,
  requests int not null,
  rows bigint,  -- exact rows of categories 1 and 2 that the answers held; null where nobody counted
  asked text[] not null,  -- the first few of the different questions, as digests
  primary key (minute, actor, layer, access, class, client)
);

-- A small index, so that whether a tile holds such a row is known at once.
create index on gis.occurrence using gist (geom) where sensitivity in (1, 2);
create index on gis.species_range using gist (geom) where sensitivity in (1, 2);

-- How many of these rows are of the categories, and in these jurisdictions where any are named; of rows that have
-- left the table, what they were counts.
create function gis.exact_reads(p_table text, p_keys bigint[], p_codes text[]) returns bigint
language plpgsql stable set search_path = gis, public, pg_temp as $$
declare
  found bigint;
begin
  execute format($sql$
    select count(*) from unnest($1) k (gid)
     where exists (select from gis.%1$I t where t.gid = k.gid and t.sensitivity in (1, 2)
                      and ($2 is null or t.jurisdiction && $2))
        or exists (select from gis_history.%1$I t where t.gid = k.gid and t.sensitivity in (1, 2)
                      and ($2 is null or t.jurisdiction && $2))$sql$, p_table)
    into found using p_keys, p_codes;
  return found;
end $$;

-- How many of these tiles, each as z, x, y, meet such a row; rows as they stand.
create function gis.exact_tiles(p_table text, p_tiles int[], p_codes text[]) returns bigint
language plpgsql stable set search_path = gis, public, pg_temp as $$
declare
  found bigint;
begin
  execute format($sql$
    select count(*) from generate_series(1, array_length($1, 1)) i,
           lateral ST_Transform(ST_TileEnvelope($1[i][1], $1[i][2], $1[i][3]), 4326) box
     where exists (select from gis.%1$I t where t.geom && box and t.sensitivity in (1, 2)
                      and ($2 is null or t.jurisdiction && $2))$sql$, p_table)
    into found using p_tiles, p_codes;
  return found;
end $$;

-- Counts reads; each as an object with what gis.read_minute says of one, and with `table`, `codes`, and `keys` or
-- `tiles` where it's still to be counted what they held. Those that held no such row aren't told.
create function gis.note_reads(reads jsonb) returns int
language plpgsql security definer set search_path = gis, pg_temp as $$
declare
  noted int;
begin
  with given as (
    select r ->> 'actor' as actor, r ->> 'role' as actor_role, r ->> 'client' as client, r ->> 'layer' as layer,
           r ->> 'access' as access, r ->> 'class' as class, (r ->> 'requests')::int as requests,
           array(select jsonb_array_elements_text(r -> 'asked')) as asked,
           r ->> 'table' as relation,
           case when jsonb_typeof(r -> 'codes') = 'array'
                then array(select jsonb_array_elements_text(r -> 'codes')) end as codes,
           case when r ? 'keys' then array(select jsonb_array_elements_text(r -> 'keys')::bigint) end as keys,
           case when r ? 'tiles' then (select array_agg(array[(t ->> 0)::int, (t ->> 1)::int, (t ->> 2)::int])
                                         from jsonb_array_elements(r -> 'tiles') t) end as tiles
      from jsonb_array_elements(reads) r),
  counted as (
    select g.*, case when keys is not null then gis.exact_reads(relation, keys, codes)
                     when tiles is not null then gis.exact_tiles(relation, tiles, codes) end as rows
      from given g)
  insert into gis.read_minute as m (minute, actor, actor_role, client, layer, access, class, requests, rows, asked)
    select date_trunc('minute', clock_timestamp()), actor, actor_role, client, layer, access, class,
           case when tiles is null then requests else rows end,
           case when tiles is null then rows end, asked
      from counted where rows is null or rows > 0
     order by 2, 5, 6, 7, 4
    on conflict (minute, actor, layer, access, class, client) do update
      set requests = m.requests + excluded.requests, rows = m.rows + excluded.rows,
          asked = (select array_agg(distinct a)
                     from (select unnest(m.asked || excluded.asked) a order by 1 limit 8) few);
  get diagnostics noted = row_count;
  return noted;
end $$;

-- Moves what was counted into the log: of minutes that are over, or all. Who reads stands there as who acts.
create function gis.seal_reads(p_all boolean default false) returns int
language plpgsql security definer set search_path = gis, pg_temp as $$
declare
  told gis.read_minute;
  before text[] := array[current_setting('gis.actor', true), current_setting('gis.actor_role', true),
                         current_setting('gis.client', true)];
  sealed int := 0;
begin
  for told in
    delete from gis.read_minute where p_all or minute < date_trunc('minute', clock_timestamp()) returning *
  loop
    perform set_config('gis.actor', told.actor, true), set_config('gis.actor_role', told.actor_role, true),
            set_config('gis.client', told.client, true);
    perform gis.record_audit('read.' || told.access, 'layer:' || told.layer, jsonb_build_object(
      'minute', told.minute, 'class', told.class, 'requests', told.requests, 'rows', told.rows,
      'asked', told.asked));
    sealed := sealed + 1;
  end loop;
  perform set_config('gis.actor', coalesce(before[1], ''), true),
          set_config('gis.actor_role', coalesce(before[2], ''), true),
          set_config('gis.client', coalesce(before[3], ''), true);
  return sealed;
end $$;
revoke execute on function gis.exact_reads(text, bigint[], text[]), gis.exact_tiles(text, int[], text[]),
  gis.note_reads(jsonb), gis.seal_reads(boolean) from public;
