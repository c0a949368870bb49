"""Long answers: made at the client's speed, ended in PostgreSQL when it leaves, never falsely whole."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings, load_settings
from gis_service.web import asgi, stream
from tests import sample
from tests.conftest import ROOT, Starter
from tests.web.conftest import Sample
from tests.web.lifespan import lifespan

SHAPES = 600  # of 2,400 vertices: 35 MB of GeoJSON
STATEMENTS = 18  # that read them: the first tells their weight, then 2 MB each
AHEAD = 4  # of them at most, before the client reads anything
SHORTER = "/collections/ecoregions/items?limit=10000&bbox=-61,-1,-59,16"  # 160 shapes
EXPORT = "/collections/ecoregions/export"
PAGE = "/collections/ecoregions/items?limit=10000&bbox=-61,-1,-59,70"
ROOMY = {"GIS_LIMITS_PAGE_BYTES": "1000000000"}
_SHAPES = f"""
    insert into gis.ecoregion (source_id, dataset_id, basis, geom, name)
    select 'shape-' || i, (select dataset_id from gis.dataset where slug = 'open'), 'published',
           ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(-60, i / 10.0), 4326), 0.04, 600)), 'Shape ' || i
      from generate_series(1, {SHAPES}) i order by i
"""
# Every statement that reads the layer passes here: it's counted, and from some number on it sleeps.
_PASSING = """
    create sequence public.passed;
    create table public.sleepy (after bigint);
    insert into public.sleepy values (1000000000);
    grant select on public.sleepy to public;
    create function public.passing() returns boolean language plpgsql volatile security definer as $$
    begin
      if current_setting('passing.statement', true) is distinct from statement_timestamp()::text then
        perform set_config('passing.statement', statement_timestamp()::text, false);
        if nextval('public.passed') > (select after from public.sleepy) then perform pg_sleep(60); end if;
      end if;
      return true;
    end $$;
    create policy passing on gis.ecoregion as restrictive for select using (public.passing())
"""


@pytest.fixture(scope="module", autouse=True)
def shapes(sampled: Sample) -> None:
    with SyncDatabase(sampled.dsn) as db:
        db.apply([_SHAPES, _PASSING])


@pytest.fixture(scope="module")
def url(start_server: Starter, sampled: Sample, tmp_path_factory: pytest.TempPathFactory) -> str:
    return start_server(sampled.dsn, TMPDIR=str(tmp_path_factory.mktemp("pipes")), **ROOMY)


@pytest.fixture(scope="module")
def strict(start_server: Starter, sampled: Sample) -> str:
    """A server with small budgets."""
    budgets = {"STATEMENT_TIMEOUT_MS": "1000", "EXPORT_BYTES": "20000000", "EXPORT_SECONDS": "3"}
    return start_server(
        sampled.dsn, **ROOMY, **{f"GIS_LIMITS_{name}": value for name, value in budgets.items()}
    )


def passed(dsn: str) -> int:
    """How many statements have read the layer so far."""
    with SyncDatabase(dsn) as db:
        return int(
            str(sample.scalar(db, "select case when is_called then last_value else 0 end from public.passed"))
        )


def settled(dsn: str) -> int:
    """The same, once it rises no more."""
    before, now = -1, passed(dsn)
    while now != before:
        time.sleep(0.3)
        before, now = now, passed(dsn)
    return now


def running(dsn: str) -> int:
    """How many statements of the server run."""
    asked = (
        "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'"
        " and application_name = 'gis-service' and pid <> pg_backend_pid()"
    )
    with SyncDatabase(dsn) as db:
        return int(str(sample.scalar(db, asked)))


def becomes(dsn: str, count: int) -> bool:
    """Whether so many statements run, now or within ten seconds."""
    for _ in range(100):
        if running(dsn) == count:
            return True
        time.sleep(0.1)
    return False


@contextmanager
def sleepy(dsn: str, after: int) -> Iterator[None]:
    """While this lasts, reading sleeps once so many more statements have passed."""
    with SyncDatabase(dsn) as db:
        db.apply([f"update public.sleepy set after = {passed(dsn) + after}"])
    yield
    with SyncDatabase(dsn) as db:
        db.apply(["update public.sleepy set after = 1000000000"])


@contextmanager
def asking(url: str, path: str = PAGE, version: str = "1.1") -> Iterator[socket.socket]:
    """A client that has sent its request and reads as its test tells it to."""
    address = httpx.URL(url)
    with socket.socket() as client:
        client.settimeout(30)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.connect((address.host, address.port))
        client.sendall(f"GET {path} HTTP/{version}\r\nHost: {address.host}\r\n\r\n".encode())
        yield client


def features(body: bytes) -> int:
    """How many features a GeoJSON text holds; parsing 35 MB takes a second."""
    return body.count(b'"type":"Feature",')


def read_all(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(1_000_000):
        parts.append(part)
    return b"".join(parts)


def test_an_answer_is_made_no_faster_than_its_client_reads(url: str, sampled: Sample) -> None:
    """In memory are the rows of a batch and what the connection's buffers hold, not 35 MB."""
    before = passed(sampled.dsn)
    with asking(url, version="1.0") as client:
        assert client.recv(1)
        assert settled(sampled.dsn) - before <= AHEAD
        body = read_all(client).partition(b"\r\n\r\n")[2]
    assert passed(sampled.dsn) - before == STATEMENTS
    assert features(body) == SHAPES
    assert body.endswith(b"}")


