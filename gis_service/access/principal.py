"""Who is asking: the public, one or several provinces, or the centre."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Tier = Literal["public", "jurisdiction", "full"]
TIERS: Mapping[str, Tier] = {"public": "public", "jurisdiction": "jurisdiction", "full": "full"}


@dataclass(frozen=True)
class Principal:
    """A caller with the tier that decides the policy class and the jurisdictions that scope it."""

    name: str
    tier: Tier
    jurisdictions: tuple[str, ...] = ()

    @property
    def policy_class(self) -> str:
        """public, full, or jurisdiction: with the codes; equal classes see equal bytes."""
        if self.tier == "jurisdiction":
            return "jurisdiction:" + ",".join(sorted(self.jurisdictions))
        return self.tier


PUBLIC = Principal("public", "public")
