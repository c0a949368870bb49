"""The known shapes of files: WDPA before and since November 2025, IUCN ranges, Darwin Core, units, plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Schema:
    """How one kind of file names its fields.

    `renames` go before equal names, for a name may have changed its meaning; `aliases` come last. `keys` are
    the columns that name a row, the first key with a filled leading column counts. `recodes` belong to a pair
    of field (folded) and column. `verbatim` leads from a column to the one that keeps what the source wrote.
    """

    name: str
    renames: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    recodes: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    keys: tuple[tuple[str, ...], ...] = ()
    verbatim: Mapping[str, str] = field(default_factory=dict)


class Ambiguous(ValueError):
    """The fields fit two versions of a schema whose names mean different things."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self.old, self.new = tuple(old), tuple(new)
        super().__init__(f"{', '.join(old)} / {', '.join(new)}")


_REALM: Final = {"0": "Terrestrial", "1": "Coastal", "2": "Marine"}
_SITE_TYPE: Final = {"1": "PA", "0": "OECM"}
_ZONES: Final = {
    "phân khu bảo vệ nghiêm ngặt": "strict",
    "bảo vệ nghiêm ngặt": "strict",
    "phân khu phục hồi sinh thái": "restoration",
    "phục hồi sinh thái": "restoration",
    "phân khu dịch vụ - hành chính": "service",
    "dịch vụ - hành chính": "service",
    "vùng đệm": "buffer",
}
# The national extension of protected areas, as Vietnamese files name it.
_NATIONAL: Final = {
    "ma_khu": "site_id",
    "ten": "name",
    "ten_khu": "name",
    "loai_hinh": "desig",
    "so_quyet_dinh": "decision_no",
    "ngay_quyet_dinh": "decision_date",
    "dien_tich_qd_ha": "decided_area_ha",
    "ban_quan_ly": "management_board",
    "designation": "desig",
}
_PARCELS: Final = (("site_pid",), ("site_id",))

# Fields that only one of the two versions has. PARENT_ISO is PARENT_ISO3 as a shapefile cuts it.
WDPA_OLD_MARKS: Final = frozenset({"wdpaid", "wdpa_pid", "pa_def", "orig_name", "parent_iso3", "parent_iso"})
WDPA_NEW_MARKS: Final = frozenset(
    {"site_id", "site_pid", "site_type", "name_eng", "prnt_iso3", "realm", "govsubtype", "ownsubtype"}
)

WDPA_OLD: Final = Schema(
    "wdpa-1.6",
    renames={
        "WDPAID": "site_id",
        "WDPA_PID": "site_pid",
        "PA_DEF": "site_type",
        "NAME": "name_eng",  # NAME held the English name until November 2025, and the local one since
        "ORIG_NAME": "name",
        "MARINE": "realm",
        "PARENT_ISO3": "prnt_iso3",
        "PARENT_ISO": "prnt_iso3",
    },
    aliases=_NATIONAL,
    recodes={("padef", "site_type"): _SITE_TYPE, ("marine", "realm"): _REALM},
    keys=_PARCELS,
)
WDPA_NEW: Final = Schema("wdpa-2025", aliases=_NATIONAL, keys=_PARCELS)
SITES: Final = Schema("sites", aliases=_NATIONAL, keys=_PARCELS)
ZONES: Final = Schema(
    "zones",
    aliases={"ten": "name", "ma_khu": "site_id", "phan_khu": "zone", "wdpaid": "site_id"},
    recodes={("phankhu", "zone"): _ZONES, ("zone", "zone"): _ZONES},
)
RANGES: Final = Schema(
    "iucn-ranges",
    aliases={
        "binomial": "sci_name",
        "scientificName": "sci_name",
        "scientific_name": "sci_name",
        "species": "sci_name",
        "terrestria": "terrestrial",
        "year_": "yrcompiled",
        "year": "yrcompiled",
    },
    keys=(
        ("id_no", "presence", "origin", "seasonal", "subspecies", "subpop", "island"),
        ("sci_name", "presence", "origin", "seasonal", "subspecies", "subpop", "island"),
    ),
)
DARWIN_CORE: Final = Schema(
    "darwin-core",
    aliases={"sci_name": "scientific_name", "species": "scientific_name", "gbifID": "occurrence_id"},
    keys=(("occurrence_id",),),
    verbatim={"event_date": "verbatim_event_date"},
)
UNITS: Final = Schema(
    "units",
    aliases={
        "province_code": "parent_code",
        "ma_tinh": "code",
        "ten_tinh": "name",
        "ten": "name",
        "ma": "code",
        "shapeName": "name",
        "shapeISO": "code",
    },
    keys=(("code", "valid_from"),),
)
PLOTS: Final = Schema(
    "plots",
    aliases={
        "locationID": "location_id",
        "site": "location_id",
        "plot": "location_id",
        "plot_id": "location_id",
    },
    keys=(("location_id",),),
)
NAMED: Final = Schema("named", aliases={"ten": "name", "ma": "code"}, keys=(("code",),))

_BY_TABLE: Final[Mapping[str, Schema]] = {
    "management_zone": ZONES,
    "species_range": RANGES,
    "occurrence": DARWIN_CORE,
    "admin_unit": UNITS,
    "plot": PLOTS,
}


def schema_for(table: str, fields: Sequence[str]) -> Schema:
    """The schema of a file for that table; Ambiguous where it mixes both versions of WDPA."""
    if table != "protected_area":
        return _BY_TABLE.get(table, NAMED)
    names = {name.lower() for name in fields}
    old, new = sorted(names & WDPA_OLD_MARKS), sorted(names & WDPA_NEW_MARKS)
    if old and new:
        raise Ambiguous(old, new)
    return WDPA_OLD if old else WDPA_NEW if new else SITES
