-- Taxa, their statuses in lists, and which of them are sensitive.

create table gis.taxon (
  taxon_id text primary key check (taxon_id <> ''),
  scientific_name text not null check (scientific_name <> ''),
  scientific_name_authorship text,
  accepted_name_usage_id text,
  taxon_rank text,
  taxonomic_status text,
  vernacular_name text,
  vernacular_name_vi text,
  kingdom text,
  phylum text,
  class_name text,
  order_name text,
  family text,
  genus text,
  endemic_vn boolean,
  migratory boolean,
  invasive boolean,
  dataset_id int references gis.dataset,
  extra jsonb
);
create index on gis.taxon (accepted_name_usage_id);
create index on gis.taxon (scientific_name);

-- What a list says of a taxon since a day. Statuses are added, never overwritten: a new edition is a new row.
create table gis.taxon_status (
  taxon_status_id int generated always as identity primary key,
  taxon_id text not null references gis.taxon,
  list text not null check (list in ('iucn_global', 'vn_red_book', 'cites', 'nd64', 'nd84')),
  list_version text not null check (list_version <> ''),
  status text not null,
  valid_from date not null,
  valid_to date,
  source text not null check (source <> ''),
  recorded_at timestamptz not null default now(),
  unique (taxon_id, list, list_version, valid_from),
  constraint taxon_status_status_check check (case list
    when 'iucn_global' then status in ('EX', 'EW', 'CR', 'EN', 'VU', 'NT', 'LC', 'DD', 'NE')
    when 'vn_red_book' then status in ('EX', 'EW', 'CR', 'EN', 'VU', 'NT', 'LR', 'LC', 'DD', 'NE')
    when 'cites' then status in ('I', 'II', 'III')
    when 'nd64' then status = 'priority'
    when 'nd84' then status in ('IA', 'IB', 'IIA', 'IIB')
  end),
  constraint taxon_status_valid_to_check check (valid_to >= valid_from)
);

-- A status that ends gets its valid_to; all else about it stands.
create function gis.keep_status() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.valid_to is null
     and row(new.taxon_status_id, new.taxon_id, new.list, new.list_version, new.status, new.valid_from,
             new.source, new.recorded_at)
       = row(old.taxon_status_id, old.taxon_id, old.list, old.list_version, old.status, old.valid_from,
             old.source, old.recorded_at) then
    return new;
  end if;
  raise exception 'statuses of taxa are never overwritten: end one by valid_to and add another'
    using errcode = 'integrity_constraint_violation';
end $$;
create trigger keep before update or delete on gis.taxon_status
  for each row execute function gis.keep_status();

-- Chapman (2020): 1 extreme, 2 high, 3 medium, 4 low. A null jurisdiction means everywhere. A passed review
-- date asks for a decision and opens nothing by itself.
create table gis.sensitivity (
  sensitivity_id int generated always as identity primary key,
  taxon_id text not null references gis.taxon,
  jurisdiction text check (jurisdiction <> ''),
  category smallint not null check (category between 1 and 4),
  reason text not null check (reason <> ''),
  review_date date not null,
  source text,
  recorded_at timestamptz not null default now(),
  unique nulls not distinct (taxon_id, jurisdiction)
);

-- Genus and epithet in lower case, without subgenus, author, `cf.` or `aff.`; a name of one word stays one.
create function gis.name_key(name text) returns text
language sql immutable strict parallel safe
return substring(
  regexp_replace(regexp_replace(lower(btrim(name)), '\([^)]*\)|\m(cf|aff|nr)\.?\s', ' ', 'g'), '\s+', ' ', 'g')
  from '^[^ ]+(?: [^ ]+)?');

-- Every name and id under which a sensitive taxon may be recorded: its own, its synonyms' and accepted name's.
-- Made anew from the list and the taxa whenever either changes, for it is asked for every row that is written.
create table gis.sensitive_name (
  taxon_id text not null,
  name_key text not null,
  jurisdiction text,
  category smallint not null
);
create index on gis.sensitive_name (name_key);
create index on gis.sensitive_name (taxon_id);

create function gis.list_sensitive_names() returns void
language sql set search_path = gis, pg_temp as $$
  delete from gis.sensitive_name;
  insert into gis.sensitive_name (taxon_id, name_key, jurisdiction, category)
    select name.taxon_id,
           case when name.taxon_rank ilike 'genus' then split_part(gis.name_key(name.scientific_name), ' ', 1)
                else gis.name_key(name.scientific_name) end,
           s.jurisdiction, s.category
      from gis.sensitivity s
      join gis.taxon listed using (taxon_id)
      join gis.taxon name
        on name.taxon_id in (listed.taxon_id, listed.accepted_name_usage_id)
        or name.accepted_name_usage_id in (listed.taxon_id, listed.accepted_name_usage_id);
$$;

-- The strictest category that the list gives a name at a place, 0 for none. A listed genus covers its species.
create function gis.sensitivity_of(p_taxon_id text, p_name text, p_jurisdiction text[]) returns smallint
language plpgsql stable parallel safe set search_path = gis, pg_temp as $$
declare
  key text := gis.name_key(p_name);
begin
  return (
    select coalesce(min(n.category), 0)
      from gis.sensitive_name n
     where (n.taxon_id = p_taxon_id or n.name_key in (key, split_part(key, ' ', 1)))
       and (n.jurisdiction is null or n.jurisdiction = any (p_jurisdiction)));
end $$;
