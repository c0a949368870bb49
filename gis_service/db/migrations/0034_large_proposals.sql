-- That the changes of a submitted proposal stand is asked of the few rows whose content changes: with the transition
-- tables of 100,000 decisions, which have no index, a review took minutes.
create function gis.keep_change() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  if exists (select from gis.proposal p where p.proposal_id = old.proposal_id and p.state <> 'draft') then
    raise exception 'the changes of proposal % stand since it was submitted', old.proposal_id
      using errcode = 'integrity_constraint_violation', constraint = 'proposal_is_no_draft';
  end if;
  return new;
end $$;
revoke execute on function gis.keep_change() from public;

drop trigger keep_update on gis.proposed_change;
create trigger keep_update before update on gis.proposed_change for each row
  when ((old.proposal_id, old.number, old.operation, old.source_id, old.base_rev, old."values", old.geom_original,
         old.srid_original, old.datum_operation)
        is distinct from
        (new.proposal_id, new.number, new.operation, new.source_id, new.base_rev, new."values", new.geom_original,
         new.srid_original, new.datum_operation)
        or old.geom is distinct from new.geom
        or (old.gid is not null and old.gid is distinct from new.gid))
  execute function gis.keep_change();
