"""Allowed values, kinds of columns and kinds of geometry by layer (domain 3.1 to 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AREA: Final = ("Polygon", "MultiPolygon")
POINT: Final = ("Point",)

# The geometry of each layer; visits and measurements have none of their own.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "protected-areas": AREA,
    "management-zones": AREA,
    "species-ranges": AREA,
    "provinces": AREA,
    "communes": AREA,
    "sea-areas": AREA,
    "ecoregions": AREA,
    "occurrences": POINT,
    "plots": POINT,
}

ALLOWED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "protected-areas": {
        "site_type": ("PA", "OECM"),
        "desig_type": ("National", "Regional", "International", "Not Applicable"),
        "iucn_cat": (
            "Ia", "Ib", "II", "III", "IV", "V", "VI", "Not Reported", "Not Applicable", "Not Assigned",
        ),
        "realm": ("Terrestrial", "Coastal", "Marine"),
        "no_take": ("All", "Part", "None", "Not Reported", "Not Applicable"),
        "status": ("Proposed", "Inscribed", "Adopted", "Designated", "Established", "Not Reported"),
        "gov_type": (
            "Federal or national ministry or agency", "Sub-national ministry or agency",
            "Government-delegated management", "Transboundary governance", "Collaborative governance",
            "Joint governance", "Individual landowners", "Non-profit organisations",
            "For-profit organisations", "Indigenous peoples", "Local communities", "Not Reported",
        ),
        "own_type": (
            "State", "Communal", "Individual landowners", "For-profit organisations",
            "Non-profit organisations", "Joint ownership", "Multiple ownership", "Contested", "Not Reported",
        ),
        "verif": ("State Verified", "Expert Verified", "Not Reported"),
        "national_class": (
            "national park", "nature reserve", "species and habitat conservation area",
            "landscape protection area", "marine protected area", "research forest",
            "national botanical garden", "national seed forest",
        ),
        "management_level": ("national", "provincial"),
    },
    "management-zones": {"zone": ("strict", "restoration", "service", "buffer")},
    "species-ranges": {
        "presence": ("1", "2", "3", "4", "5", "6"),
        "origin": ("1", "2", "3", "4", "5", "6"),
        "seasonal": ("1", "2", "3", "4", "5"),
        "category": ("EX", "EW", "CR", "EN", "VU", "NT", "LC", "DD", "NE"),
    },
    "occurrences": {
        "basis_of_record": (
            "PreservedSpecimen", "FossilSpecimen", "LivingSpecimen", "MaterialSample", "MaterialEntity",
            "MaterialCitation", "HumanObservation", "MachineObservation", "Event", "Taxon", "Occurrence",
        ),
        "occurrence_status": ("present", "absent"),
    },
    "plots": {
        "plot_type": (
            "plot", "subplot", "transect", "camera trap", "point count", "listening post", "trap", "other",
        ),
        "shape": ("square", "rectangle", "circle", "line", "point", "other"),
        "status": ("planned", "active", "paused", "closed", "lost"),
    },
    "sea-areas": {
        "sea_type": (
            "internal waters", "territorial sea", "contiguous zone", "exclusive economic zone",
            "continental shelf", "high seas", "other",
        ),
    },
}  # fmt: skip

# Columns of numbers; those that may be negative are marked False.
NUMBERS: Final[Mapping[str, Mapping[str, bool]]] = {
    "protected-areas": dict.fromkeys(
        ("rep_area", "rep_m_area", "gis_area", "gis_m_area", "no_tk_area", "status_yr", "decided_area_ha"),
        True,
    ),
    "management-zones": {"decided_area_ha": True},
    "species-ranges": {"yrcompiled": True},
    "occurrences": dict.fromkeys(
        ("individual_count", "coordinate_uncertainty_in_meters", "coordinate_precision"), True
    ),
    "plots": {"area_m2": True, "elevation_m": False},
    "visits": dict.fromkeys(("sample_size_value", "sampling_effort_value", "event_duration_value"), True),
    "provinces": {"area_km2": True},
    "communes": {"area_km2": True},
    "sea-areas": {"area_km2": True},
}

DATES: Final[Mapping[str, tuple[str, ...]]] = {
    "protected-areas": ("decision_date", "valid_from", "valid_to"),
    "management-zones": ("decision_date", "valid_from", "valid_to"),
    "occurrences": ("event_date",),
    "plots": ("established", "closed", "last_visit", "next_due"),
    "visits": ("event_date", "event_date_end"),
    "measurements": ("measurement_determined_date",),
    "provinces": ("valid_from", "valid_to"),
    "communes": ("valid_from", "valid_to"),
}

# What a row can't do without in its table.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "protected-areas": ("name",),
    "management-zones": ("zone",),
    "species-ranges": ("sci_name",),
    "occurrences": ("scientific_name",),
    "provinces": ("code", "name"),
    "communes": ("code", "name"),
    "sea-areas": ("name",),
    "ecoregions": ("name",),
    "visits": ("event_id",),
    "measurements": ("measurement_type", "measurement_value"),
}

# What the WDPA asks of a record of each type; an OECM says how it was assessed and what it is for.
REPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    "PA": ("desig", "desig_type", "iucn_cat", "status", "status_yr", "rep_area", "gov_type", "iso3"),
    "OECM": ("desig", "status", "status_yr", "rep_area", "gov_type", "iso3", "oecm_asmt", "cons_obj"),
}

MAB: Final = "UNESCO-MAB Biosphere Reserve"
RAMSAR: Final = "Ramsar Site, Wetland of International Importance"
WORLD_HERITAGE: Final = "World Heritage Site (natural or mixed)"
INTERNATIONAL: Final = (RAMSAR, MAB, WORLD_HERITAGE)
# Those that the quality rules of the WDPA list, and the ASEAN parks of our first users.
REGIONAL: Final = (
    "Baltic Sea Protected Area (HELCOM)", "Specially Protected Area (Cartagena Convention)",
    "Marine Protected Area (CCAMLR)", "Marine Protected Area (OSPAR)",
    "Site of Community Importance (Habitats Directive)", "Special Protection Area (Birds Directive)",
    "Specially Protected Areas of Mediterranean Importance (Barcelona Convention)", "ASEAN Heritage Park",
)  # fmt: skip

# All parcels of a site say the same here (QA 4.2).
OF_THE_SITE: Final = (
    "name", "name_eng", "desig", "desig_eng", "desig_type", "iucn_cat", "int_crit", "no_take", "status",
    "status_yr", "gov_type", "own_type", "mang_auth", "mang_plan", "verif", "metadataid", "prnt_iso3", "iso3",
)  # fmt: skip

TYPICAL_IUCN: Final[Mapping[str, tuple[str, ...]]] = {  # domain 3.4
    "national park": ("II",),
    "nature reserve": ("Ia", "IV"),
    "species and habitat conservation area": ("IV",),
    "landscape protection area": ("III", "V"),
}
NO_CATEGORY: Final = ("Not Reported", "Not Applicable", "Not Assigned")

# ISO 3166-1 alpha-3; ABNJ is the WDPA's for the high seas.
_ISO3: Final = """
    ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR
    BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL
    COM CPV CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK
    FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV
    HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO
    LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG
    MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN
    PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE
    SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO
    TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE
    ABNJ
