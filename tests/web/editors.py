"""A world to edit in: tests.sample with two departments and the centre, who works there, and their drafts.

Bo edits for province A, Binh for B, where Phong reviews, Ban for the board of open-B; Rita reads for A. Chau
edits and reviews for the centre, whose edits stand at once; Chin edits for the centre and reviews nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.principal import Role, Scope
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests import sample

PEOPLE: Sequence[tuple[str, str, Role]] = (
    ("bo", "dept-a", "editor"),
    ("rita", "dept-a", "reader"),
    ("binh", "dept-b", "editor"),
    ("phong", "dept-b", "reviewer"),
    ("ban", "board", "editor"),
    ("chau", "nbca", "editor"),
    ("chau", "nbca", "reviewer"),
    ("chin", "nbca", "editor"),
)
KEYS: Mapping[str, tuple[str, tuple[Scope, ...]]] = {
    **{name: (name, ("edit", "review")) for name, _, _ in PEOPLE},
    "bo-reading": ("bo", ("read",)),
    "chau-editing": ("chau", ("edit",)),
}
GEOJSON = "application/geo+json"
MERGE_PATCH = "application/merge-patch+json"
AREAS = "/collections/protected-areas/items"
PLOTS = "/collections/plots/items"
PART_4 = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/"
Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A server on the sample, the keys of all who work there, and a client that threads may share."""

    url: str
    dsn: str
    keys: Mapping[str, str]
    client: httpx.Client | None = None

    def ask(
        self, who: str | None, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """One request; header names are written with _ for -."""
        made = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            made["X-API-Key"] = self.keys[who]
        if body is not None:
            made.setdefault("Content-Type", MERGE_PATCH if method == "PATCH" else GEOJSON)
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        send = self.client.request if self.client else partial(httpx.request, timeout=60)
        return send(method, self.url + path, content=content, headers=made)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with SyncDatabase(self.dsn) as database:
            return list(database.run(Query(sql, values)))

    def drafted(self, author: str, state: str = "draft") -> list[tuple[str, str | None, Json]]:
        """What the author's proposals in a state do: operation, source id of the row, values."""
        sql = """
            select c.operation, k.source_id, c."values"::text
              from gis.proposed_change c join gis.proposal p using (proposal_id)
              left join gis.feature_key k on k.gid = c.gid
             where p.author = $1 and p.state = $2 order by c.proposal_id, c.number
        """
        return [(kind, row, json.loads(values)) for kind, row, values in self.rows(sql, author, state)]


def fill(dsn: str) -> Mapping[str, str]:
    """The sample with its organisations, people and keys; gives the keys."""
    sample.fill(dsn)
    with SyncDatabase(dsn) as database:
        organisations.create(database, Organisation("nbca", "Cục", None, "central"))
        for code in ("A", "B"):
            department = Organisation(f"dept-{code.lower()}", f"Sở {code}", None, "province", "nbca", (code,))
            organisations.create(database, department)
        board = Organisation("board", "Ban", None, "site", "dept-b", areas=("open-B",), buffer_m=2000)
        organisations.create(database, board)
        for name in dict.fromkeys(name for name, _, _ in PEOPLE):
            accounts.create(database, NewAccount(name))
        for name, organisation, role in PEOPLE:
            accounts.grant(database, name, organisation, role)
        return {key: keystore.create(database, name, scopes=scopes) for key, (name, scopes) in KEYS.items()}


def box(west: float, south: float, size: float = 0.1) -> Json:
    """A square as a multipolygon, its corners counter-clockwise from the south-west."""
    east, north = round(west + size, 7), round(south + size, 7)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "MultiPolygon", "coordinates": [[ring]]}


def area(name: str = "Khu mới", west: float = 105.1, south: float = 20.1, **properties: object) -> Json:
    """A new protected area in province A, clear of all others."""
    return {"type": "Feature", "geometry": box(west, south), "properties": {"name": name, **properties}}


def standing(world: World, west: float, south: float, **properties: object) -> str:
    """The path of a new protected area that stands, by an editor whose edits do."""
    made = world.ask("chau", "POST", AREAS, area("Khu mới", west, south, **properties))
    assert made.status_code == 201, made.text
    return made.headers["location"].removeprefix(world.url)


def shown(world: World, who: str | None, path: str) -> Json:
    answer = world.ask(who, "GET", path)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def faults(answer: httpx.Response) -> set[tuple[str, str]]:
    """Pointer and rule of each fault of a refusal."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {(each["pointer"], each["rule"]) for each in answer.json()["errors"]}
