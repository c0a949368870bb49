"""Whether areas are valid, as PostGIS would judge: GEOS fails on the relations of areas that aren't.

GEOS comes with shapely and numpy, 15 MB and 0.2 s that a web worker spends only once a filter draws an area.
"""

from __future__ import annotations

from gis_service.db.cql2.nodes import At
from gis_service.features.refusal import refuse


def check(ewkb: str, at: At) -> None:
    """400 with the reason where the area crosses itself or is none."""
    import shapely  # noqa: PLC0415  # see above

    shape = shapely.from_wkb(ewkb)
    if not shapely.is_valid(shape):
        raise refuse("filter.invalid-geometry", at=at, reason=shapely.is_valid_reason(shape))


def united(ewkb: str, at: At) -> str:
    """The areas of a collection as one: there they may overlap, in a MultiPolygon they may not."""
    import shapely  # noqa: PLC0415  # see above

    shape = shapely.from_wkb(ewkb)
    parts = shapely.get_parts(shape)
    for part in parts:
        if not shapely.is_valid(part):
            raise refuse("filter.invalid-geometry", at=at, reason=shapely.is_valid_reason(part))
    made = shapely.set_srid(shapely.union_all(parts), shapely.get_srid(shape))
    return str(shapely.to_wkb(made, hex=True, byte_order=1, include_srid=True))
