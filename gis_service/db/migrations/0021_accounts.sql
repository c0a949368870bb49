-- Accounts of persons and services, the roles they hold in organisations, invitations, and what a key may be used for.

-- Who acts: the account that the transaction names, else the user of the database.
create function gis.acting() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(nullif(current_setting('gis.actor', true), ''), session_user::text)
$$;

-- Changes of accounts wait for each other, so that what one of them has checked still holds when it commits.
create function gis.hold_accounts() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('gis.accounts', 0));
  return null;
end $$;

-- A principal is an account. `tier` and `jurisdictions` are its rights only while it has never had a membership.
alter table gis.principal
  add column kind text not null default 'service' check (kind in ('person', 'service')),
  add column display_name text check (display_name <> ''),
  add column email text check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  add column language text not null default 'vi' check (language in ('vi', 'en')),
  add column locked_at timestamptz;
create unique index principal_email_key on gis.principal (lower(email));

alter table gis.api_key
  add column scopes text[] not null default '{read}',
  add constraint api_key_scopes_check
    check ('read' = any (scopes) and scopes <@ array['read', 'edit', 'review', 'administer']);

create or replace function gis.refuse_cycle() returns trigger
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
    raise exception 'organisation % can''t stand below itself', new.code
      using errcode = 'check_violation', constraint = 'tree';
  end if;
  return null;
end $$;

