-- Bulk files that were made beforehand: which layer's, for which class, of which rows.

-- A file is offered while its digest is that of a class's present view (definition, rights, epoch) and its version
-- that of the rows. `stored` is its name on disk, which nobody else is told.
create table gis.published_file (
  stored text primary key,
  layer text not null,
  policy_class text not null,
  digest text not null,
  table_name text not null,
  version bigint not null,
  release int not null,
  epoch bigint not null,
  format text not null,
  name text not null,
  length bigint not null check (length >= 0),
  sha256 bytea not null check (length(sha256) = 32),
  made timestamptz not null default now(),
  unique (layer, policy_class, format)
);
create index on gis.published_file (digest);
