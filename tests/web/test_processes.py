"""OGC API Processes end to end: the real server, the real queue, the real worker."""

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import shapely
from shapely.geometry import mapping

from gis_service.access import keystore
from gis_service.catalog.registry import load_catalog
from gis_service.db import jobs_sql
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.geoprocessing import overlap
from gis_service.processes import overlap_process
from gis_service.processes.runner import Runner
from gis_service.settings import Settings
from tests import sample
from tests.conftest import ROOT, Starter
from tests.web.worker import running_worker

AREA = mapping(shapely.box(105.3, 20.3, 105.5, 20.6))
EXECUTION = "/processes/overlap-report/execution"
OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
ASYNC = {"Prefer": "respond-async"}


class Jobs:
    """The jobs of a database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def scalar(self, sql: str) -> Any:
        with SyncDatabase(self.dsn) as db:
            return db.run(Query(sql))[0][0]

    def submit(self, **more: object) -> str:
        """A job of the public's put into the queue directly; its id."""
        asked_for = {**asked(), "response": "raw", "format": "json", **more}
        who = ("public", "public", "public", ())
        with SyncDatabase(self.dsn) as db:
            return str(db.run(jobs_sql.submit("overlap-report", who, asked_for, "en", "http://x", 100))[0][0])

    def state(self, job: str) -> str:
        return str(self.scalar(f"select status from gis_queue.job where job_id = '{job}'"))


class World(Jobs):
    """A server, its database, and a client for each of the three principals."""

    def __init__(self, url: str, dsn: str, keys: dict[str, str]) -> None:
        super().__init__(dsn)
        self.public = httpx.Client(base_url=url, timeout=60)
        self.centre, self.province = (
            httpx.Client(base_url=url, timeout=60, headers={"X-API-Key": keys[name]})
            for name in (sample.CENTRE.name, sample.PROVINCE_A.name)
        )


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> Iterator[World]:
    sample.fill(database)
    with SyncDatabase(database) as db:
        for principal in (sample.PROVINCE_A, sample.CENTRE):
            keystore.ensure_principal(db, principal)
        keys = {p.name: keystore.create(db, p.name) for p in (sample.PROVINCE_A, sample.CENTRE)}
    made = World(start_server(database, GIS_LIMITS_SYNC_SECONDS="15"), database, keys)
    yield made
    for client in (made.public, made.centre, made.province):
        client.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worker") / "worker.log"


