"""For each rule rows in which it finds nothing and rows in which it does, on either side of its threshold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any, Final

import numpy as np
import shapely

from gis_service.checks import Before
from gis_service.checks.shapes import DEGREE_M
from gis_service.checks.vocabulary import MAB, RAMSAR, WORLD_HERITAGE
from tests.checks.clean import AREA, KM2, PROVINCE

Changes = dict[str, Any]
PA: Final = "protected-areas"
METRE: Final = 1 / DEGREE_M  # of latitude, in degrees
METRE_EAST: Final = METRE / cos(radians(20.1234))
AT: Final = (105.1234, 20.1234)


@dataclass(frozen=True)
class Example:
    """Each of `good` and `bad` is one submission: a row's changes, or those of several rows."""

    rule: str
    layer: str
    good: Sequence[Changes | list[Changes]]
    bad: Sequence[Changes | list[Changes]]


def box(west: float, south: float, width_m: float, height_m: float) -> shapely.Polygon:
    """A box of so many metres at about 20 N."""
    return shapely.box(west, south, west + width_m * METRE_EAST, south + height_m * METRE)


def with_spike(half_width_m: float, length_m: float) -> shapely.Polygon:
    """The clean area with a spike on its northern edge: its angle is twice atan(half width / length)."""
    west, south, east, north = AREA.bounds
    middle, step = (west + east) / 2, half_width_m * METRE_EAST
    top = [(middle + step, north), (middle, north + length_m * METRE), (middle - step, north)]
    return shapely.Polygon([(west, south), (east, south), (east, north), *top, (west, north)])


def with_vertices(number: int) -> shapely.Polygon:
    """The clean area as a circle of so many vertices, the closing one among them."""
    angle = np.linspace(0, 2 * np.pi, number)
    ring = np.column_stack([105.5 + 0.05 * np.cos(angle), 20.4 + 0.05 * np.sin(angle)])
    ring[-1] = ring[0]
    return shapely.Polygon(ring)


def moved(shape: Any, east: float = 0.0, north: float = 0.0) -> Any:
    """The shape elsewhere, in degrees, of the same kind."""
    return shapely.transform(shape, lambda coords: np.add(coords, (east, north)))


def parcel(**changes: Any) -> Changes:
    """A second parcel of the clean site, to the east of the first."""
    return {"site_pid": "900001_B", "geom": moved(AREA, 0.2), "decided_area_ha": 200 * KM2, **changes}


def other(**changes: Any) -> Changes:
    """Another site of the same designation."""
    return {"site_id": 900002, "site_pid": "900002", "name": "Khu B", **changes}


FIRST: Final[Changes] = {"site_pid": "900001_A", "decided_area_ha": 200 * KM2}
HALF: Final = shapely.box(105.1234, 20.1234, 105.1734, 20.2234)
TWO_PARTS: Final = shapely.MultiPolygon([AREA, box(105.4, 20.4004, 10.5, 10)])
DAY: Final = dt.date

CELLS: Final = (
    Example("cell-required", PA, [{"name": "A"}], [{"name": None}, {"name": " "}, {"name": float("nan")}]),
    Example("cell-required", "measurements", [{}], [{"measurement_value": ""}]),
    Example("cell-allowed", PA, [{"status": None}], [{"status": "designated"}, {"gov_type": "King"}]),
    Example(
        "cell-allowed",
        "species-ranges",
        [{"presence": 6}, {"origin": 2.0}],
        [{"presence": 7}, {"seasonal": 6}],
    ),
    Example("cell-allowed", "management-zones", [{"zone": "buffer"}], [{"zone": "core"}]),
    Example("cell-number", PA, [{"rep_area": str(KM2)}], [{"rep_area": "12 km"}, {"gis_area": float("inf")}]),
    Example(
        "cell-negative",
        "occurrences",
        [{"individual_count": 0, "occurrence_status": None}],
        [{"individual_count": -1}, {"coordinate_uncertainty_in_meters": -0.5}],
    ),
    Example(
        "cell-date",
        "plots",
        [{"next_due": "2029-05-31"}],
        [{"next_due": "2029-02-30"}, {"established": 2020}],
    ),
    Example(
        "cell-validity",
        PA,
        [{"valid_from": DAY(2020, 1, 1), "valid_to": DAY(2020, 1, 2)}],
        [{"valid_from": DAY(2020, 1, 1), "valid_to": DAY(2020, 1, 1)}],
    ),
)

