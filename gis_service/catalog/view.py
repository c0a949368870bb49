"""A layer as one policy class may see it: the only form in which anything downstream takes a layer.

Made by `gis_service.access.policy.view` alone; a test holds the rest of the code to that.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gis_service.catalog.layer import Layer, Property, Text, Tiles, Time

Sight = Literal["all", "open", "own", "open+own"]


@dataclass(frozen=True)
class Drafts:
    """Somebody's open editing drafts of a layer: the keys that the database asks for, and their revisions."""

    author: str
    keys: tuple[str, ...] = field(default=(), repr=False)
    revisions: str = ""


@dataclass(frozen=True, eq=False)
class ViewedLayer:
    """What a class sees: columns, rows, geometry, and the database role that can read no more.

    `sight` says which rows: `all`; `open` (not restricted, sensitivity not in `withhold`); `own` (those
    that meet the caller's jurisdictions, `scope`); `open+own`. The caller's own rows show the `exact`
    geometry, the `masked` properties and the `replaced` ones; all others `geometry`, that something is
    withheld, and the columns that `replaced` names. Who may edit the layer has its own `drafts` laid over the
    rows. Two views are equal only if they are the same object, so
    that what is compiled from one can be kept beside it; digests compare meanings.
    """

    layer: Layer
    policy_class: str
    role: str
    properties: Mapping[str, Property]
    geometry: str
    exact: str | None = None
    masked: frozenset[str] = frozenset()
    replaced: Mapping[str, str] = field(default_factory=dict)
    scope: tuple[str, ...] = ()
    withhold: tuple[int, ...] = ()
    sight: Sight = "all"
    release: int | None = None
    epoch: int = 0
    drafts: Drafts | None = None

    @property
    def id(self) -> str:
        return self.layer.id

    @property
    def title(self) -> Text:
        return self.layer.title

    @property
    def description(self) -> Text:
        return self.layer.description

    @property
    def key(self) -> str:
        return self.layer.key

    @property
    def id_column(self) -> str:
        return self.layer.id_column

    @property
    def srid(self) -> int:
        return self.layer.geometry.srid

    def column_of(self, name: str) -> str:
        """The column that the class reads a property from, in its own rows at least; KeyError if unknown."""
        return self.properties[name].column or name

    @property
    def geometry_type(self) -> str:
        """The type that the caller sees: coarse geometry is always a point."""
        return "Point" if self.geometry != self.layer.geometry.column else self.layer.geometry.type

    @property
    def time(self) -> Time | None:
        return self.layer.time

    @property
    def tiles(self) -> Tiles:
        """The layer's tile settings with only the properties that the class may see."""
        seen = tuple(name for name in self.layer.tiles.properties if name in self.properties)
        return self.layer.tiles.model_copy(update={"properties": seen})

    @property
    def public(self) -> bool:
        return self.policy_class == "public"

    def at_release(self, release: int) -> ViewedLayer:
        """The same view of the rows as they stood after a past release, which knew of no draft."""
        return dataclasses.replace(self, release=release, drafts=None)

    @property
    def draft_keys(self) -> tuple[str, ...]:
        """The keys of the drafts that lie over the rows; none where the rows are shown as they stand."""
        return self.drafts.keys if self.drafts else ()

    @functools.cached_property
    def standing(self) -> ViewedLayer:
        """The view of the rows as they stand, which is that of the whole class."""
        return self if self.drafts is None else dataclasses.replace(self, drafts=None)

    @functools.cached_property
    def of_today(self) -> ViewedLayer:
        """The view of the rows as they stand today, whatever release was asked for."""
        return dataclasses.replace(self, release=None, drafts=None)

    @property
    def past(self) -> dict[str, str]:
        """The parameter by which an address stays with the release that the view is of."""
        return {} if self.release is None else {"release": str(self.release)}

    @functools.cached_property
    def of_own(self) -> ViewedLayer:
        """What the caller sees of a row of its own, without asking which rows these are."""
        exact = self.exact or self.geometry
        unmasked = dataclasses.replace(self, exact=None, masked=frozenset(), replaced={}, scope=())
        return dataclasses.replace(unmasked, geometry=exact)

    @functools.cached_property
    def of_others(self) -> ViewedLayer:
        """What the caller sees of all other rows; likewise."""
        return dataclasses.replace(self, exact=None, scope=())

    @functools.cached_property
    def digest(self) -> str:
        """Key of every cache: definition, class, policy epoch, release, and the drafts over the rows."""
        text = f"{self.layer.digest()}|{self.policy_class}|{self.epoch}|{self.release}"
        if self.drafts is not None:
            text += f"|{self.drafts.author}|{self.drafts.revisions}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]
