"""The embedded PostGIS: a private cluster in a data folder, on a unix socket that only we can reach."""

import contextlib
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from gis_service.db import postgres
from gis_service.errors import DiskFull, MachineFault

SOCKET_PATH_LIMIT = 107  # sun_path of Linux, less its closing zero
SOCKET_NAME = ".s.PGSQL.5432"
SUPERUSER = "gis"
START_SECONDS = 60
STOP_SECONDS = 30


class Cluster:
    """A PostgreSQL cluster of ours; it outlives this process until `stop`."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir
        self.durable = durable

    @cached_property
    def home(self) -> Path:
        """The folder that holds pg/: the data folder, or one that the database's user can enter."""
        user = postgres.service_user()
        if user is None or _can_enter(user, self.data_dir):
            return self.data_dir
        return Path("/var/lib/gis-service", self._short_name)

    @property
    def pg(self) -> Path:
        """The folder of the database's files."""
        return self.home / "pg"

    @cached_property
    def socket_dir(self) -> Path:
        """The folder of the socket, short enough for the system's limit on a socket's path."""
        wanted = self.home / "run" / "pg"
        if len(os.fsencode(wanted / SOCKET_NAME)) < SOCKET_PATH_LIMIT:
            return wanted
        if os.geteuid() == 0:
            return Path("/run", f"gis-service-{self._short_name}")
        return Path(tempfile.gettempdir(), f"gis-{os.geteuid()}-{self._short_name}")

    @property
    def _short_name(self) -> str:
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]

    def dsn(self, dbname: str = "gis") -> str:
        """Give the address of one database of this cluster."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql:///{quote(dbname)}?host={host}&port=5432&user={SUPERUSER}"

    def exists(self) -> bool:
        """Say whether the cluster was ever made."""
        return (self.pg / "PG_VERSION").is_file()

    def pid(self) -> int | None:
        """Give the process id of the running cluster, None when it isn't running."""
        number = self._pid_in_file()
        return number if number is not None and self._is_ours(number) else None

    def status(self) -> str:
        """Say `running`, `stopped` or `absent`."""
        if not self.exists():
            return "absent"
        return "running" if self.pid() else "stopped"

    def start(self) -> None:
        """Make the cluster if need be, start it, wait until it answers; it recovers from a kill -9."""
        if self.pid() is None:
            self._make_folders()
            if not self.exists():
                self._make()
            self._configure()
            self._clear_leftovers()
            self._launch()
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Shut down, cutting clients off; harder if it doesn't stop in time: the next start recovers."""
        for mode in ("fast", "immediate"):
            if self.pid() is None:
                return
            words = ("stop", "-D", str(self.pg), "-m", mode, "-w", "-t", str(STOP_SECONDS))
            self._run("pg_ctl", *words, check=False)
        if self.pid() is not None:
            raise MachineFault(f"The database (process {self.pid()}) doesn't stop.")

    def create_database(self, name: str = "gis", template: str = "template1") -> None:
        """Create a database as a copy of the template, unless it is there."""
        there = self.query(f"select 1 from pg_database where datname = '{_plain(name)}'")
        if not there:
            self.query(f'create database "{_plain(name)}" template "{_plain(template)}"')

    def drop_database(self, name: str) -> None:
        """Drop a database and whoever is connected to it."""
        self.query(f'drop database if exists "{_plain(name)}" with (force)')

    def query(self, sql: str, dbname: str = "postgres") -> str:
        """Run a statement of ours through psql and give its bare text."""
        words = ("-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(dbname), "-c", sql)
        return self._run("psql", *words).stdout.strip()

    @cached_property
    def _postgres(self) -> postgres.Postgres:
        found = postgres.find_postgres()
        if self.exists():
            return postgres.fit_for(int((self.pg / "PG_VERSION").read_text()), found)
        return found

    def _run(self, program: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        user = postgres.service_user()
        done = subprocess.run(
            [self._postgres.program(program), *words],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "10"},
            user=user, group=user, extra_groups=[] if user else None,
        )  # fmt: skip
        if check and done.returncode:
            raise _fault(f"{program}: {(done.stderr or done.stdout).strip()}")
        return done

    def _make_folders(self) -> None:
        user = postgres.service_user()
        for folder in (self.home, self.home / "run", self.home / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
            if user:  # the user passes through, whatever our umask is
                folder.chmod(folder.stat().st_mode | 0o011)
        for folder in (self._logs, self.socket_dir):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode):
                raise MachineFault(f"{folder} is in the way: not a folder of ours.")
            if user:
                shutil.chown(folder, user, user)
            elif found.st_uid != os.geteuid():
                raise MachineFault(f"{folder} belongs to another user.")
            folder.chmod(0o700)

    @property
    def _logs(self) -> Path:
        return self.home / "logs" / "pg"

    def _make(self) -> None:
        # Made aside and renamed, so that a kill half way leaves no half a cluster behind.
        aside = self.home / "pg.making"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        if user := postgres.service_user():
            shutil.chown(aside, user, user)
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--auth=trust", "-U", SUPERUSER]
        self._run("initdb", "-D", str(aside), *options, *([] if self.durable else ["--no-sync"]))
        shutil.rmtree(self.pg, ignore_errors=True)
        aside.rename(self.pg)

    def _configure(self) -> None:
        text = postgres.configuration(self.socket_dir, self._logs, postgres.memory(), durable=self.durable)
        main = self.pg / "postgresql.conf"
        try:
            (self.pg / "gis.conf").write_text(text)
            if "include 'gis.conf'" not in main.read_text():
                with main.open("a") as file:
                    file.write("\ninclude 'gis.conf'\n")
            # Peers of the socket's folder are ourselves alone (mode 0700), so nobody is asked for a password.
            (self.pg / "pg_hba.conf").write_text("local all all trust\n")
        except OSError as err:
            raise _fault(f"{err}") from err

    def _clear_leftovers(self) -> None:
        """After kill -9: end backends without a postmaster; drop pid files that now name a stranger."""
        _end(self._backends)
        pid = self._pid_in_file()
        if pid is not None and _alive(pid):
            (self.pg / "postmaster.pid").unlink()
        lock = self.socket_dir / f"{SOCKET_NAME}.lock"
        if lock.is_file():
            lock.unlink()

    def _launch(self) -> None:
        started_at = time.time()
        log = str(self._logs / "start.log")
        done = self._run(
            "pg_ctl", "start", "-D", str(self.pg), "-l", log, "-w", "-t", str(START_SECONDS), check=False
        )
        if done.returncode:
            raise _fault(f"It didn't start: {self._last_words(started_at) or done.stderr.strip()}")

    def _last_words(self, since: float) -> str:
        recent = [each for each in self._logs.glob("*.log") if each.stat().st_mtime >= since - 1]
        lines = [line for each in recent for line in each.read_text(errors="replace").splitlines()]
        words = ("FATAL", "PANIC", "ERROR", "HINT")
        telling = [line for line in lines if any(word in line for word in words)]
        return " / ".join(telling[-3:])

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        question = ("-X", "-q", "-d", self.dsn("postgres"), "-c", "select 1")
        while self._run("psql", *question, check=False).returncode:
            if time.monotonic() > deadline or self.pid() is None:
                raise _fault(f"It doesn't answer; its log is in {self._logs}.")
            time.sleep(0.2)

    def _pid_in_file(self) -> int | None:
        try:
            return int((self.pg / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        if not Path("/proc/self/cwd").exists():
            return _alive(pid)
        return _cwd(pid) == str(self.pg)

    def _backends(self) -> list[int]:
        """Processes that work in our folder: PostgreSQL's own all do."""
        numbers = [int(each.name) for each in Path("/proc").glob("[0-9]*")]
        return [pid for pid in numbers if self._is_ours(pid)] if Path("/proc/self/cwd").exists() else []


def _can_enter(user: str, folder: Path) -> bool:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    asked = subprocess.run(
        ["test", "-x", there], check=False, cwd="/", user=user, group=user, extra_groups=[]
    )
    return asked.returncode == 0


def _plain(name: str) -> str:
    if not name.replace("_", "").isalnum():
        raise ValueError(f"not a plain database name: {name!r}")
    return name


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _cwd(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return None


def _end(processes: Callable[[], list[int]]) -> None:
    for hard in (signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + 5
        for pid in processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, hard)
        while processes() and time.monotonic() < deadline:
            time.sleep(0.05)


def _fault(text: str) -> MachineFault:
    if "No space left on device" in text:
        return DiskFull(text)
    return MachineFault(f"The embedded database: {text}")
