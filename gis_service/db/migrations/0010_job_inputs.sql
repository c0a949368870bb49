-- What a job was asked, 60 MB at most, is of no use once it has ended; its row stays for as long as its documents.
create function gis_queue.drop_inputs() returns trigger
language plpgsql set search_path = gis_queue, pg_catalog, pg_temp as $$
begin
  new.inputs := '{}';
  return new;
end $$;
create trigger drop_inputs before update on gis_queue.job
  for each row when (new.finished is not null and old.finished is null) execute function gis_queue.drop_inputs();

revoke execute on all functions in schema gis_queue from public;
