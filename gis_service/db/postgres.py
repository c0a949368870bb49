"""The PostgreSQL that this machine has, the user it runs as, and the configuration we give it."""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gis_service.errors import MachineFault

OLDEST = 15
SERVICE_USER = "postgres"  # made by the packages of Debian and Ubuntu
MIB = 1024 * 1024
DURABLE = "fsync = on\nfull_page_writes = on\nsynchronous_commit = on\n"
THROWAWAY = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"


@dataclass(frozen=True, slots=True)
class Postgres:
    """One installed PostgreSQL that has PostGIS."""

    bin: Path
    major: int

    def program(self, name: str) -> str:
        """Give the path of one of its programs."""
        return str(self.bin / name)


def find_postgres() -> Postgres:
    """Find the newest PostgreSQL with PostGIS on this machine; MachineFault says what to install."""
    found = [each for folder in _folders() if (each := _looked_at(folder))]
    if not found:
        raise MachineFault(
            f"No PostgreSQL {OLDEST} or newer with PostGIS on this machine. On Debian and Ubuntu "
            "`./gis up`, as root or with sudo, installs it; elsewhere install both with your package "
            "manager, or name a PostGIS of your own: GIS_DATABASE_URL=postgresql://user@host/name ./gis up"
        )
    return max(found, key=lambda each: each.major)


def fit_for(major: int, newest: Postgres) -> Postgres:
    """Give the programs for data of that version, which may not be the newest; MachineFault if none."""
    if major == newest.major:
        return newest
    same = Path("/usr/lib/postgresql", str(major), "bin")
    if not (same / "postgres").is_file():
        raise MachineFault(f"The data are of PostgreSQL {major}, which this machine doesn't have.")
    return Postgres(same, major)


def _folders() -> list[Path]:
    known = [
        path
        for root, pattern in (
            ("/usr/lib/postgresql", "*/bin"),  # Debian, Ubuntu
            ("/usr", "pgsql-*/bin"),  # Red Hat
            ("/opt/homebrew/opt", "postgresql@*/bin"),
            ("/usr/local/opt", "postgresql@*/bin"),
        )
        for path in sorted(Path(root).glob(pattern))
    ]
    on_path = shutil.which("pg_ctl")
    return [*known, Path(on_path).resolve().parent] if on_path else known


def _looked_at(folder: Path) -> Postgres | None:
    if not all((folder / name).is_file() for name in ("initdb", "pg_ctl", "psql", "pg_config")):
        return None
    told = subprocess.run(
        [folder / "pg_config", "--version", "--sharedir"], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    version = re.search(r"(\d+)", told[0]) if len(told) == 2 else None
    if not version or int(version[1]) < OLDEST:
        return None
    has_postgis = (Path(told[1]) / "extension" / "postgis.control").is_file()
    return Postgres(folder, int(version[1])) if has_postgis else None


def service_user() -> str | None:
    """Name the user that the cluster runs as when we are root, whom initdb refuses; else None."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVICE_USER).pw_name
    except KeyError:
        raise MachineFault(
            f"There is no user {SERVICE_USER!r} to run the database as; make it with "
            f"`useradd --system {SERVICE_USER}`, or run ./gis as an ordinary user."
        ) from None


def memory() -> int:
    """Give the bytes of memory that this machine, or the container we are in, has."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = Path("/sys/fs/cgroup", name)
        text = limit.read_text().strip() if limit.is_file() else ""
        if text.isdigit():
            return min(whole, int(text))
    return whole


def configuration(socket_dir: Path, log_dir: Path, total: int, *, durable: bool) -> str:
    """Write the cluster's settings for a machine with so many bytes of memory."""
    total_mb = total // MIB
    return f"""# Written at each start of the cluster.
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
port = 5432
max_connections = 100
{DURABLE if durable else THROWAWAY}
# Published advice is a quarter of the memory; beyond 4 GB the system's own cache serves as well.
shared_buffers = {_between(128 if durable else 64, total_mb // 4, 4096 if durable else 256)}MB
effective_cache_size = {max(256, total_mb // 2)}MB
maintenance_work_mem = {_between(64, total_mb // 16, 1024)}MB
work_mem = {_between(4, total_mb // 500, 64)}MB
# Short spatial queries: compiling one costs more than running it.
jit = off
default_toast_compression = lz4
wal_compression = lz4
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
# One file a weekday, each overwritten a week later, so logs can't fill the disk.
logging_collector = on
log_directory = '{log_dir}'
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_min_duration_statement = 5s
# Parameters may hold positions of sensitive species.
log_parameter_max_length = 0
"""


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))
