"""Statistics over HTTP: the real server asks the real geoprocessor."""

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import shapely
from shapely.geometry import mapping

from gis_service.access import keystore
from gis_service.cli.__main__ import main
from gis_service.db.sync import SyncDatabase
from gis_service.geo import areas
from gis_service.processes.statistics import STATISTICS
from gis_service.settings import Settings
from tests import sample
from tests.conftest import Starter
from tests.web.worker import running_geoprocessor, running_worker

OPEN_A = areas.box(105.4, 20.4, 105.6, 20.6)
CLOSED_A = areas.box(105.4, 20.7, 105.6, 20.9)


@dataclass
class World:
    """A server with its geoprocessor, the database behind them, and who asks."""

    db: SyncDatabase
    public: httpx.Client
    centre: httpx.Client
    settings: Settings
    dsn: str

    def ask(self, process: str, client: httpx.Client | None = None, **inputs: Any) -> httpx.Response:
        return (client or self.public).post(f"/processes/{process}/execution", json={"inputs": inputs})


@pytest.fixture(scope="module")
def world(
    start_server: Starter, database: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    sample.fill(database)
    home = tmp_path_factory.mktemp("data")
    ours = replace(settings, data_dir=home)
    with SyncDatabase(database) as db, running_geoprocessor(ours, database, home / "engine.log"):
        keystore.ensure_principal(db, sample.CENTRE)
        key = keystore.create(db, sample.CENTRE.name)
        url = start_server(database, data_dir=home, GIS_LIMITS_SYNC_SECONDS="15")
        with (
            httpx.Client(base_url=url, timeout=60) as public,
            httpx.Client(base_url=url, timeout=60, headers={"X-API-Key": key}) as centre,
        ):
            yield World(db, public, centre, ours, database)


def test_coverage_is_answered_at_once_and_to_each_by_its_rights(world: World) -> None:
    a = world.ask("coverage", zones="provinces", targets=[0.09]).json()["zones"][0]
    assert (a["zone"], a["name"]) == ("province-A", "Province A")
    assert a["covered_m2"] == pytest.approx(OPEN_A)
    assert a["share"] == pytest.approx(OPEN_A / areas.box(105, 20, 106, 21))
    assert a["gaps"] == [{"target": 0.09, "gap_m2": pytest.approx(0.09 * a["area_m2"] - OPEN_A)}]
    more = world.ask("coverage", world.centre, zones="provinces").json()
    assert more["zones"][0]["covered_m2"] == pytest.approx(OPEN_A + CLOSED_A)
    assert more["method"]["tier"] == "full"
    assert [each["slug"] for each in more["method"]["datasets"]] == ["open", "closed"]


def test_a_drawn_zone_needs_no_layer(world: World) -> None:
    drawn = mapping(shapely.box(105.5, 20.5, 105.7, 20.6))
    (zone,) = world.ask("coverage", area=drawn, by="site_type").json()["zones"]
    assert zone["area_m2"] == pytest.approx(areas.box(105.5, 20.5, 105.7, 20.6))
    assert zone["share"] == pytest.approx(0.5)


def test_the_sphere_of_older_figures_is_half_a_percent_larger(world: World) -> None:
    exact, sphere = (
        world.ask("coverage", zones="provinces", area_method=method).json()
        for method in ("ellipsoidal", "mollweide_sphere")
    )
    ratio = sphere["together"]["covered_m2"] / exact["together"]["covered_m2"]
    assert 1.0048 < ratio < 1.0063  # Viet Nam from north to south
    assert "mollweide" in sphere["method"]["area_method"]


def test_what_is_committed_is_in_the_next_answer(world: World) -> None:
    half = "ST_Multi(ST_MakeEnvelope(106.4, 20.4, 106.5, 20.6, 4326))"
    world.db.apply([f"update gis.protected_area set geom = {half} where public_id = 'open-B'"])
    zones = world.ask("coverage", zones="provinces").json()["zones"]
    assert zones[1]["covered_m2"] == pytest.approx(OPEN_A / 2)


def test_a_table_for_spreadsheets_has_the_same_numbers(world: World) -> None:
    answer = world.ask("coverage", zones="provinces", format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    known = world.ask("coverage", zones="provinces").json()["zones"][0]
    assert rows[0]["zone"] == "province-A"
    assert float(rows[0]["covered_m2"]) == known["covered_m2"]


@pytest.mark.parametrize(
    ("inputs", "status", "told"),
    [
        ({}, 400, "either `zones`"),
        ({"zones": "nowhere"}, 404, "nowhere"),
        ({"zones": "plots"}, 404, "plots"),
        ({"zones": "provinces", "by": "colour"}, 400, "one of category"),
        ({"zones": "provinces", "targets": [2]}, 400, "between 0 and 1"),
        ({"zones": "provinces", "targets": ["a"]}, 400, "type number"),
        ({"zones": "provinces", "as_of": "tomorrow"}, 400, "a day such as"),
        ({"zones": "provinces", "limit": 3}, 400, "no input limit"),
        ({"area": {"type": "Point", "coordinates": [1, 2]}}, 422, "olygon"),
    ],
)
def test_a_refusal_says_what_is_wrong(world: World, inputs: dict[str, Any], status: int, told: str) -> None:
    answer = world.ask("coverage", **inputs)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told in answer.json()["detail"]
    assert (
        answer.json()["detail"]
        != world.public.post("/processes/coverage/execution?lang=vi", json={"inputs": inputs}).json()[
            "detail"
        ]
    )


def test_the_same_as_a_job(world: World, tmp_path: Path) -> None:
    at_once = world.ask("coverage", zones="provinces").json()
    with running_worker(world.settings, world.dsn, tmp_path / "worker.log"):
        told = world.public.post(
            "/processes/coverage/execution",
            json={"inputs": {"zones": "provinces"}},
            headers={"Prefer": "respond-async"},
        )
        assert told.status_code == 201
        until = time.monotonic() + 30
        while (state := world.public.get(told.headers["location"]).json()["status"]) != "successful":
            assert state in ("accepted", "running")
            assert time.monotonic() < until, (tmp_path / "worker.log").read_text()
            time.sleep(0.1)
    made = world.public.get(told.headers["location"] + "/results").json()
    assert made["zones"] == at_once["zones"]


def test_every_process_is_described(world: World) -> None:
    listed = {each["id"] for each in world.public.get("/processes?f=json").json()["processes"]}
    assert {"overlap-report", "coverage"} <= listed
    described = world.public.get("/processes/coverage?f=json&lang=vi").json()
    assert described["inputs"]["by"]["schema"]["enum"][0] == "category"
    assert "phân hạng" in described["inputs"]["by"]["description"]
    for name in STATISTICS:
        page = world.public.get(f"/processes/{name}?f=html&lang=vi")
        assert (page.status_code, f"process.{name}" in page.text) == (200, False)


def test_a_polygon_is_told_what_it_shares_with_each_layer(world: World) -> None:
    drawn = mapping(shapely.box(105.5, 20.5, 106.1, 20.6))
    size = areas.box(105.5, 20.5, 106.1, 20.6)
    (found,) = world.ask("overlap", area=drawn).json()["projects"]
    assert found["area_m2"] == pytest.approx(size)
    (site,) = found["layers"]["protected-areas"]
    assert (site["id"], site["excluded"]) == ("open-A", None)
    assert site["overlap_m2"] == pytest.approx(areas.box(105.5, 20.5, 105.6, 20.6))
    assert site["share_of_whole"] == pytest.approx(site["overlap_m2"] / OPEN_A)
    assert found["protected"]["covered_m2"] == pytest.approx(site["overlap_m2"])
    provinces = {hit["name"]: hit["overlap_m2"] for hit in found["layers"]["provinces"]}
    assert provinces == {
        "Province A": pytest.approx(areas.box(105.5, 20.5, 106, 20.6)),
        "Province B": pytest.approx(areas.box(106, 20.5, 106.1, 20.6)),
    }
    ranges = {hit["name"]: hit["share_of_project"] for hit in found["layers"]["species-ranges"]}
    assert ranges == {"Speciosus category0": pytest.approx(1)}  # that of category 1 is withheld
    assert found["nearest"][0]["id"] == "open-B"
    both = world.ask("overlap", world.centre, area=drawn).json()["projects"][0]["layers"]["species-ranges"]
    assert len(both) == 2


def test_rings_hold_what_is_nearer_too(world: World) -> None:
    drawn = mapping(shapely.box(105.45, 20.45, 105.55, 20.55))
    (found,) = world.ask("overlap", area=drawn, rings=[0, 1000, 50_000]).json()["projects"]
    near, _, far = found["rings"]
    assert near["area_m2"] == pytest.approx(found["area_m2"])
    assert near["ring_m2"] == pytest.approx(0, abs=1)
    assert found["rings"][1]["ring_covered_m2"] == pytest.approx(found["rings"][1]["ring_m2"])
    assert far["covered_m2"] == pytest.approx(OPEN_A)


def test_what_a_coarse_place_hides_is_not_counted(world: World) -> None:
    drawn = mapping(shapely.box(105, 20, 105.2, 20.2))
    found = world.ask("overlap", area=drawn, layers=["occurrences", "plots"]).json()["projects"][0]
    counted = {each["scientific_name"]: each["records"] for each in found["occurrences"]}
    assert counted["Speciosus category0"] == 1
    assert counted.get("Speciosus category2") is None


def test_features_are_asked_about_one_by_one(world: World) -> None:
    shapes = {"west": shapely.box(105.4, 20.4, 105.5, 20.6), "east": shapely.box(105.5, 20.4, 105.6, 20.6)}
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": mapping(shape)}
        for name, shape in shapes.items()
    ]
    collection = {"type": "FeatureCollection", "features": features}
    found = world.ask("overlap", area=collection, geometry=True, nearest=0).json()["projects"]
    assert [each["project"] for each in found] == ["west", "east"]
    assert [each["protected"]["share"] for each in found] == [pytest.approx(1)] * 2
    shape = shapely.geometry.shape(found[0]["protected"]["geometry"])
    assert shape.equals(shapes["west"])


def test_rows_of_one_species_are_counted_once(world: World) -> None:
    inner = "ST_Multi(ST_MakeEnvelope(105.2, 20.2, 105.9, 20.4, 4326))"
    columns = "source_id, dataset_id, public_id, sci_name, presence, origin, seasonal, geom"
    row = f"'inner', 1, 'inner', 'Speciosus category0', 1, 1, 2, {inner}"
    world.db.apply([f"insert into gis.species_range ({columns}) values ({row})"])
    drawn = mapping(shapely.box(105.3, 20.25, 105.4, 20.35))
    (hit,) = world.ask("overlap", area=drawn).json()["projects"][0]["layers"]["species-ranges"]
    assert hit["share_of_project"] == pytest.approx(1)
    assert hit["whole_m2"] == pytest.approx(areas.box(105.2, 20.2, 106.8, 20.8))
    world.db.apply(["delete from gis.species_range where public_id = 'inner'"])
    assert (
        world.ask("overlap", area=drawn).json()["projects"][0]["layers"]["species-ranges"][0]["id"]
        == "range-0"
    )


RANGE = areas.box(105.2, 20.2, 106.8, 20.8)


def test_species_are_held_against_targets_by_what_the_reader_sees(world: World) -> None:
    found = world.ask("representation").json()
    (species,) = found["species"]  # the range of category 1 is withheld
    target = 1 - 0.9 * (np.log10(RANGE / 1e6) - 3) / (np.log10(250_000) - 3)
    protected = OPEN_A + protected_in_b(world)
    assert (species["species"], species["class"]) == ("Speciosus category0", "partial")
    assert species["range_m2"] == pytest.approx(RANGE)
    assert species["protected_m2"] == pytest.approx(protected)
    assert species["target"] == pytest.approx(target)
    assert species["achievement"] == pytest.approx(protected / RANGE / target)
    assert species["missing_m2"] == pytest.approx(target * RANGE - protected)
    assert found["counts"] == {"gap": 0, "partial": 1, "covered": 0}
    assert found["mean_target_achievement"] == pytest.approx(species["achievement"])
    assert (found["method"]["tier"], found["method"]["target_range"]) == ("public", "whole")


def protected_in_b(world: World) -> float:
    zones = world.ask("coverage", zones="provinces").json()["zones"]
    return float(zones[1]["covered_m2"])


def test_who_sees_more_species_is_told_more(world: World) -> None:
    found = world.ask("representation", world.centre).json()
    assert [each["species"] for each in found["species"]] == ["Speciosus category0", "Speciosus category1"]
    # The closed areas of both provinces reach 20.8, where the range ends.
    closed = 2 * areas.box(105.4, 20.7, 105.6, 20.8)
    public = world.ask("representation").json()["species"][0]["protected_m2"]
    assert found["species"][0]["protected_m2"] == pytest.approx(public + closed)
    one = world.ask("representation", world.centre, species=["Speciosus category1", "No such"]).json()
    assert one["species"] == found["species"][1:]


def test_a_country_has_its_part_of_ranges_and_an_index(world: World) -> None:
    # Zone A alone as the country; a park over its eastern border counts up to there.
    park = "ST_Multi(ST_MakeEnvelope(105.9, 20.4, 106.2, 20.6, 4326))"
    world.db.apply([f"update gis.protected_area set geom = {park} where public_id = 'open-B'"])
    world.db.apply(["update gis.admin_unit set valid_to = '2001-01-01' where public_id = 'province-B'"])
    found = world.ask("representation", country="provinces").json()
    whole = world.ask("representation").json()["species"][0]
    world.db.apply(["update gis.admin_unit set valid_to = null where public_id = 'province-B'"])
    (species,) = found["species"]
    size, protected = areas.box(105.2, 20.2, 106, 20.8), OPEN_A + areas.box(105.9, 20.4, 106, 20.6)
    assert species["range_m2"] == pytest.approx(size)
    assert species["protected_m2"] == pytest.approx(protected)
    assert whole["protected_m2"] == pytest.approx(OPEN_A + areas.box(105.9, 20.4, 106.2, 20.6))
    assert species["target"] == whole["target"]
    assert species["whole_m2"] == pytest.approx(RANGE)
    assert species["spi_weight"] == pytest.approx(size / RANGE)
    assert species["spi_score"] == pytest.approx(100 * protected / (size * whole["target"]))
    assert found["species_protection_index"] == pytest.approx(species["spi_score"])
    assert world.ask("representation", country="plots").status_code == 404
    zone = "ST_Multi(ST_MakeEnvelope(110, 10, 110.001, 10.001, 4326))"
    columns = "source_id, dataset_id, public_id, level, code, name, geom"
    values = f"select 'z' || n, 1, 'z' || n, 'province', 'z' || n, 'z', {zone} from generate_series(1, 200) n"
    world.db.apply([f"insert into gis.admin_unit ({columns}) {values}"])
    many = world.ask("representation", country="provinces")
    world.db.apply(["delete from gis.admin_unit where public_id like 'z%'"])
    assert (many.status_code, "202 zones" in many.text) == (400, True)


def test_another_rule_and_a_table(world: World) -> None:
    polak = world.ask("representation", rule="polak").json()
    assert polak["species"][0]["target"] == pytest.approx(0.1)  # above 10,000 km²
    answer = world.ask("representation", rule="polak", format="csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert {name: str(value) for name, value in polak["species"][0].items() if value is not None} == {
        name: value for name, value in row.items() if value
    }
    assert world.ask("representation", rule="mine").status_code == 400


def test_range_metrics_of_a_species_records(world: World) -> None:
    found = world.ask("range-metrics", taxon="Speciosus category0", locations=2).json()
    # One record in each province: two cells of 2 km, and no hull.
    assert (found["records"], found["places"], found["coarse"]) == (2, 2, False)
    assert found["eoo"] == {"area_m2": None, "raised_to_aoo": False}
    assert (found["aoo"]["area_m2"], found["aoo"]["least_m2"], found["aoo"]["most_m2"]) == (8e6, 8e6, 8e6)
    met = {"eoo": None, "aoo": "CR", "least_aoo": "CR", "most_aoo": "CR", "locations": "EN"}
    assert found["meets_threshold_of"] == met
    assert found["last_date"] == "2024-05-31"
    assert found["method"]["area_method"] == "geodesic-hull-wgs84/1"
    assert [each["slug"] for each in found["method"]["datasets"]] == ["open"]
    answer = world.ask("range-metrics", taxon="Speciosus category0", format="csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["aoo_m2"], row["aoo_threshold"], row["eoo_m2"]) == ("8000000.0", "CR", "")


def test_range_metrics_tell_nothing_of_few_records_in_coarse_places(world: World) -> None:
    few = world.ask("range-metrics", taxon="Speciosus category2").json()
    assert few.pop("method")["tier"] == "public"
    assert few == {
        "type": "range-metrics", "taxon": "Speciosus category2", "coarse": True, "withheld": True
    }  # fmt: skip
    exact = world.ask("range-metrics", world.centre, taxon="Speciosus category2").json()
    assert (exact["records"], exact["coarse"], exact["withheld"]) == (2, False, False)


def test_a_species_that_is_withheld_is_as_one_that_isn_t_there(world: World) -> None:
    hidden, unknown = (
        world.ask("range-metrics", taxon=name) for name in ("Speciosus category1", "Speciosus category9")
    )
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.text.replace("category1", "category9") == unknown.text
    assert world.ask("range-metrics", world.centre, taxon="Speciosus category1").json()["records"] == 2
    assert world.ask("range-metrics", taxon="Speciosus category0", since="2024-06-01").status_code == 404
    assert world.ask("range-metrics").status_code == 400


def test_coarse_places_have_measures_and_meet_no_threshold(world: World) -> None:
    copy = """
    insert into gis.occurrence
           (source_id, dataset_id, scientific_name, taxon_id, occurrence_id, event_date, geom)
    select 'more' || n, dataset_id, scientific_name, taxon_id, 'more' || n, event_date,
           ST_SetSRID(ST_MakePoint(105.25 + 0.2 * (n % 2), 20.25 + 0.2 * (n / 2)), 4326)
      from gis.occurrence, generate_series(0, 3) n where source_id = 'A3'
    """
    world.db.apply([copy])
    taxon = "Speciosus category3"
    seen = world.ask("range-metrics", taxon=taxon).json()
    exact = world.ask("range-metrics", world.centre, taxon=taxon).json()
    world.db.apply(["delete from gis.occurrence where source_id like 'more%'"])
    assert (seen["records"], seen["coarse_records"], seen["meets_threshold_of"]) == (6, 6, None)
    assert (exact["coarse_records"], exact["meets_threshold_of"]["aoo"]) == (0, "EN")
    assert exact["eoo"]["area_m2"] > areas.box(105.25, 20.25, 105.45, 20.45)
    assert seen["eoo"]["area_m2"] == pytest.approx(exact["eoo"]["area_m2"], rel=0.2)


def test_the_command_line_has_the_same_numbers(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("GIS_DATA", str(world.settings.data_dir))
    monkeypatch.setenv("GIS_DATABASE_URL", world.dsn)
    monkeypatch.setenv("GIS_LANG", "en")
    assert main(["statistic", "coverage", "--zones", "provinces", "--targets", "0.09", "0.3"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert told["zones"] == world.ask("coverage", zones="provinces", targets=[0.09, 0.3]).json()["zones"]
    area, table = tmp_path / "area.geojson", tmp_path / "species.csv"
    area.write_text(json.dumps(mapping(shapely.box(105.5, 20.5, 105.7, 20.6))))
    assert main(["statistic", "overlap", "--area", str(area), "--nearest", "0", "--geometry"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["projects"][0]["protected"]["geometry"]
    assert main(["statistic", "representation", "-o", str(table), "--as", sample.CENTRE.name]) == 0
    assert table.read_bytes() == world.ask("representation", world.centre, format="csv").content
    assert main(["statistic", "coverage", "--zones", "nowhere"]) != 0
    assert main(["statistic", "coverage", "--zones", "provinces", "-o", "x.pdf"]) == 2
    assert b"nowhere" in capfdbinary.readouterr().err


def test_effort_of_the_plots_that_the_reader_sees_where_they_are(world: World) -> None:
    # The plot of A is in no protected area: 105.4321 E, 20.5321 N lies in that of 105.4 to 105.6 E.
    drawn = mapping(shapely.box(105.3, 20.3, 105.7, 20.95))
    inputs = {"area": drawn, "as_of": "2025-06-30", "reach_m": 1000, "strata": ["evergreen", "karst"]}
    found = world.ask("plots", world.centre, **inputs).json()
    size = areas.box(105.3, 20.3, 105.7, 20.95)
    assert (found["plots"], found["coarse"], found["withheld"]) == (1, False, False)
    assert found["area_m2"] == pytest.approx(size)
    assert found["per_100_km2"] == pytest.approx(1e8 / size)
    assert found["share_within_reach"] == pytest.approx(np.pi * 1e6 / size, rel=1e-3)
    assert [each["last_visit"] for each in found["overdue"]] == ["2024-05-31"]
    assert found["strata"] == [{"stratum": "evergreen", "plots": 1}, {"stratum": "karst", "plots": 0}]
    assert (found["thin_strata"], found["empty_strata"]) == (["evergreen"], ["karst"])
    assert [(each["site"], len(each["plots"])) for each in found["sites"]] == [("closed-A", 0), ("open-A", 1)]
    assert found["empty_sites"] == ["closed-A"]
    on_time = world.ask("plots", world.centre, **{**inputs, "interval_days": 400}).json()
    assert on_time["overdue"] == []
    rows = list(csv.DictReader(io.StringIO(world.ask("plots", world.centre, **inputs, format="csv").text)))
    assert [row["overdue"] for row in rows][-1] == "True"


def test_effort_of_few_plots_in_coarse_places_is_withheld(world: World) -> None:
    drawn = mapping(shapely.box(105.3, 20.3, 105.7, 20.95))
    found = world.ask("plots", area=drawn).json()
    assert found.pop("method")["tier"] == "public"
    assert found.keys() == {"type", "area_m2", "coarse", "withheld"}
    assert found["withheld"]
    empty = world.ask("plots", area=mapping(shapely.box(107.3, 20.3, 107.7, 20.95))).json()
    assert (empty["plots"], empty["per_100_km2"], empty["strata_ready"]) == (0, 0, None)


def test_many_plots_in_coarse_places_have_no_protected_areas(world: World) -> None:
    copy = """
    insert into gis.plot (source_id, dataset_id, location_id, name, stratum, area_m2, last_visit, geom)
    select 'more' || n, dataset_id, 'more' || n, 'more', 'karst', 500, null,
           ST_SetSRID(ST_MakePoint(105.31 + 0.01 * n, 20.31), 4326)
      from gis.plot, generate_series(0, 7) n where source_id = 'A'
    """
    world.db.apply([copy])
    drawn = mapping(shapely.box(105.2, 20.2, 105.7, 20.95))
    seen = world.ask("plots", area=drawn, reach_m=1000).json()
    exact = world.ask("plots", world.centre, area=drawn, reach_m=1000).json()
    world.db.apply(["delete from gis.plot where source_id like 'more%'"])
    assert (seen["plots"], seen["coarse_plots"]) == (9, 9)
    assert (seen["sites"], seen["empty_sites"], seen["share_within_reach"]) == (None, None, None)
    assert exact["sampled_share"] == pytest.approx(4000 / exact["area_m2"])
    assert len(exact["never_visited"]) == 8
    assert exact["share_within_reach"] > 0


MEASURED = {"a": [12, 15, 11, 14, 13, 13], "b": [22, 25, 19], "c": [40, 44]}
TAKEN = [{"stratum": name, "value": value} for name, values in MEASURED.items() for value in values]
STRATA = [{"name": "a", "size": 600}, {"name": "b", "size": 300}, {"name": "c", "size": 100}]


def test_estimates_from_plots_rest_on_their_design(world: World) -> None:
    found = world.ask("estimate", plots=TAKEN, strata=STRATA, selection="random").json()
    assert (found["mean"]["value"], found["mean"]["se"]) == pytest.approx((18.6, 0.65574), abs=5e-6)
    assert found["total"]["value"] == pytest.approx(18_600)
    assert (found["refused"], found["description"]["plots"]) == (None, 11)
    by_chance = world.ask("estimate", plots=TAKEN, strata=STRATA, selection="opportunistic").json()
    assert (by_chance["mean"], by_chance["total"], by_chance["refused"]) == (None, None, "opportunistic")
    assert world.ask("estimate", plots=TAKEN).json()["refused"] == "no_design"
    sizes = [{"value": y, "size": x} for y, x in ((5, 1), (3, 0.5), (8, 2), (2, 0.5), (6, 1))]
    ratio = world.ask("estimate", plots=sizes, selection="random").json()
    assert (ratio["mean"]["value"], ratio["mean"]["se"]) == pytest.approx((4.8, 0.47749), abs=5e-6)
    assert (ratio["total"], ratio["method"]["per"]) == (None, "unit of size")


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"plots": []}, "no plot"),
        ({"plots": [{"value": "many"}]}, "has no value that is a number"),
        ({"plots": [{"value": 1, "size": 1}, {"value": 2}]}, "2 has no size"),
        ({"plots": TAKEN[:-1], "strata": STRATA}, "Stratum c has 1"),
        ({"plots": TAKEN, "strata": [*STRATA, *STRATA]}, "name of its own"),
        ({"plots": TAKEN, "strata": [{"name": "a"}]}, "Stratum 1 needs"),
        ({"plots": [{"value": 1, "inside": False}] * 2}, "No plot lies"),
    ],
)
def test_plots_that_allow_no_estimate_are_refused(world: World, inputs: dict[str, Any], told: str) -> None:
    answer = world.ask("estimate", selection="random", **inputs)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text


def test_estimates_from_tables_on_the_command_line(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("GIS_DATA", str(world.settings.data_dir))
    monkeypatch.setenv("GIS_LANG", "en")
    plots, strata = tmp_path / "plots.csv", tmp_path / "strata.csv"
    plots.write_text("stratum,value\n" + "".join(f"{each['stratum']},{each['value']}\n" for each in TAKEN))
    strata.write_text("name,size,units\na,600,\nb,300,\nc,100,\n")
    words = ["statistic", "estimate", "--plots", str(plots), "--strata", str(strata), "--selection", "random"]
    assert main(words) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert told == world.ask("estimate", plots=TAKEN, strata=STRATA, selection="random").json()
    with pytest.raises(SystemExit, match="2"):
        main(["statistic", "estimate", "--plots", str(tmp_path / "none.csv")])


def test_areas_of_classes_from_checked_points(world: World) -> None:
    # 9,000 ha of forest, of which 5 in 100 points are cleared; 1,000 ha cleared, of which 40 in 50 are.
    example = STATISTICS["class-areas"].example
    found = world.ask("class-areas", **example).json()
    cleared = found["classes"][1]
    assert cleared["area"] == pytest.approx(9000 * 0.05 + 1000 * 0.8)
    error = np.sqrt(9000**2 * 0.05 * 0.95 / 99 + 1000**2 * 0.8 * 0.2 / 49)
    assert cleared["se"] == pytest.approx(error)
    assert cleared["high"] - cleared["area"] == pytest.approx(1.959964 * error, rel=1e-6)
    assert (cleared["users"], cleared["producers"]) == pytest.approx((0.8, 800 / 1250))
    assert found["overall"]["value"] == pytest.approx(0.9 * 0.95 + 0.1 * 0.8)
    table = world.ask("class-areas", **example, format="csv").content.decode("utf-8-sig")
    assert [row["class"] for row in csv.DictReader(io.StringIO(table))] == ["forest", "cleared"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"classes": []}, "Class 1 needs"),
        ({"classes": [{"class": "forest", "area": 0}]}, "Class 1 needs"),
        ({"points": [{"mapped": "forest", "reference": "sea"}]}, "Point 1 needs"),
        ({"points": [{"mapped": "forest", "reference": "forest", "count": 1.5}]}, "Point 1 needs"),
        ({"points": [{"mapped": "forest", "reference": "forest"}]}, "Stratum 1 has 1"),
    ],
)
def test_points_that_fit_no_map_are_refused(world: World, changed: dict[str, Any], told: str) -> None:
    answer = world.ask("class-areas", **{**STATISTICS["class-areas"].example, **changed})
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text
