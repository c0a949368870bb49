-- Stewards of a species group: a group's code is one more code in `jurisdiction` of the rows of its taxa, and one more
-- of those that its stewards read by. It is a place of nobody: it gives no right to edit or review.

-- Codes that begin so are groups' alone.
create function gis.is_group_code(p_code text) returns boolean
language sql immutable strict parallel safe
return starts_with(p_code, 'G-');

-- Without the groups: the provinces and sites in which a row lies.
create function gis.only_places(p_codes text[]) returns text[]
language sql immutable strict parallel safe
return array(select c from unnest(p_codes) with ordinality its (c, n) where not gis.is_group_code(c) order by n);

-- One word without signs, so that the codes of several groups never read like that of another one.
create table gis.species_group (
  code text primary key check (code ~ '^G-[A-Z0-9]{1,30}$'),
  name text not null check (name <> ''),
  name_en text check (name_en <> '')
);

-- Each stands for all that is below it, and for its synonyms.
create table gis.species_group_taxon (
  code text not null references gis.species_group on delete cascade,
  taxon_id text not null references gis.taxon,
  primary key (code, taxon_id)
);
create index on gis.species_group_taxon (taxon_id);

-- No province and no site has such a code, in whatever spelling makes the same database role.
create function gis.refuse_group_code(p_code text) returns void
language plpgsql set search_path = gis, pg_temp as $$
begin
  if gis.plain_code(p_code) like 'g\_%' then
    raise exception 'codes that begin with G- are those of species groups: %', p_code
      using errcode = 'check_violation', constraint = 'group_code';
  end if;
end $$;

create function gis.check_place_code() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if tg_table_name = 'admin_unit' then
    perform gis.refuse_group_code(new.code);
  elsif tg_table_name = 'sensitivity' then
    perform gis.refuse_group_code(new.jurisdiction);
  else
    perform gis.refuse_group_code(c) from unnest(gis.codes_of(new.tier, new.code, new.jurisdictions)) c;
  end if;
  return null;
end $$;
create trigger check_group_code after insert or update of code, level on gis.admin_unit
  for each row when (new.level = 'province') execute function gis.check_place_code();
create trigger check_group_code after insert or update of jurisdiction on gis.sensitivity
  for each row when (new.jurisdiction is not null) execute function gis.check_place_code();
create trigger check_group_code after insert or update of jurisdictions on gis.organisation
  for each row execute function gis.check_place_code();

-- Places from before this rule keep their codes; no group may take one of them.
create function gis.check_group() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if exists (select from gis.admin_unit u where u.level = 'province' and gis.plain_code(u.code) = gis.plain_code(new.code))
     or exists (select from gis.organisation o cross join lateral unnest(gis.codes_of(o.tier, o.code, o.jurisdictions)) c
                 where gis.plain_code(c) = gis.plain_code(new.code)) then
    raise exception 'code % is that of a place', new.code
      using errcode = 'unique_violation', constraint = 'group_code';
  end if;
  return new;
end $$;
create trigger keep before update on gis.species_group
  for each row when (new.code is distinct from old.code)
  execute function gis.refuse('the code of a species group can''t change: make another');
create trigger keep_all before truncate on gis.species_group
  execute function gis.refuse('delete the rows of gis.species_group: a truncated list would leave its marks behind');
create trigger keep before truncate on gis.species_group_taxon
  execute function gis.refuse('delete the rows of gis.species_group_taxon: a truncated list would leave its marks behind');

-- Every id and name under which a group's taxa may be recorded, made anew when groups or taxa change.
create table gis.group_name (
  code text not null,
  taxon_id text not null,
  name_key text not null
);
create index on gis.group_name (taxon_id);
create index on gis.group_name (name_key);

