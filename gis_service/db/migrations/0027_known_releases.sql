-- Releases have names, and each class knows of those that changed what it sees: a number that everybody could read
-- would rise with hidden writes too. The same triggers that raise a class's version (0016) say so.

alter table gis.release
  add column name text,
  add column name_en text,
  add column made_by text,
  add column undoes int references gis.release,
  add constraint release_name_check check (length(name) between 1 and 200),
  add constraint release_name_en_check check (length(name_en) between 1 and 200);
alter table gis.release alter column made_by set default gis.acting();
create index on gis.release (undoes);
update gis.release r set made_by = e.who
  from gis.proposal_event e
 where e.action in ('publish', 'rollback') and (e.details ->> 'release')::int = r.release;
update gis.release r set undoes = m.undoes from gis.release_manifest m
 where m.release = r.release and m.undoes is not null;

create table gis.release_class (
  release int not null references gis.release,
  table_name text not null,
  class text not null,  -- as in gis.class_version
  primary key (release, class, table_name)
);
alter table gis.release_class enable row level security;
grant select on gis.release_class to gis_public, gis_jurisdiction, gis_full;
create policy public_reads on gis.release_class for select to gis_public using (class = 'public');
create policy full_reads on gis.release_class for select to gis_full using (true);
create policy jurisdiction_reads on gis.release_class for select to gis_jurisdiction
  using (class = 'public' or class = any (select 'j:' || unnest(gis.my_jurisdictions())));

-- Notes say what was done in words that aren't meant for everybody, and names of people are nobody else's.
alter table gis.release enable row level security;
revoke select on gis.release from gis_public, gis_jurisdiction, gis_full;
grant select (release, opened_at, name, name_en, undoes) on gis.release to gis_public, gis_jurisdiction, gis_full;
create policy full_reads on gis.release for select to gis_full using (true);
create policy known_reads on gis.release for select to gis_public, gis_jurisdiction
  using (exists (select from gis.release_class c where c.release = release.release));

-- What stands already. Of the past only loads of open data sets are known to others than the centre, as before.
do $$
declare
  name text;
begin
  for name in select table_name from gis.feature_table loop
    execute format($sql$
      insert into gis.release_class (release, table_name, class)
        select release, %1$L, 'full' from (
          select release_from as release from gis.%1$I
          union select release_from from gis_history.%1$I
          union select release_to from gis_history.%1$I) changed
        where exists (select from gis.release r where r.release = changed.release)
      union all
        select distinct l.release, %1$L, 'public'
          from gis.load l join gis.dataset d using (dataset_id)
         where d.redistribution
           and (exists (select from gis.%1$I t where t.release_from = l.release and t.dataset_id = l.dataset_id)
                or exists (select from gis_history.%1$I t
                            where t.release_from = l.release and t.dataset_id = l.dataset_id))
    $sql$, name);
  end loop;
end $$;

-- Whether rows of a table begin or end with a release; a change of rights opens one that has none.
create function gis.has_rows_of(p_table text, p_release int) returns boolean
language plpgsql stable set search_path = gis, pg_temp as $$
declare
  found boolean;
begin
  execute format('select exists (select from gis.%1$I where release_from = $1)
                      or exists (select from gis_history.%1$I where release_to = $1)', p_table)
    into found using p_release;
  return found;
end $$;

-- As in 0019, and the transaction's release becomes known to the classes.
create or replace function gis.raise_class_versions(p_table text, p_classes text[]) returns void
language sql security definer set search_path = gis, pg_temp as $$
  insert into gis.class_version as v (table_name, class)
    select p_table, c from unnest(p_classes) c group by c order by c
    on conflict (table_name, class) do update
      set version = v.version + 1,
          changed_at = case when v.xmin = pg_current_xact_id()::xid then v.changed_at
                            else greatest(clock_timestamp(), v.changed_at + interval '1 second') end;
  insert into gis.release_class (release, table_name, class)
    select r.release, p_table, c from gis.release r, unnest(p_classes) c
     where r.release = nullif(current_setting('gis.release', true), '')::int
       and r.xact = pg_current_xact_id() and gis.has_rows_of(p_table, r.release)
    on conflict do nothing;
$$;

create or replace function gis.record_manifest(made gis.release_manifest, p_undoes int default null) returns void
language sql set search_path = gis, pg_temp as $$
  insert into gis.release_manifest (release, table_name, inserted, changed, withdrawn, checksum, undoes)
  values (made.release, made.table_name, made.inserted, made.changed, made.withdrawn,
          gis.rows_checksum(made.table_name, made.release), p_undoes);
  update gis.release r set undoes = p_undoes where r.release = made.release and p_undoes is not null;
$$;

-- What undoing would do: done, and undone again.
create function gis.try_rollback(p_release int, p_note text default null) returns jsonb
language plpgsql set search_path = gis, pg_temp as $$
declare
  made jsonb;
begin
  made := gis.rollback_release(p_release, p_note);
  raise exception 'undo' using errcode = 'GIS01';
exception when sqlstate 'GIS01' then
  return made;
end $$;
revoke execute on function gis.has_rows_of(text, int), gis.try_rollback(int, text) from public;
