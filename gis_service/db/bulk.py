"""Statements of bulk answers: batches of rows as lines of text, or as binary records for other encoders.

Records are PostgreSQL's own binary form of a row (record_send), a whole batch in one value: 2.2 µs a row
of ten columns, where PostGIS 3.3 takes 6 to write FlatGeobuf, and there puts what follows a null into the
wrong column (it counts the columns that aren't null alone).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gis_service.catalog.fields import Field, FieldType
from gis_service.catalog.layer import PropertyType
from gis_service.catalog.view import ViewedLayer
from gis_service.db import feature_text, rows
from gis_service.db.feature_text import Form
from gis_service.db.paging import marks
from gis_service.db.query import Binds, Query, ident
from gis_service.db.select import ItemsQuery, page
from gis_service.geo.crs import WGS84

Line = Callable[[ViewedLayer, Form, Binds], str]
"""Composes SQL of one feature as a line of bytes."""

_CASTS: Mapping[FieldType, str] = {
    "text": "text",
    "integer": "int8",
    "number": "float8",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamptz",
}


def fields(view: ViewedLayer, form: Form, lang: str) -> tuple[Field, ...]:
    """The columns beside the geometry: the feature's id, then its properties in the layer's order."""
    names = form.names(view)
    first = Field(id_name(view), view.layer.id_type, id_name(view))
    shown = ((name, view.properties[name]) for name in names)
    return (first, *(Field(name, _field_type(prop.type), prop.title.say(lang)) for name, prop in shown))


def id_name(view: ViewedLayer) -> str:
    """What the column of the feature's id is called where no property is called so."""
    return "id" if "id" not in view.properties else "feature_id"


def _field_type(kind: PropertyType) -> FieldType:
    return "json" if kind == "list" else kind


def lines(view: ViewedLayer, query: ItemsQuery, line: Line) -> Query:
    """Rows (key, bytes, *sort values): a batch of features as text."""
    binds = Binds()
    columns = [f"t.{ident(view.key)}", line(view, query.form, binds)]
    columns += marks(view, query.sort, binds)
    return Query(page(view, query, columns, binds), tuple(binds.values), view.role)


def records(view: ViewedLayer, query: ItemsQuery) -> Query:
    """One row (count, last key, records, their lengths, *last sort values); all null but the count if empty.

    A record holds the columns of `fields`, then the geometry as little-endian WKB with x before y, as all
    binary formats want it whatever the system's axis order.
    """
    binds = Binds()
    sorts = marks(view, query.sort, binds)
    columns = [f"t.{ident(view.key)} as k", f"record_send(row({_record(view, query.form, binds)})) as b"]
    columns += [f"{value} as s{number}" for number, value in enumerate(sorts)]
    inner = page(view, query, columns, binds)
    last = "".join(f", (array_agg(s{number}))[count(*)]" for number in range(len(sorts)))
    text = (
        "select count(*), (array_agg(k))[count(*)], string_agg(b, ''), string_agg(int4send(length(b)), '')"
        f"{last} from ({inner}) as batch"
    )
    return Query(text, tuple(binds.values), view.role)


def _record(view: ViewedLayer, form: Form, binds: Binds) -> str:
    values = [f"t.{ident(view.id_column)}::{_CASTS[view.layer.id_type]}"]
    for name in form.names(view):
        value, kind = rows.column(view, name, binds), _field_type(view.properties[name].type)
        values.append(f"to_json({value})::text" if kind == "json" else f"({value})::{_CASTS[kind]}")
    return ", ".join([*values, _wkb(view, form, binds)])


def _wkb(view: ViewedLayer, form: Form, binds: Binds) -> str:
    if not form.geometry:
        return "null::bytea"
    shape = feature_text.shown(view, eastwards(form), binds)
    return f"ST_AsBinary({_as_declared(view, form, shape)}, 'NDR')"


def _as_declared(view: ViewedLayer, form: Form, shape: str) -> str:
    """Simplifying may leave one part of several; the type of the column stays that of the layer."""
    return f"ST_Multi({shape})" if form.zoom_level is not None and _is_multi(view) else shape


def _is_multi(view: ViewedLayer) -> bool:
    return view.geometry_type.startswith("Multi")


