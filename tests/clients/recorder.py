"""A proxy that notes what a client asks of the server: what a client pushes down is what arrives here.

It's a process of its own, because GDAL holds Python's lock while it waits for an answer.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True)
class Recorder:
    """The proxy's address and what it has noted since `begun`."""

    url: str
    log: Path
    begun: int = 0

    @property
    def requests(self) -> list[str]:
        """The paths with their query strings, as they came."""
        return self.log.read_text("utf-8").splitlines()[self.begun :]

    def items(self) -> list[str]:
        """The decoded query strings of the requests for items so far."""
        parts = [urlsplit(each) for each in self.requests]
        return [unquote(each.query) for each in parts if each.path.endswith("/items")]

    def anew(self) -> Recorder:
        """The same proxy with nothing noted yet."""
        return Recorder(self.url, self.log, self.begun + len(self.requests))


@contextmanager
def recorded(upstream: str, log: Path) -> Iterator[Recorder]:
    """A recorder for as long as the block lasts."""
    log.touch()
    command = [sys.executable, "-m", "tests.clients.recorder", urlsplit(upstream).netloc, str(log)]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert proxy.stdout is not None
    try:
        yield Recorder(f"http://127.0.0.1:{int(proxy.stdout.readline())}", log)
    finally:
        proxy.terminate()
        proxy.wait(timeout=20)
        proxy.stdout.close()


class _Handler(BaseHTTPRequestHandler):
    """Passes a request on with its Host, so that the links of the answer lead through here again."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave apart, and would wait 40 ms for each other

    def do_GET(self) -> None:
        with Path(sys.argv[2]).open("a", encoding="utf-8") as log:
            log.write(self.path + "\n")
        upstream = http.client.HTTPConnection(sys.argv[1], timeout=60)
        try:
            upstream.request(self.command, self.path, headers=dict(self.headers))
            self._answer(upstream.getresponse())
        finally:
            upstream.close()

    do_HEAD = do_OPTIONS = do_GET  # noqa: N815  # the names that the base class calls

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error: the file is the log."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
