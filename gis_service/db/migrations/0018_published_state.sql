-- A file is of the rows that its class sees; rows that it doesn't see may change beside it.
delete from gis.published_file;
alter table gis.published_file
  drop column version,
  add column classes text[] not null,  -- whose versions
  add column stamp text not null;      -- were these when it was made