def test_a_connection_is_kept_after_a_stream(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        for coding in ("identity", "gzip", "zstd", "gzip"):
            answer = client.get(SHORTER, headers={"Accept-Encoding": coding})
            assert answer.headers["transfer-encoding"] == "chunked"
            assert "content-length" not in answer.headers
            assert answer.headers.get("content-encoding", "identity") == coding
            if coding != "zstd":
                assert features(answer.content) == 160
            connection = answer.extensions["network_stream"].get_extra_info("socket")
            assert connection is client.get("/health").extensions["network_stream"].get_extra_info("socket")


def test_short_answers_are_whole_and_head_has_none(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        assert "content-length" in client.get("/collections/ecoregions/items?limit=1").headers
        for _ in range(stream.AT_ONCE_EACH + 1):  # each gives its place back
            head = client.head(SHORTER)
            assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", [PAGE, f"{EXPORT}?f=ndjson", f"{EXPORT}?f=fgb"])
def test_a_client_that_leaves_ends_what_makes_its_stream(
    url: str, sampled: Sample, path: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its statement in PostgreSQL, and the process that encodes it."""
    encodes = 1 if path.endswith("fgb") else 0
    with sleepy(sampled.dsn, after=6):  # up to four of them count and measure the layer
        with asking(url, path) as client:
            assert client.recv(1)
            with suppress(TimeoutError):
                client.settimeout(1)
                read_all(client)
            assert becomes(sampled.dsn, 1)
            assert encoders(tmp_path_factory.getbasetemp()) == encodes
        assert becomes(sampled.dsn, 0)
    for _ in range(50):
        if not (left := encoders(tmp_path_factory.getbasetemp())):
            break
        time.sleep(0.1)
    assert left == 0


def encoders(temporary: Path) -> int:
    """How many processes of this test run encode; they inherit the folder of the server's pipes."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words, inherited = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            found += b"gis_service.exchange.encode" in words and bytes(temporary) in inherited
    return found


@pytest.mark.parametrize(
    "path", [PAGE, f"{EXPORT}?f=gpkg", "/collections/ecoregions", "/collections", "/xyz/ecoregions/0/0/0.mvt"]
)
def test_a_client_that_leaves_before_the_first_byte_ends_it_too(url: str, sampled: Sample, path: str) -> None:
    """Counts and extents of the collections' documents are statements as well, after each edit."""
    with SyncDatabase(sampled.dsn) as db:
        db.apply(["update gis.ecoregion set name = name || '.' where name like 'Shape 1%'"])
    with sleepy(sampled.dsn, after=0):
        with asking(url, path):
            assert becomes(sampled.dsn, 1)
        assert becomes(sampled.dsn, 0)


def test_a_stream_whose_statement_fails_is_broken_off(strict: str, sampled: Sample) -> None:
    """Neither the chunks of HTTP/1.1 nor the end of an HTTP/1.0 connection may look like a whole page."""
    with sleepy(sampled.dsn, after=AHEAD), pytest.raises(httpx.HTTPError):
        httpx.get(strict + PAGE, timeout=30)
    with (
        sleepy(sampled.dsn, after=AHEAD),
        asking(strict, version="1.0") as client,
        pytest.raises(ConnectionResetError),
    ):
        read_all(client)
    assert features(httpx.get(strict + SHORTER, timeout=60).content) == 160


@pytest.mark.parametrize("path", [PAGE, f"{EXPORT}?f=ndjson", f"{EXPORT}?f=csv"])
def test_a_stream_that_outgrows_its_budget_is_broken_off(strict: str, path: str) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(strict + path, timeout=30)


def test_a_stream_that_takes_too_long_is_broken_off(strict: str) -> None:
    with asking(strict, SHORTER, version="1.0") as client:
        client.recv(1)
        time.sleep(3.2)
        with pytest.raises(ConnectionResetError):
            read_all(client)


def test_a_caller_has_so_many_streams_at_once_and_then_is_told_to_come_back(url: str) -> None:
    with ExitStack() as opened:
        for _ in range(stream.AT_ONCE_EACH):
            assert opened.enter_context(asking(url)).recv(20).startswith(b"HTTP/1.1 200")
        answer = httpx.get(url + PAGE, timeout=30)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "retry-after" in answer.headers
        assert httpx.get(f"{url}/collections/plots/items", timeout=30).status_code == 200
    for _ in range(50):
        if (again := httpx.head(url + PAGE, timeout=30).status_code) == 200:
            break
        time.sleep(0.1)
    assert again == 200


def test_pipes_are_gone_when_their_streams_are(url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    httpx.get(url + SHORTER, timeout=60)
    base = tmp_path_factory.getbasetemp()
    (folder,) = base.glob("pipes0/gis-streams-*")
    assert list(folder.iterdir()) == []


def test_the_asgi_twin_waits_for_its_server_and_ends_with_the_client(
    settings: Settings, sampled: Sample
) -> None:
    roomy = load_settings(ROOT, {"GIS_DATA": str(settings.data_dir), **ROOMY})
    before = passed(sampled.dsn)
    asyncio.run(_asgi_client_that_leaves(roomy, sampled.dsn))
    assert passed(sampled.dsn) - before <= AHEAD
    assert running(sampled.dsn) == 0


async def _asgi_client_that_leaves(settings: Settings, dsn: str) -> None:
    path, _, query = PAGE.partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    begun, left = asyncio.Event(), asyncio.Event()

    async def receive() -> asgi.Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: asgi.Message) -> None:
        if message["type"] == "http.response.body":
            begun.set()
            await asyncio.Event().wait()  # a server whose client reads nothing takes nothing

    app = asgi.App(lambda: (settings, dsn))
    async with lifespan(app):
        answering = asyncio.create_task(app({**scope}, receive, send))
        await begun.wait()
        left.set()
        await answering
