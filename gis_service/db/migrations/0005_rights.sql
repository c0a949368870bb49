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
    -- One pass without a join: just after a load there are no statistics to plan one by.
    execute format('update %1$I.%2$I set jurisdiction = %3$s where jurisdiction <> %3$s', relation, p_table, wanted);
    get diagnostics changed = row_count;
    total := total + changed;
  end loop;
  return total;
end $$;

-- Recomputes the sensitivity of a table's rows and of its history; gives how many changed.
create function gis.refresh_sensitivities(p_table text) returns bigint
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  wanted text := format('gis.sensitivity_of(taxon_id, %I, jurisdiction)',
                        case p_table when 'species_range' then 'sci_name' else 'scientific_name' end);
  relation text;
  changed bigint;
  total bigint := 0;
begin
  foreach relation in array array['gis', 'gis_history'] loop
    execute format('update %1$I.%2$I set sensitivity = %3$s where sensitivity <> %3$s', relation, p_table, wanted);
    get diagnostics changed = row_count;
    total := total + changed;
  end loop;
  return total;
end $$;

-- The sensitivity of a row is the list's, whatever the source says.
create function gis.stamp_sensitivity() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if not exists (select from gis.sensitive_name) then
    new.sensitivity := 0;
  elsif tg_table_name = 'species_range' then
    new.sensitivity := gis.sensitivity_of(new.taxon_id, new.sci_name, new.jurisdiction);
  else
    new.sensitivity := gis.sensitivity_of(new.taxon_id, new.scientific_name, new.jurisdiction);
  end if;
  return new;
end $$;

-- Work that many rows of a transaction ask for is done once, at its end: a first trigger marks it, a deferred
-- one does it.
create function gis.relist_names() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  if tg_table_name = 'sensitivity' or exists (select from gis.sensitivity) then
    perform gis.list_sensitive_names(), set_config('gis.stale_names', 'on', true);
  end if;
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
  -- A writer that judged its rows by the old rights holds the release lock: wait for it, to see its rows below.
  perform gis.open_release();
  perform set_config('gis.stale_provinces', 'off', true), set_config('gis.stale_names', 'off', true);
  perform gis.refresh_jurisdictions(table_name) from gis.feature_table where places order by table_name;
  perform gis.refresh_sensitivities(table_name) from gis.feature_table where sensitive order by table_name;
  update gis.policy_epoch set epoch = epoch + 1;
  perform pg_notify('gis_access', 'rights');
  return null;
end $$;

create trigger stale after insert or update or delete on gis.sensitivity
  for each statement execute function gis.relist_names();
create constraint trigger refresh after insert or update or delete on gis.sensitivity
  deferrable initially deferred for each row execute function gis.refresh_rights();
create trigger keep before truncate on gis.sensitivity
  execute function gis.refuse('delete the rows of gis.sensitivity: a truncated list would leave its marks behind');
create trigger stale after insert or delete or update of scientific_name, accepted_name_usage_id, taxon_rank
  on gis.taxon for each statement execute function gis.relist_names();
create constraint trigger refresh after insert or delete or update on gis.taxon
  deferrable initially deferred for each row execute function gis.refresh_rights();

create function gis.follow_licence() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
declare
  name text;
begin
  perform gis.open_release();  -- for the same reason as in gis.refresh_rights
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
