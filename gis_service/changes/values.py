"""A proposal, its changes and what happened to it, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gis_service.catalog.layer import OrganisationTier

State = Literal[
    "draft",
    "submitted",
    "province_review",
    "central_approval",
    "published",
    "superseded",
    "rejected",
    "withdrawn",
]
Action = Literal["submit", "accept", "approve", "publish", "return", "reject", "withdraw"]
Operation = Literal["insert", "update", "delete"]
Decision = Literal["accepted", "rejected"]
Place = frozenset[str]
"""The jurisdictions that a row meets, as it stands or as it would be; empty where it meets none."""


@dataclass(frozen=True)
class Proposal:
    """What somebody wants changed in a layer. `state` names the last step that it passed.

    `revision` rises with every step: who takes one names the revision that was read. `tier` is that of the
    organisation in whose name it was made.
    """

    number: int
    layer: str
    author: str
    title: str
    state: State = "draft"
    organisation: str | None = None
    tier: OrganisationTier | None = None
    note: str | None = None
    base_release: int = 0
    release: int | None = None
    revision: int = 1
    created: datetime | None = None
    changed: datetime | None = None
    changes: int = 0


@dataclass(frozen=True)
class Candidate:
    """A change on its way into a draft; `values` go by the columns of the layer's table, geometry is WKB."""

    operation: Operation
    gid: int | None = None
    base_rev: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    geometry: bytes | None = None
    original: bytes | None = None
    srid: int | None = None
    datum_operation: str | None = None


@dataclass(frozen=True)
class Difference:
    """One attribute before and after."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """One change of a proposal with what it changes; `moved` where the geometry is another."""

    number: int
    operation: Operation
    gid: int | None
    differences: tuple[Difference, ...]
    moved: bool
    decision: Decision | None
    reason: str | None


@dataclass(frozen=True)
class Event:
    """What somebody did with a proposal."""

    at: datetime
    who: str
    role: str | None
    action: str
    before: State | None
    after: State
    comment: str | None
