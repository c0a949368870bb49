-- The log of who changed what: append-only, each entry chained to the one before by its hash (docs/audit.md).

create table gis.audit (
  seq bigint primary key check (seq > 0),
  at timestamptz not null check (isfinite(at)),
  actor text not null check (actor <> ''),
  actor_role text not null check (actor_role <> ''),
  action text not null check (action <> ''),
  subject text not null check (subject <> ''),
  old_hash bytea,
  new_hash bytea,
  reason text,
  client text,
  details jsonb not null,
  previous bytea not null check (octet_length(previous) = 32),
  hash bytea not null check (octet_length(hash) = 32)
);
create index on gis.audit (at);

-- What a transaction has to tell waits here until it commits, so that a long one holds the chain for an instant
-- and in the order of all other locks as the last. The table is empty for everybody else.
create unlogged table gis.audit_intake (
  number bigint generated always as identity primary key,
  last_turn boolean not null default false,
  actor text not null,
  actor_role text not null,
  action text not null check (action <> ''),
  subject text not null check (subject <> ''),
  old_hash bytea,
  new_hash bytea,
  reason text,
  client text,
  details jsonb not null
);
revoke all on gis.audit, gis.audit_intake from public;

-- Each value with its length before it, and -1 for null: no two entries are encoded alike.
create function gis.audit_field(value bytea) returns bytea
language sql immutable parallel safe
return coalesce(int4send(octet_length(value)) || value, int4send(-1));

create function gis.audit_hash(e gis.audit) returns bytea
language sql stable parallel safe
return sha256(
  convert_to('gis.audit 1', 'UTF8') || e.previous
  || gis.audit_field(int8send(e.seq)) || gis.audit_field(timestamptz_send(e.at))
  || gis.audit_field(convert_to(e.actor, 'UTF8')) || gis.audit_field(convert_to(e.actor_role, 'UTF8'))
  || gis.audit_field(convert_to(e.action, 'UTF8')) || gis.audit_field(convert_to(e.subject, 'UTF8'))
  || gis.audit_field(e.old_hash) || gis.audit_field(e.new_hash)
  || gis.audit_field(convert_to(e.reason, 'UTF8')) || gis.audit_field(convert_to(e.client, 'UTF8'))
  || gis.audit_field(convert_to(e.details::text, 'UTF8')));

-- Whoever inserts into the log, the entry gets its number, time and hash here. The lock is held until the
-- transaction ends: so the chain never forks, and what is rolled back gives its numbers back. The last entry is
-- looked up by the index, for a row that holds it would be walked through all its versions of the transaction.
create function gis.chain_audit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('gis.audit', 0));
  select a.seq + 1, a.hash into new.seq, new.previous from gis.audit a order by a.seq desc limit 1;
  if not found then
    new.seq := 1;
    new.previous := decode(repeat('00', 32), 'hex');
  end if;
  new.at := clock_timestamp();
  new.hash := gis.audit_hash(new);
  return new;
end $$;
create trigger chain before insert on gis.audit for each row execute function gis.chain_audit();
create trigger keep before update or delete or truncate on gis.audit
  execute function gis.refuse('the audit log is only added to: no entry is changed or removed');

-- Fires when the transaction commits, twice for each entry: the first time it queues up again behind all else
-- that waits for the commit (rights that follow a boundary take locks too), the second time it writes.
create function gis.take_audit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if new.last_turn then
    delete from gis.audit_intake where number = new.number;
  else
    update gis.audit_intake set last_turn = true where number = new.number;
  end if;
  if not found then
    raise exception 'an entry of the audit log was taken back' using errcode = 'integrity_constraint_violation';
  end if;
  if new.last_turn then
    insert into gis.audit (actor, actor_role, action, subject, old_hash, new_hash, reason, client, details)
      values (new.actor, new.actor_role, new.action, new.subject, new.old_hash, new.new_hash, new.reason,
              new.client, new.details);
  end if;
  return null;
end $$;
create constraint trigger take after insert or update on gis.audit_intake
  deferrable initially deferred for each row execute function gis.take_audit();
create trigger keep before truncate on gis.audit_intake
  execute function gis.refuse('entries of the audit log can''t be taken back');

-- A setting of the transaction or the session, null where it is empty.
create function gis.audit_setting(name text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return nullif(current_setting('gis.' || name, true), '');

-- Who works straight in the database, without saying who asked, stands there as its user and in the role `database`.
create function gis.record_audit(
  action text, subject text, details jsonb default '{}', old_hash bytea default null, new_hash bytea default null,
  reason text default null) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into gis.audit_intake (actor, actor_role, action, subject, old_hash, new_hash, reason, client, details)
    values (coalesce(gis.audit_setting('actor'), session_user),
            coalesce(gis.audit_setting('actor_role'), 'database'),
            record_audit.action, record_audit.subject, record_audit.old_hash, record_audit.new_hash,
            coalesce(record_audit.reason, gis.audit_setting('reason')),
            coalesce(gis.audit_setting('client'),
                     concat_ws(' ', nullif(current_setting('application_name'), ''), inet_client_addr())),
            coalesce(record_audit.details, '{}'));
end;

create function gis.audit_pick(state jsonb, names text[]) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
return (select coalesce(jsonb_object_agg(name, state -> name), '{}') from unnest(names) name);

create function gis.audit_digest(state jsonb) returns bytea
language sql immutable strict set search_path = pg_catalog, pg_temp
return sha256(convert_to(state::text, 'UTF8'));

-- Tells a change of a row, and the emptying of its table. Arguments: the kind of thing (`key`); the column that
-- names one; the columns to show; the columns to hash, `*` for all; and `column:word` for those whose filling has a
-- word of its own (`revoked_at:revoked`). What isn't hashed may change untold. Columns are separated by blanks.
-- Times and bytes are written alike in every session, or their hashes would differ.
create function gis.audit_row() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'iso_8601'
set bytea_output = 'hex' set extra_float_digits = 1 as $$
declare
  was jsonb := case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) end;
  is_now jsonb := case when tg_op in ('INSERT', 'UPDATE') then to_jsonb(new) end;
  known jsonb := coalesce(is_now, was);
  shown text[] := string_to_array(tg_argv[2], ' ');
  hashed text[] := case when tg_argv[3] = '*' then array(select jsonb_object_keys(known))
                        else string_to_array(tg_argv[3], ' ') end;
  word text := case tg_op when 'INSERT' then 'made' when 'UPDATE' then 'changed' else 'removed' end;
  old_digest bytea;
  new_digest bytea;
  details jsonb := '{}';