@pytest.fixture(scope="module")
def worker(settings: Settings, world: World, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with running_worker(settings, world.dsn, log) as process:
        yield process


def asked(**inputs: object) -> dict[str, Any]:
    return {"inputs": {"area": AREA, **inputs}}


def ended(client: httpx.Client, job: str, seconds: float = 40) -> dict[str, Any]:
    """The status of a job once it has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        status: dict[str, Any] = client.get(job).json()
        if status["status"] in ("successful", "failed", "dismissed"):
            return status
        time.sleep(0.1)
    pytest.fail(f"{job} didn't end: {client.get(job).text}")


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description")
def test_the_list_and_the_description_are_those_of_the_standard(world: World) -> None:
    summary, *others = world.public.get("/processes").json()["processes"]
    assert summary["id"] == "overlap-report"
    assert {each["id"] for each in others} >= {"coverage"}
    assert summary["jobControlOptions"] == ["sync-execute", "async-execute"]
    described = world.public.get("/processes/overlap-report").json()
    assert described["inputs"]["area"]["minOccurs"] == 1
    assert set(described["outputs"]) == {"report"}
    assert world.public.get("/processes/overlap-report?lang=vi").json()["title"] == "Báo cáo chồng lấn"
    assert any(each["href"].endswith(f"{EXECUTION}?f=json") for each in described["links"])


@pytest.mark.parametrize("path", ["/processes", "/processes/overlap-report"])
def test_every_link_to_a_description_leads_to_one(world: World, path: str) -> None:
    document = world.public.get(path).json()
    parts = [document, *document.get("processes", [])]
    links = {
        link["href"]
        for part in parts
        for link in part["links"]
        if not link["href"].endswith("/execution?f=json")
    }
    assert links
    assert {world.public.get(link).status_code for link in links} == {200}


@pytest.mark.parametrize("path", ["/processes", "/processes/overlap-report", "/jobs", "/jobs/x/results"])
def test_a_parameter_that_means_nothing_here_is_refused_by_name(world: World, path: str) -> None:
    refused = world.public.get(path, params={"limitt": "5"})
    assert refused.status_code == 400
    assert "limitt" in refused.json()["detail"]


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core")
def test_an_unknown_process_is_told_by_the_code_of_the_standard(world: World) -> None:
    for answer in (
        world.public.get("/processes/nope"),
        world.public.post("/processes/nope/execution", json={}),
    ):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("worker")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json")
def test_a_report_is_answered_at_once_and_can_be_fetched_later(world: World) -> None:
    answer = world.public.post(EXECUTION, json=asked(title="Corridor"))
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert report["subject"]["title"] == "Corridor"
    assert [area["name"] for area in report["protected_areas"]] == ["Khu open A"]
    hrefs = {link["type"]: link["href"] for link in report["links"]}
    page = world.public.get(hrefs["text/html"], params={"lang": "vi"})
    assert page.status_code == 200
    assert '<html lang="vi">' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert world.public.get(hrefs["text/csv"]).text.startswith("\ufefftable,id,name")
    stored = world.public.get(f"{answer.headers['location']}/results").json()
    assert stored["totals"] == report["totals"]


@pytest.mark.usefixtures("worker")
def test_a_report_of_a_past_release_is_asked_of_the_process(world: World) -> None:
    """The sample is release 1; a name that changes later isn't in its report."""
    with SyncDatabase(world.dsn) as db:
        db.apply(["update gis.protected_area set desig = 'Renamed' where source_id = 'open-A'"])
    ((now,), (then,)) = (
        world.public.post(EXECUTION, json=asked(**given)).json()["protected_areas"]
        for given in ({}, {"release": 1, "as_of": "2026-01-01"})
    )
    assert (now["designation"], then["designation"]) == ("Renamed", None)
    wrong = world.public.post(EXECUTION, json=asked(release=99))
    assert (wrong.status_code, "99" in wrong.json()["detail"]) == (404, True)
    for value in (0, "1", True, 1.5, 2**31):
        assert world.public.post(EXECUTION, json=asked(release=value)).status_code == 400, value


@pytest.mark.usefixtures("worker")
def test_the_answer_takes_the_form_that_was_asked_for(world: World) -> None:
    page = world.public.post(EXECUTION, json=asked(format="html"))
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    document = world.public.post(EXECUTION, json={**asked(), "response": "document"}).json()
    assert document["report"]["type"] == "overlap-report"


@pytest.mark.usefixtures("worker")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core")
def test_an_asynchronous_job_is_accepted_and_then_successful(world: World) -> None:
    answer = world.centre.post(EXECUTION, json=asked(), headers=ASYNC)
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "respond-async"
    job = answer.headers["location"]
    status = answer.json()
    assert (status["type"], status["processID"]) == ("process", "overlap-report")
    assert status["status"] in ("accepted", "running", "successful")
    assert None not in status.values()
    assert ended(world.centre, job)["progress"] == 100
    assert job.rsplit("/", 1)[1] in {each["jobID"] for each in world.centre.get("/jobs").json()["jobs"]}


@pytest.mark.usefixtures("worker")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/job-list")
def test_jobs_and_reports_are_their_owners_alone(world: World) -> None:
    job = world.centre.post(EXECUTION, json=asked(), headers=ASYNC).headers["location"]
    ended(world.centre, job)
    report = job.replace("/jobs/", "/reports/")
    for other in (world.public, world.province):
        for path in (job, f"{job}/results", f"{report}.html", f"{report}.json", f"{report}.csv"):
            answer = other.get(path)
            assert (answer.status_code, answer.json()["type"]) == (404, f"{OGC}no-such-job"), path
        assert other.delete(job).status_code == 404
        assert job.rsplit("/", 1)[1] not in other.get("/jobs").text
    assert world.centre.get(f"{report}.html").headers["cache-control"].startswith("private")


@pytest.mark.usefixtures("worker")
def test_public_jobs_are_reached_by_their_id_and_listed_to_nobody(world: World) -> None:
    job = world.public.post(EXECUTION, json=asked(), headers=ASYNC).headers["location"]
    assert ended(world.public, job)["status"] == "successful"
    assert world.public.get("/jobs").json()["jobs"] == []


@pytest.mark.usefixtures("worker")
def test_each_principal_gets_the_edition_of_its_class(world: World) -> None:
    clients = {"public": world.public, "province": world.province, "centre": world.centre}
    found = {name: client.post(EXECUTION, json=asked()).json() for name, client in clients.items()}
    assert {name: report["method"]["tier"] for name, report in found.items()} == {
        "public": "public", "province": "jurisdiction:A", "centre": "full",
    }  # fmt: skip
    assert [plot["generalised"] for plot in found["public"]["plots"]] == [True]
    assert [plot["name"] for plot in found["centre"]["plots"]] == ["Plot A"]


@pytest.mark.usefixtures("worker")
def test_a_polygon_that_cannot_be_used_is_the_callers_mistake_in_his_language(world: World) -> None:
    point = {"inputs": {"area": {"type": "Point", "coordinates": [105, 20]}}}
    answer = world.public.post(f"{EXECUTION}?lang=vi", json=point)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "đây là Point" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"no json", "JSON"),
        (b"[1]", "object"),
        (b"{}", "area"),
        (b'{"inputs": {"area": {}, "colour": 1}}', "colour"),
        (b'{"inputs": {"area": {}, "format": "docx"}}', "json, html, csv"),
        (b'{"inputs": {"area": {}, "status_filter": "mine"}}', "pp_text"),
        (b'{"inputs": {"area": {}, "as_of": "yesterday"}}', "2025-07-01"),
    ],
)
def test_a_bad_request_is_refused_before_it_becomes_a_job(world: World, body: bytes, says: str) -> None:
    answer = world.public.post(EXECUTION, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert says in answer.json()["detail"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "http://169.254.169.254/", "file:///etc/passwd"])
