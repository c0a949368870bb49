"""A person's browser as far as signing in needs one: cookies, where a form came from, the token of a page."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

import httpx

HTML = {"Accept": "text/html"}
_addresses = itertools.count(1)


@dataclass
class Browser:
    """Speaks to one server, from an address of its own (the server must trust 127.0.0.1 as its proxy)."""

    url: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        number = next(_addresses)
        address = f"198.51.{number // 250}.{number % 250 + 1}"
        self.client = httpx.Client(
            base_url=self.url,
            timeout=30,
            headers={"X-Forwarded-For": address},
            limits=httpx.Limits(max_keepalive_connections=0),  # so that nobody has to close it
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers={**HTML, **headers})

    def post(self, path: str, csrf: str | None = "", **fields: str) -> httpx.Response:
        """A form of one of the service's own pages, with the session's token; none for csrf=None."""
        token = self.token() if csrf == "" else csrf
        sent = {**fields, **({"csrf": token} if token else {})}
        return self.client.post(path, data=sent, headers={**HTML, "Origin": self.url})

    def send(self, path: str, name: str, content: bytes, title: str) -> httpx.Response:
        """A form with a file."""
        sent = {"title": title, "csrf": self.token()}
        headers = {**HTML, "Origin": self.url}
        return self.client.post(path, data=sent, files={"file": (name, content)}, headers=headers)

    def token(self) -> str:
        """The session's token as the pages hold it; empty without a session."""
        found = re.search(r'<meta name="csrf-token" content="([^"]+)">', self.get("/sign-in").text)
        return found[1] if found else ""

    def sign_in(self, key: str) -> httpx.Response:
        return self.post("/sign-in", key=key)

    def cookie(self) -> str | None:
        return self.client.cookies.get("gis_session")

    def at(self, url: str) -> Browser:
        """The same browser at another worker."""
        other = Browser(url)
        other.client.cookies = self.client.cookies
        other.client.headers = self.client.headers
        return other

    def who(self) -> str | None:
        """The account that the service takes it for."""
        answer = self.client.get("/account", headers={"Accept": "application/json"})
        return str(answer.json()["name"]) if answer.status_code == 200 else None

    def by_issuer(self, path: str = "/sign-in/oidc") -> httpx.Response:
        """The whole way to the issuer and back."""
        return self.back(self.forth(path))

    def forth(self, path: str = "/sign-in/oidc") -> str:
        """To the issuer; the address that it sends the browser to."""
        begun = self.get(path)
        assert begun.status_code == 303, begun.text
        sent = httpx.get(begun.headers["location"], timeout=30)
        assert sent.status_code == 302
        return str(sent.headers["location"])

    def back(self, address: str) -> httpx.Response:
        """Back from the issuer, to whichever worker this browser speaks to."""
        return self.get("/sign-in/callback?" + address.partition("?")[2])
