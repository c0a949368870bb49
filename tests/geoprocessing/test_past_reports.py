"""Yesterday's report run again: the same figures bit by bit, by the rights of today.

The world is that of tests.web.releasing: release 2 names area A anew, release 4 withdraws open area B.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis_service.access.policy import visible_layers
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.registry import load_catalog
from gis_service.cli.__main__ import main
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound
from gis_service.geoprocessing.budget import Budget
from gis_service.geoprocessing.project import read_project
from gis_service.reports import again, as_csv, as_html, as_json
from gis_service.reports.drawing import Drawing
from gis_service.reports.model import OverlapReport
from gis_service.reports.overlap_report import Parameters, Reader, compute
from tests import sample
from tests.conftest import ROOT
from tests.sample import CENTRE, PRINCIPALS, PROVINCE_A
from tests.web import releasing

AREA = {"type": "Polygon", "coordinates": [[[105, 20], [107, 20], [107, 20.9], [105, 20.9], [105, 20]]]}
LATER = (
    "update gis.protected_area set geom = ST_Translate(geom, 0.1, 0), name = 'x' where source_id = 'open-A'",
    "delete from gis.occurrence where source_id in ('A0', 'B3')",
    "update gis.plot set geom = ST_Translate(geom, 0.3, 0)",
    "delete from gis.species_range",
)
LOAD = (
    "insert into gis.load (dataset_id, version, checksum, file_name, release)"
    " select dataset_id, 'later', repeat('0', 64), 'f', gis.open_release() from gis.dataset"
)


@pytest.fixture(scope="module")
def dsn(database: str) -> str:
    releasing.make(database)
    return database


@pytest.fixture
def db(dsn: str) -> Iterator[SyncDatabase]:
    with SyncDatabase(dsn) as opened:
        yield opened


def drawn(db: SyncDatabase, who: Principal, release: int | None = None) -> tuple[OverlapReport, Drawing]:
    reader = Reader(who, visible_layers(who, load_catalog(ROOT).layers.values()))
    return compute(db, reader, read_project(AREA), Parameters(release=release), Budget())


def report(db: SyncDatabase, who: Principal, release: int | None = None) -> OverlapReport:
    return drawn(db, who, release)[0]


def names(made: OverlapReport) -> list[str]:
    return sorted(area.name for area in made.areas)


def test_a_report_is_of_the_release_that_is_asked_for(db: SyncDatabase) -> None:
    assert names(report(db, PUBLIC, 1)) == ["Khu open A", "Khu open B"]
    assert names(report(db, PUBLIC, 2)) == ["Khu mới", "Khu open B"]
    assert names(report(db, PUBLIC)) == ["Khu mới"]
    assert len(report(db, CENTRE, 1).areas) == 4
    made, drawing = drawn(db, PUBLIC, 2)
    assert made.method.release == 2
    page = as_html.render(made, drawing, "en").decode()
    assert "As of release 2, made on" in page.partition("<main>")[0]
    assert "Tại bản phát hành 2, lập lúc" in as_html.render(made, drawing, "vi").decode()


def test_every_report_says_how_to_run_it_again(db: SyncDatabase) -> None:
    made, drawing = drawn(db, PUBLIC)
    page = as_html.render(made, drawing, "en").decode()
    assert "As of release" not in page.partition("<main>")[0], "an edition of the present"
    day = made.method.as_of.isoformat()
    assert again.command(made) == f"./gis report area.geojson --release 4 --as-of {day} -o report.html"
    assert again.command(made) in page
    told = json.loads(as_json.render(made))
    assert told["again"] == {"command": again.command(made), "inputs": {"release": 4, "as_of": day}}
    assert told["method"]["release"] == 4


def test_a_release_that_the_reader_may_not_know_of_is_none(db: SyncDatabase) -> None:
    for who in PRINCIPALS:
        with pytest.raises(NotFound):
            report(db, who, 5)


def test_the_past_gives_the_same_figures_whatever_happens_since(db: SyncDatabase) -> None:
    """Rows change, come and go, datasets get new versions: each class's report stays what it was."""
    then = {who.name: report(db, who) for who in PRINCIPALS}
    for sql in (*LATER, LOAD):
        db.apply([sql])
    for who in PRINCIPALS:
        first, second = then[who.name], report(db, who, then[who.name].method.release)
        assert second.reproducibility_hash == first.reproducibility_hash, who
        assert as_csv.render(second) == as_csv.render(first), who
        before, after = json.loads(as_json.render(first)), json.loads(as_json.render(second))
        for document in (before, after):
            del document["computed_at"], document["method"]["past"]
        assert after == before, who
        assert as_csv.render(report(db, who)) != as_csv.render(first), who


def test_a_release_of_hidden_rows_alone_raises_no_number(db: SyncDatabase) -> None:
    public, centre = (report(db, who).method.release for who in (PUBLIC, CENTRE))
    db.apply(["update gis.occurrence set locality = 'Elsewhere' where source_id = 'B1'"])
    assert [report(db, who).method.release for who in (PUBLIC, PROVINCE_A)] == [public, public]
    assert report(db, CENTRE).method.release == centre + 1


def test_the_command_line_runs_it_again(
    db: SyncDatabase, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIS_DATABASE_URL", dsn)
    area, out = tmp_path / "area.geojson", tmp_path / "report.csv"
    area.write_text(json.dumps(AREA))
    assert main(["report", str(area), "--release", "1", "--as-of", "2026-01-01", "-o", str(out)]) == 0
    rows = csv.DictReader(io.StringIO(out.read_text("utf-8-sig")))
    found = [row["name"] for row in rows if row["table"] == "protected_areas"]
    assert sorted(found) == ["Khu open A", "Khu open B"]
    assert main(["report", str(area), "--release", "99"]) == 2
    assert main(["report", str(area), "--release", "0"]) == 2
    assert main(["report", str(area), "--as-of", "yesterday"]) == 2


def test_the_rights_of_today_are_those_of_a_past_report(db: SyncDatabase) -> None:
    """Last, for it closes the open dataset."""
    assert names(report(db, PUBLIC, 1)) == ["Khu open A", "Khu open B"]
    db.apply(["update gis.dataset set redistribution = false where slug = 'open'"])
    made = report(db, PUBLIC, 1)
    assert (names(made), made.recorded, made.plots) == ([], (), ())
    assert len(report(db, CENTRE, 1).areas) == 4
    assert sample.scalar(db, "select count(*) from gis.protected_area") == 3
