"""A small world and one row of each layer in which no rule finds anything.

One province of one degree (105-106 E, 20-21 N), a sea of the same size to the east. The area is a box of
0.1 degrees in the province, whose exact area the box formula gives: 115.9 km².
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from gis_service.checks import Candidate, Context
from gis_service.checks.context import Jurisdiction, Plot, Spot, Taxon
from gis_service.geo import areas

PROVINCE: Final = shapely.box(105, 20, 106, 21)
AREA: Final = shapely.box(105.1234, 20.1234, 105.2234, 20.2234)
KM2: Final = areas.box(105.1234, 20.1234, 105.2234, 20.2234) / 1e6
POINT: Final = shapely.Point(105.123456, 20.123456)
TODAY: Final = dt.date(2026, 7, 31)

CONTEXT: Final = Context(
    TODAY,
    taxa={
        "azemiops feae": Taxon("Azemiops feae", sea=False, land=True),
        "caretta caretta": Taxon("Caretta caretta", sea=True, land=False),
        "vipera feae": Taxon("Vipera feae", accepted="Azemiops feae"),
    },
    provinces=(PROVINCE,),
    seas=(shapely.box(106, 20, 107, 21),),
    jurisdiction=Jurisdiction(("A",), PROVINCE),
    country=(102, 8, 110, 24),
    spots=(Spot("Province A", (105.5, 20.5)),),
    plots={"P1": Plot(dt.date(2020, 1, 1), dt.date(2025, 1, 1))},
)

VALUES: Final[Mapping[str, Mapping[str, object]]] = {
    "protected-areas": {
        "site_id": 900001, "site_pid": "900001", "site_type": "PA", "name": "Khu A", "desig": "Vườn quốc gia",
        "desig_eng": "National Park", "desig_type": "National", "iucn_cat": "II", "realm": "Terrestrial",
        "status": "Designated", "status_yr": 2001, "rep_area": KM2, "gis_area": KM2,
        "no_take": "Not Applicable",
        "gov_type": "Federal or national ministry or agency", "own_type": "State", "iso3": "VNM",
        "national_class": "national park", "management_level": "national", "decision_no": "1/QĐ-TTg",
        "decision_date": dt.date(2001, 6, 1), "decided_area_ha": 100 * KM2, "verif": "State Verified",
        "metadataid": 1,
    },
    "management-zones": {"site_id": 900001, "zone": "strict", "name": "Zone"},
    "species-ranges": {
        "sci_name": "Azemiops feae", "presence": 1, "origin": 1, "seasonal": 1, "category": "LC",
        "yrcompiled": 2020,
    },
    "occurrences": {
        "scientific_name": "Azemiops feae", "basis_of_record": "HumanObservation",
        "occurrence_status": "present",
        "event_date": dt.datetime(2024, 5, 31, 12, tzinfo=dt.UTC), "individual_count": 2,
        "coordinate_uncertainty_in_meters": 30.0, "recorded_by": "R. One", "occurrence_id": "o-1",
    },
    "plots": {
        "location_id": "P1", "plot_type": "plot", "shape": "square", "status": "active", "area_m2": 400.0,
        "elevation_m": 500.0, "established": dt.date(2020, 1, 1), "last_visit": dt.date(2024, 5, 31),
        "next_due": dt.date(2029, 5, 31),
    },
    "provinces": {"code": "A", "name": "Province A", "area_km2": KM2},
    "communes": {"code": "A1", "name": "Commune A1", "area_km2": KM2},
    "sea-areas": {"name": "Sea", "sea_type": "territorial sea"},
    "ecoregions": {"name": "Forest"},
    "visits": {
        "event_id": "v1", "location_id": "P1", "event_date": dt.date(2024, 5, 31),
        "event_date_end": dt.date(2024, 6, 1), "sample_size_value": 400, "sample_size_unit": "m²",
    },
    "measurements": {
        "measurement_type": "dbh", "measurement_value": "31.5", "measurement_unit": "cm",
        "measurement_determined_date": dt.date(2024, 5, 31),
    },
}  # fmt: skip
GEOMETRY: Final[Mapping[str, BaseGeometry | None]] = {
    **dict.fromkeys(VALUES, AREA), "occurrences": POINT, "plots": POINT, "visits": None, "measurements": None,
}  # fmt: skip


def row(layer: str, /, **changes: Any) -> Candidate:
    """The clean row of a layer with other values; `geom`, `before` and `gid` are the candidate's own."""
    made = Candidate(layer, "insert", {}, changes.pop("geom", GEOMETRY[layer]))
    made = replace(made, before=changes.pop("before", None), gid=changes.pop("gid", None))
    return replace(made, values={**VALUES[layer], **changes})
