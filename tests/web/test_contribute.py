"""What a contributor does: takes a template, sends a file, sees what is wrong with it, submits it.

The people of tests.web.releasing: bo edits for province A, phan reviews there, binh only reads.
"""

import json
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pyogrio
import pytest
import shapely
import xlsxwriter

from gis_service.changes import upload
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings
from tests import sample
from tests.conftest import Starter
from tests.web import releasing
from tests.web.worker import running_worker

LAYER = "protected-areas"


class World:
    """A server with its worker, and the keys of its people."""

    def __init__(self, url: str, dsn: str, keys: dict[str, str]) -> None:
        self.url, self.dsn, self.keys = url, dsn, keys

    def ask(self, name: str, **headers: str) -> httpx.Client:
        key = {"X-API-Key": self.keys[name]} if name in self.keys else {}
        return httpx.Client(base_url=self.url, headers={**key, **headers}, timeout=60)

    def send(
        self, name: str, content: bytes, who: str = "bo", layer: str = LAYER, **fields: str
    ) -> httpx.Response:
        with self.ask(who) as client:
            given = {"title": "Sửa", **fields}
            return client.post(f"/contribute/{layer}", data=given, files={"file": (name, content)})

    def ended(self, answer: httpx.Response, who: str = "bo") -> dict[str, Any]:
        """The upload once it isn't waiting."""
        assert answer.status_code == 202, answer.text
        with self.ask(who) as client:
            for _ in range(300):
                told: dict[str, Any] = client.get(answer.headers["location"]).json()
                if told["state"] != "waiting":
                    return told
                time.sleep(0.1)
        pytest.fail("the upload wasn't read")


@pytest.fixture(scope="module")
def world(
    start_server: Starter, settings: Settings, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    sample.fill(database)
    with SyncDatabase(database) as db:
        keys = releasing.people(db)
    with running_worker(settings, database, tmp_path_factory.mktemp("worker") / "worker.log"):
        yield World(start_server(database), database, keys)


def geojson(
    *rows: dict[str, Any], box: tuple[float, float, float, float] = (105.4, 20.4, 105.7, 20.6)
) -> bytes:
    shape = shapely.geometry.mapping(shapely.MultiPolygon([shapely.box(*box)]))
    features = [{"type": "Feature", "geometry": shape, "properties": each} for each in rows]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_a_corrected_boundary_becomes_a_draft_and_is_submitted(world: World) -> None:
    told = world.ended(world.send("khu.geojson", geojson({"id": "open-A", "name": "Khu đã sửa"})))
    assert (told["state"], told["problem"]) == ("drafted", None)
    with world.ask("bo") as client:
        draft = client.get(f"/proposals/{told['proposal']}").json()
        assert (draft["state"], draft["title"], draft["changes"], draft["may"]) == (
            "draft", "Sửa", 1, ["submit", "withdraw"],
        )  # fmt: skip
        sent = client.post(f"/proposals/{told['proposal']}/steps", json={"action": "submit"})
    assert sent.json()["state"] == "submitted"


def test_faults_stand_beside_the_cells_before_anything_is_submitted(world: World) -> None:
    told = world.ended(world.send("năm.geojson", geojson({"id": "open-A", "status_yr": 2999})))
    with world.ask("bo", **{"Accept-Language": "vi"}) as client:
        (change,) = client.get(f"/proposals/{told['proposal']}/changes").json()["features"]
        page = client.get(f"/proposals/{told['proposal']}", headers={"Accept": "text/html"}).text
    faults = [each for each in change["properties"]["findings"] if each["level"] == "fault"]
    assert [(each["rule"], each["column"]) for each in faults] == [("area-year", "status_yr")]
    assert faults[0]["text"] in page.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("khu.geojson", geojson({"id": "open-B", "name": "x"}), "open-B"),
        ("khu.geojson", geojson({"id": "missing", "name": "x"}), "missing"),
        ("khu.geojson", geojson({"id": "open-A", "colour": "red"}), "colour"),
        ("khu.geojson", b"{]", "khu.geojson"),
        ("khu.gpkg", b"SQLite format 3\x00 but no more", "khu.gpkg"),
        ("khu.xlsx", b"PK no sheet", ""),
        ("khu.csv", b"a,b\n1,2\n", "khu.csv"),
    ],
)
def test_a_file_that_can_t_be_taken_says_why(world: World, name: str, content: bytes, words: str) -> None:
    told = world.ended(world.send(name, content))
    assert told["state"] == "refused"
    assert words in told["problem"]
    assert told["problem"]
    assert "upload" not in told["problem"]  # no name and no folder of the server's