def eastwards(form: Form) -> Form:
    """The form with x before y."""
    return replace(form, crs=replace(form.crs, northing_first=False)) if form.crs.northing_first else form


def json_line(view: ViewedLayer, form: Form, binds: Binds) -> str:
    """A feature as GeoJSON."""
    return feature_text.feature(view, form, binds)


def jsonfg_line(view: ViewedLayer, form: Form, binds: Binds) -> str:
    """A feature as JSON-FG: its time, and its place where that isn't in CRS84 (then `geometry` is null)."""
    if form.crs == WGS84 or not form.geometry:
        whole, place = feature_text.feature(view, form, binds), "'null'"
    else:
        whole = feature_text.feature(view, replace(form, geometry=False), binds)
        shape = feature_text.shown(view, form, binds)
        digits = feature_text.DEGREE_DIGITS if form.crs.degrees else feature_text.METRE_DIGITS
        place = f"coalesce(ST_AsGeoJSON({shape}, {digits}, 0), 'null')"
    more = f"""',"time":' || {_time(view)} || ',"place":' || {place} || '}}'"""
    return f"substr({whole}, 1, length({whole}) - 1) || convert_to({more}, 'UTF8')"


def _time(view: ViewedLayer) -> str:
    """SQL text of the member `time`: a date, a timestamp in UTC, or an interval of them."""
    if view.time is None:
        return "'null'"
    start = _moment(f"t.{ident(view.time.start)}", view.time.type)
    if view.time.end is None:
        return f"""coalesce('{{"{view.time.type}":"' || {start} || '"}}', 'null')"""
    end = _moment(f"t.{ident(view.time.end)}", view.time.type)
    interval = f"""'{{"interval":["' || coalesce({start}, '..') || '","' || coalesce({end}, '..') || '"]}}'"""
    return f"case when coalesce({start}, {end}) is null then 'null' else {interval} end"


def _moment(column: str, kind: str) -> str:
    if kind == "date":
        return f"to_char({column}, 'YYYY-MM-DD')"
    return f"""to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def csv_line(view: ViewedLayer, form: Form, binds: Binds) -> str:
    """A feature as a line of RFC 4180; null is empty, empty text is `""`."""
    values = [_csv(rows.identity(view), "text" if view.draft_keys else view.layer.id_type)]
    names = form.names(view)
    values += [_csv(rows.column(view, name, binds), view.properties[name].type) for name in names]
    if form.geometry:
        values += _csv_geometry(view, form, binds)
    return f"convert_to({' || '.join(_parted(values))}, 'UTF8')"


def _parted(values: list[str]) -> list[str]:
    """The values with commas between them, and the end of the line."""
    made = [part for value in values for part in (value, "','")]
    return [*made[:-1], "E'\\r\\n'"]


def _csv(value: str, kind: PropertyType) -> str:
    if kind in ("integer", "number", "boolean"):
        return f"coalesce(({value})::text, '')"
    if kind in ("date", "timestamp"):  # in ISO 8601, as in GeoJSON
        return f"coalesce(trim(both '\"' from to_json({value})::text), '')"
    text = f"to_json({value})::text" if kind == "list" else f"({value})::text"
    return f"""coalesce('"' || replace({text}, '"', '""') || '"', '')"""


def csv_header(view: ViewedLayer, form: Form) -> list[str]:
    """The names of the columns of `csv_line`.

    Points have a column for each coordinate, named so that GDAL, QGIS and people know them; other geometry
    is in a last column WKT, which GDAL and QGIS take for the geometry unasked. Always x before y.
    """
    names = [id_name(view), *form.names(view)]
    if not form.geometry:
        return names
    if view.geometry_type != "Point":
        return [*names, "WKT"]
    return [*names, *(("longitude", "latitude") if form.crs.degrees else ("x", "y"))]


def _csv_geometry(view: ViewedLayer, form: Form, binds: Binds) -> list[str]:
    shape = feature_text.shown(view, eastwards(form), binds)
    digits = feature_text.DEGREE_DIGITS if form.crs.degrees else feature_text.METRE_DIGITS
    if view.geometry_type != "Point":
        return [f"""coalesce('"' || ST_AsText({shape}, {digits}) || '"', '')"""]
    return [f"coalesce(round(ST_{axis}({shape})::numeric, {digits})::text, '')" for axis in "XY"]