"""
ISO3: Final = frozenset(_ISO3.split())

# Bounds of measured values: impossible outside the first two, unlikely outside the last two (cm, m, %, °C).
RANGES: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "dbh cm": (0, 2_000, 1, 300),
    "height m": (0, 130, 0.1, 70),
    "cover %": (0, 100, 0, 100),
    "ph": (0, 14, 3, 10),
    "temperature °c": (-90, 60, -10, 45),
    "count": (0, 1e9, 0, 1e5),
}
# Names under which those values are reported, folded.
MEASURES: Final[Mapping[str, str]] = {
    "dbh": "dbh cm", "diameter at breast height": "dbh cm", "d1.3": "dbh cm", "d13": "dbh cm",
    "height": "height m", "tree height": "height m", "hvn": "height m",
    "crown cover": "cover %", "canopy cover": "cover %", "vegetation cover": "cover %", "cover": "cover %",
    "ph": "ph", "soil ph": "ph",
    "temperature": "temperature °c", "air temperature": "temperature °c",
    "water temperature": "temperature °c",
    "count": "count", "number of stems": "count", "individual count": "count",
}  # fmt: skip
# Units and by what they are multiplied to those of RANGES.
UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "cm": ("cm", 1), "mm": ("cm", 0.1), "m": ("m", 1), "%": ("%", 1), "percent": ("%", 1),
    "°c": ("°c", 1), "degc": ("°c", 1), "c": ("°c", 1),
}  # fmt: skip
LENGTHS: Final = {("cm", "m"): 0.01, ("m", "cm"): 100.0}
