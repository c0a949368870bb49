-- Of releases before 0027 nobody knows which classes saw a change in them. The newest of those is told to all: what a
-- class reads today is no older, and a report that it runs again as of its newest release must be of this state.
insert into gis.release_class (release, table_name, class)
  select newest.release, t.table_name, c.class
    from (select release, opened_at from gis.release order by release desc limit 1) newest
    cross join (select distinct table_name from gis.release_class where class = 'full') t
    cross join (values ('full'), ('public')) c (class)
   where newest.opened_at < (
     select m.applied_at from gis.schema_migrations m where m.name = '0027_known_releases.sql')
on conflict do nothing;
