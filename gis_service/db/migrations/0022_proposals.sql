-- Proposals: what somebody wants changed in a layer, through which hands it goes, and the release that it became.
-- Feature tables are written by gis.publish_proposals and gis.rollback_release alone, a release each, all or nothing.

create table gis.proposal (
  proposal_id bigint generated always as identity primary key,
  layer text not null,
  table_name text not null,
  organisation_id int references gis.organisation,
  dataset_id int references gis.dataset,  -- where new rows go: the organisation's own edits
  author text not null check (author <> ''),
  title text not null check (title <> ''),
  note text,
  state text not null default 'draft' check (state in (
    'draft', 'submitted', 'province_review', 'central_approval', 'published', 'superseded', 'rejected', 'withdrawn')),
  base_release int not null check (base_release >= 0),
  release int references gis.release,
  revision int not null default 1,
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  constraint proposal_release_check check ((release is not null) = (state in ('published', 'superseded')))
);
create index on gis.proposal (state);
create index on gis.proposal (author);
create index on gis.proposal (release);

-- `values` holds the columns to change and nothing else. A new row has a source id and, once published, its gid.
create table gis.proposed_change (
  proposal_id bigint not null references gis.proposal,
  number int not null check (number > 0),
  operation text not null check (operation in ('insert', 'update', 'delete')),
  gid bigint references gis.feature_key,
  source_id text,
  base_rev int,
  "values" jsonb not null default '{}' check (jsonb_typeof("values") = 'object'),
  geom public.geometry(Geometry, 4326),
  geom_original bytea,
  srid_original int,
  datum_operation text,
  decision text check (decision in ('accepted', 'rejected')),
  reason text,
  verdict jsonb,
  primary key (proposal_id, number),
  unique (proposal_id, gid),
  constraint proposed_change_target_check check (
    case operation when 'insert' then source_id is not null and base_rev is null and geom is not null
    else gid is not null and base_rev is not null end),
  constraint proposed_change_delete_check check (operation <> 'delete' or ("values" = '{}' and geom is null)),
  constraint proposed_change_reason_check check (decision is distinct from 'rejected' or reason <> '')
);
create index on gis.proposed_change (gid);

create table gis.proposal_event (
  event_id bigint generated always as identity primary key,
  proposal_id bigint not null references gis.proposal,
  at timestamptz not null default clock_timestamp(),
  who text not null default gis.acting(),
  role text default nullif(current_setting('gis.actor_role', true), ''),
  action text not null,
  from_state text,
  to_state text not null,
  comment text,
  details jsonb
);
create index on gis.proposal_event (proposal_id);

-- What a release did to a table: counts, and a checksum over the rows that stand since then.
create table gis.release_manifest (
  release int not null references gis.release,
  table_name text not null,
  inserted bigint not null check (inserted >= 0),
  changed bigint not null check (changed >= 0),
  withdrawn bigint not null check (withdrawn >= 0),
  checksum bytea not null check (octet_length(checksum) = 32),
  undoes int references gis.release,
  primary key (release, table_name)
);

create trigger keep before delete or truncate on gis.proposal
  execute function gis.refuse('proposals are kept: withdraw one that isn''t wanted');
create trigger keep before update or delete or truncate on gis.proposal_event
  execute function gis.refuse('what happened to a proposal can''t be changed');
create trigger keep before update or delete or truncate on gis.release_manifest
  execute function gis.refuse('the manifest of a release can''t be changed');

-- After a draft is submitted only decisions, verdicts and the gids of its new rows are written to its changes.
create function gis.keep_changes() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  closed bigint;
begin
  if tg_op = 'INSERT' then
    select p.proposal_id into closed from gis.proposal p
     where p.state <> 'draft' and p.proposal_id in (select n.proposal_id from new_rows n) limit 1;
  elsif tg_op = 'DELETE' then
    select p.proposal_id into closed from gis.proposal p
     where p.state <> 'draft' and p.proposal_id in (select o.proposal_id from old_rows o) limit 1;
  else
    select p.proposal_id into closed
      from old_rows o
      left join new_rows n using (proposal_id, number)
      join gis.proposal p using (proposal_id)
     where p.state <> 'draft'
       and (o.operation, o.source_id, o.base_rev, o."values", o.geom_original, o.srid_original, o.datum_operation)
           is distinct from
           (n.operation, n.source_id, n.base_rev, n."values", n.geom_original, n.srid_original, n.datum_operation)
        or p.state <> 'draft' and (o.geom is distinct from n.geom or (o.gid is not null and o.gid is distinct from n.gid))
     limit 1;
  end if;
  if found then
    raise exception 'the changes of proposal % stand since it was submitted', closed
      using errcode = 'integrity_constraint_violation', constraint = 'proposal_is_no_draft';
  end if;
  return null;
