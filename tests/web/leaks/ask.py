"""One request of the suite, and what of its answer a caller could learn from."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

EVERYBODY = ("public", "province-a", "province-b", "centre")
Seen = tuple[int, str, str, bytes]

_TIMES = re.compile(
    rb'"(timeStamp|created|generated|started|finished|updated|requested_at|generated_at)": ?"[^"]*"'
)
_MOMENT = re.compile(rb"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|\+00:00| UTC)?")
_UUID = re.compile(rb"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_CSRF = re.compile(rb'(name="csrf(-token)?" (value|content)=)"[^"]*"')
# Headers that tell of the rows behind an answer; its length goes with the body.
_TELLING = (
    "accept-ranges", "allow", "cache-control", "content-crs", "content-disposition", "content-range", "link",
    "location", "ogc-numbermatched", "ogc-numberreturned", "repr-digest", "vary", "www-authenticate",
)  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """A request that is sent as each of `who`; with a body it's a form's or JSON's, by `media`."""

    path: str
    method: str = "GET"
    body: str = ""
    media: str = "application/json"
    accept: str = "*/*"
    who: tuple[str, ...] = EVERYBODY

    def __str__(self) -> str:
        more = " ".join(part for part in (self.accept.replace("*/*", ""), self.body[-60:]) if part)
        return f"{self.method} {self.path} {more}".strip()

    def send(self, client: httpx.Client) -> httpx.Response:
        headers = {"accept": self.accept, **({"content-type": self.media} if self.body else {})}
        return client.request(self.method, self.path, content=self.body or None, headers=headers)


def post(
    path: str,
    document: object,
    method: str = "POST",
    *,
    media: str = "application/json",
    who: tuple[str, ...] = EVERYBODY,
) -> Ask:
    """A request with a JSON body."""
    return Ask(path, method, json.dumps(document), media, who=who)


def gets(*paths: str) -> Iterable[Ask]:
    return map(Ask, paths)


def seen(answer: httpx.Response) -> Seen:
    """Status, validators, telling headers and body, without what differs between any two requests."""
    # What a POST answers holds an id of its own, and so does its ETag.
    names = ("etag", "last-modified") if answer.request.method == "GET" else ()
    validators = " ".join(f"{answer.headers.get(name)}" for name in names)
    told = "\n".join(f"{name}: {answer.headers[name]}" for name in _TELLING if name in answer.headers)
    return answer.status_code, validators, stable(told.encode()).decode(), stable(answer.content)


def stable(text: bytes) -> bytes:
    """A text without times, tokens of forms, and the ids of requests and jobs."""
    return _UUID.sub(b"<id>", _MOMENT.sub(b"<time>", _CSRF.sub(rb"\1", _TIMES.sub(b"", text))))
