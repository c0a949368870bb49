"""What pygeoapi asks of a provider, said as the query string of our own `items`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gis_service.catalog.view import ViewedLayer
from gis_service.features.refusal import refuse
from gis_service.plugin import filter_tree

Given = dict[str, str]


def parameters(view: ViewedLayer, asked: Mapping[str, Any], published: Sequence[str]) -> Given:
    """The parameters of `items` that mean the same, but for limit and offset; 400 for a text search.

    So what may be asked, and what is refused, is the same here and there. `published` are the properties
    that pygeoapi's configuration names, all where it names none.
    """
    if asked.get("q"):
        raise refuse("plugin.no-text-search")
    given = {str(name): str(value) for name, value in asked.get("properties") or ()}
    if box := asked.get("bbox"):
        given["bbox"] = ",".join(repr(float(number)) for number in box)
    if moment := asked.get("datetime_"):
        given["datetime"] = str(moment)
    if sort := asked.get("sortby"):
        given["sortby"] = ",".join(f"{key['order']}{key['property']}" for key in sort)
    if asked.get("skip_geometry"):
        given["skipGeometry"] = "true"
    if (tree := asked.get("filterq")) is not None:
        given |= {"filter": filter_tree.cql2_json(tree, view), "filter-lang": "cql2-json"}
    return {**given, **_selected(asked.get("select_properties") or (), published), **system(asked)}


def system(asked: Mapping[str, Any]) -> Given:
    """The reference system of the answer, where it isn't the default one."""
    wanted = asked.get("crs_transform_spec")
    return {} if wanted is None else {"crs": wanted.target_crs_uri}


def _selected(wanted: Iterable[str], published: Sequence[str]) -> Given:
    names = [name for name in wanted or published if not published or name in published]
    return {"properties": ",".join(names)} if wanted or published else {}