-- A taxon of a rank above the species has below it all that name it as such; a species, what bears its name and more.
create function gis.list_group_names() returns void
language sql set search_path = gis, pg_temp as $$
  delete from gis.group_name;
  with listed as materialized (
    select g.code, t.*, lower(t.taxon_rank) as rank, lower(split_part(btrim(t.scientific_name), ' ', 1)) as word
      from gis.species_group_taxon g join gis.taxon named using (taxon_id)
      join gis.taxon t on t.taxon_id in (named.taxon_id, named.accepted_name_usage_id)
  ), covered as materialized (
    select code, taxon_id from listed
    union
    select l.code, t.taxon_id
      from listed l
      join gis.taxon t on coalesce(t.kingdom = l.kingdom, true) and case l.rank
        when 'kingdom' then lower(t.kingdom) = l.word
        when 'phylum' then lower(t.phylum) = l.word
        when 'class' then lower(t.class_name) = l.word
        when 'order' then lower(t.order_name) = l.word
        when 'family' then lower(t.family) = l.word
        when 'genus' then lower(coalesce(t.genus, split_part(btrim(t.scientific_name), ' ', 1))) = l.word
        else gis.name_key(t.scientific_name) = gis.name_key(l.scientific_name) end
  ), whole as (
    select code, taxon_id from covered
    union
    select c.code, t.taxon_id from covered c join gis.taxon t on t.accepted_name_usage_id = c.taxon_id
  )
  insert into gis.group_name (code, taxon_id, name_key)
    select w.code, t.taxon_id,
           case when lower(t.taxon_rank) in ('kingdom', 'phylum', 'class', 'order', 'family', 'genus')
                then split_part(gis.name_key(t.scientific_name), ' ', 1) else gis.name_key(t.scientific_name) end
      from whole w join gis.taxon t using (taxon_id);
$$;

-- The groups of a record. One that names a taxon of ours is that taxon's, whatever it is called; others go by name.
create function gis.groups_of(p_taxon_id text, p_name text) returns text[]
language plpgsql stable parallel safe set search_path = gis, pg_temp as $$
declare
  key text;
begin
  if not exists (select from gis.group_name) then
    return '{}';
  elsif exists (select from gis.taxon t where t.taxon_id = p_taxon_id) then
    return array(select distinct n.code from gis.group_name n where n.taxon_id = p_taxon_id);
  end if;
  key := gis.name_key(p_name);
  return array(select distinct n.code from gis.group_name n where n.name_key in (key, split_part(key, ' ', 1)));
end $$;

-- In the order of gis.jurisdictions_of.
create function gis.with_groups(p_codes text[], p_groups text[]) returns text[]
language plpgsql immutable strict parallel safe set search_path = gis, pg_temp as $$
begin
  if p_groups = '{}' and not exists (select from unnest(p_codes) c where gis.is_group_code(c)) then
    return p_codes;
  end if;
  return array(select c from unnest(gis.only_places(p_codes) || p_groups) c order by c);
end $$;

-- Groups of a row first: they are a jurisdiction of it, and the sensitivity is asked with all of them.
create or replace function gis.stamp_sensitivity() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
declare
  name text;
begin
  if tg_table_name = 'species_range' then
    name := new.sci_name;
  else
    name := new.scientific_name;
  end if;
  new.jurisdiction := gis.with_groups(new.jurisdiction, gis.groups_of(new.taxon_id, name));
  new.sensitivity := 0;
  if exists (select from gis.sensitive_name) then
    new.sensitivity := gis.sensitivity_of(new.taxon_id, name, new.jurisdiction);
  end if;
  return new;
end $$;

create or replace function gis.refresh_jurisdictions(p_table text) returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  wanted text := case p_table
    when 'admin_unit' then 'gis.admin_jurisdictions(level, code, parent_code, geom)'
    when 'species_range' then 'gis.with_groups(gis.jurisdictions_of(geom), gis.groups_of(taxon_id, sci_name))'
    when 'occurrence' then 'gis.with_groups(gis.jurisdictions_of(geom), gis.groups_of(taxon_id, scientific_name))'
    else 'gis.jurisdictions_of(geom)' end;
  relation text;
  changed bigint;
  total bigint := 0;
