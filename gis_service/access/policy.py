"""The one policy function: a principal and a layer give the layer as that principal sees it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping

from gis_service.access import rights
from gis_service.access.principal import Principal
from gis_service.catalog.layer import ClassView, Layer, Property
from gis_service.catalog.raster import RasterLayer, ViewedRaster
from gis_service.catalog.view import Drafts, Sight, ViewedLayer
from gis_service.errors import NotFound

ROLE_PUBLIC = "gis_public"
ROLE_FULL = "gis_full"
LONGEST_ROLE = 62
ROLE_JURISDICTION = "gis_jurisdiction"  # holds the grants; each jurisdiction's own role is a member


def view(principal: Principal, layer: Layer, epoch: int = 0) -> ViewedLayer:
    """The layer as the principal's class sees it; NotFound where the class may not know that it exists."""
    if principal.tier == "full":
        return _full(layer, epoch)
    if principal.tier == "jurisdiction" and principal.jurisdictions and layer.access.jurisdiction is not None:
        return _jurisdiction(principal, layer, layer.access.jurisdiction, epoch)
    if layer.access.public is not None:
        return _public(layer, layer.access.public, epoch)
    raise NotFound(f"collection {layer.id!r}")


def raster_view(principal: Principal, raster: RasterLayer) -> ViewedRaster:
    """The raster for a class that may see it; NotFound where the class may not know that it exists."""
    if principal.tier == "full":
        return ViewedRaster(raster, "full")
    own = principal.tier == "jurisdiction" and principal.jurisdictions
    if own and raster.access.jurisdiction is not None:
        return ViewedRaster(raster, principal.policy_class)
    if raster.access.public is not None:
        return ViewedRaster(raster, "public")
    raise NotFound(f"collection {raster.id!r}")


def visible_rasters(principal: Principal, rasters: Iterable[RasterLayer]) -> Mapping[str, ViewedRaster]:
    """Every raster that the principal may know of, by id."""
    seen: dict[str, ViewedRaster] = {}
    for raster in rasters:
        try:
            seen[raster.id] = raster_view(principal, raster)
        except NotFound:
            continue
    return seen


def drafts_layer(principal: Principal, seen: ViewedLayer) -> bool:
    """Whether the principal may have drafts of the layer that it sees laid over the rows."""
    return bool(principal.roles) and rights.may_edit_layer(principal, seen.layer)


def with_drafts(principal: Principal, seen: ViewedLayer, drafts: Drafts) -> ViewedLayer:
    """The view with the principal's own drafts over the rows; as it was for who may not edit the layer."""
    if not drafts_layer(principal, seen) or drafts.author != principal.name:
        return seen
    return dataclasses.replace(seen, drafts=drafts)


def visible_layers(
    principal: Principal, layers: Iterable[Layer], epoch: int = 0
) -> Mapping[str, ViewedLayer]:
    """Every layer that the principal may know of, by id."""
    seen: dict[str, ViewedLayer] = {}
    for layer in layers:
        try:
            seen[layer.id] = view(principal, layer, epoch)
        except NotFound:
            continue
    return seen


def class_role(principal: Principal) -> str:
    """The database role of its class, for what isn't a layer's; a layer may be read as the public does."""
    if principal.tier == "full":
        return ROLE_FULL
    if principal.tier == "jurisdiction" and principal.jurisdictions:
        return jurisdiction_role(principal.jurisdictions)
    return ROLE_PUBLIC


def jurisdiction_role(codes: Iterable[str]) -> str:
    """The database role of jurisdictions together: named by their hash where a name can't hold their codes.

    gis.ensure_jurisdiction_role says the same.
    """
    joined = "_".join(sorted(code.lower().replace("-", "_") for code in set(codes)))
    if len("gis_j_" + joined) > LONGEST_ROLE:
        joined = "h_" + hashlib.sha256(joined.encode()).hexdigest()[:40]
    return "gis_j_" + joined


def _full(layer: Layer, epoch: int) -> ViewedLayer:
    hidden = layer.access.full.hide
    shown = {name: p for name, p in layer.properties.items() if name not in hidden}
    return ViewedLayer(layer, "full", ROLE_FULL, shown, layer.geometry.column, epoch=epoch)


def _public(layer: Layer, rule: ClassView, epoch: int) -> ViewedLayer:
    return ViewedLayer(
        layer,
        policy_class="public",
        role=ROLE_PUBLIC,
        properties={
            name: _read(name, p, rule) for name, p in layer.properties.items() if name not in rule.hide
        },
        geometry=rule.geometry or layer.geometry.column,
        withhold=rule.withhold,
        sight="open",
        epoch=epoch,
    )


def _read(name: str, prop: Property, rule: ClassView) -> Property:
    """The property, read from the column that stands in for its own where the rule names one."""
    return prop.model_copy(update={"column": rule.replace[name]}) if name in rule.replace else prop


def _jurisdiction(principal: Principal, layer: Layer, rule: ClassView, epoch: int) -> ViewedLayer:
    """Own rows whole but for what the class itself hides; the others as the public sees them, if it does."""
    public = layer.access.public
    coarse = public.geometry if public else None
    sight: Sight = "open+own" if public else "own"
    return ViewedLayer(
        layer,
        policy_class=principal.policy_class,
        role=jurisdiction_role(principal.jurisdictions),
        properties={name: p for name, p in layer.properties.items() if name not in rule.hide},
        geometry=coarse or layer.geometry.column,
        exact=layer.geometry.column if coarse else None,
        masked=frozenset(public.hide if public else ()) - frozenset(rule.hide),
        replaced={name: c for name, c in (public.replace if public else {}).items() if name not in rule.hide},
        scope=tuple(sorted(principal.jurisdictions)),
        withhold=public.withhold if public else (),
        sight=sight,
        epoch=epoch,
    )
