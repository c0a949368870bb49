"""What each class's role sees of a table that layers share: the columns granted, the rows of its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gis_service.access.policy import ROLE_FULL, ROLE_JURISDICTION, ROLE_PUBLIC
from gis_service.catalog.layer import Layer

ROLES = (ROLE_PUBLIC, ROLE_JURISDICTION, ROLE_FULL)
MINE = "jurisdiction && (select gis.my_jurisdictions())"


def columns(layers: Sequence[Layer]) -> Mapping[str, set[str]]:
    """The columns of each role: the union over the layers that share the table."""
    granted: dict[str, set[str]] = {role: set() for role in ROLES}
    for layer in layers:
        hidden_full = {layer.column_of(name) for name in layer.access.full.hide}
        granted[ROLE_FULL] |= layer.columns() - hidden_full
        public, own = layer.access.public, layer.access.jurisdiction
        if own is not None:
            granted[ROLE_JURISDICTION] |= layer.columns() - {layer.column_of(name) for name in own.hide}
        if public is not None:
            coarse = {layer.geometry.column} if public.geometry else set()
            hidden = {layer.column_of(name) for name in (*public.hide, *public.replace)}
            granted[ROLE_PUBLIC] |= layer.columns() - hidden - coarse
    return granted


def conditions(layers: Sequence[Layer]) -> Mapping[str, str]:
    """The rows of each role: what any of the layers that share the table opens."""
    opened = " or ".join(f"({open_rows(layer)})" for layer in layers if layer.access.public is not None)
    own = any(layer.access.jurisdiction is not None for layer in layers)
    mine = " or ".join(part for part in (opened, MINE if own else "") if part)
    return {ROLE_PUBLIC: opened or "false", ROLE_JURISDICTION: mine or "false", ROLE_FULL: "true"}


def open_rows(layer: Layer, row: str = "") -> str:
    """The rows of a layer that anybody may see; `row` is the alias with its dot, where there is one."""
    public = layer.access.public
    assert public is not None, "the caller asks for layers that the public sees"
    categories = ", ".join(str(int(category)) for category in public.withhold)
    withheld = f" and {row}sensitivity <> all(array[{categories}]::smallint[])" if categories else ""
    return f"not {row}restricted{withheld}"
