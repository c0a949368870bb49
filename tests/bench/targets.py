"""The servers of a run: ours, TiPg on the same database, nginx with one static file, peers by address."""

import hashlib
import os
import shutil
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from psycopg.conninfo import conninfo_to_dict

from gis_service.access import keystore
from gis_service.access.principal import Principal
from gis_service.cli import children
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.settings import Settings, load_settings
from tests.bench import asks, client, processes, sharing
from tests.bench.asks import Ask, Encoding, OgcServer, PathOf
from tests.bench.processes import BenchFault, Server

HERE = Path(__file__).parent
LOCK = HERE / "peers.lock"
WORKERS = 2  # one a core of the machine that the published figures come from; the same for every server
PROBE_LAYER = "protected-areas"
RESTRICTED = "province"
KEPT = "cached"
CACHE_MB = 128  # of each worker
STATIC_BYTES = 20_000

# Every setting of TiPg that the bench pins, and why. The table is printed with the results.
TIPG_PINS: Mapping[str, tuple[str, str]] = {
    "DB_MIN_CONN_SIZE": (
        "10",
        "its own maximum, opened at the start: no connection is made while the clock runs",
    ),
    "DB_MAX_CONN_SIZE": ("10", "its default a worker; 2 × 10 connections, more than the cores can use"),
    "DB_MAX_QUERIES": (
        "1000000000",
        "its default renews a connection after 50,000 queries: not in our window",
    ),
    "DB_MAX_INACTIVE_CONN_LIFETIME": (
        "0",
        "its default closes connections idle for 300 s: not between our cells",
    ),
    "TIPG_DB_SCHEMAS": ('["bench"]', "the views over the same tables; same rows, columns, indexes"),
    "TIPG_DB_SPATIAL_EXTENT": (
        "FALSE",
        "views hide PostgreSQL's estimate, so it would scan all rows at start",
    ),
    "TIPG_DB_DATETIME_EXTENT": ("FALSE", "as above; both leave it less work than its default"),
    "TIPG_CATALOG_TTL": (
        "0",
        "its default re-reads the catalogue every 300 s; ours wouldn't, so neither does",
    ),
    "TIPG_MAX_FEATURES_PER_TILE": ("10000", "its default; where it cuts a tile short, the row says so"),
    "TIPG_TILE_BUFFER": ("64", "ours is 64 of 4096 too; its default of 256 would draw more for nothing"),
    "TIPG_TILE_RESOLUTION": ("4096", "its default and ours"),
}
TIPG_RUN = (
    ("version", "tipg 1.6.1 with uvicorn 0.54.0, uvloop 0.23.0, httptools 0.9.0",
     "newest release, run as its README does with the faster loop and parser; hashes in peers.lock"),
    ("workers", str(WORKERS), "the same number as ours"),
    ("compression", "level 6, gzip when the client asks for it, from 500 bytes",
     "fixed in its source; every client of ours asks alike, gzip as browsers, QGIS and GDAL do, or identity"),
    ("indexes", "those of the tables", "plain views of our tables; PostgreSQL merges them into the query"),
    ("key", "gid, the integer primary key", "sorts and finds faster than a text id"),
    ("access log", "off", "off in ours too"),
)  # fmt: skip


@dataclass
class Target:
    """One server that is asked: where, by which paths, and the process if the bench started it."""

    name: str
    port: int
    path: PathOf
    host: str = "127.0.0.1"
    server: Server | None = None
    key: str = ""  # of who asks; without it the public does
    notes: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)  # ETags by path, of answers that are held

    def request(self, ask: Ask, encoding: Encoding) -> bytes | None:
        """The request on the wire, None where this server offers nothing of the kind."""
        path = self.path(ask)
        if path is None:
            return None
        tag = self._tag(path, encoding) if ask.held else ""
        return asks.http(ask, path, f"{self.host}:{self.port}", encoding, self.key, tag)

    def _tag(self, path: str, encoding: Encoding) -> str:
        if path not in self.tags:
            request = asks.http(Ask("tile"), path, f"{self.host}:{self.port}", encoding, self.key)
            self.tags[path] = client.ask_once(self.host, self.port, request).header("etag")
        return self.tags[path]


# The peers keep no tiles, so what is compared is drawing them.
DRAWN_EACH_TIME = {"GIS_TILES_CACHE_MB": "0", "GIS_TILES_WARM_ZOOMS": "0"}


def start_ours(root: Path, dsn: str, data_dir: Path, port: int, full_detail: bool = False) -> Target:
    """Our server as `./gis up` runs it, on the bench's database, with its job worker.

    Its twin with `full_detail` answers the rows `-full` alone.
    """
    settings, env = _ours(root, dsn, data_dir, port, DRAWN_EACH_TIME)
    command = children.web_command(settings)
    paths = asks.OURS
    if full_detail:
        command, paths = [*command[:-1], "tests.bench.full_detail:app"], asks.OURS_FULL
    item = processes.probe(f"/collections/{PROBE_LAYER}/items?limit=1", port)
    log = data_dir / ("ours-full.log" if full_detail else "ours.log")
    server = processes.start("ours", command, env, port, item, log)
    if not full_detail:
        # Reports are jobs of the worker; it sleeps while nobody asks for one.
        server.helper = processes.launch("worker", children.worker_command(), env, data_dir / "worker.log")
    return Target("ours", port, OgcServer(paths=paths), server=server)


