"""Who is asking: the public, one or several provinces or boards, or the centre; and in which roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gis_service.catalog.layer import OrganisationTier

Tier = Literal["public", "jurisdiction", "full"]
TIERS: Mapping[str, Tier] = {"public": "public", "jurisdiction": "jurisdiction", "full": "full"}
Role = Literal["reader", "editor", "reviewer", "steward", "auditor", "administrator"]
Scope = Literal["read", "edit", "review", "administer"]
ROLES: tuple[Role, ...] = ("reader", "editor", "reviewer", "steward", "auditor", "administrator")
SCOPES: tuple[Scope, ...] = ("read", "edit", "review", "administer")

GROUP_CODE = "G-"  # codes that begin so are those of species groups (gis.is_group_code)


@dataclass(frozen=True)
class Grant:
    """A role that somebody holds in an organisation, with what the organisation looks after.

    `group` is a steward's group of species; `tier` and `jurisdictions` are the organisation's; `reach`
    are the codes of the organisations that an administrator answers for: its own and all below it.
    """

    role: Role
    organisation: str
    group: str | None = None
    tier: OrganisationTier = "registered"
    jurisdictions: frozenset[str] = frozenset()
    reach: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Principal:
    """A caller with the tier that decides the policy class and the jurisdictions that scope it.

    What it reads is `tier` and `jurisdictions`; what else it may do is asked of access.rights, which looks
    at `roles` and at the `scopes` of the key that it came with (all of them where no key narrows them).
    """

    name: str
    tier: Tier
    jurisdictions: tuple[str, ...] = ()
    organisation: str | None = None
    roles: frozenset[Grant] = frozenset()
    scopes: frozenset[Scope] = frozenset(SCOPES)

    @property
    def policy_class(self) -> str:
        """public, full, or jurisdiction: with the codes; equal classes see equal bytes."""
        if self.tier == "jurisdiction":
            return "jurisdiction:" + ",".join(sorted(self.jurisdictions))
        return self.tier

    @property
    def places(self) -> tuple[str, ...]:
        """Provinces and sites among what it reads by; the others are a steward's groups of species."""
        return tuple(code for code in self.jurisdictions if not code.startswith(GROUP_CODE))


PUBLIC = Principal("public", "public")
