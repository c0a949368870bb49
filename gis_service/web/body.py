"""A request's body, refused by its announced length and by count before it fills the memory."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping

from gis_service.errors import InvalidParameter, TooLarge
from gis_service.features.refusal import refusal


async def read(chunks: AsyncIterable[bytes], headers: Mapping[str, str], maximum: int) -> bytes:
    """The whole body; TooLarge past `maximum`, however it was announced."""
    announced = headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit():
        raise InvalidParameter("Content-Length")
    if int(announced) > maximum:
        raise refusal(TooLarge, "web.body-too-large", maximum=maximum)
    parts, size = [], 0
    async for chunk in chunks:
        size += len(chunk)
        if size > maximum:
            raise refusal(TooLarge, "web.body-too-large", maximum=maximum)
        parts.append(bytes(chunk))
    return b"".join(parts)
