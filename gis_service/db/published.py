"""The catalogue of bulk files that were made beforehand, as queries and rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gis_service.catalog.view import ViewedLayer
from gis_service.db import versions
from gis_service.db.pool import Row
from gis_service.db.query import Query

_IS_CURRENT = f"f.stamp = {versions.of_classes('f.table_name', 'f.classes')}"
_OF = f"""
    select f.stored, f.layer, f.format, f.name, f.length, f.sha256, f.release, f.made
      from gis.published_file f where f.digest = any($1::text[]) and {_IS_CURRENT} order by f.layer, f.name
"""
_STATE = f"""
    select {versions.of_classes("$1", "$2::text[]")},
           (select epoch from gis.policy_epoch),
           (select coalesce(max(release), 0) from gis.release_class where class = any($2::text[]))
"""
_REPLACE = """
    insert into gis.published_file
      (stored, layer, policy_class, digest, table_name, classes, stamp, epoch, release,
       format, name, length, sha256)
    values ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9, $10, $11, $12, $13)
    on conflict (layer, policy_class, format) do update set
      stored = excluded.stored, digest = excluded.digest, table_name = excluded.table_name,
      classes = excluded.classes, stamp = excluded.stamp, epoch = excluded.epoch, release = excluded.release,
      name = excluded.name, length = excluded.length, sha256 = excluded.sha256, made = now()
    returning stored
"""
LOCK = Query("select pg_try_advisory_lock(hashtextextended('gis.published_file', 0))")


@dataclass(frozen=True)
class PublishedFile:
    """One file as its readers know it; `stored` is its name in the folder of files."""

    stored: str
    layer: str
    format: str
    name: str
    length: int
    sha256: bytes
    release: int
    made: datetime | None  # None until the database has stamped it


@dataclass(frozen=True)
class State:
    """What a class's rows and its rights to them were at some moment."""

    stamp: str
    epoch: int


def of(views: Iterable[ViewedLayer]) -> Query:
    """The files of these views' classes, of the rows as they are now."""
    return Query(_OF, ([view.digest for view in views],))


def file(row: Row) -> PublishedFile:
    stored, layer, form, name, length, sha256, release, made = row
    return PublishedFile(stored, layer, form, name, length, bytes(sha256), release, made)


def state(view: ViewedLayer) -> Query:
    """One row: the stamp of the view's rows, the policy epoch, the latest release that its classes know."""
    return Query(_STATE, (view.layer.table_name, versions.classes(view)))


def replace(view: ViewedLayer, state: State, made: PublishedFile) -> Query:
    """Put the file in place of the one of the same layer, class and format."""
    seen = (view.id, view.policy_class, view.digest, view.layer.table_name, versions.classes(view))
    values = (*seen, state.stamp, state.epoch, made.release, made.format, made.name, made.length, made.sha256)
    return Query(_REPLACE, (made.stored, *values))


FORGET = Query(
    f"delete from gis.published_file f"
    f" where not {_IS_CURRENT} or epoch <> (select epoch from gis.policy_epoch) returning stored"
)
STORED = Query("select stored from gis.published_file")
