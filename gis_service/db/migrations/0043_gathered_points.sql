-- Points gathered by cells, for tiles that show fewer than there are: which gatherings there are, and whether their
-- tables hold. The tables and what keeps them are made from the layers (gis_service/db/point_tables.py). While `ready`
-- is false tiles are made of the rows themselves; they have the same bytes.
create table gis_tiles.gathered (
  name text primary key,  -- layer.kind
  table_name text not null,
  finest int not null,  -- the last zoom that has a table
  definition text not null,
  ready boolean not null default false,
  built_at timestamptz
);
