"""A layer as its YAML file declares it: frozen, validated, compared by digest."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

PropertyType = Literal["text", "integer", "number", "boolean", "date", "timestamp", "list"]
OrganisationTier = Literal["central", "province", "site", "partner", "registered"]
GeometryType = Literal["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_LAYER_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_SYSTEM_COLUMNS = (
    "gid",
    "public_id",
    "rev",
    "dataset_id",
    "basis",
    "restricted",
    "release_from",
    "jurisdiction",
)


def _column(name: str) -> str:
    if not _COLUMN.fullmatch(name):
        raise ValueError(f"{name!r} is no column name (letters, digits and _, at most 63)")
    return name


def _table(name: str) -> str:
    parts = name.split(".")
    if len(parts) != 2:
        raise ValueError(f"{name!r} must be schema.table")
    return ".".join(_column(part) for part in parts)


def _layer_id(name: str) -> str:
    if not _LAYER_ID.fullmatch(name):
        raise ValueError(f"{name!r} is no layer id (lower-case letters, digits and -)")
    return name


Column = Annotated[str, AfterValidator(_column)]
Table = Annotated[str, AfterValidator(_table)]
LayerId = Annotated[str, AfterValidator(_layer_id)]


class Part(BaseModel):
    """A frozen piece of configuration that refuses keys it doesn't know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """A sentence in both languages."""

    en: str = Field(min_length=1)
    vi: str = Field(min_length=1)

    def say(self, lang: str) -> str:
        return self.vi if lang == "vi" else self.en


class Geometry(Part):
    """The column that holds the exact geometry."""

    column: Column = "geom"
    srid: int = Field(default=4326, gt=0, le=999_999)
    type: GeometryType


class Property(Part):
    """One attribute: its column, its type, its title, its allowed values."""

    title: Text
    type: PropertyType = "text"
    column: Column | None = Field(default=None, description="The column, where it isn't the property's name.")
    description: Text | None = None
    values: dict[str, Text] | list[str] | None = Field(
        default=None, description="The allowed values, as a list or with their titles."
    )
    unit: str | None = None
    filter: bool = Field(default=True, description="Whether clients may filter by it.")
    sort: bool = Field(
        default=False, description="Whether clients may sort by it; give it an index (column, key)."
    )

    @model_validator(mode="after")
    def _sortable(self) -> Self:
        if self.sort and self.type == "list":
            raise ValueError("a list can't be sorted by")
        return self


class Time(Part):
    """The columns that say when a feature is valid; one column means an instant."""

    start: Column
    end: Column | None = None
    type: Literal["date", "timestamp"] = "date"


