"""System packages through apt on Debian and Ubuntu, as root or with sudo; elsewhere a word on what to do."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from gis_service.bootstrap.steps import Bar, Steps
from gis_service.db.postgres import OLDEST, find_postgres
from gis_service.errors import MachineFault

CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")
POLICY = Path("/usr/sbin/policy-rc.d")
# Programs that only tests use, and the packages that bring them.
TEST_PROGRAMS = {
    "chromium": (("chromium",), "maps are drawn in a real browser"),
    "chromium-driver": (("chromedriver",), "a page is driven in a real browser"),
    "nodejs": (("node",), "styles are held against MapLibre's own specification"),
    "nginx-light": (("nginx",), "a proxy with a path prefix stands in front"),
    "python3-qgis": ((), "QGIS reads every collection"),
}


def install_python_venv(steps: Steps) -> None:
    """Make sure that this Python can make virtual environments; Debian packs that apart."""
    if find_spec("ensurepip") and find_spec("venv"):
        return
    version = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not may_install():
        raise MachineFault(f"This Python can't make virtual environments: install the package {version}.")
    with steps.step(f"Installing {version}") as bar:
        apt_install([version], bar)


def install_postgis(steps: Steps) -> None:
    """Make sure that PostgreSQL and PostGIS are on this machine."""
    try:
        find_postgres()
    except MachineFault:
        if not may_install():
            raise
    else:
        return
    with steps.step("Installing PostgreSQL and PostGIS") as bar:
        update(bar)
        major = _newest_with_postgis()
        keep_port_5432_free()
        apt_install([f"postgresql-{major}", f"postgresql-{major}-postgis-3"], bar, updated=True)
    find_postgres()


def install_test_programs(steps: Steps) -> None:
    """Install what clients' tests drive, where that may be; the tests without it say why they are skipped."""
    missing = [name for name in TEST_PROGRAMS if not _has_test_program(name)]
    if not missing or not may_install() or os.environ.get("GIS_TEST_SYSTEM") == "no":
        for name in missing:
            sys.stderr.write(f"Without {name}: tests in which {TEST_PROGRAMS[name][1]} are skipped.\n")
        return
    try:
        with steps.step(f"Installing {', '.join(missing)} for the tests") as bar:
            apt_install(missing, bar, options=("-o", "DPkg::Options::=--force-unsafe-io"))
    except MachineFault as fault:
        if os.environ.get("CI"):
            raise
        sys.stderr.write(f"{fault}\nTests that need them are skipped.\n")


def _has_test_program(package: str) -> bool:
    programs = TEST_PROGRAMS[package][0]
    if not programs:
        return Path("/usr/lib/python3/dist-packages/qgis/core/__init__.py").is_file()
    return any(shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") for name in programs)


def may_install() -> bool:
    """Say whether apt is here and we are root or have sudo."""
    return shutil.which("apt-get") is not None and (os.geteuid() == 0 or shutil.which("sudo") is not None)


def keep_port_5432_free() -> None:
    """Keep the distribution from making and starting a cluster of its own, on a machine that has none yet."""
    if CREATE_CLUSTER.exists():
        return
    text = "create_main_cluster = false\n"
    _root(["sh", "-c", f"mkdir -p {CREATE_CLUSTER.parent} && cat > {CREATE_CLUSTER}"], given=text)


def update(bar: Bar) -> None:
    """Fetch the lists of packages."""
    _apt(["update"], bar)


def apt_install(names: list[str], bar: Bar, *, updated: bool = False, options: tuple[str, ...] = ()) -> None:
    """Install packages without starting their services; MachineFault with apt's own words when it fails."""
    if not updated:
        update(bar)
    command = ["install", "-y", "--no-install-recommends", *options, *names]
    with _services_left_alone():
        try:
            _apt(command, bar)
        except MachineFault:
            # A package's own script may stumble once, as when a mirror or the disk was slow.
            _apt(["install", "--fix-broken", "-y", *options], bar)
            _apt(command, bar)


@contextmanager
def _services_left_alone() -> Iterator[None]:
    # A freshly installed nginx would take port 80; invoke-rc.d asks this file first.
    ours = not POLICY.exists()
    if ours:
        _root(["sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}"])
    try:
        yield
    finally:
        if ours:
            _root(["rm", "-f", str(POLICY)])


def _newest_with_postgis() -> int:
    listed = subprocess.run(
        ["apt-cache", "pkgnames", "postgresql-"], capture_output=True, text=True, check=True
    ).stdout
    majors = [int(found) for found in re.findall(r"^postgresql-(\d+)-postgis-3$", listed, re.M)]
    fitting = [major for major in majors if major >= OLDEST]
    if not fitting:
        raise MachineFault(
            f"This system's packages have no PostGIS for PostgreSQL {OLDEST} or newer; add the PostgreSQL "
            "project's package source, or name a PostGIS of your own in GIS_DATABASE_URL."
        )
    return max(fitting)


def _root(words: list[str], given: str | None = None) -> None:
    command = words if os.geteuid() == 0 else ["sudo", *words]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MachineFault(f"{' '.join(words)}: {done.stderr.strip()}")


def _apt(words: list[str], bar: Bar) -> None:
    """Run apt-get and show its progress where we are root; sudo closes all but the standard descriptors.

    Progress comes on a descriptor of its own. On the standard output, which packages' scripts share with it,
    they die of I/O errors: fontconfig's does.
    """
    sudo = os.geteuid() != 0
    reading, writing = os.pipe()
    options = ["-q", "-o", "Dpkg::Use-Pty=0", *([] if sudo else ["-o", f"APT::Status-Fd={writing}"])]
    given = ["env", "DEBIAN_FRONTEND=noninteractive", "UCF_FORCE_CONFFOLD=1"]
    command = [*(["sudo"] if sudo else []), *given, "apt-get", *options, *words]
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        os.fdopen(reading, errors="replace") as status,
    ):
        apt = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            pass_fds=() if sudo else (writing,),
        )  # fmt: skip
        os.close(writing)
        for line in status:
            told = re.match(r"(?:dl|pm)status:([^:]*):([\d.]+):(.*)", line)
            if told:
                bar.show(float(told[2]) / 100, told[3])
        if apt.wait():
            said.seek(0)
            raise MachineFault(f"apt-get {words[0]} failed:\n{''.join(_telling(list(said))).strip()}")


def _telling(said: list[str]) -> list[str]:
    """The lines of apt's and dpkg's output that tell what went wrong; dpkg gives the reason a line later."""
    marks = ("E:", "W:", "dpkg: error", "Errors were encountered")
    found = [at for at, line in enumerate(said) if line.startswith(marks)]
    wanted = sorted({each for at in found for each in (at, at + 1) if each < len(said)})
    return [said[at] for at in wanted][-12:] or said[-8:]
