"""What an administrator may do with organisations, and within which of them: the rules of the admin pages.

An administrator of the centre reaches everything; another one its own organisation and those below it. What
decides about sight stays with the centre: what an organisation looks after, its tier, stewards of groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gis_service.access import groups, keystore, organisations, rights
from gis_service.access.groups import Group
from gis_service.access.organisations import Organisation
from gis_service.access.principal import Principal
from gis_service.access.rules import hold
from gis_service.catalog.layer import OrganisationTier
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Forbidden, NotFound
from gis_service.texts import say

# Whose members see what the public sees: they may be made below an organisation without asking the centre.
MODEST_TIERS: tuple[OrganisationTier, ...] = ("partner", "registered")
_CENTRAL = Query("select code from gis.organisation where tier = 'central'")


@dataclass(frozen=True)
class Administrator:
    """Who administers, and the codes of the organisations that it reaches; None for all."""

    principal: Principal
    reach: frozenset[str] | None

    @property
    def central(self) -> bool:
        return self.reach is None

    @property
    def codes(self) -> list[str] | None:
        """Its reach as statements are bound to it."""
        return None if self.reach is None else sorted(self.reach)

    def reaches(self, organisation: str | None) -> bool:
        return self.reach is None or organisation in self.reach


def administrator(database: SyncDatabase, principal: Principal) -> Administrator:
    """The principal by its rights of this moment, narrowed by its key; Forbidden for who administers nothing.

    Inside a transaction they hold until it ends: other changes of accounts wait.
    """
    hold(database)
    now = replace(keystore.principal_named(database, principal.name), scopes=principal.scopes)
    reach = rights.administered(now)
    if reach is None:
        return Administrator(now, None)
    reach -= {code for (code,) in database.run(_CENTRAL)}  # wherever it hangs, it isn't below anybody
    if not reach:
        raise forbidden("admin.refused")
    return Administrator(now, reach)


def forbidden(key: str) -> Forbidden:
    """A refusal in the words of the catalogue."""
    return Forbidden(say(key, "en"), key=key)


def organisations_of(database: SyncDatabase, who: Administrator) -> list[Organisation]:
    return [each for each in organisations.listed(database) if who.reaches(each.code)]


def organisation(database: SyncDatabase, who: Administrator, code: str) -> Organisation:
    """An organisation within reach; NotFound alike for one that isn't and for none."""
    if not who.reaches(code):
        raise NotFound(f"organisation {code!r}")
    return organisations.named(database, code)


def found(database: SyncDatabase, who: Administrator, new: Organisation) -> None:
    """Make an organisation; but for the centre below one's own, and such that sees what the public sees."""
    if not who.central:
        if not who.reaches(new.parent):
            raise forbidden("admin.parent")
        if new.tier not in MODEST_TIERS or new.jurisdictions or new.areas or new.buffer_m:
            raise forbidden("admin.sight")
    organisations.create(database, new)


def rename(database: SyncDatabase, who: Administrator, code: str, name: str, name_en: str | None) -> None:
    organisation(database, who, code)
    organisations.rename(database, code, name, name_en)


def move(database: SyncDatabase, who: Administrator, code: str, parent: str | None) -> None:
    """Hang it elsewhere; but for the centre from one place within reach to another."""
    held = organisation(database, who, code)
    if not who.central and not (who.reaches(held.parent) and who.reaches(parent)):
        raise forbidden("admin.parent")
    organisations.move(database, code, parent)


def look_after(
    database: SyncDatabase,
    who: Administrator,
    code: str,
    jurisdictions: Iterable[str],
    areas: Iterable[str],
    buffer_m: float,
) -> None:
    """What an organisation looks after, in place of that before: of a department its provinces, of a board
    its areas and how far round them.
    """
    held = organisation(database, who, code)
    if not who.central:
        raise forbidden("admin.sight")
    if held.tier == "province":
        organisations.set_jurisdictions(database, code, jurisdictions)
    elif held.tier == "site":
        organisations.set_buffer(database, code, buffer_m)
        organisations.set_areas(database, code, areas)
    else:
        raise forbidden("admin.nothing-to-look-after")


def groups_of(database: SyncDatabase, who: Administrator) -> list[Group]:
    """The groups of species, which lie in all provinces: for the centre alone."""
    return groups.listed(database) if who.central else []


def group(database: SyncDatabase, who: Administrator, code: str) -> Group:
    if not who.central:
        raise NotFound(f"species group {code!r}")
    return groups.named(database, code)


def make_group(database: SyncDatabase, who: Administrator, new: Group) -> None:
    if not who.central:
        raise forbidden("admin.sight")
    groups.create(database, new)


def set_group(database: SyncDatabase, who: Administrator, changed: Group) -> None:
    """Names and taxa of a group, in place of those before."""
    held = group(database, who, changed.code)
    if (changed.name, changed.name_en) != (held.name, held.name_en):
        groups.rename(database, changed.code, changed.name, changed.name_en)
    if set(changed.taxa) != set(held.taxa):
        groups.set_taxa(database, changed.code, changed.taxa)
