"""A request and a response as values, apart from any server's protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gis_service.access.principal import PUBLIC, Principal
from gis_service.access.sessions import Session
from gis_service.links import Links

if TYPE_CHECKING:
    from gis_service.web.forms import Fields

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; header names are lower case, the path is decoded, the query isn't."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    client: str
    scheme: str
    read: Callable[[], Awaitable[bytes]]
    links: Links = field(default_factory=lambda: Links(""))
    principal: Principal = PUBLIC
    lang: str = "en"
    parameters: Mapping[str, str] = field(default_factory=dict)
    # Whether the answer must never be kept for others: a key or a cookie was sent, whatever it opened.
    private: bool = False
    session: Session | None = None  # of the cookie, where no key was sent
    fields: Fields | None = None  # of the form, where the check of its token has read them

    def header(self, name: str) -> str | None:
        return self.headers.get(name)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: whole as bytes, or in chunks, or as a file that the server sends by itself."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    chunks: AsyncIterator[bytes] | None = None
    file: Path | None = None
    span: tuple[int, int] | None = None  # of the file, the end not included
    keys: tuple[int, ...] | None = None  # of the rows that it shows, for the log of reads

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def with_headers(self, *more: tuple[str, str]) -> Response:
        """The response with these headers in place of any of the same name."""
        names = {name for name, _ in more}
        kept = [pair for pair in self.headers if pair[0] not in names]
        # Spelled out, since it's done four times an answer and `replace` takes three times as long.
        return Response(self.status, (*kept, *more), self.body, self.chunks, self.file, self.span, self.keys)