GEOMETRIES: Final = (
    Example("geometry-missing", PA, [{}], [{"geom": None}, {"geom": shapely.Polygon()}]),
    Example("geometry-point-for-area", PA, [{}], [{"geom": shapely.Point(AT)}]),
    Example("geometry-kind", "plots", [{}], [{"geom": AREA}, {"geom": shapely.MultiPoint([AT])}]),
    Example(
        "geometry-kind",
        PA,
        [{}],
        [{"geom": shapely.LineString([AT, (105.5, 20.5)])}, {"geom": shapely.GeometryCollection([AREA])}],
    ),
    Example(
        "geometry-endless",
        "plots",
        [{}],
        [{"geom": shapely.Point(np.nan, 20)}, {"geom": shapely.Point(1, np.inf)}],
    ),
    Example(
        "geometry-outside-world",
        "plots",
        [{"geom": shapely.Point(180, 90)}],
        [{"geom": shapely.Point(180.0001, 0)}, {"geom": shapely.Point(0, -90.0001)}],
    ),
    Example(
        "geometry-swapped",
        "plots",
        [{"geom": shapely.Point(20.1234, 30)}, {"geom": shapely.Point(8.1, 20.1)}],
        [{"geom": shapely.Point(20.1234, 105.1234)}],
    ),
    Example(
        "geometry-null-island",
        "occurrences",
        [{"geom": shapely.Point(0, 1e-9)}],
        [{"geom": shapely.Point(0, 0)}],
    ),
    Example(
        "geometry-invalid",
        PA,
        [{}],
        [{"geom": shapely.Polygon([(105.1, 20.1), (105.3, 20.3), (105.3, 20.1), (105.1, 20.3)])}],
    ),
    Example(
        "geometry-parts-overlap",
        PA,
        [{"geom": shapely.MultiPolygon([HALF, moved(HALF, 0.05)])}],
        [{"geom": shapely.MultiPolygon([HALF, moved(HALF, 0.04)])}],
    ),
    Example("geometry-vertices", PA, [{"geom": with_vertices(100_000)}], [{"geom": with_vertices(100_001)}]),
    Example(
        "geometry-repeated",
        PA,
        [{}],
        [{"geom": shapely.Polygon([(105.1, 20.1), (105.1, 20.1), (105.2, 20.1), (105.2, 20.2)])}],
    ),
    # 2 atan(0.08 / 10) = 0.92 degrees, 2 atan(0.09 / 10) = 1.03 degrees; the spike itself 10.1 or 9.9 m long.
    Example(
        "geometry-spike",
        PA,
        [{"geom": with_spike(0.09, 10)}, {"geom": with_spike(0.08, 9.9)}],
        [{"geom": with_spike(0.08, 10.1)}],
    ),
    Example(
        "geometry-tiny-part",
        PA,
        [{"geom": TWO_PARTS}],
        [{"geom": shapely.MultiPolygon([AREA, box(105.4, 20.4004, 9.5, 10)])}],
    ),
    Example(
        "geometry-sliver",
        PA,
        [
            {"geom": shapely.MultiPolygon([AREA, box(105.4, 20.4004, 1.2, 200)])},
            {"geom": shapely.MultiPolygon([AREA, box(105.4, 20.4004, 0.9, 8)])},
        ],
        [{"geom": shapely.MultiPolygon([AREA, box(105.4, 20.4004, 0.9, 200)])}],
    ),
    Example(
        "geometry-rounded-area",
        PA,
        [{"geom": shapely.box(105.1, 20.1, 105.2, 20.201)}],
        [{"geom": shapely.box(105.1, 20.1, 105.22, 20.2)}],
    ),
    Example(
        "geometry-rounded-point",
        "occurrences",
        [
            {"geom": shapely.Point(105.12, 20.123)},
            {"geom": shapely.Point(105.12, 20.12), "coordinate_uncertainty_in_meters": 600},
        ],
        [
            {"geom": shapely.Point(105.12, 20.12)},
            {"geom": shapely.Point(105.12, 20.12), "coordinate_uncertainty_in_meters": 500},
        ],
    ),
    Example(
        "jurisdiction-outside",
        "plots",
        [{"geom": shapely.Point(106, 20.55)}],
        [{"geom": shapely.Point(106.0001, 20.55)}],
    ),
    Example("jurisdiction-outside", PA, [{"geom": moved(AREA, 0.8)}], [{"geom": moved(AREA, 0.9)}]),
    # 0.9 and 1.1 thousandths of a degree of 0.1 degrees lie across the boundary at 106 E.
    Example(
        "jurisdiction-partly",
        PA,
        [{"geom": moved(AREA, 0.7766 + 0.0009)}, {"geom": moved(AREA, 0.9)}],
        [{"geom": moved(AREA, 0.7766 + 0.0011)}],
    ),
)

