"""The rows that somebody may edit, for a sheet that is filled with them."""

from __future__ import annotations

from collections.abc import Collection

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.feature_text import Form, feature
from gis_service.db.query import Binds, Query, ident

_VALUES = Form(geometry=False)


def editable(view: ViewedLayer, codes: Collection[str] | None, limit: int) -> Query:
    """Rows (key, feature without geometry, longitude, latitude) in the places of `codes`; None is everywhere.

    Only rows that the reader sees exactly: what is generalised for it would come back as a correction.
    """
    binds = Binds()
    where = rows.visible(view, binds)
    if view.policy_class != "full":
        where.append(rows.own(view, binds) or "false")
    if codes is not None:
        where.append(f"t.jurisdiction && {binds.add(sorted(codes))}::text[]")
    columns = [f"t.{ident(view.key)}", feature(view, _VALUES, binds), *_place(view, binds)]
    sql = (
        f"select {', '.join(columns)} from {rows.relation(view, binds)}"
        f" where {' and '.join(where) or 'true'} order by t.{ident(view.key)} limit {binds.add(limit)}"
    )
    return Query(sql, tuple(binds.values), view.role)


def _place(view: ViewedLayer, binds: Binds) -> list[str]:
    """Where a point lies to its last digit, so that a sheet sent back as it was moves nothing."""
    if view.geometry_type != "Point":
        return ["null::float8", "null::float8"]
    shape = rows.geometry(view, binds)
    if view.srid != 4326:
        shape = f"ST_Transform({shape}, 4326)"
    return [f"ST_X({shape})", f"ST_Y({shape})"]
