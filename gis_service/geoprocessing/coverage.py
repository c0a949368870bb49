"""How much of each zone is protected: once each place, by category, designation, governance or year.

Areas are m² on WGS 84 between edges that are straight in longitude and latitude; shares are of the zone's own
area by the same measure, never capped: what is above 1 says that areas reach beyond the zone's drawing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, get_args

import numpy as np

from gis_service.errors import InvalidParameter
from gis_service.geoprocessing import overlap
from gis_service.geoprocessing.atoms import Profiles, profiles
from gis_service.geoprocessing.engine.grid import Floats
from gis_service.geoprocessing.engine.index import Grouped, Index, of_labels, shared
from gis_service.geoprocessing.engine.layer import Labels
from gis_service.geoprocessing.overlap import Filter
from gis_service.geoprocessing.seen import Seen, numbered

By = Literal["category", "designation", "governance", "site_type", "year"]
BY: Final = get_args(By)
_PROPERTY: Final[Mapping[str, str]] = {
    "category": "iucn_cat",
    "designation": "desig_eng",
    "governance": "gov_type",
    "site_type": "site_type",
    "year": "status_yr",
}
# Where two overlap the stricter one has the place (domain guide, 2.3); PA before OECM by the WDPA manual.
_STRICTEST: Final[Mapping[str, tuple[str, ...]]] = {
    "category": ("Ia", "Ib", "II", "III", "IV", "V", "VI", "Not Reported", "Not Applicable", "Not Assigned"),
    "site_type": ("PA", "OECM"),
}
UNKNOWN: Final = None  # the value of a row that has none
PROPERTIES: Final = (
    "site_id", "site_pid", "site_type", "name", "name_eng", "desig", "desig_eng", "iucn_cat", "gov_type",
    "status", "status_yr", "valid_to",
)  # fmt: skip
_EXCLUDING: Final = ("desig", "desig_eng", "status", "valid_to")
ZONE_PROPERTIES: Final = ("code", "name", "name_en", "sci_name", "valid_from", "valid_to")


@dataclass(frozen=True)
class Part:
    """What one value covers of a zone.

    inclusive_m2: covered by areas of the value, whatever else covers it too; these don't add up.
    first_m2: covered by the value and by none before it (strictest category, earliest year, PA before OECM);
    these add up to `covered_m2`. None where values have no order.
    """

    value: Hashable
    inclusive_m2: float
    first_m2: float | None


@dataclass(frozen=True)
class Zone:
    """The coverage of one zone. `naive_m2` counts each area by itself, and so overlaps several times."""

    zone: str
    name: str
    area_m2: float
    covered_m2: float
    naive_m2: float
    several_m2: float
    parts: tuple[Part, ...]

    @property
    def share(self) -> float | None:
        """Of the zone; above 1 where areas cover more than the zone's drawing; None of an empty zone."""
        return self.covered_m2 / self.area_m2 if self.area_m2 > 0 else None

    def gap_m2(self, target: float) -> float:
        """What is missing to a target share, 0 where it's reached."""
        return max(0.0, target * self.area_m2 - self.covered_m2)


@dataclass(frozen=True)
class Counted:
    """The areas that count, and why others don't: reasons as keys of texts, with numbers of rows."""

    rows: int
    excluded: Mapping[str, int]


@dataclass(frozen=True)
class Coverage:
    """The zones in the order of the layer; `together` is all of them where they don't overlap, else None."""

    by: By
    zones: tuple[Zone, ...]
    together: Zone | None
    counted: Counted


@dataclass(frozen=True)
class Areas:
    """The protected areas that count, as profiles of the flat layer."""

    index: Index
    seen: Seen
    counts: np.ndarray[Any, np.dtype[np.bool_]]
    profiles: Profiles
    counted: Counted


def areas(index: Index, rows: Seen, by: By, which: Filter) -> Areas:
    """The protected areas of a view by a property's values; InvalidParameter for a property of no use."""
    if by not in BY:
        raise InvalidParameter(f"by {by!r} is none of {', '.join(BY)}")
    assert index.flat is not None, "protected areas are laid flat"
    reasons = [overlap.excluded(values, which) for values in rows.records(_EXCLUDING)]
    counts = np.array([reason is None for reason in reasons], bool)
    numbers, values = numbered([_known(by, value) for value in rows.column(_PROPERTY[by])])
    sites, _ = numbered(sites_of(rows))
    made = profiles(
        index.flat,
        rows.spread(np.where(counts, numbers, -1), index.labels),
        values,
        rows.spread(sites, index.labels),
    )
    left_out = {reason: reasons.count(reason) for reason in sorted({r for r in reasons if r is not None})}
    return Areas(index, rows, counts, made, Counted(int(counts.sum()), left_out))


@dataclass(frozen=True)
class Work:
    """What the sums of zones are made of; zones are numbered, and any of them can be summed by themselves.

    of_label: the zone of each label of `zones`, or -1. flat: the flat layer by profile. counted: the areas
    that count, in one group.
    """

    zones: Index
    of_label: Labels
    count: int
    flat: Grouped
    profiles: int
    counted: Grouped


@dataclass(frozen=True)
class Portion:
    """m² of consecutive zones: by profile, of areas one by one, and shared with other zones.

    `others` ends early once the zones are known to lie over each other.
    """

    found: Floats
    naive: Floats
    others: Floats


Spread = Callable[[Work], Sequence[Portion]]
"""Sums all zones in portions, in order: no bit of a zone's sums depends on the portion that it is in."""