begin
  if tg_op = 'TRUNCATE' then
    perform gis.record_audit(tg_argv[0] || '.emptied', tg_table_schema || '.' || tg_table_name);
    return null;
  end if;
  if not known ?& (shown || hashed || tg_argv[1]) then
    raise exception 'the audit of %.% names a column that isn''t there', tg_table_schema, tg_table_name;
  end if;
  if was is not null then
    old_digest := gis.audit_digest(gis.audit_pick(was, hashed));
  end if;
  if is_now is not null then
    new_digest := gis.audit_digest(gis.audit_pick(is_now, hashed));
    details := jsonb_build_object('now', gis.audit_pick(is_now, shown));
  end if;
  if old_digest = new_digest then
    return null;
  end if;
  if tg_op = 'DELETE' then
    details := jsonb_build_object('before', gis.audit_pick(was, shown));
  elsif tg_op = 'UPDATE' then
    details := details || jsonb_build_object('before', gis.audit_pick(
      was, array(select name from unnest(shown) name where was -> name is distinct from is_now -> name)));
    select coalesce(min(split_part(mark, ':', 2)), word) into word
      from unnest(string_to_array(tg_argv[4], ' ')) mark cross join lateral split_part(mark, ':', 1) name
     where was -> name = 'null' and is_now -> name <> 'null';
  end if;
  perform gis.record_audit(
    tg_argv[0] || '.' || word, tg_argv[0] || ':' || (known ->> tg_argv[1]), details, old_digest, new_digest);
  return null;
end $$;

-- Puts a table under the log, with the arguments of gis.audit_row.
create function gis.audit_table(
  watched regclass, kind text, named_by text, shown text, hashed text default '*', words text default '')
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format(
    'create trigger audit after insert or update or delete on %s for each row'
    ' execute function gis.audit_row(%L, %L, %L, %L, %L)', watched, kind, named_by, shown, hashed, words);
  execute format(
    'create trigger audit_emptied after truncate on %s execute function gis.audit_row(%L)', watched, kind);
end $$;

revoke execute on function
  gis.record_audit(text, text, jsonb, bytea, bytea, text), gis.chain_audit(), gis.take_audit(), gis.audit_row(),
  gis.audit_field(bytea), gis.audit_hash(gis.audit), gis.audit_setting(text), gis.audit_pick(jsonb, text[]),
  gis.audit_digest(jsonb), gis.audit_table(regclass, text, text, text, text, text)
  from public;

-- A key's own hash is part of the row's digest, so that a swapped one is told, and is never shown.
select gis.audit_table('gis.api_key', 'key', 'key_id', 'principal_id label expires_at revoked_at scopes',
                       '*', 'revoked_at:revoked');
select gis.audit_table('gis.principal', 'account', 'name',
                       'principal_id kind tier jurisdictions organisation_id locked_at', '*', 'locked_at:locked');
select gis.audit_table('gis.organisation', 'organisation', 'code', 'organisation_id name tier parent_id jurisdictions');
select gis.audit_table('gis.membership', 'membership', 'membership_id',
                       'principal_id organisation_id role species_group granted_by since until');
select gis.audit_table('gis.invitation', 'invitation', 'invitation_id',
                       'organisation_id role species_group invited_by expires_at accepted_at accepted_by',
                       '*', 'accepted_at:accepted');
select gis.audit_table('gis.role_jurisdiction', 'database-role', 'role', 'code');
select gis.audit_table('gis.sensitivity', 'sensitivity', 'taxon_id',
                       'sensitivity_id jurisdiction category reason authority review_date');
select gis.audit_table('gis.dataset', 'dataset', 'slug', 'dataset_id licence licence_url redistribution basis',
                       'slug publisher licence licence_url redistribution citation basis');
select gis.audit_table('gis.load', 'load', 'load_id',
                       'dataset_id layer version checksum file_name release inserted superseded withdrawn unchanged'
                       ' quarantined repaired loaded_by');
select gis.audit_table('gis.published_file', 'file', 'name', 'layer policy_class format length sha256 release',
                       'layer policy_class format name length sha256 digest');

-- What stood when the log began is told by its numbers alone.
select gis.record_audit('audit.begun', 'database:' || current_database(), jsonb_build_object(
  'accounts', (select count(*) from gis.principal), 'keys', (select count(*) from gis.api_key),
  'organisations', (select count(*) from gis.organisation), 'datasets', (select count(*) from gis.dataset),
  'loads', (select count(*) from gis.load), 'sensitive', (select count(*) from gis.sensitivity)));