SEA: Final[Changes] = {"realm": "Marine", "no_take": "Part"}
WHS: Final[Changes] = {
    "desig_type": "International",
    "desig_eng": WORLD_HERITAGE,
    "status": "Inscribed",
    "iucn_cat": "Not Applicable",
    "int_crit": "(ix)(x)",
    "national_class": None,
}

ATTRIBUTES: Final = (
    Example(
        "area-reported-fields",
        PA,
        [{"site_type": "OECM", "iucn_cat": "Not Applicable", "oecm_asmt": "Yes", "cons_obj": "Primary"}],
        [{"iucn_cat": None}, {"site_type": "OECM", "iucn_cat": None, "cons_obj": "Primary"}],
    ),
    Example(
        "area-decision-missing", PA, [{"decision_no": None, "status": "Proposed"}], [{"decision_no": None}]
    ),
    Example(
        "area-desig-type-not-applicable",
        PA,
        [{"desig_type": "Not Applicable", "status": "Established"}],
        [{"desig_type": "Not Applicable"}],
    ),
    Example("area-desig-international", PA, [WHS], [{**WHS, "desig_eng": "World Heritage"}]),
    Example(
        "area-desig-regional",
        PA,
        [{"desig_type": "Regional", "desig_eng": "ASEAN Heritage Park"}],
        [{"desig_type": "Regional", "desig_eng": "ASEAN Park"}],
    ),
    Example("area-desig-level", PA, [WHS], [{**WHS, "desig_type": "National"}]),
    Example(
        "area-iucn-oecm", PA, [{"site_type": "OECM", "iucn_cat": "Not Applicable"}], [{"site_type": "OECM"}]
    ),
    Example("area-iucn-convention", PA, [WHS], [{**WHS, "iucn_cat": "II"}, {"desig_eng": MAB}]),
    Example("area-iucn-not-applicable", PA, [WHS], [{"iucn_cat": "Not Applicable"}]),
    Example("area-status-inscribed", PA, [WHS], [{"status": "Inscribed"}]),
    Example(
        "area-status-adopted",
        PA,
        [{"status": "Adopted", "desig_eng": "SPAMI (Barcelona Convention)"}],
        [{"status": "Adopted"}],
    ),
    Example(
        "area-criteria-missing",
        PA,
        [WHS, {**WHS, "int_crit": "Not Reported"}],
        [
            {**WHS, "int_crit": None},
            {**WHS, "int_crit": "(xi)"},
            {**WHS, "desig_eng": RAMSAR, "int_crit": "3"},
        ],
    ),
    Example("area-criteria-elsewhere", PA, [{"int_crit": "Not Applicable"}], [{"int_crit": "(i)"}]),
    Example(
        "area-year",
        PA,
        [{"status_yr": 0}, {"status_yr": 1819}, {"status_yr": 2026}],
        [{"status_yr": 1818}, {"status_yr": 2027}, {"status_yr": 2001.5}],
    ),
    Example("area-year-of-decision", PA, [{"status_yr": 2001}], [{"status_yr": 2000}]),
    Example(
        "area-decision-date",
        PA,
        [{"decision_date": DAY(2026, 7, 31)}, {"decision_date": DAY(1819, 1, 1)}],
        [{"decision_date": DAY(2026, 8, 1)}, {"decision_date": DAY(1818, 12, 31)}],
    ),
    Example("area-no-take-on-land", PA, [{"no_take": None}], [{"no_take": "None"}]),
    Example("area-no-take-at-sea", PA, [SEA], [{**SEA, "no_take": "Not Applicable"}]),
    Example(
        "area-no-take-area",
        PA,
        [{"no_tk_area": 0}, {**SEA, "no_tk_area": 1}],
        [{"no_tk_area": 1}, {**SEA, "no_take": "None", "no_tk_area": 1}],
    ),
    Example(
        "area-no-take-all",
        PA,
        [{**SEA, "no_take": "All", "no_tk_area": 5, "rep_m_area": 5}],
        [{**SEA, "no_take": "All", "no_tk_area": 4.9, "rep_m_area": 5}],
    ),
    Example(
        "area-part-larger",
        PA,
        [{**SEA, "no_tk_area": 5, "rep_m_area": 5}, {"gis_m_area": KM2}],
        [{**SEA, "no_tk_area": 5.1, "rep_m_area": 5}, {"gis_m_area": KM2 + 1}, {"rep_m_area": KM2 + 1}],
    ),
    Example("area-marine-missing", PA, [{**SEA, "rep_m_area": 1}], [{**SEA, "rep_m_area": 0}, SEA]),
    Example(
        "area-realm",
        PA,
        [
            {"gis_area": 100, "gis_m_area": 10},
            {"realm": "Coastal", "gis_area": 100, "gis_m_area": 10},
            {"realm": "Marine", "gis_area": 100, "gis_m_area": 90},
        ],
        [{"gis_area": 100, "gis_m_area": 10.1}, {"realm": "Marine", "gis_area": 100, "gis_m_area": 89.9}],
    ),
    Example(
        "area-transboundary",
        PA,
        [{"gov_type": "Transboundary governance", "iso3": "VNM;LAO"}],
        [{"gov_type": "Transboundary governance"}],
    ),
    Example(
        "area-ownership",
        PA,
        [{"gov_type": "Individual landowners", "own_type": "Individual landowners"}],
        [{"gov_type": "Individual landowners"}],
    ),
    Example("area-verified", PA, [{"verif": "Not Reported", "metadataid": None}], [{"metadataid": None}]),
    Example(
        "area-management-level",
        PA,
        [{"management_level": "provincial", "gov_type": "Joint governance"}],
        [{"management_level": "provincial"}],
    ),
    Example("area-class-category", PA, [{"iucn_cat": "Not Assigned"}], [{"iucn_cat": "IV"}]),
    Example(
        "area-country",
        PA,
        [{"iso3": "VNM;LAO"}, {"prnt_iso3": "FRA"}],
        [{"iso3": "VIE"}, {"iso3": "VNM, LAO"}],
    ),
)

