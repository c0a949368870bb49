"""Headless Chromium over the W3C WebDriver protocol: plain JSON over HTTP, so no library stands between."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that the standard gives to element references
# WebGL without a graphics card, and no conversation of the browser's own with the outside.
FLAGS = (
    "--headless=new", "--no-sandbox", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-dev-shm-usage",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--hide-scrollbars",
)  # fmt: skip


def missing() -> str | None:
    """What the machine lacks for these tests."""
    names = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"needs {' and '.join(names)}" if names else None


@dataclass
class Browser:
    """One tab. Commands raise AssertionError with the browser's own words."""

    driver: httpx.Client
    session: str

    def command(self, method: str, path: str, **body: object) -> Any:  # whatever JSON it answers with
        address = f"/session/{self.session}/{path}"
        answer = self.driver.request(method, address, json=body if method == "POST" else None)
        value = answer.json()["value"]
        assert answer.status_code == 200, f"{path}: {value}"
        return value

    def open(self, address: str) -> None:
        self.command("POST", "url", url=address)

    def run(self, script: str, *arguments: object) -> Any:
        """The value that a function body returns in the page."""
        return self.command("POST", "execute/sync", script=script, args=list(arguments))

    def wait(self, script: str, seconds: float = 30) -> Any:
        """The first truthy value of an expression in the page."""
        end = time.monotonic() + seconds
        while not (value := self.run(f"return {script}")):
            assert time.monotonic() < end, f"still not: {script}\n{self.console()}"
            time.sleep(0.1)
        return value

    def click(self, selector: str) -> None:
        self.command("POST", f"element/{self._find(selector)}/click")

    def type(self, selector: str, text: str) -> None:
        self.command("POST", f"element/{self._find(selector)}/value", text=text)

    def _find(self, selector: str) -> str:
        found: str = self.command("POST", "element", using="css selector", value=selector)[ELEMENT]
        return found

    def click_at(self, x: int, y: int, times: int = 1) -> None:
        """Real pointer clicks at a place of the window."""
        move: dict[str, object] = {"type": "pointerMove", "duration": 0, "x": x, "y": y}
        clicks = [{"type": kind, "button": 0} for _ in range(times) for kind in ("pointerDown", "pointerUp")]
        source = {"type": "pointer", "id": "mouse", "actions": [move, *clicks]}
        self.command("POST", "actions", actions=[source])

    def cdp(self, name: str, **parameters: object) -> Any:
        return self.command("POST", "goog/cdp/execute", cmd=name, params=parameters)

    def dark(self, on: bool) -> None:
        value = "dark" if on else "light"
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def size(self, width: int, height: int) -> None:
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.cdp("Emulation.setDeviceMetricsOverride", **screen)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("GET", "screenshot")))

    def console(self) -> list[str]:
        """What the page complained of since the last call."""
        return [entry["message"] for entry in self.command("POST", "se/log", type="browser")]

    def requested(self) -> list[str]:
        """Every address that was asked for since the last call."""
        entries = self.command("POST", "se/log", type="performance")
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with an empty profile, gone when the block ends."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="gis-browser-") as profile:
        driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=90, trust_env=False) as client:
                made = Browser(client, _session(client, profile))
                yield made
                client.delete(f"/session/{made.session}")
        finally:
            driver.terminate()
            driver.wait(20)


def _session(client: httpx.Client, profile: str) -> str:
    options = {"args": [*FLAGS, f"--user-data-dir={profile}"]}
    wanted = {
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    for _ in range(100):
        try:
            answer = client.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
        except httpx.ConnectError:
            time.sleep(0.1)
            continue
        assert "sessionId" in answer, answer
        return str(answer["sessionId"])
    raise AssertionError("chromedriver didn't start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