begin
  foreach relation in array array['gis', 'gis_history'] loop
    -- One pass without a join: just after a load there are no statistics to plan one by.
    execute format('update %1$I.%2$I set jurisdiction = %3$s where jurisdiction <> %3$s', relation, p_table, wanted);
    get diagnostics changed = row_count;
    total := total + changed;
  end loop;
  return total;
end $$;

-- Brings the groups of a table's rows, and of its history, up to date; gives how many changed.
create function gis.refresh_groups(p_table text) returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  wanted text := format('gis.with_groups(jurisdiction, gis.groups_of(taxon_id, %I))',
                        case p_table when 'species_range' then 'sci_name' else 'scientific_name' end);
  relation text;
  changed bigint;
  total bigint := 0;
begin
  foreach relation in array array['gis', 'gis_history'] loop
    execute format('update %1$I.%2$I set jurisdiction = %3$s where jurisdiction <> %3$s', relation, p_table, wanted);
    get diagnostics changed = row_count;
    total := total + changed;
  end loop;
  return total;
end $$;

create or replace function gis.refresh_rights() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
declare
  places boolean := coalesce(current_setting('gis.stale_provinces', true), '') = 'on';
  names boolean := coalesce(current_setting('gis.stale_names', true), '') = 'on';
  groups boolean := coalesce(current_setting('gis.stale_groups', true), '') = 'on';
begin
  if not places and not names and not groups then
    return null;
  end if;
  -- A writer that judged its rows by the old rights holds the release lock: wait for it, to see its rows below.
  perform gis.open_release();
  perform set_config('gis.stale_provinces', 'off', true), set_config('gis.stale_names', 'off', true),
          set_config('gis.stale_groups', 'off', true);
  perform gis.refresh_jurisdictions(table_name) from gis.feature_table where places order by table_name;
  perform gis.refresh_groups(table_name) from gis.feature_table
    where groups and not places and sensitive order by table_name;
  perform gis.refresh_sensitivities(table_name) from gis.feature_table
    where (places or names) and sensitive order by table_name;
  update gis.policy_epoch set epoch = epoch + 1;
  perform pg_notify('gis_access', 'rights');
  return null;
end $$;

create function gis.relist_groups() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if tg_table_name = 'species_group_taxon' or exists (select from gis.species_group_taxon) then
    perform gis.list_group_names(), set_config('gis.stale_groups', 'on', true);
  end if;
  return null;
end $$;
create trigger stale after insert or update or delete on gis.species_group_taxon
  for each statement execute function gis.relist_groups();
create constraint trigger refresh after insert or update or delete on gis.species_group_taxon
  deferrable initially deferred for each row execute function gis.refresh_rights();
create trigger stale_groups after insert or delete or update of scientific_name, accepted_name_usage_id, taxon_rank,
    kingdom, phylum, class_name, order_name, family, genus
  on gis.taxon for each statement execute function gis.relist_groups();

-- What an account reads by is what its organisation looks after, and a steward's group; the latter stands in no grant's
-- codes, so that whoever edits or reviews asks in vain for it.
create or replace view gis.grant_now as
  select m.membership_id, m.principal_id, m.role, m.species_group, m.since, m.until,
         o.organisation_id, o.code, o.tier, gis.codes_of(o.tier, o.code, o.jurisdictions) as codes,
         gis.codes_of(o.tier, o.code, o.jurisdictions)
           || array(select g.code from gis.species_group g where m.role = 'steward' and g.code = m.species_group) as reads
    from gis.membership m join gis.organisation o using (organisation_id)
   where m.until is null or m.until > clock_timestamp();

create or replace view gis.account as
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
      from gis.grant_now g cross join lateral unnest(g.reads) its (code)
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

