-- name: columns
-- A table's columns that can be written, with type, need and default.
select a.attname, t.typname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attrelid = to_regclass(%(table)s) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
 order by a.attnum;

-- name: checks
-- Rules of the table, as expressions over its columns.
select c.conname, pg_get_expr(c.conbin, c.conrelid),
       array(select a.attname::text from unnest(c.conkey) k
               join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k)
  from pg_constraint c
 where c.conrelid = to_regclass(%(table)s) and c.contype = 'c'
 order by c.conname;

-- name: references
select c.conname, c.confrelid::regclass::text,
       array(select a.attname::text from unnest(c.conkey) with ordinality k(n, at)
               join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.at),
       array(select a.attname::text from unnest(c.confkey) with ordinality k(n, at)
               join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by k.at)
  from pg_constraint c
 where c.conrelid = to_regclass(%(table)s) and c.contype = 'f'
 order by c.conname;

-- name: uniques
select array(select a.attname::text from unnest(i.indkey::int2[]) k
               join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k)
  from pg_index i
 where i.indrelid = to_regclass(%(table)s) and i.indisunique and not i.indisprimary
   and i.indpred is null and i.indexprs is null
 order by 1;

-- name: last_load
-- What the last load of the data set into the layer read, to know a file that is loaded a second time.
select l.load_id, l.checksum, l.details ->> 'parameters', l.release
  from gis.load l join gis.dataset d using (dataset_id)
 where d.slug = %(slug)s and l.layer = %(layer)s
 order by l.load_id desc limit 1;

-- name: known_dataset
select dataset_id, title, title_vi, source_url, licence, redistribution, citation, basis
  from gis.dataset where slug = %(slug)s;

-- name: save_dataset
insert into gis.dataset (slug, title, title_vi, source_url, licence, redistribution, citation, basis)
values (%(slug)s, %(title)s, %(title_vi)s, %(source_url)s, %(licence)s, %(redistribution)s, %(citation)s, %(basis)s)
on conflict (slug) do update
  set title = excluded.title, title_vi = excluded.title_vi, source_url = excluded.source_url,
      licence = excluded.licence, redistribution = excluded.redistribution, citation = excluded.citation,
      basis = excluded.basis
  where (dataset.title, dataset.title_vi, dataset.source_url, dataset.licence, dataset.redistribution,
         dataset.citation, dataset.basis)
     is distinct from (excluded.title, excluded.title_vi, excluded.source_url, excluded.licence,
         excluded.redistribution, excluded.citation, excluded.basis);

-- name: stage
-- Temporary, so that nothing of it outlives the connection, however that ends.
create temporary table gis_load (
  row_no bigint not null,
  source_id text not null,
  gid bigint,
  state "char",
  {columns}
  geom geometry(Geometry, 4326) not null,
  geom_original bytea,
  srid_original int,
  datum_operation text,
  extra jsonb
) on commit drop;

-- name: stage_faults
create temporary table gis_load_fault (row_no bigint not null, code text not null, facts jsonb not null) on commit drop;

-- name: fault_check
insert into gis_load_fault
select row_no, 'rule', jsonb_build_object('rule', {rule}, 'values', {values}) from gis_load where not ({expression});

-- name: fault_required
insert into gis_load_fault
select row_no, 'required', jsonb_build_object('column', {name}) from gis_load where {column} is null;

-- name: fault_reference
insert into gis_load_fault
select s.row_no, 'unknown', jsonb_build_object('table', {name}, 'values', {values})
  from gis_load s
 where {present} and not exists (select from {referenced} r where {equal});

-- name: fault_taken
-- A unique key that an earlier row of the file holds already.
insert into gis_load_fault
select row_no, 'taken', jsonb_build_object('values', {values})
  from (select s.*, row_number() over (partition by {columns} order by row_no) as nth from gis_load s) s
 where nth > 1;

-- name: fault_double
insert into gis_load_fault
select row_no, 'double_id', jsonb_build_object('first', first, 'id', source_id)
  from (select row_no, source_id, min(row_no) over (partition by source_id) as first from gis_load) s
 where row_no > first;

-- name: drop_faulty
delete from gis_load s using gis_load_fault f where f.row_no = s.row_no;

-- name: faults
select distinct on (f.row_no) f.row_no, f.code, f.facts, s.source_id,
       jsonb_strip_nulls(to_jsonb(s) - '{{row_no,source_id,gid,state,geom,geom_original,srid_original,datum_operation,extra}}'::text[]),
       s.extra, ST_AsBinary(s.geom)
  from gis_load_fault f join gis_load s using (row_no)
 order by f.row_no;

-- name: claim
update gis_load s set gid = c.gid
  from gis.claim_gids({name}, {slug}, array(select source_id from gis_load)) c
 where c.source_id = s.source_id;

-- name: strangers
-- Ids that another layer of the same table has in this data set: a province and a commune of one code.
select s.source_id from gis_load s join {table} t using (gid) where not ({where}) order by s.row_no limit 1;

-- name: compare
-- n: new, c: changed, u: as it was.
update gis_load s
   set state = case when t.gid is null then 'n' when {differs} then 'c' else 'u' end
  from gis_load me left join {table} t on t.gid = me.gid
 where s.row_no = me.row_no;

-- name: states
select count(*) filter (where state = 'n'), count(*) filter (where state = 'c'), count(*) filter (where state = 'u')
  from gis_load;

-- name: hold
-- Ids that the file names in rows that can't be used: what they were before stays as it is.
create temporary table gis_load_held (source_id text primary key) on commit drop;

-- name: count_absent
select count(*) from {table} t
 where t.dataset_id = {dataset} and {where}
   and not exists (select from gis_load s where s.gid = t.gid)
   and not exists (select from gis_load_held h where h.source_id = t.source_id);

-- name: withdraw
delete from {table} t
 where t.dataset_id = {dataset} and {where}
   and not exists (select from gis_load s where s.gid = t.gid)
   and not exists (select from gis_load_held h where h.source_id = t.source_id);

-- name: supersede
update {table} t set {assignments} from gis_load s where s.gid = t.gid and s.state = 'c';

-- name: insert
insert into {table} (gid, source_id, dataset_id, {columns})
select s.gid, s.source_id, {dataset}, {values} from gis_load s where s.state = 'n' order by s.row_no;

-- name: record
insert into gis.load (dataset_id, layer, version, checksum, file_name, release, inserted, superseded, withdrawn,
                      unchanged, quarantined, repaired, details, loaded_by)
values (%(dataset_id)s, %(layer)s, %(version)s, %(checksum)s, %(file_name)s, %(release)s, %(inserted)s,
        %(superseded)s, %(withdrawn)s, %(unchanged)s, %(quarantined)s, %(repaired)s, %(details)s, %(loaded_by)s)
returning load_id;

-- name: quarantine
insert into gis.quarantine (load_id, dataset_id, layer, row_number, source_id, code, reason, attributes, geom_original)
values (%(load_id)s, %(dataset_id)s, %(layer)s, %(row)s, %(source_id)s, %(code)s, %(reason)s, %(attributes)s, %(geom)s);
