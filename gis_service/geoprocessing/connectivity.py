"""ProtConn: how much of a landscape is protected and connected (Saura and others 2017, 2018).

p_ij = exp(-k d_ij) with k = ln 2 / median dispersal distance, d edge to edge; p*_ij is the best product of
probabilities over any way through the patches. ECA = √(Σ_i Σ_j a_i a_j p*_ij), the area of one patch that
would be as connected as all; ProtConn = 100 ECA / A_L, A_L the landscape's area.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gis_service.geoprocessing.engine import paths
from gis_service.geoprocessing.engine.grid import Floats, Integers

MEDIAN_M: Final = 10_000.0  # median dispersal distance where none is said
# Links longer than so many medians are left out: p is below 1e-9, and so is what they add to ECA² / (Σa)².
REACH: Final = 30.0


@dataclass(frozen=True)
class Links:
    """Distances in metres between pairs of patches (rows of two numbers); missing pairs have no link."""

    pairs: Integers
    metres: Floats


NO_LINKS: Final = Links(np.empty((0, 2), np.int64), np.empty(0))


@dataclass(frozen=True)
class Importance:
    """What a patch does for connectivity, in % of Σ_i Σ_j a_i a_j p*_ij (Saura and Rubio 2010).

    intra: by its own area; flux: by the ways that begin or end there; connector: by the ways of others
    through it that have none as good around it. dPC = intra + flux + connector is what is lost without it;
    `protconn_points` is the same loss in percentage points of ProtConn.
    """

    intra: float
    flux: float
    connector: float
    protconn_points: float

    @property
    def dpc(self) -> float:
        return self.intra + self.flux + self.connector


@dataclass(frozen=True)
class ProtConn:
    """The indicator for one median dispersal distance: areas in m², shares in %.

    `importance` is of each patch in turn, empty where it wasn't asked for.
    """

    median_m: float
    landscape_m2: float
    protected_m2: float
    eca_m2: float
    importance: tuple[Importance, ...] = ()

    @property
    def pc(self) -> float:
        """The probability of connectivity, (ECA / A_L)²."""
        return (self.eca_m2 / self.landscape_m2) ** 2

    @property
    def prot(self) -> float:
        """% of the landscape that is protected."""
        return 100 * self.protected_m2 / self.landscape_m2

    @property
    def protconn(self) -> float:
        """% of the landscape that is protected and connected; never above `prot`."""
        return 100 * self.eca_m2 / self.landscape_m2

    @property
    def unconnected(self) -> float:
        """% of the landscape that is protected and not connected."""
        return self.prot - self.protconn

    @property
    def relconn(self) -> float | None:
        """% of what is protected that is connected; None where nothing is protected."""
        return 100 * self.protconn / self.prot if self.protected_m2 > 0 else None


def protconn(
    areas_m2: Floats,
    links: Links,
    landscape_m2: float,
    medians_m: Sequence[float] = (MEDIAN_M,),
    importance: bool = False,
) -> tuple[ProtConn, ...]:
    """ProtConn of patches for each median dispersal distance.

    A patch of no area is a stepping stone, such as one beyond a border. `links` must hold every pair that may
    be on a best way; for `importance`, also those that only become so when another patch is gone: all within
    reach.
    """
    _check(areas_m2, links, landscape_m2, medians_m)
    decays = np.array([math.log(2) / median for median in medians_m])
    net = paths.network(len(areas_m2), links.pairs, links.metres)
    found = paths.sums(net, areas_m2, decays, importance)
    return tuple(
        ProtConn(
            float(median), float(landscape_m2), float(areas_m2.sum()), math.sqrt(found.whole[at]),
            _importance(areas_m2, found, at, landscape_m2) if importance else (),
        )
        for at, median in enumerate(medians_m)
    )  # fmt: skip


def _check(areas: Floats, links: Links, landscape: float, medians: Sequence[float]) -> None:
    if not landscape > 0 or not math.isfinite(landscape):
        raise ValueError("the landscape has no area")
    if not all(median > 0 and math.isfinite(median) for median in medians):
        raise ValueError("a median dispersal distance is above 0 m")
    if not (np.isfinite(areas).all() and (areas >= 0).all() and (links.metres >= 0).all()):
        raise ValueError("areas and distances are finite numbers from 0 on")


def _importance(areas: Floats, found: paths.Sums, at: int, landscape: float) -> tuple[Importance, ...]:
    whole = found.whole[at]
    if whole <= 0:
        return tuple(Importance(0.0, 0.0, 0.0, 0.0) for _ in areas)
    parts = np.array([areas**2, found.flux[at], found.through[at]])
    left = np.sqrt(np.maximum(whole - parts.sum(axis=0), 0.0))
    points = 100 * (math.sqrt(whole) - left) / landscape
    shares = 100 * parts / whole
    return tuple(
        Importance(*(float(each) for each in values)) for values in zip(*shares, points, strict=True)
    )


@dataclass(frozen=True)
class Fractions:
    """ProtConn by what carries the connection, in % of the landscape: they sum to ProtConn (Saura 2018).

    within: inside single areas; contig: through areas that touch or overlap; trans: what patches beyond the
    border add as stepping stones; unprot: over land that isn't protected. `within` corrects for overlaps
    patch by patch: within² = Σ_i (Σ s² · a_i / Σ s) over the areas s of patch i, so that it is never above
    within + contig. The published formula takes one factor for all, `within_published`; both are equal where
    areas don't overlap.
    """

    within: float
    contig: float
    trans: float
    unprot: float
    within_published: float

    @property
    def prot(self) -> float:
        """Through protected land alone: within + contig."""
        return self.within + self.contig


@dataclass(frozen=True)
class Sites:
    """Single areas inside: m² of each, overlaps counted in all, and the patch that each is part of."""

    areas_m2: Floats
    patch: Integers


def fractions(whole: ProtConn, inside: ProtConn, patches_m2: Floats, sites: Sites) -> Fractions:
    """The fractions of `whole`; `inside` is the same without what lies beyond the border.

    `patches_m2` are the areas of the patches inside, made of `sites`.
    """
    share = 100 / whole.landscape_m2
    through = share * math.sqrt(float((patches_m2**2).sum()))
    squares = sites.areas_m2**2
    counts = len(patches_m2)
    summed = np.bincount(sites.patch, sites.areas_m2, counts)
    once = np.divide(patches_m2, summed, out=np.zeros(counts), where=summed > 0)
    # Rounding alone puts an area above the patch that it is.
    within = min(share * math.sqrt(float(np.bincount(sites.patch, squares, counts) @ once)), through)
    factor = float(patches_m2.sum() / summed.sum()) if summed.any() else 0.0
    published = share * math.sqrt(float(squares.sum()) * factor)
    trans = whole.protconn - inside.protconn
    return Fractions(within, through - within, trans, whole.protconn - through - trans, published)
