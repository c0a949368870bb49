"""Groups of species, whose stewards see the records and ranges of their taxa exactly, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gis_service.access.accounts import plain
from gis_service.access.rules import change
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound

_LIST = """
    select g.code, g.name, g.name_en,
           array(select t.taxon_id from gis.species_group_taxon t where t.code = g.code order by 1),
           array(select distinct p.name from gis.grant_now n join gis.principal p using (principal_id)
                  where n.role = 'steward' and n.species_group = g.code order by 1),
           (select count(distinct n.taxon_id) from gis.group_name n where n.code = g.code)
      from gis.species_group g
     where $1::text is null or g.code = $1
     order by g.code
"""
_CREATE = "insert into gis.species_group (code, name, name_en) values ($1, $2, $3) returning code"
_RENAME = "update gis.species_group set name = $2, name_en = $3 where code = $1 returning code"


@dataclass(frozen=True)
class Group:
    """One group; `taxa` are ids, each with all that is below it; `covered` counts them all."""

    code: str
    name: str
    name_en: str | None = None
    taxa: tuple[str, ...] = ()
    stewards: tuple[str, ...] = ()
    covered: int = 0

    def called(self, lang: str) -> str:
        return (self.name_en or self.name) if lang == "en" else self.name


def create(database: SyncDatabase, new: Group) -> None:
    """Add it; RuleBroken where the code is taken or none of a group, or a taxon isn't there."""
    with database.transaction():
        change(database, _CREATE, new.code, plain(new.name), plain(new.name_en) if new.name_en else None)
        if new.taxa:
            set_taxa(database, new.code, new.taxa)


def listed(database: SyncDatabase) -> list[Group]:
    """All of them by code."""
    return [_group(*row) for row in database.run(Query(_LIST, (None,)))]


def named(database: SyncDatabase, code: str) -> Group:
    """The group of that code; NotFound where there is none."""
    found = database.run(Query(_LIST, (code,)))
    if not found:
        raise NotFound(f"species group {code!r}")
    return _group(*found[0])


def _group(
    code: str, name: str, name_en: str | None, taxa: list[str], stewards: list[str], covered: int
) -> Group:
    return Group(code, name, name_en, tuple(taxa), tuple(stewards), covered)


def rename(database: SyncDatabase, code: str, name: str, name_en: str | None) -> None:
    if not change(database, _RENAME, code, plain(name), plain(name_en) if name_en else None):
        raise NotFound(f"species group {code!r}")


def set_taxa(database: SyncDatabase, code: str, taxa: Iterable[str]) -> None:
    """The taxa of a group, in place of those before; the rows of both follow."""
    change(database, "select gis.set_group_taxa($1, $2::text[])", code, sorted(set(taxa)))
