"""Whether areas are valid, as PostGIS would judge: GEOS fails on the relations of areas that aren't.

GEOS comes with shapely and numpy, 15 MB and 0.2 s that a web worker spends only once a filter draws an area.
"""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.db.cql2.nodes import At, Part
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


def uncovered(parts: Sequence[Part]) -> list[Part]:
    """The parts of a collection, fewest dimensions first, without what a greater part covers.

    The end of a line is no interior of the collection only because one of its points lies there too.
    """
    import shapely  # noqa: PLC0415  # see above

    shapes = [shapely.from_wkb(part.ewkb) for part in parts]
    kept = []
    for place, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
        greater = shapes[place + 1 :]
        pieces = [p for p in shapely.get_parts(shape) if not any(shapely.covers(g, p) for g in greater)]
        if len(pieces) == shapely.get_num_geometries(shape):
            kept.append(part)
        elif pieces:
            made = shapely.set_srid(shapely.union_all(pieces), shapely.get_srid(shape))
            kept.append(
                Part(str(shapely.to_wkb(made, hex=True, byte_order=1, include_srid=True)), part.dimension)
            )
    return kept