create function gis.are_codes(p_codes text[]) returns boolean
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select coalesce(bool_and(coalesce(c ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$', false)), true) from unnest(p_codes) c
$$;

-- Organisations from before may break these rules; whoever changes one mends it.
alter table gis.organisation
  add constraint organisation_code_check check (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$') not valid,
  add constraint organisation_jurisdictions_check
    check (jurisdictions = '{}' or (tier = 'province' and gis.are_codes(jurisdictions))) not valid;
create trigger keep before update on gis.organisation
  for each row when ((new.code, new.tier) is distinct from (old.code, old.tier))
  execute function gis.refuse('the code and the tier of an organisation can''t change: make another and move what is below');
create trigger hold before insert or update or delete on gis.organisation
  for each statement execute function gis.hold_accounts();  -- two moves at once could close a circle

-- The jurisdictions that an organisation looks after.
create function gis.codes_of(p_tier text, p_code text, p_jurisdictions text[]) returns text[]
language sql immutable parallel safe
return case p_tier when 'province' then p_jurisdictions when 'site' then array[p_code] else '{}' end;

create table gis.membership (
  membership_id int generated always as identity primary key,
  principal_id int not null references gis.principal,
  organisation_id int not null references gis.organisation,
  role text not null check (role in ('reader', 'editor', 'reviewer', 'steward', 'auditor', 'administrator')),
  species_group text check (species_group <> ''),
  granted_by text not null default gis.acting(),
  since timestamptz not null default clock_timestamp(),
  until timestamptz,
  constraint membership_group_check check ((role = 'steward') = (species_group is not null)),
  constraint membership_until_check check (until >= since)
);
create index on gis.membership (principal_id);
create index on gis.membership (organisation_id);
create trigger keep before delete or truncate on gis.membership
  execute function gis.refuse('memberships are ended by until, not deleted: they tell who could do what, and when');

-- What counts at this moment. Time ends memberships by itself: nothing has to run, whoever asks looks at the clock.
create view gis.grant_now as
  select m.membership_id, m.principal_id, m.role, m.species_group, m.since, m.until,
         o.organisation_id, o.code, o.tier, gis.codes_of(o.tier, o.code, o.jurisdictions) as codes
    from gis.membership m join gis.organisation o using (organisation_id)
   where m.until is null or m.until > clock_timestamp();

create function gis.organisations_below(p_organisation int) returns text[]
language sql stable set search_path = gis, pg_temp as $$
  with recursive below as (
    select organisation_id, code from gis.organisation where organisation_id = p_organisation
    union
    select o.organisation_id, o.code from below b join gis.organisation o on o.parent_id = b.organisation_id
  )
  select array_agg(code order by code) from below
$$;

-- Each account with the rights that it has now. An auditor reads the log and, as such, nothing else.
create view gis.account as
  with held as (
    select principal_id,
           coalesce(bool_or(tier = 'central') filter (where role <> 'auditor'), false) as whole,
           (array_agg(code order by since, membership_id))[1] as organisation,
           jsonb_agg(jsonb_build_object(
             'role', role, 'organisation', code, 'group', species_group, 'tier', tier, 'jurisdictions', codes,
             'reach', case when role = 'administrator' then gis.organisations_below(organisation_id) else '{}' end)
             order by membership_id) as grants
      from gis.grant_now group by principal_id
  ), own as (
    select principal_id, array_agg(distinct its.code order by its.code) as codes
      from gis.grant_now g cross join lateral unnest(g.codes) its (code)
     where role <> 'auditor' group by principal_id
  )
  select p.principal_id, p.name, p.kind, p.display_name, p.email, p.language, p.created_at, p.locked_at,
         case when h.principal_id is null then p.tier
              when h.whole then 'full'
              when o.codes is not null then 'jurisdiction'
              else 'public' end as tier,
         case when h.principal_id is null then p.jurisdictions
              when h.whole then '{}'
              else coalesce(o.codes, '{}') end as jurisdictions,
         h.organisation, coalesce(h.grants, '[]') as grants
    from gis.principal p
    left join held h using (principal_id)
    left join own o using (principal_id);

-- The role of one jurisdiction, or of several together, made where it is missing. It inherits its grants.
-- Codes that don't fit into a role's name are named by their hash.
create or replace function gis.ensure_jurisdiction_role(p_codes text[]) returns text
language plpgsql set search_path = gis, pg_catalog, pg_temp as $$
declare
  codes text[] := array(select distinct unnest(p_codes) order by 1);
  joined text;
  made name;
  stands_for text[];
begin
  if cardinality(codes) = 0 or array_position(codes, null) is not null then
    raise exception 'a jurisdiction needs a code' using errcode = 'invalid_parameter_value';
  end if;
  select string_agg(w, '_' order by w collate "C")
    into joined from unnest(codes) c cross join lateral replace(lower(c), '-', '_') w;
  made := 'gis_j_' || joined;
  if length('gis_j_' || joined) > 62 then
    made := 'gis_j_h_' || left(encode(sha256(convert_to(joined, 'UTF8')), 'hex'), 40);
  end if;
  perform pg_advisory_xact_lock(hashtextextended('gis.role', 0));
  stands_for := array(select code from gis.role_jurisdiction where role = made order by code);
  if stands_for not in (codes, '{}') then
    raise exception 'role % stands for % already, not for %', made, stands_for, codes
      using errcode = 'duplicate_object', constraint = 'jurisdiction_role';
  end if;
  perform gis.ensure_role(made);
  if not pg_has_role(made, 'gis_jurisdiction', 'member') then
    execute format('grant gis_jurisdiction to %I', made);
  end if;
  insert into gis.role_jurisdiction (role, code) select made, unnest(codes) on conflict do nothing;
  return made;
end $$;

-- The database roles of an account, for its rights of today and for what will be left each time that some end.
create function gis.ensure_roles_of(p_principal int) returns void
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform gis.ensure_jurisdiction_role(codes) from (
    select distinct array(
             select distinct c from gis.grant_now g cross join lateral unnest(g.codes) c
              where g.principal_id = p_principal and g.role <> 'auditor' and (g.until is null or g.until > t.at)
              order by c) as codes
      from (select '-infinity'::timestamptz
            union select g.until from gis.grant_now g where g.principal_id = p_principal) t (at)
     where t.at is not null
       and not exists (
             select from gis.grant_now g where g.principal_id = p_principal and g.tier = 'central'
                and g.role <> 'auditor' and (g.until is null or g.until > t.at))) wanted
   where cardinality(codes) > 0;
end $$;

-- Rights changed: caches that are keyed by the epoch end, and no answer is dated before it.
create function gis.tell_rights(p_what text) returns void
language sql set search_path = gis, pg_temp as $$
  update gis.policy_epoch set epoch = epoch + 1;
  select pg_notify('gis_access', p_what);
$$;

-- Administrators of the centre who stay: not locked, and without a day on which they cease to be.
create function gis.has_administrator() returns boolean
language sql stable set search_path = gis, pg_temp as $$
  select exists (
    select from gis.membership m join gis.organisation o using (organisation_id) join gis.principal p using (principal_id)
     where m.role = 'administrator' and m.until is null and o.tier = 'central' and p.locked_at is null)
$$;

create function gis.keep_administrator() returns void
language plpgsql set search_path = gis, pg_temp as $$
begin
  if not gis.has_administrator() then
    raise exception 'the last administrator of the centre can''t be removed or locked'
      using errcode = 'restrict_violation', constraint = 'last_administrator';
  end if;
end $$;

-- A membership is granted and ended; who held it, where and as what never changes.
create function gis.check_membership() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    if new.since > clock_timestamp() then
      raise exception 'a membership can''t begin later than now'
        using errcode = 'check_violation', constraint = 'membership_since';
    end if;
  elsif (new.principal_id, new.organisation_id, new.role, new.species_group, new.granted_by, new.since)
        is distinct from
        (old.principal_id, old.organisation_id, old.role, old.species_group, old.granted_by, old.since)
     or old.until <= clock_timestamp() then
    raise exception 'a membership can only be ended or prolonged, and not after it has ended'
      using errcode = 'check_violation', constraint = 'membership_keep';
  end if;
  return new;
end $$;

create function gis.follow_membership() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    -- From now on its rights are those of its memberships, also when the last of them has ended.
    update gis.principal set tier = 'public', jurisdictions = '{}'
     where principal_id = new.principal_id and tier <> 'public';
  elsif old.role = 'administrator' and old.until is null and new.until is not null
        and exists (select from gis.organisation o where o.organisation_id = new.organisation_id and o.tier = 'central') then
    perform gis.keep_administrator();
  end if;
  perform gis.ensure_roles_of(new.principal_id), gis.tell_rights('membership');
  return null;
end $$;

create trigger hold before insert or update on gis.membership
  for each statement execute function gis.hold_accounts();
create trigger check_one before insert or update on gis.membership
  for each row execute function gis.check_membership();
create trigger follow after insert or update on gis.membership
  for each row execute function gis.follow_membership();

-- Rights of an account with memberships come from these alone.
create function gis.check_account() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if new.tier <> 'public' and exists (select from gis.membership m where m.principal_id = new.principal_id) then
    raise exception 'the rights of account % come from its memberships', new.name
      using errcode = 'check_violation', constraint = 'principal_has_memberships';
  end if;
  if new.locked_at is not null and old.locked_at is null and exists (
       select from gis.grant_now g where g.principal_id = new.principal_id
          and g.role = 'administrator' and g.tier = 'central' and g.until is null) then
    perform gis.keep_administrator();
  end if;
  return null;
end $$;
create trigger hold before update of tier, jurisdictions, locked_at on gis.principal
  for each statement execute function gis.hold_accounts();
create trigger check_one after update of tier, jurisdictions, locked_at on gis.principal
  for each row execute function gis.check_account();

create function gis.follow_organisation() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform gis.ensure_roles_of(principal_id)
     from (select distinct principal_id from gis.grant_now where organisation_id = new.organisation_id) held;
  perform gis.tell_rights('organisation');
  return null;
end $$;
create trigger follow after update of jurisdictions on gis.organisation
  for each row when (new.jurisdictions <> old.jurisdictions) execute function gis.follow_organisation();

create function gis.account_id(p_name text) returns int
language plpgsql stable set search_path = gis, pg_temp as $$
declare
  found_id int := (select principal_id from gis.principal where name = p_name);
begin
  if found_id is null then
    raise exception 'there is no account %', p_name
      using errcode = 'foreign_key_violation', constraint = 'unknown_account';
  end if;
  return found_id;
end $$;

create function gis.organisation_id(p_code text) returns int
language plpgsql stable set search_path = gis, pg_temp as $$
declare
  found_id int := (select organisation_id from gis.organisation where code = p_code);
begin
  if found_id is null then
    raise exception 'there is no organisation %', p_code
      using errcode = 'foreign_key_violation', constraint = 'unknown_organisation';
  end if;
  return found_id;
end $$;

-- Grants a role, or gives one that is held another end. Two at once wait for each other and make one membership.
create function gis.grant_role(
  p_account text, p_organisation text, p_role text, p_group text default null, p_until timestamptz default null,
  p_by text default gis.acting()) returns int
language plpgsql set search_path = gis, pg_temp as $$
declare
  account int := gis.account_id(p_account);
  organisation int := gis.organisation_id(p_organisation);
  granted int;
begin
  if p_until <= clock_timestamp() then
    raise exception 'a membership must end later than now'
      using errcode = 'check_violation', constraint = 'membership_until_check';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('gis.accounts', 0));
  update gis.membership m set until = p_until
   where m.principal_id = account and m.organisation_id = organisation and m.role = p_role
     and m.species_group is not distinct from p_group and (m.until is null or m.until > clock_timestamp())
  returning membership_id into granted;
  if granted is null then
    insert into gis.membership (principal_id, organisation_id, role, species_group, granted_by, until)
      values (account, organisation, p_role, p_group, p_by, p_until) returning membership_id into granted;
  end if;
  return granted;
end $$;

-- Ends a role at once; with no group given, a steward's of every group. Gives how many ended.
create function gis.revoke_role(p_account text, p_organisation text, p_role text, p_group text default null)
returns bigint
language plpgsql set search_path = gis, pg_temp as $$
declare
  account int := gis.account_id(p_account);
  organisation int := gis.organisation_id(p_organisation);
  ended bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('gis.accounts', 0));
  update gis.membership m set until = clock_timestamp()
   where m.principal_id = account and m.organisation_id = organisation and m.role = p_role
     and (p_group is null or m.species_group = p_group) and (m.until is null or m.until > clock_timestamp());
  get diagnostics ended = row_count;
  return ended;
end $$;

-- Invitations: a token that is shown once, of which only the hash is here, opens one membership for one address.
create table gis.invitation (
  invitation_id int generated always as identity primary key,
  sha256 bytea not null unique check (octet_length(sha256) = 32),
  email text not null check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  organisation_id int not null references gis.organisation,
  role text not null check (role in ('reader', 'editor', 'reviewer', 'steward', 'auditor', 'administrator')),
  species_group text check (species_group <> ''),
  invited_by text not null default gis.acting(),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by int references gis.principal,
  constraint invitation_group_check check ((role = 'steward') = (species_group is not null)),
  constraint invitation_expires_check check (expires_at > created_at),
  constraint invitation_accepted_check check ((accepted_at is null) = (accepted_by is null))
);
create index on gis.invitation (organisation_id);
create index on gis.invitation (accepted_by);

-- Gives the name of the account, which is made where the address has none. Of two who accept at once one is refused.
create function gis.accept_invitation(p_sha256 bytea, p_display_name text, p_language text) returns text
language plpgsql set search_path = gis, pg_temp as $$
declare
  open gis.invitation;
  account gis.principal;
begin
  perform pg_advisory_xact_lock(hashtextextended('gis.accounts', 0));
  select * into open from gis.invitation i
   where i.sha256 = p_sha256 and i.accepted_at is null and i.expires_at > clock_timestamp() for update;
  if not found then
    raise exception 'the invitation is unknown, used up or expired'
      using errcode = 'check_violation', constraint = 'invitation_open';
  end if;
  select * into account from gis.principal p where lower(p.email) = lower(open.email);
  if not found then
    insert into gis.principal (name, tier, kind, display_name, email, language)
      values (lower(open.email), 'public', 'person', p_display_name, open.email, p_language)
      returning * into account;
  elsif account.locked_at is not null then
    raise exception 'account % is locked', account.name
      using errcode = 'check_violation', constraint = 'account_locked';
  end if;
  perform gis.grant_role(account.name, o.code, open.role, open.species_group, null, open.invited_by)
     from gis.organisation o where o.organisation_id = open.organisation_id;
  update gis.invitation set accepted_at = clock_timestamp(), accepted_by = account.principal_id
   where invitation_id = open.invitation_id;
  return account.name;
end $$;

revoke execute on function
  gis.acting(), gis.hold_accounts(), gis.are_codes(text[]), gis.codes_of(text, text, text[]), gis.organisations_below(int),
  gis.ensure_roles_of(int), gis.tell_rights(text), gis.has_administrator(), gis.keep_administrator(),
  gis.check_membership(), gis.follow_membership(), gis.check_account(), gis.follow_organisation(),
  gis.account_id(text), gis.organisation_id(text), gis.grant_role(text, text, text, text, timestamptz, text),
  gis.revoke_role(text, text, text, text), gis.accept_invitation(bytea, text, text)
  from public;
