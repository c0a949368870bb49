"""What the body of an edit asks for: a GeoJSON feature, or a merge patch of one (RFC 7946, RFC 7396)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson

from gis_service.catalog.view import ViewedLayer
from gis_service.changes import cells, outline
from gis_service.changes.cells import Kind
from gis_service.changes.faults import Fault, at, fault
from gis_service.changes.propose import columns
from gis_service.changes.refusal import refusal
from gis_service.errors import InvalidParameter

MOST_FAULTS: Final = (
    50  # that a refusal lists: a document of strange names alone would be answered by a larger one
)
Way = Literal["create", "replace", "patch"]
Members = Mapping[str, Any]  # a JSON object


@dataclass(frozen=True)
class Sent:
    """What was sent, read by the layer: values by the names of properties, the geometry as GeoJSON.

    `untouchable` are the read-only properties that it names: they must be as they stand.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    geometry: Mapping[str, object] | None = None
    untouchable: Mapping[str, object] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def loads(body: bytes) -> Members:
    """The JSON object of a body; 400 for anything else."""
    try:
        made = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise refusal(InvalidParameter, "edit.not-json", reason=str(err)[:200]) from err
    if not isinstance(made, dict):
        raise refusal(InvalidParameter, "edit.not-object")
    return made


def read(
    view: ViewedLayer, kinds: Mapping[str, Kind], members: Members, way: Way, identity: str | None = None
) -> Sent:
    """The document as the layer takes it, with all that is wrong with it as a whole and in each member."""
    faults = list(_whole(members, way, identity))
    given = members.get("properties")
    if not isinstance(given, dict):
        if given is not None or (way == "patch" and "properties" in members):
            faults.append(fault(at("properties"), "not-object-member"))
        given = {}
    values, untouchable = _values(view, kinds, given, faults)
    geometry = _geometry(view, members, way, faults)
    if way == "replace":
        # What isn't named is empty then, but for columns that are never empty: those stay as they are.
        empty = {name: None for name, column in columns(view).items() if not kinds[column].required}
        values = empty | values
    return Sent(values, geometry, untouchable, tuple(faults))


def _whole(members: Members, way: Way, identity: str | None) -> list[Fault]:
    """Faults of the feature itself: its type, an id that isn't the address's, a reference system inside."""
    found = []
    if members.get("type", "Feature" if way == "patch" else None) != "Feature":
        found.append(fault(at("type"), "not-feature", value=str(members.get("type"))[:40]))
    given = members.get("id")
    if way == "create" and given is not None:
        found.append(fault(at("id"), "id-given"))
    elif way != "create" and "id" in members and (isinstance(given, bool) or str(given) != identity):
        found.append(fault(at("id"), "id-other", id=identity))
    if members.get("crs") is not None:
        found.append(fault(at("crs"), "crs-member"))
    return found


def _values(
    view: ViewedLayer, kinds: Mapping[str, Kind], given: Members, faults: list[Fault]
) -> tuple[dict[str, object], dict[str, object]]:
    """Values to write and those of properties that only the service writes."""
    writable = columns(view)
    values: dict[str, object] = {}
    untouchable: dict[str, object] = {}
    for name, value in given.items():
        if len(faults) >= MOST_FAULTS:
            break
        pointer = at("properties", name[:100])
        if name in writable:
            made, wrong = cells.read(pointer, view.properties[name], kinds[writable[name]], value)
            if wrong is None:
                values[name] = made
            else:
                faults.append(wrong)
        elif name in view.properties:
            untouchable[name] = value
        else:
            known = ", ".join(writable)
            faults.append(fault(pointer, "unknown-property", name=name[:100], known=known))
    return values, untouchable


def _geometry(
    view: ViewedLayer, members: Members, way: Way, faults: list[Fault]
) -> Mapping[str, object] | None:
    given = members.get("geometry")
    if given is None and way == "patch" and "geometry" not in members:
        return None
    if given is None:
        faults.append(fault(at("geometry"), "geometry-missing"))
        return None
    if not isinstance(given, dict):
        faults.append(fault(at("geometry"), "not-object-member"))
        return None
    wanted = view.layer.geometry.type
    # A patch goes into objects (RFC 7396): one that names no type leaves it as it is.
    made, wrong = outline.fitted({"type": wanted, **given} if way == "patch" else given, wanted)
    if wrong is not None:
        faults.append(wrong)
    return made