NEIGHBOURS: Final = (
    Example(
        "site-parcel-id", PA, [{"site_pid": "900001_A"}], [{"site_pid": "900002"}, {"site_pid": "900001-A"}]
    ),
    Example("site-parcel-twice", PA, [[FIRST, parcel()]], [[{}, parcel(site_pid="900001")]]),
    Example("site-parcels-disagree", PA, [[FIRST, parcel()]], [[FIRST, parcel(status_yr=2002)]]),
    Example(
        "site-decided-area",
        PA,
        [{"decided_area_ha": 100 * KM2 / 1.0499}, [FIRST, parcel()]],
        [{"decided_area_ha": 100 * KM2 / 1.0501}, {"decided_area_ha": 200 * KM2}],
    ),
    # A box of 2 by 1 degrees: 5 % of it are more than 50 km².
    Example(
        "site-reported-area",
        PA,
        [{"rep_area": KM2 / 1.2}, {"geom": PROVINCE, "rep_area": 11548.377 / 1.0499}],
        [{"geom": PROVINCE, "rep_area": 11548.377 / 1.0501}],
    ),
    Example(
        "site-reported-far",
        PA,
        [{"geom": box(*AT, 2000, 1000), "rep_area": 1.01}, {"geom": box(*AT, 900, 1000), "rep_area": 0.2}],
        [{"geom": box(*AT, 2000, 1000), "rep_area": 0.99}],
    ),
    Example(
        "site-hectares", PA, [{"rep_area": 80 * KM2}], [{"rep_area": 100 * KM2}, {"rep_area": KM2 / 100}]
    ),
    Example("site-gis-area", PA, [{"gis_area": 1.0063 * KM2}], [{"gis_area": 1.0101 * KM2}]),
    Example("site-tiny", PA, [{"geom": box(*AT, 10.2, 10)}], [{"geom": box(*AT, 9.8, 10)}]),
    Example(
        "site-overlap",
        PA,
        [
            [{}, other(geom=moved(AREA, 0.1))],
            [{}, other(geom=moved(AREA, 0.05), desig="Khu Ramsar")],
            [{}, parcel(geom=moved(AREA, 0.05))],
        ],
        [[{}, other(geom=moved(AREA, 0.05))], [{}, other(geom=moved(AREA, 0.1 - 11 * METRE_EAST))]],
    ),
    Example(
        "site-thin-overlap",
        PA,
        [[{}, other(geom=moved(AREA, 0.1 - 11 * METRE_EAST))]],
        [[{}, other(geom=moved(AREA, 0.1 - 9 * METRE_EAST))]],
    ),
    # Two boxes of 0.1 degrees, m apart, share 0.1 - m of 0.1 + m: 0.951 at 0.0025 and 0.949 at 0.0026.
    Example(
        "site-same-again",
        PA,
        [[{}, other(geom=moved(AREA, 0.0026))], [{}, other(desig="Vườn di sản ASEAN")]],
        [[{}, other(geom=moved(AREA, 0.0025))], [{}, other(desig="Vườn di sản ASEAN", name="KHU A")]],
    ),
    Example(
        "site-same-name",
        PA,
        [[FIRST, parcel()], [{}, other(geom=moved(AREA, 0.3))]],
        [[{}, other(name="khu  A", geom=moved(AREA, 0.3))]],
    ),
    Example("unit-official-area", "communes", [{"area_km2": KM2 / 1.099}], [{"area_km2": KM2 / 1.101}]),
)

