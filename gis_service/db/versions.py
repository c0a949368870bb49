"""The version of what a class sees of a table: it rises with every change that the class could notice.

It is read before the rows, or with them: an answer newer than its version is only asked for once more; an
answer older than its version would be kept.
"""

from __future__ import annotations

from gis_service.catalog.view import ViewedLayer
from gis_service.db.query import Binds, Query

# `public7.j:VN-014@1790000000`: the versions of the classes, the second of the last change (of rights too).
_STAMP = (
    "coalesce(string_agg(v.class || v.version, '.' order by v.class) || '@' || ceil(extract(epoch from"
    " greatest(max(v.changed_at), (select changed_at from gis.policy_epoch)))), '')"
)


def of(view: ViewedLayer) -> Query:
    """One row with the stamp of the view; an empty text where nothing was ever written."""
    binds = Binds()
    return Query(f"select {expression(view, binds)}", tuple(binds.values), view.role)


def expression(view: ViewedLayer, binds: Binds) -> str:
    """The stamp as a scalar in the statement that reads the rows, and so of the same snapshot."""
    return of_classes(binds.add(view.layer.table_name), f"{binds.add(classes(view))}::text[]")


def of_classes(table: str, classes: str) -> str:
    """The stamp of a table for some classes, both given as SQL text."""
    return (
        f"(select {_STAMP} from gis.class_version v"
        f" where v.table_name = {table} and v.class = any({classes}))"
    )


def is_kept(view: ViewedLayer) -> bool:
    """Whether the view has a version: a table that isn't ours has no triggers that raise one."""
    return view.layer.managed


def classes(view: ViewedLayer) -> list[str]:
    """Whose rows the view shows: a jurisdiction sees its own rows whole and those that the public sees."""
    if view.sight == "all":
        return ["full"]
    opened = ["public"] if view.sight.startswith("open") else []
    return opened + [f"j:{code}" for code in view.scope]
