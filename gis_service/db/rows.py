"""Which rows, columns and geometry a viewed layer stands for, as pieces of SQL.

Every statement over a layer is made of these pieces, so what a class may not see is left out in one place.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.db.query import Binds, ident, literal

WITHHELD = "Withheld from other jurisdictions"  # in English, as data are
NULL = "null"
_STANDS = f"{2**31 - 1}"  # the release that ends a row which stands
CODES_KEPT = 4096  # jurisdictions, as callers have them together


def relation(view: ViewedLayer, binds: Binds) -> str:
    """The table, or the rows of a past release: what still stands since then and what left it later."""
    schema, table = view.layer.schema_name, view.layer.table_name
    if view.draft_keys:
        return _with_drafts(view, binds)
    if view.release is None:
        return f"{ident(schema, table)} as t"
    # Without conditions, which `visible` gives: else a page would gather and sort all rows of the past.
    named = ", ".join(ident(c) for c in sorted(columns(view)))
    return (
        f"(select {named}, {_STANDS} as release_to from {ident(schema, table)}"
        f" union all select {named}, release_to from {ident(schema + '_history', table)}) as t"
    )


def _with_drafts(view: ViewedLayer, binds: Binds) -> str:
    """The standing rows and the reader's drafts, without conditions: so each part may use its own index.

    `visible` leaves out the standing rows that drafts change.
    """
    schema, table = view.layer.schema_name, view.layer.table_name
    named = ", ".join(ident(c) for c in sorted(columns(view)))
    return (
        f"(select {named}, null::text as draft_id, null::bigint as draft_proposal from {ident(schema, table)}"
        f" union all select {named}, draft_id, draft_proposal"
        f" from {ident(schema, 'draft_rows_' + table)}({_keys(view, binds)})) as t"
    )


def _keys(view: ViewedLayer, binds: Binds) -> str:
    return f"{binds.shared(list(view.draft_keys))}::uuid[]"


def draft(view: ViewedLayer) -> str | None:
    """The proposal that holds a row as the reader's draft, null in standing rows; None where all stand."""
    return "t.draft_proposal" if view.draft_keys else None


def identity(view: ViewedLayer) -> str:
    """The feature's id; of a drafted new row, which has none yet, that of the draft."""
    own = f"t.{ident(view.id_column)}"
    return f"coalesce(t.draft_id, {own}::text)" if view.draft_keys else own


def named(view: ViewedLayer, feature_id: str | int, bound: str) -> str:
    """The condition of the feature with that id; a text where ids are numbers is the id of a drafted one."""
    drafted = view.draft_keys and view.layer.id_type == "integer" and isinstance(feature_id, str)
    return f"{'t.draft_id' if drafted else f't.{ident(view.id_column)}'} = {bound}"


def columns(view: ViewedLayer) -> set[str]:
    """The columns that the class's role may read (access.wall grants these)."""
    layer = view.layer
    replacing = set(layer.access.public.replace.values()) if layer.access.public else set()
    declared = {layer.column_of(name) for name in layer.properties} | replacing
    read = {view.column_of(name) for name in view.properties} | set(view.replaced.values())
    unseen = {layer.geometry.column} - {view.geometry, view.exact}
    return set(layer.columns() - (declared - read) - unseen)


def own(view: ViewedLayer, _: Binds) -> str | None:
    """The condition under which a row lies in the caller's own jurisdictions; None where none does."""
    if not view.scope:
        return None
    return f"t.jurisdiction && {_codes(view.scope)}"


@functools.lru_cache(maxsize=CODES_KEPT)
def _codes(scope: tuple[str, ...]) -> str:
    """The codes as a constant: they come with the account, from the database, and are never a request's."""
    return f"array[{', '.join(map(literal, scope))}]::text[]"


def visible(view: ViewedLayer, binds: Binds) -> list[str]:
    """The conditions of the layer itself, of its release, and of the class's sight."""
    conditions = [f"t.{ident(column)} = {binds.add(value)}" for column, value in view.layer.where.items()]
    if view.release is not None:
        release = binds.add(view.release)
        conditions += [f"t.release_from <= {release}", f"t.release_to > {release}"]
    if view.draft_keys:
        # In the other part of the relation it's constant, so there the planner leaves it out.
        given_way = f"select gis.drafted_gids({literal(view.layer.table_name)}, {_keys(view, binds)})"
        conditions.append(f"(t.draft_proposal is not null or t.gid not in ({given_way}))")
    if view.sight == "all":
        return conditions
    opened = (" and ".join(openings(view).values()) or "true") if view.sight.startswith("open") else "false"
    mine = own(view, binds)
    conditions.append(f"(({opened}) or {mine})" if mine else opened)
    return conditions


