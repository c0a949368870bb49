"""The bench's rows: each layer of `shapes` with its attributes, as columns ready for COPY."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from tests.bench import shapes
from tests.bench.shapes import Floats, Geometries, Ints, Sizes

VERSION = 3  # raise it when the same seed no longer gives the same rows
TAXA = 3_000
SOURCE = "bench"
FIRST_GID = {"admin_unit": 1, "protected_area": 1_000_001, "species_range": 2_000_001,
             "plot": 3_000_001, "occurrence": 10_000_001}  # fmt: skip
_CATEGORIES = ("Ia", "Ib", "II", "III", "IV", "V", "VI", "Not Reported")
_DESIGNATIONS = (
    "National Park",
    "Nature Reserve",
    "Species and Habitat Conservation Area",
    "Protected Landscape",
)
_SYLLABLES = ("ba", "ce", "do", "fi", "gu", "la", "me", "no", "pi", "ra", "se", "ti", "vo", "xa", "lu", "tra")


@dataclass(frozen=True)
class Rows:
    """The rows of one table in the order of their gid."""

    table: str
    columns: pa.Table


def names(rng: np.random.Generator, n: int) -> NDArray[np.object_]:
    """`n` different made-up two-word names, shaped as scientific names are."""
    parts = np.array(_SYLLABLES)[rng.integers(0, len(_SYLLABLES), size=(n, 6))]
    genus = ["".join(row).capitalize() + "us" for row in parts[:, :3]]
    return np.array(
        [f"{g} {''.join(row)}{i:04d}a" for i, (g, row) in enumerate(zip(genus, parts[:, 3:], strict=True))]
    )


def array_text(codes: Sequence[str]) -> str:
    """PostgreSQL's text of an array of plain words."""
    return "{" + ",".join(codes) + "}"


def province_code(number: int) -> str:
    """The code of a province by its number from 0."""
    return f"B{number + 1:02d}"


def hex_wkb(geometries: Geometries) -> NDArray[np.object_]:
    """EWKB in hexadecimal, SRID 4326."""
    return np.asarray(shapely.to_wkb(shapely.set_srid(geometries, 4326), hex=True, include_srid=True))