class Tiles(Part):
    """The zooms that have tiles and the few properties that a tile carries."""

    zoom: tuple[int, int] = (0, 14)
    properties: tuple[str, ...] = ()
    depends_on: tuple[Table, ...] = Field(
        default=(),
        description="The tables behind a layer whose table isn't managed: changes there change its tiles.",
    )
    max_age: int = Field(
        default=60, ge=1, description="Seconds that tiles of such a layer are kept where no table is named."
    )
    reduce: Literal["thin", "bins", "none"] = Field(
        default="thin",
        description="What tiles show of points: one for each cell of 8 pixels, their number in it, or all.",
    )
    all_from: int = Field(
        default=10, ge=0, le=14, description="The zoom from which a thinned layer shows all its points."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 <= self.zoom[0] <= self.zoom[1] <= 22:
            raise ValueError("zoom must be [least, most] between 0 and 22")
        return self


class ClassView(Part):
    """What one policy class sees less of than the whole layer."""

    hide: tuple[str, ...] = Field(default=(), description="Properties that the class doesn't see.")
    replace: dict[str, Column] = Field(
        default_factory=dict,
        description="Properties that the class reads from another column, which says less; `public` alone.",
    )
    geometry: Column | None = Field(
        default=None, description="The coarse geometry column in place of the exact one."
    )
    withhold: tuple[int, ...] = Field(
        default=(), description="Sensitivity categories (1-4) whose rows are hidden."
    )


class Access(Part):
    """The policy classes of a layer; a class left out doesn't see the layer at all.

    `public` sees no row of a dataset that is closed to redistribution. `jurisdiction` sees the rows
    of its own provinces whole, but for what it hides itself, and all others as `public` does. `edit` names
    the tiers whose editors may propose changes of rows that meet their jurisdictions.
    """

    public: ClassView | None = None
    jurisdiction: ClassView | None = None
    full: ClassView = ClassView()
    edit: tuple[OrganisationTier, ...] = Field(
        default=(), description="Tiers whose editors may propose changes; the central one always may."
    )


class Source(Part):
    """Where the layer comes from when no dataset says more."""

    title: Text
    licence: str | None = None
    citation: str | None = None
    url: str | None = None


class Layer(Part):
    """One collection of the service, whole: nobody's view of it yet (see catalog.view)."""

    id: LayerId
    title: Text
    description: Text
    table: Table
    managed: bool = Field(
        default=True, description="Whether the table has the service's own columns (gid, rev …)."
    )
    sensitive: bool = Field(default=False, description="Whether the table has a sensitivity column.")
    key: Column = Field(
        default="gid", description="Unique integer column: the id in tiles and the order of pages."
    )
    id_column: Column = Field(default="public_id", description="Unique column: the feature id.")
    id_type: Literal["text", "integer"] = "text"
    geometry: Geometry
    where: dict[Column, str | int | bool] = Field(
        default_factory=dict, description="Columns that must equal a value."
    )
    time: Time | None = None
    properties: dict[str, Property] = Field(min_length=1)
    tiles: Tiles = Tiles()
    style: str | None = None
    access: Access
    source: Source
    keywords: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_hold(self) -> Self:
        unknown = [name for name in self.tiles.properties if name not in self.properties]
        for view in (self.access.public, self.access.jurisdiction, self.access.full):
            unknown += [name for name in (view.hide if view else ()) if name not in self.properties]
            unknown += [name for name in (view.replace if view else ()) if name not in self.properties]
        if unknown:
            raise ValueError(f"no such property: {', '.join(sorted(set(unknown)))}")
        self._replacements_hold()
        if not self.sensitive and self.access.public is not None and self.access.public.withhold:
            raise ValueError("access.public.withhold needs sensitive: true")
        if self.managed and self.tiles.depends_on:
            raise ValueError(
                "tiles.depends_on is for tables that aren't managed: the others tell of each change"
            )
        if self.access.jurisdiction is not None and not self.managed:
            raise ValueError("access.jurisdiction needs a managed table, whose rows name their jurisdictions")
        return self

    def _replacements_hold(self) -> None:
        public = self.access.public or ClassView()
        if self.access.full.replace or (self.access.jurisdiction and self.access.jurisdiction.replace):
            raise ValueError("replace is for access.public: the other classes see their own rows whole")
        if both := sorted(set(public.hide) & set(public.replace)):
            raise ValueError(f"access.public both hides and replaces {', '.join(both)}")
        times = {self.time.start, self.time.end} if self.time else set()
        if timely := sorted(name for name in public.replace if self.column_of(name) in times):
            raise ValueError(f"access.public.replace: the layer's time is read from {', '.join(timely)}")

    @property
    def schema_name(self) -> str:
        return self.table.split(".")[0]

    @property
    def table_name(self) -> str:
        return self.table.split(".")[1]

    def column_of(self, name: str) -> str:
        """The column behind a property; KeyError where the layer has no such property."""
        return self.properties[name].column or name

    def columns(self) -> frozenset[str]:
        """Every column that the layer reads."""
        named = {self.column_of(name) for name in self.properties} | {
            self.key,
            self.id_column,
            self.geometry.column,
        }
        named |= set(self.where)
        if self.time is not None:
            named |= {self.time.start, self.time.end or self.time.start}
        named |= {
            view.geometry for view in (self.access.public, self.access.jurisdiction) if view and view.geometry
        }
        named |= set(self.access.public.replace.values()) if self.access.public else set()
        named |= set(_SYSTEM_COLUMNS) if self.managed else set()
        return frozenset(named | ({"sensitivity"} if self.sensitive else set()))

    def digest(self) -> str:
        """A short hash of the whole definition; changes when the file's meaning does."""
        return self._digest

    @functools.cached_property
    def _digest(self) -> str:
        # Once a layer: it's asked for with every tile and page, and to write the layer as JSON takes 60 µs.
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values and, for it, another digest."""
        made = super().model_copy(update=update, deep=deep)
        made.__dict__.pop("_digest", None)
        return made