def test_callbacks_are_refused_unless_their_host_is_allowed(world: World, address: str) -> None:
    answer = world.public.post(EXECUTION, json={**asked(), "subscriber": {"successUri": address}})
    assert answer.status_code == 403
    assert "callback_hosts" in answer.json()["detail"]


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core")
@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss")
def test_results_of_a_job_that_waits_are_not_ready_and_it_can_be_dismissed(
    start_server: Starter, fresh_database: str
) -> None:
    jobs = Jobs(fresh_database)
    number = jobs.submit()
    job = f"/jobs/{number}"
    with httpx.Client(base_url=start_server(fresh_database), timeout=30) as client:
        assert client.get(f"{job}/results").json()["type"] == f"{OGC}result-not-ready"
        dismissed = client.delete(job).json()
        assert (dismissed["status"], dismissed["type"]) == ("dismissed", "process")
        assert client.get(job).json()["status"] == "dismissed"
        assert client.delete(job).status_code == 404
    assert jobs.scalar("select status::text from gis_queue.procrastinate_jobs") == "cancelled"


def test_without_a_worker_a_synchronous_request_is_told_where_to_look(
    start_server: Starter, fresh_database: str
) -> None:
    sample.fill(fresh_database)
    url = start_server(fresh_database, GIS_LIMITS_SYNC_SECONDS="1")
    answer = httpx.post(f"{url}{EXECUTION}", json=asked(), timeout=30)
    assert answer.status_code == 201
    assert answer.json()["status"] == "accepted"
    assert httpx.get(answer.headers["location"]).json()["status"] == "accepted"


def test_a_caller_may_not_fill_the_queue(fresh_database: str) -> None:
    asked_for = {"inputs": {}, "response": "raw", "format": "json"}
    query = jobs_sql.submit("overlap-report", ("a", "full", "full", ()), asked_for, "en", "", 2)
    with SyncDatabase(fresh_database) as db:
        assert [db.run(query)[0][0] is None for _ in range(3)] == [False, False, True]


def test_kill_9_loses_no_job_and_it_ends_once(
    settings: Settings, fresh_database: str, tmp_path: Path
) -> None:
    """The worker dies while it holds a job; the next one finds the job, runs it and ends it."""
    sample.fill(fresh_database)
    world = Jobs(fresh_database)
    log = tmp_path / "worker.log"
    with running_worker(settings, fresh_database, log) as first:
        with locked(fresh_database):
            job = world.submit()
            wait_for(lambda: world.state(job) == "running")
            first.kill()
            first.wait()
        assert world.state(job) == "running"
    with running_worker(settings, fresh_database, log):
        wait_for(lambda: world.state(job) == "successful", 40)
    assert world.scalar(f"select attempts from gis_queue.job where job_id = '{job}'") == 2
    documents = f"select count(*) from gis_queue.job_document where job_id = '{job}'"
    assert world.scalar(documents) == 4
    finished = "select count(*) from gis_queue.procrastinate_events where type = 'succeeded'"
    assert world.scalar(finished) == 1


