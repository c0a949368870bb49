"""The world of the suite: the sample behind a server, people of two provinces and of the centre."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.principal import SCOPES, Principal, Role
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.features.formats import FGB, Format
from gis_service.links import Links
from gis_service.processes import encoding, publishing
from tests import sample
from tests.conftest import ROOT

LAYERS = ("provinces", "communes", "sea-areas", "ecoregions", "protected-areas", "management-zones",
          "species-ranges", "occurrences", "plots")  # fmt: skip
PUBLISHED = ("occurrences", "protected-areas")
# A range of the highest category in each province alone, which its own people see and nobody else.
OWN_RANGES = """
insert into gis.species_range
  (source_id, dataset_id, public_id, sci_name, taxon_id, presence, origin, seasonal, geom)
  select 'range-in-' || code, d.dataset_id, 'range-in-' || code, 'Speciosus category1', 'taxon-1', 1, 1, 1,
         ST_Multi(ST_MakeEnvelope(west + 0.2, 20.2, west + 0.6, 20.8, 4326))
    from gis.dataset d, (values ('A', 105), ('B', 106)) p (code, west) where d.slug = 'open'
"""
# Whoever may do the most of each organisation, under names that occur nowhere else.
PEOPLE: Mapping[str, tuple[str, Sequence[Role]]] = {
    "province-a": ("dept-a", ("editor", "reviewer", "administrator")),
    "province-b": ("dept-b", ("editor", "reviewer", "administrator")),
    "centre": ("nbca", ("editor", "reviewer", "administrator", "auditor")),
}


@dataclass
class World:
    """A server on the sample, the keys of those who have one, and what they have made."""

    url: str
    dsn: str
    keys: Mapping[str, str | None]
    gids: list[int] = field(default_factory=list)
    files: list[tuple[str, str]] = field(default_factory=list)  # layer, name
    of_b: list[int] = field(default_factory=list)  # ids of rows of province B alone, some hidden from A
    job: str = ""  # a report that province A asked for
    proposals: list[int] = field(default_factory=list)  # of province B

    def ask(self, who: str) -> httpx.Client:
        key = self.keys[who]
        return httpx.Client(base_url=self.url, headers={"X-API-Key": key} if key else {}, timeout=60)

    def change(self, *statements: str) -> None:
        with SyncDatabase(self.dsn) as database:
            database.apply(list(statements))

    def numbers(self, sql: str) -> list[int]:
        with SyncDatabase(self.dsn) as database:
            return [int(number) for (number,) in database.run(Query(sql))]

    @contextmanager
    def acting(self, who: str) -> Iterator[tuple[SyncDatabase, Principal]]:
        """A connection and the principal, for what somebody does in the world."""
        with SyncDatabase(self.dsn) as database:
            yield database, keystore.principal_named(database, who)


def fill(dsn: str) -> dict[str, str | None]:
    """The sample, its organisations and people; gives the keys."""
    sample.fill(dsn)
    with SyncDatabase(dsn) as database:
        database.apply([OWN_RANGES])
        organisations.create(database, Organisation("nbca", "Cục", None, "central"))
        for code in ("A", "B"):
            made = Organisation(f"dept-{code.lower()}", f"Sở {code}", None, "province", "nbca", (code,))
            organisations.create(database, made)
        for name, (organisation, roles) in PEOPLE.items():
            accounts.create(database, NewAccount(name))
            for role in roles:
                accounts.grant(database, name, organisation, role)
        return {"public": None} | {name: keystore.create(database, name, scopes=SCOPES) for name in PEOPLE}


def settle(world: World, files: Path) -> None:
    """What is in the world before anybody looks: bulk files of each class, a job, the ids of all rows."""
    with SyncDatabase(world.dsn) as database:
        classes = keystore.one_of_each_class(database)
        catalog = load_catalog(ROOT)
        for layer in PUBLISHED:
            list(
                publishing.publish(database, catalog.layers[layer], classes, [FGB], files, _writer(world.dsn))
            )
        found = database.run(Query("select layer, name from gis.published_file order by layer, name"))
        world.files = list(dict.fromkeys((layer, name) for layer, name in found))
    world.gids = world.numbers("select gid from gis.feature_key order by gid")
    world.of_b = world.numbers("select gid from gis.occurrence where jurisdiction = '{B}' order by gid")


def _writer(dsn: str) -> publishing.Encode:
    def write(view: ViewedLayer, form: Format, path: Path) -> None:
        with SyncDatabase(dsn) as database:
            encoding.encode(database, view, form, path, Links("http://localhost"), 10_000_000)

    return write
