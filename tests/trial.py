"""A table with a column of every type, and three of shapes: filters over them have answers known by heart.

Rows of `thing` are named by their number; row 5 has nothing but nulls.
"""

import datetime as dt

from gis_service.access.policy import view
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.cql2.compile import condition
from gis_service.db.query import Binds, Query
from gis_service.db.sync import SyncDatabase
from gis_service.features import filters
from gis_service.geo.crs import WGS84, Crs

_THINGS = r"""
create schema trial;
create table trial.thing (
  id bigint primary key, name text, n int, big bigint, x float8, flag boolean, day date, last_day date,
  moment timestamptz, tags text[], geom geometry(Point, 4326));
insert into trial.thing values
  (1, 'Bạch Mã', 1, 9007199254740993, 0.5, true, '2020-01-01', '2020-12-31', '2020-01-01T12:00:00Z',
   '{a,b}', 'srid=4326;point(105 20)'),
  (2, 'Đà Lạt', 2, 9007199254740992, 2, false, '2020-06-15', '2020-06-15', '2020-06-15T00:00:00Z',
   '{b}', 'srid=4326;point(106 20)'),
  (3, 'da lat', 3, 9223372036854775807, -1.5, true, '2021-01-01', '2021-03-31', '2021-01-01T00:00:00Z',
   '{}', 'srid=4326;point(107 20)'),
  (4, '50%_\x', 0, -9223372036854775808, 1e308, false, '9999-12-31', '9999-12-31',
   '2021-12-31T23:59:59.999999Z', '{a,b,c}', 'srid=4326;point(179.5 -10)'),
  (5, null, null, null, null, null, null, null, null, null, null),
  (6, 'O''Hara', -7, 0, 9007199254740992, true, '0001-01-01', '2020-01-01', '0001-01-01T00:00:00Z',
   '{b,a}', 'srid=4326;point(-179.5 -10)');
"""
_SHAPES = """
create table trial.square (id bigint primary key, name text, geom geometry(Polygon, 4326));
insert into trial.square values
  (1, 'west', ST_MakeEnvelope(0, 0, 2, 2, 4326)),
  (2, 'over both', ST_MakeEnvelope(1, 1, 3, 3, 4326)),
  (3, 'east', ST_MakeEnvelope(2, 0, 4, 2, 4326)),
  (4, 'within west', ST_MakeEnvelope(0.5, 0.5, 1, 1, 4326)),
  (5, 'nothing', null);
create table trial.line (id bigint primary key, name text, geom geometry(LineString, 4326));
insert into trial.line values
  (1, 'south', 'srid=4326;linestring(0 0,4 0)'),
  (2, 'slope', 'srid=4326;linestring(0 0,2 2)'),
  (3, 'north', 'srid=4326;linestring(0 5,4 5)');
create table trial.metric (id bigint primary key, name text, geom geometry(Point, 32648));
insert into trial.metric select id, name, ST_Transform(geom, 32648) from trial.thing where id < 4;
create table trial.other (
  id uuid primary key, name varchar(20), n smallint, x numeric, moment timestamp, tags varchar[],
  number bigint unique, geom geometry(Point, 4326));
insert into trial.other values ('00000000-0000-0000-0000-000000000007', 'seven', 7, 0.7, '2024-05-31 12:00',
  '{a,b}', 7, 'srid=4326;point(105 20)');
"""
_TYPES = {
    "name": "text",
    "n": "integer",
    "big": "integer",
    "x": "number",
    "flag": "boolean",
    "day": "date",
    "last_day": "date",
    "moment": "timestamp",
    "tags": "list",
}


def fill(database: SyncDatabase) -> None:
    database.apply([*_THINGS.split(";\n")[:-1], *_SHAPES.split(";\n")[:-1]])


_OTHER_TYPES = {"name": "text", "n": "integer", "x": "number", "moment": "timestamp", "tags": "list"}


def layer(table: str, geometry: str, srid: int = 4326) -> Layer:
    text = {"en": table, "vi": table}
    properties = {"thing": _TYPES, "other": _OTHER_TYPES}.get(table, {"name": "text"})
    return Layer.model_validate(
        {
            "id": table,
            "title": text,
            "description": text,
            "table": f"trial.{table}",
            "managed": False,
            "key": "id",
            "id_column": "id",
            "id_type": "integer",
            "geometry": {"column": "geom", "type": geometry, "srid": srid},
            "properties": {name: {"title": text, "type": kind} for name, kind in properties.items()},
            "access": {"public": {}},
            "source": {"title": text},
        }
    )


_CENTRE = Principal("centre", "full")
THINGS = view(_CENTRE, layer("thing", "Point"))
SQUARES = view(_CENTRE, layer("square", "Polygon"))
LINES = view(_CENTRE, layer("line", "LineString"))
METRIC = view(_CENTRE, layer("metric", "Point", 32648))
OTHERS = view(
    _CENTRE, layer("other", "Point").model_copy(update={"key": "number", "id_type": "text"})
)  # columns as the tables of others have them


def compiled(
    viewed: ViewedLayer, text: str, lang: str = "cql2-text", crs: Crs = WGS84
) -> tuple[str, list[object]]:
    """The condition of a filter and its parameters."""
    binds = Binds()
    return condition(viewed, filters.parse(viewed, text, lang, crs), binds), binds.values


def query(viewed: ViewedLayer, text: str, lang: str = "cql2-text", crs: Crs = WGS84) -> Query:
    """The ids of the rows that match."""
    binds = Binds()
    source = rows.relation(viewed, binds)
    where = condition(viewed, filters.parse(viewed, text, lang, crs), binds)
    return Query(f"select t.id from {source} where {where} order by 1", tuple(binds.values))


def utc(year: int, month: int, day: int) -> dt.datetime:
    return dt.datetime(year, month, day, tzinfo=dt.UTC)


def ids(
    database: SyncDatabase, text: str, lang: str = "cql2-text", viewed: ViewedLayer = THINGS, crs: Crs = WGS84
) -> list[int]:
    """The ids of the rows that a filter finds."""
    return [int(row[0]) for row in database.run(query(viewed, text, lang, crs))]