def days(rng: np.random.Generator, n: int, first: date, last: date) -> pa.Array:
    """`n` dates between two."""
    start = (first - date(1970, 1, 1)).days
    return pa.array(
        rng.integers(start, start + (last - first) // timedelta(days=1), n).astype(np.int32), pa.date32()
    )


def common(
    table: str, geometry: NDArray[np.object_], jurisdiction: Iterable[str], release: int
) -> dict[str, object]:
    """The system columns that every feature table has."""
    gid = FIRST_GID[table] + np.arange(len(geometry))
    # The id for clients is the gid in digits: so a peer that knows only integer keys has the same ids.
    text = pa.array(gid).cast(pa.string())
    return {
        "gid": gid, "public_id": text, "source_id": text, "basis": constant("simulated", gid),
        "restricted": constant(False, gid), "rev": constant(1, gid), "dataset_id": constant(1, gid),
        "release_from": constant(release, gid), "jurisdiction": list(jurisdiction), "geom": geometry,
    }  # fmt: skip


def constant(value: object, like: Ints) -> pa.Array:
    """A column of one value."""
    return pa.repeat(value, len(like))


def all_rows(seed: int, sizes: Sizes, release: int) -> Iterator[Rows]:
    """Every table of the bench, in the order of loading; the same seed and sizes give the same rows."""
    land = shapes.coast(generator(seed, 0))
    provinces = shapes.provinces(generator(seed, 1), land)
    yield Rows("admin_unit", pa.table(province_columns(provinces, release)))
    areas = shapes.protected_areas(generator(seed, 2), land, sizes.areas)
    yield Rows("protected_area", pa.table(area_columns(generator(seed, 12), areas, provinces, release)))
    ranges = shapes.species_ranges(generator(seed, 3), land, sizes.ranges)
    taxa = names(generator(seed, 5), TAXA)
    yield Rows("species_range", pa.table(range_columns(ranges, provinces, taxa, release)))
    plots = shapes.plot_points(generator(seed, 6), land, sizes.plots)
    yield Rows("plot", pa.table(plot_columns(generator(seed, 16), plots, provinces, release)))
    points = shapes.occurrence_points(generator(seed, 4), land, sizes.occurrences)
    yield Rows(
        "occurrence", pa.table(occurrence_columns(generator(seed, 14), points, provinces, taxa, release))
    )


def generator(seed: int, stream: int) -> np.random.Generator:
    """An independent stream of numbers for one purpose."""
    return np.random.default_rng([seed, stream])


def province_columns(provinces: Geometries, release: int) -> dict[str, object]:
    codes = [province_code(i) for i in range(len(provinces))]
    return common("admin_unit", hex_wkb(provinces), [array_text([c]) for c in codes], release) | {
        "level": ["province"] * len(codes),
        "code": codes,
        "name": [f"Bench province {c}" for c in codes],
        "name_en": [f"Bench province {c}" for c in codes],
        "valid_from": pa.repeat(date(2000, 1, 1), len(codes)),
    }


def met_codes(provinces: Geometries, geometries: Geometries) -> list[str]:
    """For each shape the codes of the provinces that it meets, as PostgreSQL's array text."""
    return [
        array_text([province_code(z) for z in zones]) for zones in shapes.codes_met(provinces, geometries)
    ]


def area_columns(
    rng: np.random.Generator, areas: Geometries, provinces: Geometries, release: int
) -> dict[str, object]:
    n = len(areas)
    label = np.char.add("Bench reserve ", np.arange(1, n + 1).astype(str))
    square_km = np.round(shapely.area(areas) * 12_000, 2)
    return common("protected_area", hex_wkb(areas), met_codes(provinces, areas), release) | {
        "site_id": np.arange(1, n + 1),
        "site_pid": np.arange(1, n + 1).astype(str),
        "site_type": ["PA"] * n,
        "name": label,
        "name_eng": label,
        "desig": np.array(_DESIGNATIONS)[rng.integers(0, 4, n)],
        "desig_eng": np.array(_DESIGNATIONS)[rng.integers(0, 4, n)],
        "desig_type": ["National"] * n,
        "iucn_cat": np.array(_CATEGORIES)[rng.integers(0, len(_CATEGORIES), n)],
        "realm": ["Terrestrial"] * n,
        "status": ["Designated"] * n,
        "status_yr": rng.integers(1960, 2025, n),
        "rep_area": square_km,
        "iso3": ["ZZZ"] * n,
        "prnt_iso3": ["ZZZ"] * n,
        "decided_area_ha": square_km * 100,
    }


def range_columns(
    ranges: Geometries, provinces: Geometries, taxa: NDArray[np.object_], release: int
) -> dict[str, object]:
    n = len(ranges)
    return common("species_range", hex_wkb(ranges), met_codes(provinces, ranges), release) | {
        "sensitivity": pa.repeat(0, n),
        "sci_name": taxa[np.arange(n) % len(taxa)],
        "presence": pa.repeat(1, n),
        "origin": pa.repeat(1, n),
        "seasonal": pa.repeat(1, n),
        "yrcompiled": pa.repeat(2020, n),
    }


def zone_codes(provinces: Geometries, points: Floats) -> NDArray[np.object_]:
    """The province of each point as array text."""
    texts = np.array([array_text([province_code(i)]) for i in range(len(provinces))] + ["{}"], dtype=object)
    return texts[shapes.zone_of_points(provinces, points)]


def plot_columns(
    rng: np.random.Generator, points: Floats, provinces: Geometries, release: int
) -> dict[str, object]:
    n = len(points)
    geometry = hex_wkb(np.asarray(shapely.points(points)))
    return common("plot", geometry, zone_codes(provinces, points), release) | {
        "location_id": np.char.add("BP-", np.arange(1, n + 1).astype(str)),
        "name": np.char.add("Bench plot ", np.arange(1, n + 1).astype(str)),
        "plot_type": ["plot"] * n,
        "stratum": np.array(["evergreen", "dry", "mangrove", "bamboo"])[rng.integers(0, 4, n)],
        "area_m2": np.array([500.0, 1000.0, 2500.0])[rng.integers(0, 3, n)],
        "status": ["active"] * n,
        "established": days(rng, n, date(1995, 1, 1), date(2015, 1, 1)),
        "last_visit": days(rng, n, date(2015, 1, 2), date(2025, 1, 1)),
    }


def occurrence_columns(
    rng: np.random.Generator, points: Floats, provinces: Geometries, taxa: NDArray[np.object_], release: int
) -> dict[str, object]:
    n = len(points)
    geometry = hex_wkb(np.asarray(shapely.points(points)))
    weight = 1 / np.arange(1, len(taxa) + 1) ** 0.8
    species = rng.choice(len(taxa), n, p=weight / weight.sum())
    return common("occurrence", geometry, zone_codes(provinces, points), release) | {
        "sensitivity": pa.repeat(0, n),
        "occurrence_id": pa.array(np.arange(n)).cast(pa.string()),
        "scientific_name": pa.array(taxa).take(pa.array(species)),
        "basis_of_record": ["HumanObservation"] * n,
        "event_date": days(rng, n, date(1980, 1, 1), date(2025, 1, 1)),
        "occurrence_status": ["present"] * n,
        "coordinate_uncertainty_in_meters": rng.integers(5, 5000, n).astype(np.float64),
        "individual_count": rng.integers(1, 30, n),
        "license": ["CC0-1.0"] * n,
    }
