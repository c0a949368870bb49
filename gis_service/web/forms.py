"""The fields and files that a form or a script sends, in any of the three encodings for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from gis_service.errors import GisError, UnsupportedMedia
from gis_service.features.refusal import refusal, refuse
from gis_service.web.message import Request

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
MOST_FIELDS: Final = 10_000  # a review page ticks one for each change that it shows
LONGEST_FIELD: Final = 1_000_000
IN_THREAD: Final = 256 * 1024  # a larger body is taken apart beside the loop


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent; its name is what the sender says, good for showing and for nothing else."""

    filename: str
    media: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Fields:
    """What was sent. A JSON object's plain members are fields too; `document` is that object whole."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """The last value of that name without blanks around it."""
        found = self.values.get(name)
        return found[-1].strip() if found else default

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of that name, as of ticked boxes."""
        return self.values.get(name, ())


async def read(request: Request) -> Fields:
    """The body's fields; UnsupportedMedia for other encodings, InvalidParameter for one that is broken."""
    if request.fields is not None:
        return request.fields
    body, kind = await request.read(), request.header("content-type") or ""
    if len(body) > IN_THREAD:
        return await asyncio.to_thread(parse, kind, body)
    return parse(kind, body)


def parse(content_type: str, body: bytes) -> Fields:
    """The fields of a body of that type; an empty body has none."""
    media, options = parse_options_header(content_type)
    if not body:
        return Fields()
    if media == URLENCODED:
        return _urlencoded(body)
    if media == MULTIPART:
        return _multipart(body, options.get("boundary", ""))
    if media == JSON:
        return _json(body)
    allowed = f"{URLENCODED}, {MULTIPART}, {JSON}"
    raise refusal(UnsupportedMedia, "web.form-type", found=media[:100] or "–", allowed=allowed)


def _urlencoded(body: bytes) -> Fields:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as err:  # UnicodeDecodeError is one
        raise refuse("web.form-broken") from err
    return Fields(_grouped(pairs))


def _multipart(body: bytes, boundary: str) -> Fields:
    """Each part is a field, or a file where it has a file name; an empty file input sends an empty name."""
    pairs: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    try:
        with PushMultipartParser(boundary, len(body), max_segment_count=MOST_FIELDS) as parser:
            for segment, content in _parts(parser, body):
                name = segment.name or ""
                if segment.filename:
                    media = segment.content_type or "application/octet-stream"
                    files[name] = Upload(segment.filename, media, content)
                elif segment.filename is None and len(content) <= LONGEST_FIELD:
                    pairs.append((name, content.decode("utf-8")))
                elif content:
                    raise refuse("web.form-broken")
    except (MultipartError, UnicodeDecodeError) as err:
        raise refuse("web.form-broken") from err
    return Fields(_grouped(pairs), files)


def _parts(parser: PushMultipartParser, body: bytes) -> list[tuple[MultipartSegment, bytes]]:
    """The parts with their contents; MultipartError where the last one isn't closed."""
    found: list[tuple[MultipartSegment, bytes]] = []
    segment, chunks = None, list[bytes]()
    for event in parser.parse(body):
        if isinstance(event, MultipartSegment):
            segment, chunks = event, []
        elif event is None:
            assert segment is not None, "the parser tells of a segment before it ends"
            found.append((segment, b"".join(chunks)))
        else:
            chunks.append(bytes(event))
    return found


def _json(body: bytes) -> Fields:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise refuse("web.form-broken") from err
    if not isinstance(document, dict):
        raise refuse("web.form-broken")
    pairs = [(name, text) for name, value in document.items() for text in _texts(value)]
    return Fields(_grouped(pairs), {}, document)


def _texts(value: object) -> tuple[str, ...]:
    """A plain value or a list of them as a form would send it; nothing of null and of objects."""
    if isinstance(value, list):
        return tuple(text for each in value for text in _texts(each))
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    return (str(value),) if isinstance(value, str | int | float) else ()


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise refuse("web.form-broken")
        found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def missing(name: str, title: str) -> GisError:
    """The refusal of a form without a field that it needs."""
    return refuse("web.form-missing", name=name, title=title)
