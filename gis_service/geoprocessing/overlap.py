"""Protected areas against the project: a row per site, the total counted once beside the naive sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.catalog.view import ViewedLayer
from gis_service.db import report_sql
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import clip
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.clip import Piece
from gis_service.geoprocessing.measure import area

NAMES = (
    "site_id", "site_pid", "site_type", "name", "name_eng", "desig", "desig_eng", "iucn_cat", "status",
    "status_yr", "valid_to", "decision_no", "decision_date", "decided_area_ha",
)  # fmt: skip

# The three filters in use (domain guide, 0.6). `pp_text` names what it drops, the others what they keep.
STATUS_KEPT: Mapping[str, frozenset[str] | None] = {
    "pp_text": None,
    "wcmc2020": frozenset({"Adopted", "Designated", "Inscribed"}),
    "wdpar": frozenset({"Designated", "Inscribed", "Established"}),
}
Group = tuple[int, str]  # dataset and site: a site's number is its dataset's own
_PP_TEXT_DROPS = frozenset({"Proposed", "Not Reported"})
_MAB = frozenset({"UNESCO-MAB Biosphere Reserve", "Réserve de biosphère UNESCO-MAB"})


@dataclass(frozen=True)
class Filter:
    """Which areas count: a preset of statuses, and the day on which they must stand."""

    status: str = "pp_text"
    as_of: date | None = None


@dataclass(frozen=True)
class Site:
    """All parcels of a protected area that meet the project."""

    site: str
    pieces: tuple[Piece, ...]
    overlap: BaseGeometry
    overlap_m2: float
    area_m2: float
    excluded: str | None

    @property
    def first(self) -> Piece:
        return self.pieces[0]


def sites(
    db: SyncDatabase, view: ViewedLayer, project: BaseGeometry, counts: Filter, budget: Budget
) -> tuple[Site, ...]:
    """The protected areas that share area with the project, the largest overlap first."""
    by_site: dict[Group, list[Piece]] = defaultdict(list)
    for piece in clip.pieces(db, view, NAMES, project, budget):
        by_site[piece.dataset_id, site_of(piece)].append(piece)
    whole = _whole_areas(db, view, by_site, budget)
    found = [
        _site(group[1], parcels, whole.get(group, parcels[0].area_m2), counts)
        for group, parcels in by_site.items()
    ]
    return tuple(sorted(found, key=lambda s: (-s.overlap_m2, s.site)))


def site_of(piece: Piece) -> str:
    """The site that a parcel belongs to; a parcel without one stands for itself."""
    site = piece.values.get("site_id")
    return str(site) if site is not None else piece.feature_id


def name_of(piece: Piece) -> str:
    """What people call it, its site's number failing that."""
    return str(piece.values.get("name") or piece.values.get("name_eng") or site_of(piece))


def _site(site: str, parcels: Sequence[Piece], whole_m2: float, counts: Filter) -> Site:
    if len(parcels) == 1:
        overlap, overlap_m2 = parcels[0].overlap, parcels[0].overlap_m2
    else:
        overlap = clip.union([piece.overlap for piece in parcels])
        overlap_m2 = area(overlap)
    return Site(site, tuple(parcels), overlap, overlap_m2, whole_m2, excluded(parcels[0].values, counts))


def excluded(values: Mapping[str, Any], counts: Filter) -> str | None:
    """Why an area stands in the table but not in the totals; None where it counts.

    An unknown status counts under `pp_text` alone, which only drops what it names.
    """
    if values.get("desig_eng") in _MAB or values.get("desig") in _MAB:
        return "report.excluded.mab"
    ended = values.get("valid_to")
    if ended is not None and counts.as_of is not None and ended < counts.as_of:
        return "report.excluded.ended"
    status, kept = values.get("status"), STATUS_KEPT[counts.status]
    dropped = status in _PP_TEXT_DROPS if kept is None else status not in kept
    return "report.excluded.status" if dropped else None


def _whole_areas(
    db: SyncDatabase, view: ViewedLayer, by_site: Mapping[Group, Sequence[Piece]], budget: Budget
) -> Mapping[Group, float]:
    """Areas of the sites that have more than one parcel, those away from the project included."""
    ids = [
        piece.values["site_id"] for parcels in by_site.values() if (piece := parcels[0]).values.get("site_id")
    ]
    if not ids:
        return {}
    parcels: dict[Group, list[int]] = defaultdict(list)
    for key, dataset_id, site in db.run(report_sql.sharing(view, "site_id", ids, "bigint")):
        parcels[dataset_id, site].append(key)
    several = {group: keys for group, keys in parcels.items() if group in by_site and len(keys) > 1}
    return {group: whole_area(db, view, keys, budget) for group, keys in several.items()}


def whole_area(db: SyncDatabase, view: ViewedLayer, keys: Sequence[int], budget: Budget) -> float:
    """The area that these features cover together in m²."""
    budget.check()
    rows = db.run(report_sql.by_key(view, (), keys))
    return clip.union_area(list(shapely.from_wkb([row[4] for row in rows])))


@dataclass(frozen=True)
class Totals:
    """Covered area counted once, and as the sum of the rows."""

    flat_m2: float
    naive_m2: float
    counted: int


NOTHING = Totals(0.0, 0.0, 0)


def totals(found: Iterable[Site]) -> Totals:
    """The totals over the sites that count."""
    counted = [site for site in found if site.excluded is None]
    if not counted:
        return NOTHING
    flat = clip.union_area([site.overlap for site in counted])
    return Totals(flat, sum(site.overlap_m2 for site in counted), len(counted))