NOON: Final = dt.datetime(2026, 7, 31, 12, tzinfo=dt.UTC)
SPECIES: Final = (
    Example(
        "taxon-unknown",
        "occurrences",
        [{"scientific_name": "Azemiops  feae Boulenger, 1888"}],
        [{"scientific_name": "Azemiops fea"}],
    ),
    Example("taxon-synonym", "species-ranges", [{}], [{"sci_name": "Vipera feae"}]),
    Example(
        "record-future", "occurrences", [{"event_date": NOON}], [{"event_date": NOON + dt.timedelta(days=1)}]
    ),
    Example("record-ancient", "occurrences", [{"event_date": "1500-01-01"}], [{"event_date": "1499-12-31"}]),
    Example("record-undated", "occurrences", [{}], [{"event_date": None}]),
    Example(
        "record-span",
        "occurrences",
        [{"verbatim_event_date": "2024-05-01/2024-05-01"}],
        [{"verbatim_event_date": "2024-05-02/2024-05-01"}],
    ),
    Example(
        "record-centre",
        "occurrences",
        [{"geom": shapely.Point(105.5, 20.5 + 1001 * METRE)}],
        [{"geom": shapely.Point(105.5, 20.5 + 999 * METRE)}],
    ),
    Example(
        "record-on-land",
        "occurrences",
        [{"scientific_name": "Caretta caretta", "geom": shapely.Point(106.51, 20.513)}],
        [{"scientific_name": "Caretta caretta"}],
    ),
    Example(
        "record-at-sea",
        "occurrences",
        [{"geom": shapely.Point(106 + 999 * METRE, 20.513)}],
        [{"geom": shapely.Point(106 + 1001 * METRE, 20.513)}],
    ),
    Example(
        "record-count",
        "occurrences",
        [{"occurrence_status": "absent", "individual_count": 0}],
        [{"occurrence_status": "absent", "individual_count": 1}, {"individual_count": 0}],
    ),
    Example(
        "record-exact",
        "occurrences",
        [{"coordinate_uncertainty_in_meters": 0.1}],
        [{"coordinate_uncertainty_in_meters": 0}],
    ),
    Example(
        "record-uncertain",
        "occurrences",
        [{"coordinate_uncertainty_in_meters": 100_000}],
        [{"coordinate_uncertainty_in_meters": 100_001}],
    ),
    Example(
        "record-same-again",
        "occurrences",
        [
            [{}, {"geom": shapely.Point(105.123456 + 1.1e-5, 20.123456)}],
            [{}, {"recorded_by": "R. Two"}],
            [{}, {"event_date": "2024-06-01"}],
        ],
        [[{}, {"geom": shapely.Point(105.123456 + 0.9e-5, 20.123456)}]],
    ),
    Example("range-codes", "species-ranges", [{}], [{"origin": None}]),
    Example("range-presence-retired", "species-ranges", [{"presence": 3}], [{"presence": 2}]),
    Example("range-extinct", "species-ranges", [{"category": "EX", "presence": 5}], [{"category": "EX"}]),
    Example(
        "range-compiled",
        "species-ranges",
        [{"yrcompiled": 1900}, {"yrcompiled": 2026}],
        [{"yrcompiled": 1899}, {"yrcompiled": 2027}],
    ),
    Example(
        "range-same-again",
        "species-ranges",
        [[{}, {"geom": moved(AREA, 0.0026)}], [{}, {"seasonal": 2}]],
        [[{}, {"geom": moved(AREA, 0.0025)}]],
    ),
)

