"""Tiles of points: thinned by cells, or counted in them; from what was gathered, else from the rows.

Both ways give the same bytes. A layer is a statement with three values: the tile, how many visible rows lie
in it, and how many features it has.

Who sees rows of its own jurisdictions exactly gets two sets, each thinned by itself: its own at their exact
places, and of the public's those that aren't its own. So what it sees of others' rows is the public's choice.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from gis_service.catalog.view import ViewedLayer
from gis_service.db import point_tables, rows
from gis_service.db.point_tables import CELL, FINE, Gathering, Kind
from gis_service.db.query import Binds, ident, literal
from gis_service.geo import tiles

MOST_FEATURES: Final = 16_384  # of a tile that shows all points; more are cut by rank
COUNT: Final = "count"  # the attribute of a bin
_WEST, _NORTH = f"($2::int * {tiles.EXTENT})", f"($3::int * {tiles.EXTENT})"


def applies(view: ViewedLayer) -> bool:
    """Whether the layer's points are thinned, counted, or cut by rank."""
    return point_tables.reduces(view.layer) and view.tiles.reduce != "none"


def is_reduced(view: ViewedLayer, zoom: int) -> bool:
    """Whether tiles of a zoom show cells; bins do at every zoom."""
    return applies(view) and (view.tiles.reduce == "bins" or zoom < view.tiles.all_from)


def layer(view: ViewedLayer, zoom: int, binds: Binds, box: str, derived: bool) -> str:
    """The statement of a layer at a zoom that shows cells; `box` is the tile with its margin, in degrees."""
    bins = view.tiles.reduce == "bins"
    margin = 0 if bins else tiles.BUFFER
    high = tiles.EXTENT + margin - 1
    window = Window(f"{_WEST} - {margin}", f"{_NORTH} - {margin}", f"{_WEST} + {high}", f"{_NORTH} + {high}")
    found = " union all ".join(Source(view, zoom, binds, box, derived, window).parts())
    made = _counted(zoom) if bins else _drawn(view)
    return f"with c as materialized ({found}), f as materialized ({made}) {_tile(view)}"


def all_points(view: ViewedLayer, source: str) -> str:
    """The statement of a layer whose points are all shown, unless they are too many: then by rank."""
    rank = point_tables.rank("gid")
    last = f"(select {rank} from c where geom is not null order by 1 offset {MOST_FEATURES - 1} limit 1)"
    many = f"(select count(*) from c) > {MOST_FEATURES}"
    cut = f"(select coalesce(case when {many} then {last} end, 2147483647))"
    return (
        f"with c as materialized ({source}), f as materialized"
        f" (select * from c where geom is not null and {rank} <= {cut} order by gid)"
        f" select {mvt(view)}, (select count(*) from c where geom is not null), (select count(*) from f)"
    )


def _tile(view: ViewedLayer) -> str:
    return f"select {mvt(view)}, (select coalesce(sum(n), 0)::bigint from c), (select count(*) from f)"


def mvt(view: ViewedLayer) -> str:
    """The layer's tile of the features `f`."""
    return f"(select ST_AsMVT(f, {literal(view.id)}, {tiles.EXTENT}, 'geom', 'gid') from f)"


def _drawn(view: ViewedLayer) -> str:
    """Those who stand for their cells, by key: the heap's order would tell of rows that nobody sees."""
    return f"select {names(view)}, {_point('px', 'py')} as geom from c where shown order by gid"


def _counted(zoom: int) -> str:
    """A point in the middle of each cell, with the number of rows in it."""
    side = 1 << (zoom + point_tables.SIDE_BITS)
    column, row = f"px / {CELL}", f"py / {CELL}"
    middle = _point(f"cx * {CELL} + {CELL // 2}", f"cy * {CELL} + {CELL // 2}")
    return (
        f"select cy::bigint * {side} + cx as gid, total as {COUNT}, {middle} as geom from"
        f" (select {column} as cx, {row} as cy, sum(n)::bigint as total from c group by 1, 2) its"
        " where total > 0 order by 1"
    )


def _ready(found: Gathering) -> str:
    return f"(select ready from gis_tiles.gathered where name = {literal(found.name)})"


def _point(x: str, y: str) -> str:
    return f"ST_MakePoint({x} - {_WEST}, {y} - {_NORTH})"


def names(view: ViewedLayer) -> str:
    """What a feature has beside its shape."""
    return ", ".join(["gid", "id", *(ident(name) for name in view.tiles.properties)])