def test_an_archive_that_would_fill_the_memory_is_refused_before_it_is_unpacked(world: World) -> None:
    packed = BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("khu.csv", "w") as inside,
    ):
        for _ in range(501):
            inside.write(b"0" * 1_000_000)
    assert len(packed.getvalue()) < 1_000_000
    told = world.ended(world.send("khu.zip", packed.getvalue()))
    assert "501 MB" in told["problem"]


def test_a_sheet_filled_in_from_its_template_is_taken(world: World) -> None:
    with world.ask("bo") as client:
        made = client.get("/contribute/plots/template.xlsx")
    assert made.headers["content-disposition"] == 'attachment; filename="plots.xlsx"'
    book = zipfile.ZipFile(BytesIO(made.content))
    assert "dataValidation" in book.read("xl/worksheets/sheet1.xml").decode()
    words = re.findall(r"<t[^>]*>([^<]*)</t>", book.read("xl/sharedStrings.xml").decode())
    assert words[:3] == ["id", "lon", "lat"]
    assert not {"jurisdiction", "gid", "sensitivity"} & set(words)

    filled = BytesIO()
    with xlsxwriter.Workbook(filled) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "lon", "lat", "stratum", "area_m2", "established"])
        sheet.write_row(1, 0, ["", 105.5, 20.5, "evergreen", 2500])
        sheet.write_datetime(1, 5, date(2024, 5, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
    told = world.ended(world.send("ô.xlsx", filled.getvalue(), layer="plots", crs="EPSG:4326"))
    assert told["state"] == "drafted", told
    with world.ask("bo") as client:
        (change,) = client.get(f"/proposals/{told['proposal']}/changes").json()["features"]
    assert change["geometry"]["coordinates"] == [105.5, 20.5]
    after = {d["property"]: d["after"] for d in change["properties"]["differences"]}
    assert (after["stratum"], after["area_m2"], after["established"][:10]) == (
        "evergreen",
        2500,
        "2024-05-31",
    )


def cells(content: bytes) -> list[dict[str, str]]:
    """The rows of a workbook's first sheet by the names of its header, empty cells left out."""
    book = zipfile.ZipFile(BytesIO(content))
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    texts = ["".join(each.itertext()) for each in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
    rows = []
    for row in ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter(f"{main}row"):
        found = {re.sub(r"\d", "", each.get("r", "")): each for each in row}
        values = {at: each.findtext(f"{main}v") for at, each in found.items()}
        rows.append(
            {a: texts[int(v)] if found[a].get("t") == "s" else v for a, v in values.items() if v is not None}
        )
    head = rows[0]
    return [{head[at]: value for at, value in row.items()} for row in rows[1:]]


def rewritten(rows: list[dict[str, str]]) -> bytes:
    made = BytesIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    with xlsxwriter.Workbook(made) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([dict(zip(names, names, strict=True)), *rows]):
            sheet.write_row(at, 0, [row.get(name, "") for name in names])
    return made.getvalue()


def test_the_example_of_a_template_isn_t_read_and_rows_keep_their_numbers(world: World) -> None:
    with world.ask("bo") as client:
        empty = client.get("/contribute/plots/template.xlsx").content
    (example,) = cells(empty)
    assert example["id"] == "#example"
    told = world.ended(world.send("ô.xlsx", empty, layer="plots"))
    assert told["state"] == "refused"
    bad = {**example, "id": "", "area_m2": "wide"}
    told = world.ended(world.send("ô.xlsx", rewritten([example, bad]), layer="plots"))
    assert "2" in told["problem"], told


def test_coordinates_in_metres_name_their_system_in_the_sheet(world: World) -> None:
    with world.ask("bo") as client:
        made = client.get("/contribute/plots/template.xlsx?crs=EPSG:3405")
        assert client.get("/contribute/plots/template.xlsx?crs=EPSG:32648").status_code == 400
        assert client.get(f"/contribute/{LAYER}/template.xlsx?crs=EPSG:3405").status_code == 400
    (example,) = cells(made.content)
    # Half a degree from the central meridian (105° E, easting 500,000): 0.5 × 111,320 m × cos 20.5° × 0.9996.
    row = {
        **dict.fromkeys(example, ""), "easting EPSG:3405": "552114", "northing EPSG:3405": "2267000",
        "stratum": "evergreen",
    }  # fmt: skip
    told = world.ended(world.send("ô.xlsx", rewritten([example, row]), layer="plots"))
    assert told["state"] == "drafted", told["problem"]
    with world.ask("bo") as client:
        (change,) = client.get(f"/proposals/{told['proposal']}/changes").json()["features"]
    lon, lat = change["geometry"]["coordinates"]
    assert (round(lon, 2), round(lat, 1)) == (105.5, 20.5)


@pytest.mark.parametrize("layer", ["plots", "occurrences", LAYER])
def test_a_sheet_filled_with_one_s_rows_changes_what_is_changed_in_it(world: World, layer: str) -> None:
    with world.ask("bo") as client:
        answer = client.get(f"/contribute/{layer}/template.xlsx?filled")
        seen = client.get(f"/collections/{layer}/items?limit=100").json()["features"]
    rows = cells(answer.content)
    assert {row["id"] for row in rows} < {str(each["id"]) for each in seen}  # those of B are not bo's to edit
    told = world.ended(world.send("ô.xlsx", answer.content, layer=layer))
    assert (told["state"], told["proposal"]) == ("refused", None), told
    first, column = rows[0], next(name for name in ("name", "locality") if any(name in row for row in rows))
    told = world.ended(
        world.send("ô.xlsx", rewritten([{**first, column: "Tên khác"}, *rows[1:]]), layer=layer)
    )
    with world.ask("bo") as client:
        (change,) = client.get(f"/proposals/{told['proposal']}/changes").json()["features"]
    assert [d["after"] for d in change["properties"]["differences"]] == ["Tên khác"]


def test_a_geopackage_of_one_s_rows_is_corrected_and_sent_back(world: World, tmp_path: Path) -> None:
    with world.ask("bo") as client:
        links = client.get(f"/contribute/{LAYER}").json()["templates"]
        empty, filled = (client.get(links[name]) for name in ("gpkg", "filled"))
    (tmp_path / "empty.gpkg").write_bytes(empty.content)
    assert pyogrio.read_info(tmp_path / "empty.gpkg")["features"] == 0
    path = tmp_path / "filled.gpkg"
    path.write_bytes(filled.content)
    column = "id" if "id" in pyogrio.read_info(path)["fields"] else "public_id"
    frame = pyogrio.read_dataframe(path)
    mine = frame[frame[column] == "closed-A"].copy()
    mine["name"] = "Khu hai"
    pyogrio.write_dataframe(mine, tmp_path / "mine.gpkg", driver="GPKG")
    told = world.ended(world.send("mine.gpkg", (tmp_path / "mine.gpkg").read_bytes(), id_column=column))
    assert told["state"] == "drafted", told
    with world.ask("bo") as client:
        (change,) = client.get(f"/proposals/{told['proposal']}/changes").json()["features"]
    assert [d["after"] for d in change["properties"]["differences"]] == ["Khu hai"]


def test_what_came_back_is_shown_first_with_the_reviewer_s_words(world: World) -> None:
    told = world.ended(world.send("khu.geojson", geojson({"id": "open-A", "name": "Trả lại"})))
    for who, step in (
        ("bo", {"action": "submit"}),
        ("phan", {"action": "return", "comment": "thiếu quyết định"}),
    ):
        with world.ask(who) as client:
            client.post(f"/proposals/{told['proposal']}/steps", json=step)
    world.ended(world.send("khu.geojson", geojson({"id": "open-A", "name": "Sau"})))
    with world.ask("bo") as client:
        first, *rest = client.get("/contribute").json()["proposals"]
        assert (first["number"], first["returned"]) == (told["proposal"], "thiếu quyết định")
        assert all(each["returned"] is None for each in rest)
        assert "thiếu quyết định" in client.get("/contribute", headers={"Accept": "text/html"}).text


def test_a_file_takes_the_place_of_a_draft_of_one_s_own(world: World) -> None:
    old = world.ended(world.send("khu.geojson", geojson({"id": "open-A", "name": "Lần một"})))["proposal"]

    def state(number: int) -> str:
        with world.ask("bo") as client:
            return str(client.get(f"/proposals/{number}").json()["state"])

    with world.ask("bo", Accept="text/html") as client:
        page = client.get(f"/proposals/{old}").text
        assert f"/contribute/{LAYER}?replaces={old}" in page
        assert f'name="replaces" value="{old}"' in client.get(f"/contribute/{LAYER}?replaces={old}").text
    bad = world.ended(world.send("khu.geojson", b"{]", replaces=str(old)))
    assert (bad["state"], state(old)) == ("refused", "draft")  # a file that isn't taken replaces nothing
    new = world.ended(
        world.send("khu.geojson", geojson({"id": "open-A", "name": "Lần hai"}), replaces=str(old))
    )
    assert (new["state"], state(old), state(new["proposal"])) == ("drafted", "withdrawn", "draft")
    again = world.send("khu.geojson", geojson({"id": "open-A", "name": "Ba"}), replaces=str(old))
    assert again.status_code == 409


@pytest.mark.parametrize(("number", "status"), [("x", 404), ("0", 404), ("99999", 404)])
def test_only_a_draft_that_is_there_can_be_replaced(world: World, number: str, status: int) -> None:
    assert world.send("a.geojson", geojson({"id": "open-A"}), replaces=number).status_code == status


def test_a_draft_that_was_submitted_meanwhile_isn_t_replaced(world: World) -> None:
    """Submitted while the file waits: the worker refuses the file, and the proposal goes its way."""
    old = world.ended(world.send("khu.geojson", geojson({"id": "open-A", "name": "Đã nộp"})))["proposal"]
    with world.ask("bo") as client:
        client.post(f"/proposals/{old}/steps", json={"action": "submit"}).raise_for_status()
    put = (
        "insert into gis.upload (author, layer, title, filename, content, size, replaces)"
        " values ('bo', $1, 'Sửa', 'a.geojson', $2, 1, $3) returning upload_id::text"
    )
    with SyncDatabase(world.dsn) as db:
        sent = db.run(Query(put, (LAYER, geojson({"id": "open-A", "name": "Sau"}), old)))[0][0]
    with world.ask("bo") as client:
        for _ in range(100):
            told = client.get(f"/contribute/uploads/{sent}").json()
            if told["state"] != "waiting":
                break
            time.sleep(0.1)
        assert (told["state"], told["proposal"]) == ("refused", None)
        assert client.get(f"/proposals/{old}").json()["state"] != "withdrawn"


def test_a_feed_tells_the_author_what_came_back_and_the_reviewer_what_waits(world: World) -> None:
    title = "Ranh <giới> & \x0b mốc"
    told = world.ended(world.send("khu.geojson", geojson({"id": "open-A", "name": "Tin"}), title=title))
    steps = f"/proposals/{told['proposal']}/steps"
    with world.ask("bo") as client:
        client.post(steps, json={"action": "submit"}).raise_for_status()
    waits = f"Proposal {told['proposal']} waits for you: Ranh <giới> &  mốc"
    assert waits in [each for each, _ in _feed(world, "phan")]
    assert _feed(world, "binh") == []
    with world.ask("phan") as client:
        given = {"action": "return", "comment": "thiếu <mốc> 3"}
        client.post(steps, json=given).raise_for_status()
    assert waits not in [each for each, _ in _feed(world, "phan")]
    came_back = f"Proposal {told['proposal']}, “Ranh <giới> &  mốc”: returned it"
    assert _feed(world, "bo")[0] == (came_back, "thiếu <mốc> 3")
    assert httpx.get(f"{world.url}/contribute/feed.atom").status_code == 401


def _feed(world: World, who: str) -> list[tuple[str | None, str | None]]:
    """Titles and texts, as a reader gets them by Basic."""
    answer = httpx.get(
        f"{world.url}/contribute/feed.atom", auth=(who, world.keys[who]), headers={"Accept-Language": "en"}
    )
    assert answer.headers["content-type"].startswith("application/atom+xml")
    atom = "{http://www.w3.org/2005/Atom}"
    entries = ElementTree.fromstring(answer.content).iter(f"{atom}entry")
    return [(each.findtext(f"{atom}title"), each.findtext(f"{atom}content") or None) for each in entries]


def test_only_editors_contribute_and_only_to_layers_of_theirs(world: World) -> None:
    with world.ask("binh") as client:
        assert client.get("/contribute").json()["layers"] == []
    assert world.send("a.geojson", geojson({"id": "open-A"}), who="binh").status_code == 403
    assert world.send("a.geojson", geojson({"id": "open-A"}), who="public").status_code == 401
    assert world.send("a.geojson", geojson({"id": "open-A"}), layer="sea-areas").status_code in (403, 404)


def test_a_file_is_its_sender_s_alone(world: World) -> None:
    answer = world.send("khu.geojson", geojson({"id": "open-A", "name": "Riêng"}))
    with world.ask("phan") as client:
        assert client.get(answer.headers["location"]).status_code == 404
        assert client.get("/contribute/uploads/x").status_code == 404
    world.ended(answer)


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [("a.exe", {}, 400), ("a.geojson", {"title": " "}, 400), ("a.gpkg", {"crs": "x" * 300}, 400)],
)
def test_a_form_that_isn_t_whole_is_refused(
    world: World, name: str, fields: dict[str, str], status: int
) -> None:
    assert world.send(name, b"x", **fields).status_code == status


def test_a_worker_that_is_killed_loses_no_file_and_doubles_none(
    fresh_database: str, settings: Settings, tmp_path: Path
) -> None:
    """The next one makes the draft, once. A file over which three have died is given up."""
    sample.fill(fresh_database)
    with SyncDatabase(fresh_database) as db:
        releasing.people(db)
        put = (
            "insert into gis.upload (author, layer, title, filename, content, size, attempts)"
            " values ('bo', $1, 'Sửa', 'a.geojson', $2, 1, $3) returning upload_id::text"
        )
        content = geojson({"id": "open-A", "name": "Một lần"})
        db.run(Query(put, (LAYER, content, 2)))  # two workers have died over it
        lost = db.run(Query(put, (LAYER, content, 3)))[0][0]
        assert upload.next_one(fresh_database, releasing.FLOW, releasing.layers())
        assert not upload.next_one(fresh_database, releasing.FLOW, releasing.layers())
        states: dict[str, str] = dict(db.run(Query("select upload_id::text, state from gis.upload")))
        assert sorted(states.values()) == ["drafted", "refused"]
        assert states[lost] == "refused"
        assert db.run(Query("select count(*)::int from gis.proposal"))[0][0] == 1
        assert db.run(Query("select bool_and(content is null) from gis.upload"))[0][0]
