"""Statements behind the automatic checks: rows near many boxes, taxa, the ground of jurisdictions."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.query import Binds, Query, ident

Box = tuple[float, float, float, float]


def near(view: ViewedLayer, boxes: Sequence[Box]) -> Query:
    """Keys of the rows whose visible geometry meets one of the boxes (west, south, east, north)."""
    binds = Binds()
    sides = ", ".join(f"{binds.add([box[side] for box in boxes])}::float8[]" for side in range(4))
    meets = rows.meets(view, "b.box", binds, exactly=False)
    where = " and ".join([*rows.visible(view, binds), meets])
    text = (
        "with boxes as materialized (select ST_MakeEnvelope(w, s, e, n, 4326) as box"
        f" from unnest({sides}) u (w, s, e, n))"
        f" select distinct t.{ident(view.key)} from boxes b, {rows.relation(view, binds)} where {where}"
    )
    return Query(text, tuple(binds.values), view.role)


def sharing_text(view: ViewedLayer, name: str, texts: Sequence[str]) -> Query:
    """Keys of the rows whose property is one of these texts, without regard to case."""
    binds = Binds()
    same = f"lower({rows.column(view, name, binds)}) = any({binds.add(list(texts))}::text[])"
    where = " and ".join([*rows.visible(view, binds), same])
    text = f"select t.{ident(view.key)} from {rows.relation(view, binds)} where {where}"
    return Query(text, tuple(binds.values), view.role)


def shapes_today(view: ViewedLayer) -> Query:
    """Rows (name, WKB, longitude and latitude of the centre) of units that are valid today."""
    binds = Binds()
    shape = rows.geometry(view, binds)
    named = rows.column(view, "name", binds)
    today = []
    if "valid_to" in view.properties:
        end = rows.column(view, "valid_to", binds)
        today = [f"({end} is null or {end} > current_date)"]
    where = " and ".join([*rows.visible(view, binds), *today]) or "true"
    text = (
        f"select {named}, ST_AsBinary({shape}), ST_X(ST_Centroid({shape})), ST_Y(ST_Centroid({shape}))"
        f" from {rows.relation(view, binds)} where {where}"
    )
    return Query(text, tuple(binds.values), view.role)


def ground(codes: Sequence[str]) -> Query:
    """One row: the ground (WKB) of these jurisdictions today, null where there is none."""
    text = (
        "select ST_AsBinary(ST_Union(geom)) from gis.jurisdiction_piece where code = any($1::text[])"
        " and (valid_from is null or valid_from <= current_date)"
        " and (valid_to is null or valid_to > current_date)"
    )
    return Query(text, (list(codes),))


ANY_TAXON = Query("select exists (select from gis.taxon)")


def taxa(keys: Sequence[str]) -> Query:
    """Rows (key, name, accepted name or null, lives at sea, lives on land) of the taxa of these name keys.

    Habitats come from open ranges alone, so that no finding tells of a withheld one.
    """
    text = """
        select distinct on (1) gis.name_key(t.scientific_name), t.scientific_name, accepted.scientific_name,
               lives.sea, lives.land
          from gis.taxon t
          left join gis.taxon accepted
            on accepted.taxon_id = t.accepted_name_usage_id and accepted.taxon_id <> t.taxon_id
          left join (
            select gis.name_key(sci_name) as key, bool_or(marine) as sea,
                   bool_or(coalesce(terrestria, false) or coalesce(freshwater, false)) as land
              from gis.species_range where not restricted and sensitivity = 0 and marine is not null
             group by 1
          ) lives on lives.key = gis.name_key(coalesce(accepted.scientific_name, t.scientific_name))
         where gis.name_key(t.scientific_name) = any($1::text[])
         order by 1, accepted.scientific_name is not null
    """
    return Query(text, (list(keys),))


def known(table: str, slug: str, source_ids: Sequence[str]) -> Query:
    """Rows (source id, gid) of the ids that a data set has been loaded with."""
    text = (
        "select source_id, gid from gis.feature_key"
        " where table_name = $1 and source = $2 and source_id = any($3::text[])"
    )
    return Query(text, (table, slug, list(source_ids)))
