-- A dump is restored with an empty search path, where the equality of geometries isn't found: the two triggers that
-- compared them in their conditions were lost on the way. Their bytes are compared in their place, which says the same.

drop trigger e_cut_update on gis.admin_unit;
create trigger e_cut_update after update on gis.admin_unit
  for each row when ((new.level = 'province' or old.level = 'province')
    and (new.level, new.code, new.valid_from, new.valid_to, new.geom::bytea)
        is distinct from (old.level, old.code, old.valid_from, old.valid_to, old.geom::bytea))
  execute function gis.cut_province();

drop trigger keep_update on gis.proposed_change;
create trigger keep_update before update on gis.proposed_change for each row
  when ((old.proposal_id, old.number, old.operation, old.source_id, old.base_rev, old."values", old.geom_original,
         old.srid_original, old.datum_operation, old.geom::bytea)
        is distinct from
        (new.proposal_id, new.number, new.operation, new.source_id, new.base_rev, new."values", new.geom_original,
         new.srid_original, new.datum_operation, new.geom::bytea)
        or (old.gid is not null and old.gid is distinct from new.gid))
  execute function gis.keep_change();
