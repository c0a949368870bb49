"""How often an address, or an account, may be wrong: counted by each worker for itself.

Keys, tokens of invitations and codes hold 256 random bits, so guessing is hopeless however often; the counts
keep the work small that wrong ones cause, and tell the log of bursts. In memory they cost no write to the
database for each wrong key, which is what a flood would be after; with n workers n times as many get through.
"""

from __future__ import annotations

import asyncio
import ipaddress
import threading
import time
from dataclasses import dataclass, field

from gis_service.errors import GisError
from gis_service.web.lru import Lru

COUNTED = 10_000  # addresses or accounts at once; the longest unseen are forgotten


class TooMany(GisError):
    """Too many attempts; try again in {seconds} s."""

    status, code, exit_code = 429, "too-many", 2


class Guard:
    """Counts within a window that begins with the first; full, it refuses until the window is over."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._counted: Lru[str, tuple[float, int]] = Lru(COUNTED)
        self._lock = threading.Lock()  # the threads that write check too

    def check(self, who: str) -> None:
        """TooMany where it's full for them."""
        with self._lock:
            began, count = self._window(who)
        if count >= self.most:
            raise TooMany(seconds=max(1, round(began + self.seconds - time.monotonic())))

    def is_full(self, who: str) -> bool:
        with self._lock:
            return self._window(who)[1] >= self.most

    def count(self, who: str) -> bool:
        """One more; whether it was the one that filled it."""
        with self._lock:
            began, count = self._window(who)
            self._counted.put(who, (began, count + 1))
        return count + 1 == self.most

    def _window(self, who: str) -> tuple[float, int]:
        now = time.monotonic()
        began, count = self._counted.get(who) or (now, 0)
        return (now, 0) if now - began >= self.seconds else (began, count)


@dataclass(frozen=True)
class Guards:
    """What is counted, with how many are let through in how many seconds."""

    keys: Guard = field(
        default_factory=lambda: Guard(60, 60)
    )  # wrong keys of an address: right ones always pass
    attempts: Guard = field(
        default_factory=lambda: Guard(10, 300)
    )  # failed sign-ins of an address, an identity
    starts: Guard = field(
        default_factory=lambda: Guard(60, 300)
    )  # of an address at the issuer: each is a row
    sessions: Guard = field(default_factory=lambda: Guard(30, 600))  # opened by an account
    verifying: asyncio.Lock = field(default_factory=asyncio.Lock)  # the whole log, one at a time


def network(address: str) -> str:
    """What is counted together: an address, of version 6 its network of 64 bits, which a client has whole."""
    try:
        found = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