create or replace function gis.ensure_roles_of(p_principal int) returns void
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform gis.ensure_jurisdiction_role(codes) from (
    select distinct array(
             select distinct c from gis.grant_now g cross join lateral unnest(g.reads) c
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

-- A word that somebody was made a steward with before there were groups gives nothing until a group has it as its code.
create function gis.follow_group() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    perform gis.ensure_roles_of(principal_id)
       from (select distinct principal_id from gis.grant_now where species_group = new.code and role = 'steward') held;
  end if;
  perform gis.tell_rights('group');
  return null;
end $$;
create trigger hold before insert or update or delete on gis.species_group
  for each statement execute function gis.hold_accounts();
create trigger hold before insert or update or delete on gis.species_group_taxon
  for each statement execute function gis.hold_accounts();
create trigger check_one before insert on gis.species_group
  for each row execute function gis.check_group();
create trigger follow after insert or delete on gis.species_group
  for each row execute function gis.follow_group();

-- Who is made a steward from now on is one of a group that exists.
create function gis.check_steward() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if new.species_group <> '' and not exists (select from gis.species_group g where g.code = new.species_group) then
    raise exception 'there is no species group %', new.species_group
      using errcode = 'foreign_key_violation', constraint = 'unknown_group';
  end if;
  return null;
end $$;
create trigger check_steward after insert on gis.membership
  for each row when (new.role = 'steward') execute function gis.check_steward();
create trigger check_steward after insert on gis.invitation
  for each row when (new.role = 'steward') execute function gis.check_steward();

create function gis.species_group_code(p_code text) returns text
language plpgsql stable set search_path = gis, pg_temp as $$
begin
  if not exists (select from gis.species_group where code = p_code) then
    raise exception 'there is no species group %', p_code
      using errcode = 'foreign_key_violation', constraint = 'unknown_group';
  end if;
  return p_code;
end $$;

-- The taxa of a group, in place of those before.
create function gis.set_group_taxa(p_code text, p_taxa text[]) returns void
language plpgsql set search_path = gis, pg_temp as $$
declare
  known text := gis.species_group_code(p_code);
  missing text := (
    select min(id) from unnest(p_taxa) id where not exists (select from gis.taxon t where t.taxon_id = id));
begin
  if missing is not null then
    raise exception 'there is no taxon %', missing
      using errcode = 'foreign_key_violation', constraint = 'unknown_taxon';
  end if;
  delete from gis.species_group_taxon where code = known and taxon_id <> all (p_taxa);
  insert into gis.species_group_taxon (code, taxon_id) select known, unnest(p_taxa) on conflict do nothing;
end $$;

-- Review stays with places: a group decides nothing.
create or replace function gis.places_of(p_proposal bigint) returns setof text[]
language plpgsql stable set search_path = gis, public, pg_temp as $$
declare
  name text := (select table_name from gis.proposal where proposal_id = p_proposal);
  after_it text := 'gis.jurisdictions_of(c.geom)';
begin
  if name = 'admin_unit' then
    after_it := 'gis.admin_jurisdictions(r.level, r.code, r.parent_code, coalesce(c.geom, o.geom))';
  end if;
  return query execute format($sql$
    select coalesce(gis.only_places(o.jurisdiction), '{}')
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

revoke execute on function
  gis.is_group_code(text), gis.only_places(text[]), gis.refuse_group_code(text), gis.check_place_code(), gis.check_group(), gis.list_group_names(),
  gis.groups_of(text, text), gis.with_groups(text[], text[]), gis.refresh_groups(text), gis.relist_groups(),
  gis.follow_group(), gis.check_steward(), gis.species_group_code(text), gis.set_group_taxa(text, text[])
  from public;

select gis.audit_table('gis.species_group', 'species-group', 'code', 'code name name_en');
select gis.audit_table('gis.species_group_taxon', 'species-group-taxon', 'code', 'code taxon_id');
