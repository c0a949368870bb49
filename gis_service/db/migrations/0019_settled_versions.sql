-- What Last-Modified says of answers: never one second for two states of a layer, and never older than the rights.

-- Two changes within a second, or one that began before an answer and ended after it, would share their second; so
-- each transaction counts at least one on from the last. A second that lies ahead isn't shown before it has passed.
create or replace function gis.raise_class_versions(p_table text, p_classes text[]) returns void
language sql security definer set search_path = gis, pg_temp as $$
  insert into gis.class_version as v (table_name, class)
    select p_table, c from unnest(p_classes) c group by c order by c
    on conflict (table_name, class) do update
      set version = v.version + 1,
          changed_at = case when v.xmin = pg_current_xact_id()::xid then v.changed_at
                            else greatest(clock_timestamp(), v.changed_at + interval '1 second') end;
$$;

-- Rights and definitions of layers change answers as rows do. `definition` is a hash of the layers and the code.
alter table gis.policy_epoch
  add column changed_at timestamptz not null default clock_timestamp(),
  add column definition text;
create function gis.stamp_policy_epoch() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  new.changed_at := clock_timestamp();
  return new;
end $$;
create trigger stamp before update on gis.policy_epoch for each row execute function gis.stamp_policy_epoch();
grant select (changed_at) on gis.policy_epoch to gis_public, gis_jurisdiction, gis_full;