@pytest.mark.proves("http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss")
def test_a_running_job_can_be_dismissed(settings: Settings, fresh_database: str, tmp_path: Path) -> None:
    sample.fill(fresh_database)
    world = Jobs(fresh_database)
    with running_worker(settings, fresh_database, tmp_path / "log"):
        with locked(fresh_database):
            job = world.submit()
            wait_for(lambda: world.state(job) == "running")
            with SyncDatabase(fresh_database) as db:
                assert db.run(jobs_sql.dismiss(job))[0][0]
        queued = "select status::text from gis_queue.procrastinate_jobs"
        wait_for(lambda: world.scalar(queued) != "doing")
        assert world.state(job) == "dismissed"
        assert world.scalar("select count(*) from gis_queue.job_document") == 0


def test_a_stopping_worker_puts_its_job_back(settings: Settings, fresh_database: str, tmp_path: Path) -> None:
    sample.fill(fresh_database)
    world = Jobs(fresh_database)
    log = tmp_path / "log"
    with running_worker(settings, fresh_database, log) as first:
        with locked(fresh_database):
            job = world.submit()
            wait_for(lambda: world.state(job) == "running")
            first.terminate()
            time.sleep(0.5)
        first.wait(timeout=30)
        assert world.state(job) == "accepted"
    with running_worker(settings, fresh_database, log):
        wait_for(lambda: world.state(job) == "successful", 40)


def test_a_job_that_three_workers_died_over_is_failed(
    settings: Settings, fresh_database: str, root: Path
) -> None:
    jobs = Jobs(fresh_database)
    job = jobs.submit()
    with SyncDatabase(fresh_database) as db:
        db.apply([f"update gis_queue.job set attempts = 3 where job_id = '{job}'"])
    Runner(settings, load_catalog(root), fresh_database).run(job)
    assert jobs.state(job) == "failed"
    kept = jobs.scalar("select error from gis_queue.job")
    assert (kept["code"], kept["status"], kept["values"]["attempts"]) == ("job-lost", 503, 3)


def test_an_allowed_host_is_told_of_the_end(settings: Settings, fresh_database: str, tmp_path: Path) -> None:
    sample.fill(fresh_database)
    told: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/done"
    job = Jobs(fresh_database).submit(callbacks={"successUri": address})
    with running_worker(settings, fresh_database, tmp_path / "log", GIS_CALLBACK_HOSTS="127.0.0.1"):
        wait_for(lambda: told != [])
    server.shutdown()
    server.server_close()
    assert told == [{"jobID": job, "status": "successful", "href": f"http://x/jobs/{job}"}]


def test_old_jobs_are_forgotten_with_their_documents(fresh_database: str) -> None:
    world = Jobs(fresh_database)
    job = world.submit()
    with SyncDatabase(fresh_database) as db:
        assert db.run(jobs_sql.begin(job))
        assert db.run(jobs_sql.finish(job, ["report.json"], ["application/json"], [gzip.compress(b"{}")]))[0][
            0
        ]
        assert not db.run(jobs_sql.finish(job, ["report.json"], ["application/json"], [b""]))[0][0]
        assert world.scalar(f"select inputs::text from gis_queue.job where job_id = '{job}'") == "{}"
        assert db.run(jobs_sql.forget(30))[0][0] == 0
        db.apply([f"update gis_queue.job set finished = now() - interval '31 days' where job_id = '{job}'"])
        assert db.run(jobs_sql.forget(30))[0][0] == 1
    assert world.scalar("select count(*) from gis_queue.job_document") == 0


def test_the_queue_of_the_migrations_is_made_for_the_installed_version(root: Path) -> None:
    text = (root / "gis_service/db/migrations/0008_queue.sql").read_text("utf-8")
    assert f"-- insert: procrastinate {version('procrastinate')}\n" in text


def test_a_web_worker_that_answers_processes_still_imports_no_heavy_library() -> None:
    code = """
import sys
from gis_service.processes.engine import Engine
Engine()
heavy = {'geopandas', 'pandas', 'rasterio', 'numba', 'pyogrio', 'folium', 'procrastinate'}
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_the_status_filters_that_are_offered_are_those_there_are() -> None:
    assert set(overlap_process.STATUS_FILTERS) == set(overlap.STATUS_KEPT)


@contextmanager
def locked(dsn: str) -> Iterator[None]:
    """Hold the protected areas against every reader, so that a job surely is in the middle of its work."""
    with psycopg.connect(dsn) as connection:
        connection.execute("lock table gis.protected_area in access exclusive mode")
        yield


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.05)
