"""A request's body, refused by its announced length and by count before it fills the memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping

from gis_service.errors import Busy, GisError, InvalidParameter, TooLarge
from gis_service.features.refusal import refusal

FREE_BYTES = 256 * 1024  # of each body: honest ones are smaller and never wait for a stalled one
AT_ONCE = 2  # largest bodies that one process holds together
SECONDS = 60.0  # a client that dribbles would else hold its bytes for ever


class SlowBody(GisError):
    """The body didn't arrive within {seconds} s."""

    status, code, exit_code = 408, "slow-body", 2


class Allowance:
    """How many bytes of large bodies one process holds at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    def take(self, size: int) -> None:
        """Busy where these bytes are too many just now."""
        if self._held + size > self._most:
            raise Busy
        self._held += size

    def give(self, size: int) -> None:
        self._held -= size


class Intake:
    """The body of one request; its bytes count against the allowance until the request is answered."""

    def __init__(
        self,
        chunks: AsyncIterable[bytes],
        headers: Mapping[str, str],
        maximum: int,
        allowance: Allowance,
        seconds: float = SECONDS,
    ) -> None:
        self._chunks, self._headers, self._maximum = chunks, headers, maximum
        self._allowance, self._seconds, self._taken = allowance, seconds, 0

    async def read(self) -> bytes:
        """The whole body; TooLarge past the maximum, however it was announced."""
        announced = self._headers.get("content-length", "0")
        if not announced.isascii() or not announced.isdigit():
            raise InvalidParameter("Content-Length")
        self._check(int(announced))
        try:
            async with asyncio.timeout(self._seconds):
                return await self._gathered()
        except TimeoutError as err:
            raise SlowBody(seconds=self._seconds) from err

    async def _gathered(self) -> bytes:
        parts, size = [], 0
        async for chunk in self._chunks:
            size += len(chunk)
            self._check(size)
            if (more := size - FREE_BYTES - self._taken) > 0:
                self._allowance.take(more)
                self._taken += more
            parts.append(bytes(chunk))
        return b"".join(parts)

    def _check(self, size: int) -> None:
        if size > self._maximum:
            raise refusal(TooLarge, "web.body-too-large", maximum=self._maximum)

    def close(self) -> None:
        """Give back what was taken; the bytes are needed no more."""
        self._allowance.give(self._taken)
        self._taken = 0