def start_cached(root: Path, dsn: str, data_dir: Path, port: int) -> Target:
    """Our server with its cache of tiles, as `./gis up` runs it."""
    settings, env = _ours(root, dsn, data_dir, port, {"GIS_TILES_CACHE_MB": str(CACHE_MB)})
    item = processes.probe(f"/collections/{PROBE_LAYER}/items?limit=1", port)
    server = processes.start(
        KEPT, children.web_command(settings), env, port, item, data_dir / "ours-cached.log"
    )
    return Target(KEPT, port, OgcServer(paths=asks.OURS), server=server)


def _ours(
    root: Path, dsn: str, data_dir: Path, port: int, more: Mapping[str, str]
) -> tuple[Settings, Mapping[str, str]]:
    own = {
        "GIS_DATA": str(data_dir / "ours"),
        "GIS_PORT": str(port),
        "GIS_HOST": "127.0.0.1",
        "GIS_WORKERS": str(WORKERS),
    }
    settings = load_settings(root, own)
    return settings, children.child_environment(settings, dsn, more)


def as_province(ours: Target, dsn: str) -> Target:
    """Our server once more, asked with a key of the province that has the most occurrences."""
    with SyncDatabase(dsn) as database:
        code = sharing.largest(database)
        database.run(Query("select gis.ensure_jurisdiction_role($1)", (code,)))
        keystore.ensure_principal(database, Principal(RESTRICTED, "jurisdiction", (code,)))
        key = keystore.create(database, RESTRICTED)
    return Target(RESTRICTED, ours.port, ours.path, key=key)


def start_tipg(dsn: str, data_dir: Path, port: int) -> Target:
    """TiPg with every setting pinned."""
    python = peer_python(data_dir)
    env = {"DATABASE_URL": url(dsn)} | {key: value for key, (value, _) in TIPG_PINS.items()}
    command = [
        str(python), "-m", "uvicorn", "tipg.main:app", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools", "--no-access-log",
        "--log-level", "warning",
    ]  # fmt: skip
    item = processes.probe(f"/collections/{asks.TIPG_PREFIX}{PROBE_LAYER}/items?limit=1", port)
    server = processes.start("tipg", command, env, port, item, data_dir / "tipg.log")
    return Target(
        "tipg", port, OgcServer(prefix=asks.TIPG_PREFIX, paths=asks.TIPG, filter_text=True), server=server
    )


def url(dsn: str) -> str:
    """A PostgreSQL URL that asyncpg and pydantic take: the socket's folder stands in the host's place."""
    parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    user = quote(parts.get("user", ""), safe="")
    secret = ":" + quote(parts["password"], safe="") if "password" in parts else ""
    host = quote(parts.get("host", "localhost"), safe="")
    port = f":{parts['port']}" if "port" in parts else ""
    return f"postgresql://{user}{secret}@{host}{port}/{quote(parts.get('dbname', user), safe='')}"


def peer_python(data_dir: Path) -> Path:
    """The interpreter of the peers' own environment, made at the first run and when the lock changes."""
    folder = data_dir / f"peers-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if (folder / "complete").is_file():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps",
               "--require-hashes", "-r", str(LOCK)]  # fmt: skip
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFault(f"the peers could not be installed:\n{done.stderr.strip()[-1500:]}")
    (folder / "complete").touch()
    return python


def start_nginx(data_dir: Path, port: int) -> Target | None:
    """One static file by nginx, the floor of any HTTP answer; None where nginx isn't installed."""
    program = shutil.which("nginx")
    if program is None:
        return None
    home = data_dir / "nginx"
    home.mkdir(parents=True, exist_ok=True)
    (home / "file.bin").write_bytes(os.urandom(STATIC_BYTES))
    user = "user root;" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(
        f"daemon off; {user} worker_processes {WORKERS}; pid {home}/nginx.pid; error_log {home}/error.log;\n"
        "events {}\n"
        f"http {{ access_log off; keepalive_requests 100000000;"
        f" server {{ listen 127.0.0.1:{port}; root {home}; }} }}\n"
    )
    command = [program, "-p", str(home), "-c", str(home / "nginx.conf")]
    server = processes.start(
        "nginx", command, {}, port, processes.probe("/file.bin", port), home / "start.log"
    )
    return Target(
        "nginx", port, lambda ask: "/tile.mvt" if ask.kind == "tile" else "/file.bin", server=server
    )


def give_tile(nginx_home: Path, tile: bytes) -> None:
    """What nginx sends where tiles are asked for: one of ours, compressed beforehand."""
    (nginx_home / "nginx" / "tile.mvt").write_bytes(tile)


def peer(name: str, templates: tuple[str, ...]) -> Target:
    """A server that somebody else runs on this machine, from its addresses."""
    first = urlsplit(templates[0])
    if first.scheme != "http" or first.hostname is None:
        raise BenchFault(f"--peer {name}: {templates[0]!r} must begin with http:// and a host")
    paths = tuple(template.split(first.netloc, 1)[1] for template in templates)
    return Target(name, first.port or 80, asks.peer_paths(paths), host=first.hostname)


def pinned_table() -> list[tuple[str, str, str]]:
    """Setting, value and reason of everything that is pinned for TiPg."""
    return [*TIPG_RUN, *((key, value, why) for key, (value, why) in TIPG_PINS.items())]
