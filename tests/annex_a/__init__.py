"""The test data of CQL2's Annex A (OGC 21-065r2, normative) as layers of ours, its predicates and counts.

The data are Natural Earth 1:110 million (public domain) with four columns of dates and truth values that the
standard's authors added to three cities. The standard offers them as ne110m4cql2.gpkg; the file came with the
Rust crate ogc-cql2 0.7.4 and `make.py` reduced it to the columns that the predicates name, in full precision.

The counts are the standard's but for five that its own data and definitions contradict, as GeoPandas and
others who run the suite found too (opengeospatial/ogcapi-features issue 1011 has the third):
S_INTERSECTS of two boxes joined by `or` is 10 and not 11; T_FINISHES of København's interval needs one that
starts earlier; three and not two cities begin with Ch, and one with Chis, in both spellings. ACCENTI has
the rows of both of the annex's editions: that of København and that of Chișinău.
"""

from __future__ import annotations

import csv
from pathlib import Path

import yaml

from gis_service.db.query import Query, ident
from gis_service.db.sync import SyncDatabase

FOLDER = Path(__file__).parent
_TYPES = {"text": "text", "integer": "bigint", "number": "float8", "boolean": "boolean", "date": "date",
          "timestamp": "timestamptz"}  # fmt: skip
COLLECTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "countries": ("MultiPolygon", {"NAME": "text", "POP_EST": "number"}),
    "places": (
        "Point",
        {
            "name": "text", "nameascii": "text", "pop_max": "integer", "pop_min": "integer",
            "pop_other": "integer", "date": "date", "start": "timestamp", "end": "timestamp",
            "boolean": "boolean",
        },
    ),
    "rivers": ("LineString", {"name": "text"}),
}  # fmt: skip


def rows_of(name: str) -> list[dict[str, str]]:
    """The lines of a file of this folder by the names of its columns."""
    path = FOLDER / name
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def fill(database: SyncDatabase) -> None:
    """Three tables of a schema of their own."""
    database.apply(["create schema annex_a"])
    for name, (geometry, properties) in COLLECTIONS.items():
        columns = ", ".join(f"{ident(column)} {_TYPES[kind]}" for column, kind in properties.items())
        table = f"annex_a.{name}"
        database.apply(
            [
                f"create table {table} (id bigint primary key, {columns}, geom geometry({geometry}, 4326))",
                f"create index on {table} using gist (geom)",
            ]
        )
        database.run(_insert(table, name, properties))


def _insert(table: str, name: str, properties: dict[str, str]) -> Query:
    """One statement for all rows: an array a column, what is empty is null."""
    rows = rows_of(f"{name}.tsv")
    values = [f"nullif(c{n}, '')::{_TYPES[kind]}" for n, kind in enumerate(properties.values(), 1)]
    arrays = ["$1::bigint[]", *(f"${n}::text[]" for n in range(2, len(properties) + 3))]
    names = [f"c{n}" for n in range(len(properties) + 2)]
    return Query(
        f"insert into {table} select c0, {', '.join(values)}, ST_GeomFromText({names[-1]}, 4326)"
        f" from unnest({', '.join(arrays)}) rows ({', '.join(names)}) returning 1",
        (
            [int(row["id"]) for row in rows],
            *([row[column] for row in rows] for column in (*properties, "geom")),
        ),
    )


def write_layers(root: Path) -> None:
    """The layer files of the three tables below a root of their own."""
    folder = root / "layers"
    folder.mkdir(parents=True)
    for name, (geometry, properties) in COLLECTIONS.items():
        text = {"en": name, "vi": name}
        layer = {
            "id": name,
            "title": text,
            "description": text,
            "table": f"annex_a.{name}",
            "managed": False,
            "key": "id",
            "id_column": "id",
            "id_type": "integer",
            "geometry": {"column": "geom", "type": geometry},
            "properties": {column: {"title": text, "type": kind} for column, kind in properties.items()},
            "access": {"public": {}},
            "source": {"title": {"en": "Natural Earth", "vi": "Natural Earth"}, "licence": "CC0-1.0"},
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(layer, allow_unicode=True), "utf-8")