BEFORE: Final = Before({}, shapely.Point(105.123456, 20.123456 - 30.5 * METRE))
MONITORING: Final = (
    Example("plot-future", "plots", [{"last_visit": DAY(2026, 7, 31)}], [{"last_visit": DAY(2026, 8, 1)}]),
    Example("plot-order", "plots", [{"last_visit": DAY(2020, 1, 1)}], [{"last_visit": DAY(2019, 12, 31)}]),
    Example("plot-due", "plots", [{"next_due": DAY(2024, 5, 31)}], [{"next_due": DAY(2024, 5, 30)}]),
    Example("plot-visited-closed", "plots", [{"closed": DAY(2024, 5, 31)}], [{"closed": DAY(2024, 5, 30)}]),
    Example(
        "plot-size",
        "plots",
        [{"area_m2": 1_000_000}, {"area_m2": 0.1}],
        [{"area_m2": 1_000_001}, {"area_m2": 0}],
    ),
    Example(
        "plot-elevation", "plots", [{"elevation_m": -440}, {"elevation_m": 8849}], [{"elevation_m": -441}]
    ),
    Example(
        "plot-moved",
        "plots",
        [
            {"before": Before({}, shapely.Point(105.123456, 20.123456 - 29.5 * METRE))},
            {"before": BEFORE, "coordinate_uncertainty_in_meters": 31},
        ],
        [{"before": BEFORE}, {"before": BEFORE, "coordinate_uncertainty_in_meters": 30}],
    ),
    Example(
        "plot-same-id",
        "plots",
        [[{}, {"location_id": "P2", "geom": shapely.Point(105.2, 20.3)}]],
        [[{}, {"geom": shapely.Point(105.2, 20.3)}]],
    ),
    Example(
        "plot-same-place",
        "plots",
        [[{}, {"location_id": "P2", "geom": shapely.Point(105.123456 + 1.1e-5, 20.123456)}]],
        [[{}, {"location_id": "P2", "geom": shapely.Point(105.123456 + 0.9e-5, 20.123456)}]],
    ),
    Example("visit-plot-unknown", "visits", [{}], [{"location_id": "P2"}]),
    Example("visit-early", "visits", [{"event_date": DAY(2020, 1, 1)}], [{"event_date": DAY(2019, 12, 31)}]),
    Example("visit-late", "visits", [{"event_date": DAY(2025, 1, 1)}], [{"event_date": DAY(2025, 1, 2)}]),
    Example("visit-future", "visits", [{"event_date": DAY(2026, 7, 31)}], [{"event_date": DAY(2026, 8, 1)}]),
    Example(
        "visit-span", "visits", [{"event_date_end": DAY(2024, 5, 31)}], [{"event_date_end": DAY(2024, 5, 30)}]
    ),
    Example(
        "visit-sample-unit",
        "visits",
        [{"sample_size_value": None, "sample_size_unit": None}],
        [{"sample_size_unit": None}],
    ),
    Example(
        "measurement-impossible",
        "measurements",
        [
            {"measurement_value": "0"},
            {"measurement_type": "Crown cover", "measurement_unit": "%", "measurement_value": 100},
        ],
        [
            {"measurement_value": "-0.1"},
            {"measurement_type": "crown cover", "measurement_unit": "percent", "measurement_value": 100.1},
        ],
    ),
    Example(
        "measurement-unlikely",
        "measurements",
        [
            {"measurement_value": 300},
            {"measurement_value": 3, "measurement_unit": "m"},
            {"measurement_value": 3001, "measurement_unit": "feet"},
        ],
        [
            {"measurement_value": 301},
            {"measurement_value": 3.01, "measurement_unit": "m"},
            {"measurement_type": "Hvn", "measurement_value": 7001, "measurement_unit": "cm"},
        ],
    ),
    Example(
        "measurement-unit",
        "measurements",
        [{"measurement_type": "pH", "measurement_value": 7, "measurement_unit": None}],
        [{"measurement_unit": None}],
    ),
)

EXAMPLES: Final = (*CELLS, *GEOMETRIES, *ATTRIBUTES, *NEIGHBOURS, *SPECIES, *MONITORING)