def portion(work: Work, first: int, end: int) -> Portion:
    """The sums of the zones from `first` up to `end`."""
    drawn = of_labels(work.zones, _those(work.of_label, first, end))
    found = shared(drawn, work.flat, (end - first, work.profiles))
    naive = shared(drawn, work.counted, (end - first, 1))[:, 0]
    return Portion(found, naive, _others(work, first, end))


def at_once(work: Work) -> Sequence[Portion]:
    """All zones in one portion, here."""
    return [portion(work, 0, work.count)]


def coverage(
    zones: Index, rows: Seen, by: By, of: Areas, day: date | None = None, spread: Spread = at_once
) -> Coverage:
    """The coverage of every zone that stands on the day, by the values that `of` was made by."""
    taken = np.array([at for at in range(len(rows)) if stands(rows, at, day)], np.int64)
    of_row = np.full(len(rows), -1, np.int32)
    of_row[taken] = np.arange(len(taken))
    assert of.index.flat is not None
    work = Work(
        zones,
        rows.spread(of_row, zones.labels),
        len(taken),
        [(of.index.flat.layer, of.profiles.of_atom)],
        len(of.profiles.several),
        of_labels(of.index, of.seen.spread(np.where(of.counts, 0, -1), of.index.labels)),
    )
    portions = spread(work)
    found = np.concatenate([each.found for each in portions])
    naive = np.concatenate([each.naive for each in portions])
    sizes = rows.areas[taken]
    made = [
        _zone(
            rows.ids[at], name_of(rows, int(at)), (sizes[place], naive[place]), found[place], by, of.profiles
        )
        for place, at in enumerate(taken.tolist())
    ]
    whole = float(sizes.sum()), float(naive.sum())
    over_each_other = _total(np.concatenate([each.others for each in portions])) > SAME_M2
    together = None if over_each_other else _zone("", "", whole, found.sum(axis=0), by, of.profiles)
    return Coverage(by, tuple(made), together, of.counted)


SAME_M2: Final = 10_000.0  # neighbours' drawings may overlap by a hectare in all and be a partition still
_FEW: Final = 64  # zones are looked at by so many: ranges, which lie over each other, are known by the first


def _others(work: Work, first: int, end: int) -> Floats:
    """m² that each zone shares with others: of the first few alone where they say that zones overlap."""
    drawn = of_labels(work.zones, work.of_label)
    made = np.zeros(0)
    for start in range(first, end, _FEW):
        stop = min(start + _FEW, end)
        some = of_labels(work.zones, _those(work.of_label, start, stop))
        found = shared(some, drawn, (stop - start, work.count))
        own = np.arange(stop - start)
        found[own, start + own] = 0.0
        made = np.append(made, found.sum(axis=1))
        if _total(made) > SAME_M2:
            break
    return made


def _those(of_label: Labels, first: int, end: int) -> Labels:
    return np.where((of_label >= first) & (of_label < end), of_label - first, -1).astype(np.int32)


def _total(others: Floats) -> float:
    """m² in which zones lie over each other, each pair once though it is met from both sides."""
    return math.fsum(others.tolist()) / 2


def _zone(zone: str, name: str, sizes: tuple[float, float], found: Floats, by: By, known: Profiles) -> Zone:
    covered, several = float(known.any_of(found)), float(known.several_of(found))
    return Zone(zone, name, float(sizes[0]), covered, float(sizes[1]), several, parts(by, known, found))


def parts(by: By, known: Profiles, found: Floats) -> tuple[Part, ...]:
    """What each value covers, in the order of values; `found` are m² of each profile."""
    inclusive = known.inclusive(found)
    rank = _rank(by, known.values)
    first = None if rank is None else known.first(found, rank)
    order = rank or np.argsort(np.argsort([str(value) for value in known.values], kind="stable")).tolist()
    made = [
        Part(value, float(inclusive[at]), None if first is None else float(first[at]))
        for at, value in enumerate(known.values)
    ]
    return tuple(part for _, part in sorted(zip(order, made, strict=True), key=lambda pair: pair[0]))


def _rank(by: By, values: Sequence[Hashable]) -> list[int] | None:
    """The place of each value where several cover, the first of all; None where values have no order."""
    if by == "year":
        known: list[Any] = sorted(value for value in values if _is_year(value))
        return [known.index(value) if _is_year(value) else len(known) for value in values]
    if by not in _STRICTEST:
        return None
    order = _STRICTEST[by]
    return [order.index(value) if value in order else len(order) for value in values]


def _is_year(value: object) -> bool:
    return isinstance(value, int)


def _known(by: By, value: Any) -> Any:
    return UNKNOWN if by == "year" and value == 0 else value  # the WDPA's way to write an unknown year


def sites_of(rows: Seen) -> list[Hashable]:
    """The site of each row: parcels of one site aren't several designations."""
    found = zip(rows.datasets.tolist(), rows.column("site_id"), rows.ids, strict=True)
    return [(dataset, feature if site is None else site) for dataset, site, feature in found]


def stands(rows: Seen, at: int, day: date | None) -> bool:
    """Whether a row is valid on the day, of a layer that says since when and until when."""
    if day is None:
        return True
    begun, ended = rows.column("valid_from")[at], rows.column("valid_to")[at]
    return (begun is None or begun <= day) and (ended is None or day < ended)


def name_of(rows: Seen, at: int) -> str:
    """What people call a row, its id failing that."""
    for name in ("name", "sci_name", "code"):
        if (value := rows.column(name)[at]) is not None:
            return str(value)
    return rows.ids[at]