end $$;
create trigger keep_insert after insert on gis.proposed_change referencing new table as new_rows
  for each statement execute function gis.keep_changes();
create trigger keep_update after update on gis.proposed_change
  referencing old table as old_rows new table as new_rows
  for each statement execute function gis.keep_changes();
create trigger keep_delete after delete on gis.proposed_change referencing old table as old_rows
  for each statement execute function gis.keep_changes();
create trigger keep before truncate on gis.proposed_change
  execute function gis.refuse('proposals are kept: withdraw one that isn''t wanted');

-- A release is found again by the rows that stand since then and those that it ended. A migration that makes
-- a feature table calls this after gis.keep_history.
create function gis.index_releases(p_table text) returns void
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  execute format('create index on gis.%I (release_from)', p_table);
  execute format('create index on gis_history.%I (release_from)', p_table);
end $$;
select gis.index_releases(table_name) from gis.feature_table order by table_name;

-- The columns that a change may name: content, and nothing that is identity, bookkeeping or a right.
create function gis.proposable_columns(p_table text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
  select array_agg(attname::text order by attnum)
    from pg_attribute
   where attrelid = format('gis.%I', p_table)::regclass
     and attnum > 0 and not attisdropped and attgenerated = ''
     and attname not in ('gid', 'public_id', 'source_id', 'dataset_id', 'rev', 'release_from', 'basis', 'restricted',
                         'jurisdiction', 'sensitivity', 'geom', 'geom_original', 'srid_original', 'datum_operation',
                         'extra')
$$;

-- Takes out of a draft what it doesn't change: values equal to those of the row, geometries equal to seven
-- decimals (which GeoJSON gives out), whole changes of which nothing is left. Gives how many changes are left.
create function gis.trim_changes(p_proposal bigint) returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  name text := (select table_name from gis.proposal where proposal_id = p_proposal);
  equal text;
begin
  select string_agg(format('case when r.%1$I is not distinct from o.%1$I then %1$L end', key), ', ')
    into equal
    from (select distinct jsonb_object_keys(c."values") as key
            from gis.proposed_change c where c.proposal_id = p_proposal) k
   where key = any (gis.proposable_columns(name));
  -- Materialised, so that each change is found by its key: without statistics of a draft that was just written a join
  -- of all its changes with all its changes looks cheap.
  execute format($sql$
    with trimmed as materialized (
      select me.proposal_id, me.number,
             me."values" - array_remove(array[%s]::text[], null) as "values",
             case when me.geom is distinct from o.geom
                   and ST_AsGeoJSON(me.geom, 7) is distinct from ST_AsGeoJSON(o.geom, 7) then me.geom end as geom
        from gis.proposed_change me
        join gis.%I o on o.gid = me.gid
        cross join lateral jsonb_populate_record(o, me."values") r
       where me.proposal_id = $1 and me.operation = 'update')
    update gis.proposed_change c set "values" = t."values", geom = t.geom
      from trimmed t
     where c.proposal_id = t.proposal_id and c.number = t.number
       and (c."values" <> t."values" or (c.geom is not null and t.geom is null))
  $sql$, coalesce(equal, ''), name) using p_proposal;
  delete from gis.proposed_change c
   where c.proposal_id = p_proposal and c.operation = 'update' and c."values" = '{}' and c.geom is null;
  return (select count(*) from gis.proposed_change c where c.proposal_id = p_proposal);
end $$;

-- The jurisdictions that a proposal's changes touch at this moment, each combination once: those of the rows as they
-- stand, and those of the rows as they would be. A row that has gone meets none, which only the centre may decide.
create function gis.places_of(p_proposal bigint) returns setof text[]
language plpgsql stable set search_path = gis, public, pg_temp as $$
declare
  name text := (select table_name from gis.proposal where proposal_id = p_proposal);
  after_it text := 'gis.jurisdictions_of(c.geom)';
begin
  if name = 'admin_unit' then
    after_it := 'gis.admin_jurisdictions(r.level, r.code, r.parent_code, coalesce(c.geom, o.geom))';
  end if;
  return query execute format($sql$
    select coalesce(o.jurisdiction, '{}')
      from gis.proposed_change c left join gis.%1$I o on o.gid = c.gid
     where c.proposal_id = $1 and c.operation <> 'insert' and c.decision is distinct from 'rejected'
    union
    select %2$s
      from gis.proposed_change c
      left join gis.%1$I o on o.gid = c.gid
      cross join lateral jsonb_populate_record(o, c."values") r
     where c.proposal_id = $1 and c.operation <> 'delete' and c.decision is distinct from 'rejected'
       and (c.geom is not null or $2)
  $sql$, name, after_it) using p_proposal, name = 'admin_unit';
end $$;

-- What each change does to the attributes of its row, before it as the row stood when the change was made.
create function gis.differences_of(p_proposal bigint)
returns table (number int, operation text, gid bigint, differences jsonb, moved boolean, decision text, reason text)
language plpgsql stable set search_path = gis, public, pg_temp as $$
#variable_conflict use_column
declare
  name text := (select table_name from gis.proposal where proposal_id = p_proposal);
  named text := (
    select coalesce(string_agg(quote_ident(key), ', '), 'gid')
      from (select distinct jsonb_object_keys(c."values") as key
              from gis.proposed_change c where c.proposal_id = p_proposal) k
     where key = any (gis.proposable_columns(name)));
begin
  return query execute format($sql$
    select c.number, c.operation, c.gid,
           (select coalesce(jsonb_agg(jsonb_build_object('column', key, 'before', b.was ->> key, 'after', value)
                            order by key), '[]') from jsonb_each_text(c."values") v (key, value)),
           c.operation = 'update' and c.geom is not null, c.decision, c.reason
      from gis.proposed_change c
      left join lateral (
        select to_jsonb(s) as was from (
          select %1$s from gis.%2$I t where t.gid = c.gid and t.rev = c.base_rev
          union all
          select %1$s from gis_history.%2$I t where t.gid = c.gid and t.rev = c.base_rev) s) b on true
     where c.proposal_id = $1 order by c.number
  $sql$, named, name) using p_proposal;
end $$;

-- Takes a step, if nobody has taken another since revision p_revision was read and no rights have changed since epoch
-- p_epoch; p_rejected are the changes that are left out, as {"number": "reason"}. Gives 'done', 'step' or 'rights'.
create function gis.move_proposal(
  p_id bigint, p_revision int, p_epoch bigint, p_action text, p_to text,
  p_comment text default null, p_rejected jsonb default null) returns text
language plpgsql set search_path = gis, pg_temp as $$
declare
  before gis.proposal;
begin
  perform from gis.policy_epoch e where e.epoch = p_epoch for share;
  if not found then
    return 'rights';
  end if;
  select * into before from gis.proposal p where p.proposal_id = p_id for update;
  if not found or before.revision <> p_revision then
    return 'step';
  end if;
  if p_rejected is not null then
    update gis.proposed_change c set decision = 'rejected', reason = r.value
      from jsonb_each_text(p_rejected) r where c.proposal_id = p_id and c.number = r.key::int;
  end if;
  if p_to = 'draft' then
    update gis.proposed_change c set decision = null, reason = null
     where c.proposal_id = p_id and c.decision is not null;
  elsif p_action in ('accept', 'approve') then
    update gis.proposed_change c set decision = 'accepted' where c.proposal_id = p_id and c.decision is null;
  end if;
  update gis.proposal p set state = p_to, revision = revision + 1, changed_at = clock_timestamp()
   where p.proposal_id = p_id;
  insert into gis.proposal_event (proposal_id, action, from_state, to_state, comment, details)
    values (p_id, p_action, before.state, p_to, p_comment, jsonb_build_object('rejected', p_rejected));
  return 'done';
end $$;

-- SHA-256 over the content of the rows of a table that stood up with a release, by gid: identity and content, no
-- rights, for those follow today's lists. Rows that have been superseded since are found in history.
create function gis.rows_checksum(p_table text, p_release int) returns bytea
language plpgsql stable
set search_path = gis, public, pg_temp set timezone = 'UTC' set datestyle = 'ISO' set extra_float_digits = 1 as $$
declare
  columns text := (
    select string_agg('t.' || quote_ident(c), ', ')
      from unnest('{gid,public_id,source_id,dataset_id,rev,basis,geom}'::text[] || gis.proposable_columns(p_table)) c);
  sum bytea;
begin
  execute format($sql$
    select sha256(coalesce(string_agg(sha256(convert_to(row_text, 'UTF8')), ''::bytea order by gid), ''))
      from (select gid, row(%1$s)::text as row_text from gis.%2$I t where release_from = $1
            union all
            select gid, row(%1$s)::text from gis_history.%2$I t where release_from = $1) rows
  $sql$, columns, p_table) into sum using p_release;
  return sum;
end $$;

-- Writes the changes of pg_temp.publishing to one table, each kind in one statement, and gives what it did.
create function gis.apply_changes(p_table text, p_release int) returns gis.release_manifest
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  named text[];
  strange text[];
  assigned text;
  filled text;
  made gis.release_manifest;
begin
  select coalesce(array_agg(key order by key), '{}') into named
    from (select distinct jsonb_object_keys(c."values") as key from pg_temp.publishing c where c.table_name = p_table) k;
  strange := array(select unnest(named) except select unnest(gis.proposable_columns(p_table)));
  if strange <> '{}' then
    raise exception 'a proposal can''t change column % of gis.%', array_to_string(strange, ', '), p_table
      using errcode = 'check_violation', constraint = 'proposable_columns';
  end if;
  made.release := p_release;
  made.table_name := p_table;

  execute format($sql$
    with gone as (
      delete from gis.%1$I t using pg_temp.publishing c
       where t.gid = c.gid and c.table_name = %1$L and c.operation = 'delete' returning t.gid)
    select count(*) from gone $sql$, p_table) into made.withdrawn;

  select string_agg(format('%1$I = r.%1$I', c), ', ') into assigned from unnest(named) c;
  if exists (select from pg_temp.publishing c
              where c.table_name = p_table and c.operation = 'update' and c.geom is not null) then
    assigned := concat_ws(', ', assigned, $set$geom = coalesce(c.geom, o.geom),
      geom_original = case when c.geom is null then o.geom_original else c.geom_original end,
      srid_original = case when c.geom is null then o.srid_original else c.srid_original end,
      datum_operation = case when c.geom is null then o.datum_operation else c.datum_operation end$set$);
  end if;
  made.changed := 0;
  if assigned is not null then
    execute format($sql$
      with written as (
        update gis.%1$I t set %2$s
          from pg_temp.publishing c
          join gis.%1$I o on o.gid = c.gid
          cross join lateral jsonb_populate_record(o, c."values") r
         where t.gid = c.gid and c.table_name = %1$L and c.operation = 'update' returning t.release_from)
      select count(*) filter (where release_from = $1) from written
    $sql$, p_table, assigned) into made.changed using p_release;
  end if;

  update pg_temp.publishing c set gid = k.gid
    from (select i.dataset_id, d.slug, array_agg(i.source_id) as ids
            from pg_temp.publishing i join gis.dataset d using (dataset_id)
           where i.table_name = p_table and i.operation = 'insert' group by i.dataset_id, d.slug) by_source
    cross join lateral gis.claim_gids(p_table, by_source.slug, by_source.ids) k
   where c.table_name = p_table and c.operation = 'insert'
     and c.dataset_id = by_source.dataset_id and c.source_id = k.source_id;
  -- A column that takes no null has its default where a change doesn't name it.
  select string_agg(', ' || case when a.attnotnull and d.adbin is not null
           then format('coalesce(r.%I, %s)', a.attname, pg_get_expr(d.adbin, d.adrelid))
           else format('r.%I', a.attname) end, '' order by array_position(named, a.attname::text))
    into filled
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = format('gis.%I', p_table)::regclass and a.attname = any (named);
  execute format($sql$
    with written as (
      insert into gis.%1$I (gid, source_id, dataset_id, geom, geom_original, srid_original, datum_operation%2$s)
      select c.gid, c.source_id, c.dataset_id, c.geom, c.geom_original, c.srid_original, c.datum_operation%3$s
        from pg_temp.publishing c cross join lateral jsonb_populate_record(null::gis.%1$I, c."values") r
       where c.table_name = %1$L and c.operation = 'insert'
       order by c.place, c.number
      returning gid)
    select count(*) from written
  $sql$, p_table, (select coalesce(string_agg(', ' || quote_ident(c), '' order by c), '') from unnest(named) c),
    coalesce(filled, '')) into made.inserted;
  return made;
end $$;

-- What becomes of each proposal that is asked for: pg_temp.asked with a reason where it is refused, and
-- pg_temp.publishing with the accepted changes of the others.
create function gis.gather_changes(p_ids bigint[], p_revisions int[]) returns void
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  name text;
begin
  drop table if exists pg_temp.asked, pg_temp.publishing, pg_temp.lost;
  create temporary table asked on commit drop as
    select i.id as proposal_id, i.place, p.table_name, p.dataset_id, p.state, '{}'::bigint[] as gids,
           case when p.proposal_id is null then 'unknown'
                when p.state not in ('submitted', 'province_review', 'central_approval') then 'state'
                when p.revision <> i.revision then 'step' end as reason
      from (select id, min(place) as place, min(revision) as revision
              from unnest(p_ids, p_revisions) with ordinality i (id, revision, place) group by id) i
      left join gis.proposal p on p.proposal_id = i.id;
  create temporary table publishing on commit drop as
    select a.place, a.table_name, a.dataset_id, c.proposal_id, c.number, c.operation, c.gid, c.source_id, c.base_rev,
           c."values", c.geom, c.geom_original, c.srid_original, c.datum_operation
      from pg_temp.asked a join gis.proposed_change c using (proposal_id)
     where a.reason is null and c.decision is distinct from 'rejected';
  create index on pg_temp.publishing (gid);
  analyze pg_temp.asked, pg_temp.publishing;

  create temporary table lost (proposal_id bigint not null, gid bigint not null) on commit drop;
  for name in select distinct c.table_name from pg_temp.publishing c loop
    execute format($sql$
      insert into pg_temp.lost
      select c.proposal_id, c.gid from pg_temp.publishing c left join gis.%1$I t on t.gid = c.gid
       where c.table_name = %1$L and c.operation <> 'insert' and t.rev is distinct from c.base_rev $sql$, name);
  end loop;
  -- Of two that change one row only the first can: the other was made without knowing of it.
  insert into pg_temp.lost
    select proposal_id, gid
      from (select c.*, min(place) over (partition by gid) as first from pg_temp.publishing c
             where gid is not null and proposal_id not in (select l.proposal_id from pg_temp.lost l)) c
     where place > first;
  update pg_temp.asked a set reason = 'lost', gids = l.gids
    from (select proposal_id, array_agg(gid order by gid) as gids from pg_temp.lost group by proposal_id) l
   where a.proposal_id = l.proposal_id;
  update pg_temp.asked a set reason = 'empty'
   where a.reason is null and not exists (select from pg_temp.publishing c where c.proposal_id = a.proposal_id);
  delete from pg_temp.publishing c using pg_temp.asked a
   where a.proposal_id = c.proposal_id and a.reason is not null;
end $$;

-- Publishes proposals as one release and gives its manifest:
-- {"release": 7, "tables": [{"table": …, "inserted": …, "changed": …, "withdrawn": …, "checksum": …}],
--  "published": [ids], "refused": [{"proposal": id, "reason": …, "gids": […]}]}
-- A proposal is refused whole where a row is no longer as it was when the change was made ('lost'), where somebody has
-- taken a step since its revision was read ('step'), or where it isn't under way ('state', 'unknown', 'empty').
-- Where all are refused there is no release. Readers are never blocked: rows alone are locked, no table.
create function gis.publish_proposals(p_ids bigint[], p_note text, p_revisions int[] default null) returns jsonb
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  opened int;
  name text;
begin
  -- The lock of gis.open_release: until the end of the transaction nobody else writes a row that is judged here.
  perform pg_advisory_xact_lock(hashtextextended('gis.release', 0));
  perform from gis.proposal p where p.proposal_id = any (p_ids) order by p.proposal_id for update;
  perform gis.gather_changes(p_ids, p_revisions);

  if exists (select from pg_temp.publishing) then
    opened := gis.open_release(p_note);
    for name in select distinct c.table_name from pg_temp.publishing c order by 1 loop
      perform gis.record_manifest(gis.apply_changes(name, opened));
    end loop;
    update gis.proposed_change c set gid = p.gid from pg_temp.publishing p
     where p.operation = 'insert' and c.proposal_id = p.proposal_id and c.number = p.number;
    update gis.proposal p
       set state = 'published', release = opened, revision = p.revision + 1, changed_at = clock_timestamp()
      from pg_temp.asked a where a.proposal_id = p.proposal_id and a.reason is null;
  end if;

  insert into gis.proposal_event (proposal_id, action, from_state, to_state, comment, details)
    select a.proposal_id, case when a.reason is null then 'publish' else 'refuse' end, a.state,
           case when a.reason is null then 'published' else a.state end, p_note,
           jsonb_strip_nulls(jsonb_build_object('release', opened, 'reason', a.reason, 'gids', nullif(a.gids, '{}')))
      from pg_temp.asked a where a.reason is distinct from 'unknown' and a.reason is distinct from 'state'
     order by a.place;
  return gis.manifest(opened) || jsonb_build_object(
    'published', (select coalesce(jsonb_agg(proposal_id order by place), '[]') from pg_temp.asked where reason is null),
    'refused', (select coalesce(jsonb_agg(jsonb_build_object('proposal', proposal_id, 'reason', reason, 'gids', gids)
                                order by place), '[]') from pg_temp.asked where reason is not null));
end $$;

create function gis.record_manifest(made gis.release_manifest, p_undoes int default null) returns void
language sql set search_path = gis, pg_temp as $$
  insert into gis.release_manifest (release, table_name, inserted, changed, withdrawn, checksum, undoes)
  values (made.release, made.table_name, made.inserted, made.changed, made.withdrawn,
          gis.rows_checksum(made.table_name, made.release), p_undoes)
$$;

create function gis.manifest(p_release int) returns jsonb
language sql stable set search_path = gis, pg_temp as $$
  select jsonb_build_object(
    'release', p_release, 'undoes', min(undoes),
    'tables', coalesce(jsonb_agg(jsonb_build_object(
      'table', table_name, 'inserted', inserted, 'changed', changed, 'withdrawn', withdrawn,
      'checksum', encode(checksum, 'hex')) order by table_name), '[]'))
    from gis.release_manifest where release = p_release
$$;

-- Undoes a release by a new one: its rows stand again as they stood before. Refused, with the gids, where one of them
-- has been changed since. Gives a manifest as gis.publish_proposals does; 'changed_since' is {"table": [gids]}.
create function gis.rollback_release(p_release int, p_note text default null) returns jsonb
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  opened int;
  name text;
  gids bigint[];
  later jsonb := '{}';
begin
  perform pg_advisory_xact_lock(hashtextextended('gis.release', 0));
  if not exists (select from gis.release_manifest m where m.release = p_release) then
    raise exception 'release % wasn''t made of proposals', p_release
      using errcode = 'foreign_key_violation', constraint = 'unknown_release';
  end if;
  for name in select m.table_name from gis.release_manifest m where m.release = p_release order by 1 loop
    -- Its rows that have left the table since, and rows that it withdrew and that have come back since.
    execute format($sql$
      select array_agg(distinct gid order by gid) from (
        select gid from gis_history.%1$I where release_from = $1
        union all
        select h.gid from gis_history.%1$I h
         where h.release_to = $1
           and (exists (select from gis.%1$I t where t.gid = h.gid and t.release_from > $1)
                or exists (select from gis_history.%1$I l where l.gid = h.gid and l.release_from > $1))) later
    $sql$, name) into gids using p_release;
    if gids is not null then
      later := later || jsonb_build_object(name, to_jsonb(gids));
    end if;
  end loop;
  if later <> '{}' then
    return gis.manifest(null) || jsonb_build_object('changed_since', later);
  end if;

  opened := gis.open_release(coalesce(p_note, format('release %s undone', p_release)));
  for name in select m.table_name from gis.release_manifest m where m.release = p_release order by 1 loop
    perform gis.record_manifest(gis.restore_rows(name, p_release, opened), p_release);
  end loop;
  insert into gis.proposal_event (proposal_id, action, from_state, to_state, comment, details)
    select proposal_id, 'rollback', state, 'superseded', p_note, jsonb_build_object('release', opened)
      from gis.proposal where release = p_release and state = 'published';
  update gis.proposal set state = 'superseded', revision = revision + 1, changed_at = clock_timestamp()
   where release = p_release and state = 'published';
  return gis.manifest(opened) || jsonb_build_object('changed_since', later);
end $$;

-- The rows of a table as they stood before a release, where that release still is the last that changed them.
create function gis.restore_rows(p_table text, p_release int, p_opened int) returns gis.release_manifest
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  kept text[] := '{public_id,basis,jurisdiction,geom,geom_original,srid_original,datum_operation,extra}'::text[]
    || gis.proposable_columns(p_table);
  made gis.release_manifest;
begin
  made.release := p_opened;
  made.table_name := p_table;
  -- Each statement leaves the rows that it writes with another release, so none meets those of another. `+ 0` keeps
  -- the index on releases out where a row is to be found by its gid: of a new release there are no statistics.
  execute format($sql$
    with gone as (
      delete from gis.%1$I t where t.release_from = $1
         and not exists (select from gis_history.%1$I h where h.gid = t.gid and h.release_to + 0 = $1)
      returning t.gid)
    select count(*) from gone $sql$, p_table) into made.withdrawn using p_release;
  execute format($sql$
    with former as materialized (select * from gis_history.%1$I h where h.release_to = $1),
    written as (
      update gis.%1$I t set %2$s from former h
       where h.gid = t.gid and t.release_from + 0 = $1 returning t.gid)
    select count(*) from written
  $sql$, p_table, (select string_agg(format('%1$I = h.%1$I', c), ', ') from unnest(kept) c))
    into made.changed using p_release;
  execute format($sql$
    with written as (
      insert into gis.%1$I (gid, source_id, dataset_id%2$s)
      select h.gid, h.source_id, h.dataset_id%3$s from gis_history.%1$I h
       where h.release_to = $1 and not exists (select from gis.%1$I t where t.gid = h.gid) returning gid)
    select count(*) from written
  $sql$, p_table, (select string_agg(', ' || quote_ident(c), '') from unnest(kept) c),
    (select string_agg(', h.' || quote_ident(c), '') from unnest(kept) c)) into made.inserted using p_release;
  return made;
end $$;

-- What publishing would do: done, and undone again.
create function gis.try_publishing(p_ids bigint[], p_note text, p_revisions int[] default null) returns jsonb
language plpgsql set search_path = gis, pg_temp as $$
declare
  made jsonb;
begin
  made := gis.publish_proposals(p_ids, p_note, p_revisions);
  raise exception 'undo' using errcode = 'GIS01';
exception when sqlstate 'GIS01' then
  return made;
end $$;

-- The data set of an organisation's own new rows, made where it is missing. Whether others may have them is what
-- the configuration says at first, and then the data set's own row.
create function gis.edits_dataset(p_organisation int, p_licence text, p_redistribution boolean) returns int
language plpgsql set search_path = gis, pg_temp as $$
declare
  its gis.organisation;
  made int;
begin
  select * into its from gis.organisation o where o.organisation_id = p_organisation;
  insert into gis.dataset (slug, title, title_vi, licence, redistribution, citation, basis)
    values (format('edits-%s-%s', lower(its.code), p_organisation), 'Contributed by ' || coalesce(its.name_en, its.name),
            'Do ' || its.name || ' đóng góp', p_licence, p_redistribution, coalesce(its.name_en, its.name), 'published')
    on conflict (slug) do nothing;
  select dataset_id into made from gis.dataset d where d.slug = format('edits-%s-%s', lower(its.code), p_organisation);
  return made;
end $$;

revoke execute on function
  gis.try_publishing(bigint[], text, int[]), gis.edits_dataset(int, text, boolean),
  gis.keep_changes(), gis.index_releases(text), gis.proposable_columns(text), gis.trim_changes(bigint),
  gis.places_of(bigint), gis.differences_of(bigint), gis.move_proposal(bigint, int, bigint, text, text, text, jsonb),
  gis.rows_checksum(text, int), gis.apply_changes(text, int), gis.gather_changes(bigint[], int[]),
  gis.publish_proposals(bigint[], text, int[]), gis.record_manifest(gis.release_manifest, int), gis.manifest(int),
  gis.rollback_release(int, text), gis.restore_rows(text, int, int)
  from public;
