-- Rights that derive from other rows (provinces, sensitive taxa, licences) and follow them when they change,
-- in current rows and in history alike: a past release is read with today's rights.

-- Recomputes the jurisdictions of a table's rows and of its history; gives how many changed.
create function gis.refresh_jurisdictions(p_table text) returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  wanted text := 'gis.jurisdictions_of(geom)';
  relation text;
  changed bigint;
  total bigint := 0;
begin
  if p_table = 'admin_unit' then
    wanted := 'gis.admin_jurisdictions(level, code, parent_code, geom)';
  end if;
  foreach relation in array array['gis', 'gis_history'] loop
    execute format(
      'update %1$I.%2$I t set jurisdiction = w.codes
         from (select gid, release_from, %3$s as codes from %1$I.%2$I) w
        where w.gid = t.gid and w.release_from = t.release_from and t.jurisdiction <> w.codes',
      relation, p_table, wanted);
    get diagnostics changed = row_count;
    total := total + changed;
  end loop;
  return total;
end $$;

-- The column that names the species in a table of sensitive rows.
create function gis.name_column(p_table text) returns text
language sql immutable return case p_table when 'species_range' then 'sci_name' else 'scientific_name' end;

-- Recomputes the sensitivity of a table's rows and of its history; gives how many changed.
create function gis.refresh_sensitivities(p_table text) returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  relation text;
  changed bigint;
  total bigint := 0;
begin
  foreach relation in array array['gis', 'gis_history'] loop
    -- One look-up for each different name and place, not for each row.
    execute format(
      'with kind as materialized (
         select taxon_id, name, jurisdiction, gis.sensitivity_of(taxon_id, name, jurisdiction) as category
           from (select distinct taxon_id, %3$I as name, jurisdiction from %1$I.%2$I) k)
       update %1$I.%2$I t set sensitivity = k.category from kind k
        where k.taxon_id is not distinct from t.taxon_id and k.name = t.%3$I
          and k.jurisdiction = t.jurisdiction and k.category <> t.sensitivity',
      relation, p_table, gis.name_column(p_table));
    get diagnostics changed = row_count;
    total := total + changed;
  end loop;
  return total;
end $$;

-- After rows were written with gis.bulk on: fills in what the row triggers left out.
create function gis.finish_bulk(p_table text) returns bigint
language plpgsql set search_path = gis, pg_temp as $$
declare
  changed bigint := gis.refresh_jurisdictions(p_table);
begin
  if (select sensitive from gis.feature_table where table_name = p_table) then
    changed := changed + gis.refresh_sensitivities(p_table);
  end if;
  return changed;
end $$;

-- The sensitivity of a row is the list's, whatever the source says. With gis.bulk on and a list that isn't
-- empty the row is withheld until gis.finish_bulk has judged it.
create function gis.stamp_sensitivity() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if not exists (select from gis.sensitivity) then
    new.sensitivity := 0;
  elsif current_setting('gis.bulk', true) = 'on' then
    new.sensitivity := 1;
  elsif tg_table_name = 'species_range' then
    new.sensitivity := gis.sensitivity_of(new.taxon_id, new.sci_name, new.jurisdiction);
  else
    new.sensitivity := gis.sensitivity_of(new.taxon_id, new.scientific_name, new.jurisdiction);
  end if;
  return new;
end $$;

-- Work that many rows of a transaction ask for is done once, at its end: a statement trigger marks it, a
-- deferred row trigger does it.
create function gis.mark_stale() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  perform set_config('gis.stale_' || tg_argv[0], 'on', true);
  return null;
end $$;

create function gis.refresh_rights() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
declare
  places boolean := coalesce(current_setting('gis.stale_provinces', true), '') = 'on';
  names boolean := coalesce(current_setting('gis.stale_names', true), '') = 'on';
begin
  if not places and not names then
    return null;
  end if;
  perform set_config('gis.stale_provinces', 'off', true), set_config('gis.stale_names', 'off', true);
  perform gis.refresh_jurisdictions(table_name) from gis.feature_table where places order by table_name;
  perform gis.refresh_sensitivities(table_name) from gis.feature_table where sensitive order by table_name;
  update gis.policy_epoch set epoch = epoch + 1;
  perform pg_notify('gis_access', 'rights');
  return null;
end $$;

create trigger stale after insert or update or delete on gis.sensitivity
  for each statement execute function gis.mark_stale('names');
create constraint trigger refresh after insert or update or delete on gis.sensitivity
  deferrable initially deferred for each row execute function gis.refresh_rights();
create trigger keep before truncate on gis.sensitivity
  execute function gis.refuse('delete the rows of gis.sensitivity: a truncated list would leave its marks behind');

-- A name joins or leaves the listed ones only if it belongs to a listed taxon.
create function gis.mark_stale_names() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if exists (select from gis.sensitivity) then
    perform set_config('gis.stale_names', 'on', true);
  end if;
  return null;
end $$;
create trigger stale after insert or delete or update of scientific_name, accepted_name_usage_id, taxon_rank
  on gis.taxon for each statement execute function gis.mark_stale_names();
create constraint trigger refresh after insert or delete or update on gis.taxon
  deferrable initially deferred for each row execute function gis.refresh_rights();

create function gis.follow_licence() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  name text;
begin
  for name in select table_name from gis.feature_table order by table_name loop
    execute format('update gis.%I set restricted = $1 where dataset_id = $2', name)
      using not new.redistribution, new.dataset_id;
    execute format('update gis_history.%I set restricted = $1 where dataset_id = $2', name)
      using not new.redistribution, new.dataset_id;
  end loop;
  update gis.policy_epoch set epoch = epoch + 1;
  perform pg_notify('gis_access', 'rights');
  return null;
end $$;
create trigger follow_licence after update of redistribution on gis.dataset
  for each row when (new.redistribution <> old.redistribution) execute function gis.follow_licence();
