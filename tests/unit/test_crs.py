"""Names of reference systems and the axis order that their authority gives them."""

import warnings
from collections.abc import Iterable

import pytest

from gis_service.geo import axes, crs
from gis_service.geo.bbox import Box, northing_last
from gis_service.geo.crs import CRS84, WGS84, Systems

SYSTEMS = Systems(frozenset({3405, 3857, 4326, 4756, 4978, 5773, 9210}))


@pytest.mark.parametrize(
    "name",
    [
        "http://www.opengis.net/def/crs/EPSG/0/3405",
        "https://www.opengis.net/def/crs/EPSG/0/3405",
        "http://www.opengis.net/def/crs/EPSG/9.9.1/3405",
        "urn:ogc:def:crs:EPSG::3405",
        "urn:ogc:def:crs:EPSG:9.9.1:3405",
        "[EPSG:3405]",
        "EPSG:3405",
        "epsg:3405",
    ],
)
def test_a_system_has_many_names_and_one_meaning(name: str) -> None:
    assert SYSTEMS.resolve(name) == crs.Crs(
        "http://www.opengis.net/def/crs/EPSG/0/3405", 3405, northing_first=False, degrees=False
    )


@pytest.mark.parametrize("name", [CRS84, CRS84.replace("http:", "https:"), "OGC:CRS84", "[OGC:CRS84]",
                                  "urn:ogc:def:crs:OGC:1.3:CRS84"])  # fmt: skip
def test_crs84_is_longitude_before_latitude(name: str) -> None:
    assert SYSTEMS.resolve(name) is WGS84


def test_epsg_4326_is_latitude_before_longitude() -> None:
    assert SYSTEMS.resolve("EPSG:4326") == crs.Crs(
        "http://www.opengis.net/def/crs/EPSG/0/4326", 4326, northing_first=True, degrees=True
    )


@pytest.mark.parametrize(
    "name",
    [
        "EPSG:99999",  # nobody knows it
        "EPSG:3406",  # known to EPSG, not to this database
        "EPSG:4978",  # from the centre of the Earth
        "EPSG:5773",  # heights alone
        "EPSG:0",
        "[EPSG:3405",
        "3405",
        "EPSG:٣٤٠٥",
        "http://www.opengis.net/def/crs/EPSG/0/3405/",
        "http://example.org/EPSG/0/3405",
        "http://www.opengis.net/def/crs/OGC/0/CRS84h",
        "",
        "\x00",
    ],
)
def test_what_is_no_known_system_of_a_plane_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SYSTEMS.resolve(name)


def test_what_is_offered_begins_with_the_default_and_holds_what_the_database_knows() -> None:
    """Row C7."""
    assert SYSTEMS.offered((4326, 3405, 3406, 4978)) == (
        CRS84,
        "http://www.opengis.net/def/crs/EPSG/0/4326",
        "http://www.opengis.net/def/crs/EPSG/0/3405",
    )


def test_a_box_is_read_in_the_axis_order_of_its_system() -> None:
    vn2000 = SYSTEMS.resolve("EPSG:4756")
    assert Box.from_numbers([20, 105, 21, 106], vn2000) == Box(105, 20, 106, 21, vn2000)
    assert northing_last([20, 105, -5, 21, 106, 900]) == [105, 20, -5, 106, 21, 900]


def test_only_a_box_in_degrees_goes_round_the_earth() -> None:
    vn2000, utm = SYSTEMS.resolve("EPSG:4756"), SYSTEMS.resolve("EPSG:3405")
    assert Box(177, 0, -177, 1, vn2000).parts() == (
        Box(177, 0, 180, 1, vn2000),
        Box(-180, 0, -177, 1, vn2000),
    )
    with pytest.raises(ValueError, match="lower corner"):
        Box(600_000, 0, 500_000, 1, utm)


def test_the_table_of_axes_is_what_the_epsg_dataset_says() -> None:
    from pyproj import CRS
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    found: dict[str, set[int]] = {name: set() for name in KINDS.values()}
    for kind in (PJType.GEOGRAPHIC_2D_CRS, PJType.PROJECTED_CRS):
        for info in query_crs_info("EPSG", kind, allow_deprecated=True):
            with warnings.catch_warnings(action="ignore"):
                axis = CRS.from_epsg(int(info.code)).axis_info
            if len(axis) == 2:
                degrees = kind is PJType.GEOGRAPHIC_2D_CRS
                found[KINDS[degrees, _changed_over(axis)]].add(int(info.code))
    for name, codes in found.items():
        assert " ".join(getattr(axes, name).split()) == _runs(codes), name


KINDS = {
    (False, False): "EASTING_FIRST",
    (False, True): "NORTHING_FIRST",
    (True, True): "LATITUDE_FIRST",
    (True, False): "LONGITUDE_FIRST",
}


def _changed_over(axis: list) -> bool:  # type: ignore[type-arg]  # pyproj has no types
    """Whether PROJ changes the axes over to have x before y, as PostGIS holds them.

    Systems of the poles have both axes northward (or southward), so there the names decide.
    """
    directions = (axis[0].direction, axis[1].direction)
    polar = directions in (("north", "north"), ("south", "south"))
    return directions == ("north", "east") or (polar and axis[0].name.lower().startswith("northing"))


def _runs(codes: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and code == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], code]
        else:
            runs.append([code])
    return " ".join("-".join(map(str, run)) for run in runs)
