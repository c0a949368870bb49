"""Organisations: a tree of those who look after jurisdictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gis_service.access.accounts import plain
from gis_service.access.rules import change
from gis_service.catalog.layer import OrganisationTier
from gis_service.db.pool import Row
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound

TIERS: tuple[OrganisationTier, ...] = ("central", "province", "site", "partner", "registered")

_LIST = """
    select o.code, o.name, o.name_en, o.tier, p.code, o.jurisdictions,
           (select count(distinct principal_id) from gis.grant_now g
             where g.organisation_id = o.organisation_id),
           array(select coalesce(t.public_id, a.gid::text) from gis.organisation_area a
                   left join gis.protected_area t using (gid)
                  where a.organisation_id = o.organisation_id order by 1),
           o.buffer_m
      from gis.organisation o left join gis.organisation p on p.organisation_id = o.parent_id
     where $1::text is null or o.code = $1
     order by o.code
"""
_CREATE = """
    insert into gis.organisation (code, name, name_en, tier, parent_id, jurisdictions, buffer_m)
    values ($1, $2, $3, $4, case when $5::text is not null then gis.organisation_id($5) end, $6::text[], $7)
    returning code
"""
_MOVE = """
    update gis.organisation set parent_id = case when $2::text is not null then gis.organisation_id($2) end
     where code = $1 returning code
"""
_RENAME = "update gis.organisation set name = $2, name_en = $3 where code = $1 returning code"
_JURISDICTIONS = "update gis.organisation set jurisdictions = $2::text[] where code = $1 returning code"
_BUFFER = "update gis.organisation set buffer_m = $2 where code = $1 returning code"


@dataclass(frozen=True)
class Organisation:
    """One organisation; `members` counts the accounts that hold a role in it now.

    A site looks after `areas`, public ids of protected areas, and `buffer_m` metres round them.
    """

    code: str
    name: str
    name_en: str | None
    tier: OrganisationTier
    parent: str | None = None
    jurisdictions: tuple[str, ...] = ()
    members: int = 0
    areas: tuple[str, ...] = ()
    buffer_m: float = 0

    def called(self, lang: str) -> str:
        return (self.name_en or self.name) if lang == "en" else self.name


def create(database: SyncDatabase, new: Organisation) -> None:
    """Add it to the tree; RuleBroken where the code is taken or no code, or an area isn't there."""
    name_en = plain(new.name_en) if new.name_en else None
    codes = sorted(set(new.jurisdictions))
    values = (new.code, plain(new.name), name_en, new.tier, new.parent, codes, float(new.buffer_m))
    with database.transaction():
        change(database, _CREATE, *values)
        if new.areas:
            set_areas(database, new.code, new.areas)


def listed(database: SyncDatabase) -> list[Organisation]:
    """All of them by code."""
    return [_organisation(row) for row in database.run(Query(_LIST, (None,)))]


def named(database: SyncDatabase, code: str) -> Organisation:
    """The organisation of that code; NotFound where there is none."""
    found = database.run(Query(_LIST, (code,)))
    if not found:
        raise NotFound(f"organisation {code!r}")
    return _organisation(found[0])


def _organisation(row: Row) -> Organisation:
    code, name, name_en, tier, parent, codes, members, areas, buffer_m = row
    return Organisation(code, name, name_en, tier, parent, tuple(codes), members, tuple(areas), buffer_m)


def tree(organisations: Iterable[Organisation]) -> Iterator[tuple[int, Organisation]]:
    """Each organisation with its depth, right below what it belongs to."""
    below: dict[str | None, list[Organisation]] = {}
    for each in organisations:
        below.setdefault(each.parent, []).append(each)
    return _branches(below, None, 0)


def _branches(
    below: Mapping[str | None, Sequence[Organisation]], parent: str | None, depth: int
) -> Iterator[tuple[int, Organisation]]:
    for each in below.get(parent, ()):
        yield depth, each
        yield from _branches(below, each.code, depth + 1)


def move(database: SyncDatabase, code: str, parent: str | None) -> None:
    """Hang it, with all that is below it, under another, or make it a root."""
    _changed(code, change(database, _MOVE, code, parent))


def rename(database: SyncDatabase, code: str, name: str, name_en: str | None) -> None:
    _changed(code, change(database, _RENAME, code, plain(name), plain(name_en) if name_en else None))


def set_jurisdictions(database: SyncDatabase, code: str, jurisdictions: Iterable[str]) -> None:
    """The provinces that a department looks after, in place of those before; its members' rights follow."""
    _changed(code, change(database, _JURISDICTIONS, code, sorted(set(jurisdictions))))


def set_areas(database: SyncDatabase, code: str, areas: Iterable[str]) -> None:
    """The protected areas that a board looks after, in place of those before; the rows in them follow."""
    change(database, "select gis.set_areas($1, $2::text[])", code, sorted(set(areas)))


def set_buffer(database: SyncDatabase, code: str, metres: float) -> None:
    """How far round its areas a board sees; the rows there follow."""
    _changed(code, change(database, _BUFFER, code, float(metres)))


def _changed(code: str, rows: Sequence[object]) -> None:
    if not rows:
        raise NotFound(f"organisation {code!r}")
