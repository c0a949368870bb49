"""A small history of releases on the sample, with the people who make them, for tests over a real server.

1 the sample, as loads of its two data sets · 2 `May`: area A gets another name (proposal of bo, of which
one change is left out) · 3 hidden: the locality of B's record of category 1 · 4 open area B is withdrawn,
B's record of category 2 counts 7.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.principal import SCOPES, Principal, Role
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog
from gis_service.changes import store, verdict
from gis_service.changes.propose import Asked, Draft, propose
from gis_service.changes.values import Proposal
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Workflow
from tests import sample
from tests.conftest import ROOT

FLOW = Workflow()
PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("bo", "dept-a", "editor"),
    ("phan", "dept-a", "reviewer"),
    ("binh", "dept-b", "reader"),
    ("chi", "nbca", "reviewer"),
    ("duc", "nbca", "reader"),
)
HIDDEN = "update gis.occurrence set locality = 'Hidden deed' where source_id = 'B1'"
LOADS = (
    "insert into gis.load (dataset_id, version, checksum, file_name, release, inserted)"
    " select dataset_id, '2026-05', repeat('0', 64), slug || '.gpkg', 1, 20 from gis.dataset"
)
MIXED = (
    "delete from gis.protected_area where source_id = 'open-B'",
    "update gis.occurrence set individual_count = 7 where source_id = 'B2'",
)


@dataclass(frozen=True)
class History:
    """The server, its database, the keys of its people, the proposal behind release 2."""

    url: str
    dsn: str
    keys: dict[str, str]
    proposal: int

    def ask(self, who: str = "public", **more: str) -> httpx.Client:
        key = {"X-API-Key": self.keys[who]} if who in self.keys else {}
        return httpx.Client(base_url=self.url, headers={**key, **more}, timeout=60)


def layers() -> dict[str, Layer]:
    return dict(load_catalog(Path(ROOT)).layers)


def people(database: SyncDatabase) -> dict[str, str]:
    """The accounts, and a key for each."""
    organisations.create(database, Organisation("nbca", "Cục", None, "central"))
    for code in ("A", "B"):
        department = Organisation(f"dept-{code.lower()}", f"Sở {code}", None, "province", "nbca", (code,))
        organisations.create(database, department)
    for name, organisation, role in PEOPLE:
        accounts.create(database, NewAccount(name))
        accounts.grant(database, name, organisation, role)
    return {name: keystore.create(database, name, scopes=SCOPES) for name, _, _ in PEOPLE}


def who(database: SyncDatabase, name: str) -> Principal:
    return keystore.principal_named(database, name)


def approved(database: SyncDatabase, known: dict[str, Layer], *asked: Asked, layer: str) -> Proposal:
    """A proposal of bo's on its way up to publishing; changes with faults are left out by the checks."""
    draft = propose(database, FLOW, known[layer], who(database, "bo"), Draft("Hidden title"), asked)
    sent = verdict.submit(database, FLOW, known, draft, who(database, "bo"))
    seen = store.take(database, FLOW, known[layer], sent, "accept", who(database, "phan"))
    return store.take(database, FLOW, known[layer], seen, "approve", who(database, "chi"))


def publish(database: SyncDatabase, known: dict[str, Layer], *proposals: Proposal) -> store.Manifest:
    names = store.Names("Tháng Năm", "May")
    return store.publish(database, FLOW, known, proposals, who(database, "chi"), "Hidden note", names=names)


def make(dsn: str) -> tuple[dict[str, str], int]:
    """The four releases; gives the keys and the number of the proposal."""
    sample.fill(dsn)
    known = layers()
    with SyncDatabase(dsn) as database:
        keys = people(database)
        database.apply([LOADS])
        ready = approved(
            database, known,
            Asked("update", "open-A", {"name": "Khu mới"}),
            Asked("update", "closed-A", {"valid_from": "2020-01-01", "valid_to": "2019-01-01"}),
            layer="protected-areas",
        )  # fmt: skip
        assert publish(database, known, ready).release == 2
        database.apply([HIDDEN])
        database.apply(list(MIXED))
    return keys, ready.number


def get(history: History, who: str, path: str, **given: str | int) -> Any:  # a JSON document
    with history.ask(who) as client:
        answer = client.get(path, params=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def counts(document: Any) -> dict[str, tuple[int, int, int]]:
    return {
        each["id"]: (each["inserted"], each["changed"], each["withdrawn"]) for each in document["collections"]
    }
