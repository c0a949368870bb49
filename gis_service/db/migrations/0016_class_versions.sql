-- One version per table and policy class, raised when something changed that the class sees.
-- A table's own edit counter would tell everybody that hidden rows change; these tell a class of its own alone.
-- The triggers that raise them are made from the layers, where the wall is raised (gis_service/access/versions.py).

create table gis.class_version (
  table_name text not null,
  class text not null,  -- 'public', 'full', or 'j:' and the code of a jurisdiction
  version bigint not null default 1,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (table_name, class)
);
alter table gis.class_version enable row level security;
grant select on gis.class_version to gis_public, gis_jurisdiction, gis_full;
create policy public_reads on gis.class_version for select to gis_public using (class = 'public');
create policy full_reads on gis.class_version for select to gis_full using (true);
create policy jurisdiction_reads on gis.class_version for select to gis_jurisdiction
  using (class = 'public' or class = any (select 'j:' || unnest(gis.my_jurisdictions())));

-- In the order of their names, so that two writers never wait for each other crosswise.
-- The time is read after the row is locked: a later version is never the older one.
create function gis.raise_class_versions(p_table text, p_classes text[]) returns void
language sql security definer set search_path = gis, pg_temp as $$
  insert into gis.class_version as v (table_name, class)
    select p_table, c from unnest(p_classes) c group by c order by c
    on conflict (table_name, class) do update set version = v.version + 1, changed_at = clock_timestamp();
$$;
revoke execute on function gis.raise_class_versions(text, text[]) from public;