@dataclasses.dataclass(frozen=True)
class Window:
    """The first and the last units of a zoom, as SQL; of whole cells."""

    west: str
    north: str
    east: str
    south: str


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the cells of a tile come from: rows (shown, n, px, py, gid, id and the properties)."""

    view: ViewedLayer
    zoom: int
    binds: Binds
    box: str
    derived: bool
    window: Window

    def parts(self) -> list[str]:
        view = self.view
        if view.release is not None or view.draft_keys:
            return [self._from_rows(view, [])]
        if not view.scope:
            return self._gathered(view, "full" if view.sight == "all" else "public")
        mine = rows.own(view, self.binds) or "false"
        exact = dataclasses.replace(view.of_own, sight="all")
        own = self._gathered(exact, "own", of=mine)
        if view.sight == "own":
            return own
        others = self._gathered(view.of_others, "public", hidden=mine)
        return [*others, *self._taken_off(view.of_others, mine), *own]

    def _gathered(self, view: ViewedLayer, kind: Kind, of: str = "", hidden: str = "") -> list[str]:
        """What was gathered for a kind of readers, if it holds, else the same from the rows.

        Only rows that are `of` something; `hidden` ones count alone.
        """
        found = point_tables.gathering(view.layer, kind)
        shown = f"not ({hidden})" if hidden else "true"
        own = [of] if of else []
        if not self._may_be_gathered():
            return [self._from_rows(view, own, shown, found.parted)]
        ready = _ready(found)
        what = f"{shown} as shown, t.n, {{at}}, {self._columns(view)}"
        return [
            self._from_cells(view, found, [ready, *own], what),
            self._from_rows(view, [f"not {ready}", *own], shown, found.parted),
        ]

    def _taken_off(self, view: ViewedLayer, mine: str) -> list[str]:
        """Own rows that the public sees were counted with the others'."""
        nothing = ", ".join(["null"] * (2 + len(view.tiles.properties)))
        if not self._may_be_gathered():
            return [f"select false, -1, px, py, {nothing} from ({self._placed(view, [mine], 'false')}) off"]
        found = point_tables.gathering(view.layer, "taken")
        rest = self._placed(view, [f"not {_ready(found)}", mine], "false")
        return [
            self._from_cells(view, found, [_ready(found), mine], f"false, -t.n, {{at}}, {nothing}"),
            f"select false, -1, px, py, {nothing} from ({rest}) off",
        ]

    def _may_be_gathered(self) -> bool:
        return self.derived and self.zoom < self.view.tiles.all_from

    def _from_cells(self, view: ViewedLayer, found: Gathering, conditions: list[str], what: str) -> str:
        """Gathered cells of the tile; `what` is selected of them, with {at} for where they are."""
        px, py = "ST_X(t.geom)::int", "ST_Y(t.geom)::int"
        its = self.window
        box = f"ST_MakeEnvelope({its.west}, {its.north}, {its.east}, {its.south})"
        here = [f"t.geom && {box}", *rows.visible(view, self.binds), *conditions]
        selected = what.format(at=f"{px} as px, {py} as py")
        return f"select {selected} from {found.relation(self.zoom)} as t where {' and '.join(here)}"

    def _from_rows(
        self, view: ViewedLayer, conditions: list[str], shown: str = "true", parted: tuple[str, ...] = ()
    ) -> str:
        """Who stands for each cell among the rows, and how many there are."""
        cx, cy = (point_tables.cell(self.zoom, each) for each in ("ux", "uy"))
        apart = ", ".join(["cx", "cy", *(f"part_{n}" for n in range(len(parted)))])
        placed = self._placed(view, conditions, shown, parted)
        return (
            f"select shown, n, px, py, {names(view)} from (select distinct on ({apart}) s.*,"
            f" count(*) over (partition by {apart})::int as n from"
            f" (select *, {cx} as cx, {cy} as cy from ({placed}) placed) s"
            f" order by {apart}, {point_tables.rank('gid')}, gid) stand"
        )

    def _placed(
        self, view: ViewedLayer, conditions: list[str], shown: str, parted: tuple[str, ...] = ()
    ) -> str:
        """The visible rows of the tile on its grid, each at the place where the caller sees it."""
        shape = f"({rows.geometry(view, self.binds)})"
        near = rows.meets(view, f"ST_Expand({self.box}, 1e-9)", self.binds, exactly=False)
        tests = [near, *rows.visible(view, self.binds), point_tables.placed(shape), *conditions]
        parts = "".join(f", t.{ident(name)} as part_{n}" for n, name in enumerate(parted))
        fine = f"{point_tables.fine_x(shape)} as ux, {point_tables.fine_y(shape)} as uy"
        inner = (
            f"select {shown} as shown, {self._columns(view)}{parts}, {fine}"
            f" from {rows.relation(view, self.binds)} where {' and '.join(tests)}"
        )
        shift, its = FINE - self.zoom, self.window
        return (
            f"select * from (select *, (ux >> {shift})::int as px, (uy >> {shift})::int as py"
            f" from ({inner}) fine) its where px between {its.west} and {its.east}"
            f" and py between {its.north} and {its.south}"
        )

    def _columns(self, view: ViewedLayer) -> str:
        columns = [
            f"{rows.column(view, name, self.binds)} as {ident(name)}" for name in view.tiles.properties
        ]
        return ", ".join([f"t.{ident(view.key)} as gid", f"t.{ident(view.id_column)} as id", *columns])