def openings(view: ViewedLayer) -> Mapping[str, str]:
    """What must hold of a row that anybody may see: open by its licence, not withheld for its category."""
    tests = {"licence": "not t.restricted"} if view.layer.managed else {}
    if view.withhold:
        # Numbers of the layer's file; as a parameter, packing the array would take longer than the query.
        categories = ", ".join(str(int(category)) for category in view.withhold)
        tests["category"] = f"t.sensitivity <> all(array[{categories}]::smallint[])"
    return tests


def geometry(view: ViewedLayer, binds: Binds) -> str:
    """The geometry that the caller sees of a row."""
    seen = f"t.{ident(view.geometry)}"
    mine = own(view, binds)
    if view.exact is None or mine is None:
        return seen
    return f"case when {mine} then t.{ident(view.exact)} else {seen} end"


def generalised(view: ViewedLayer, binds: Binds) -> str:
    """Whether the position that the reader sees of a row may be coarser than the true one."""
    if view.geometry == view.layer.geometry.column:
        return "false"
    coarse = "t.sensitivity > 0" if view.layer.sensitive else "true"
    mine = own(view, binds)
    return f"({coarse} and not ({mine}))" if mine else coarse


def told(view: ViewedLayer, binds: Binds) -> str:
    """Whether the caller sees a row of category 1 or 2 exactly, so that the audit log tells of it."""
    if not view.layer.sensitive or view.public:
        return "false"
    if view.sight == "all":
        return "t.sensitivity in (1, 2)"
    return f"(t.sensitivity in (1, 2) and {own(view, binds) or 'false'})"


def meets(view: ViewedLayer, box: str, binds: Binds, exactly: bool, there: int | None = None) -> str:
    """Rows whose visible geometry meets a box (SQL); always as `column && box`, which the index answers.

    With `there`, the system of a box too large for the layer's own: rows are brought to it one by one.
    A hidden exact position must not answer, so the coarse one decides for rows that aren't the caller's own.
    Of both together the indexes find the few rows that are then asked whose they are.
    """
    mine = own(view, binds)
    if view.exact is None or mine is None:
        return _meets(view.geometry, box, exactly, there)
    inside, outside = (_meets(name, box, exactly, there) for name in (view.exact, view.geometry))
    decided = f"case when {mine} then {inside} else {outside} end"
    if there is not None:
        return decided
    return f"((t.{ident(view.exact)} && {box} or t.{ident(view.geometry)} && {box}) and {decided})"


def _meets(column: str, box: str, exactly: bool, there: int | None) -> str:
    name = f"t.{ident(column)}"
    if there is not None:
        return f"ST_Intersects(ST_Transform({name}, {there:d}), {box})"
    return f"{name} && {box} and ST_Intersects({name}, {box})" if exactly else f"{name} && {box}"


def column(view: ViewedLayer, name: str, binds: Binds) -> str:
    """A property's value as the caller sees it, or what stands in its place. KeyError if unknown."""
    value = bare(view, name)
    other, mine = elsewhere(view, name), own(view, binds)
    if other is None or mine is None:
        return value if other is None else other
    return f"case when {mine} then {value} else {other} end"


def bare(view: ViewedLayer, name: str) -> str:
    """The column behind a property, which is what the caller sees in rows of its own."""
    return f"t.{ident(view.column_of(name))}"


def elsewhere(view: ViewedLayer, name: str) -> str | None:
    """What rows that aren't the caller's own show in a property's place; None where they show the property.

    Darwin Core wants hidden text to say so; what isn't free text can only be null.
    """
    if name in view.replaced:
        return f"t.{ident(view.replaced[name])}"
    if name not in view.masked:
        return None
    return NULL if withheld(view, name) is None else literal(WITHHELD)


def withheld(view: ViewedLayer, name: str) -> str | None:
    """What a masked property says in rows that aren't the caller's own."""
    prop: Property = view.properties[name]
    return WITHHELD if prop.type == "text" and not prop.values else None


def of_two_kinds(view: ViewedLayer) -> bool:
    """Whether rows of the caller's own show something that the others don't."""
    return bool(view.scope) and bool(view.exact or view.masked or view.replaced)
