"""The connection behind a request, found among this process's sockets.

The server tells nobody that a client left once its answer began, and ends each stream as if it were whole.
Both are seen to at the socket: whether the client has hung up, and an end that none takes for a good one.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import select
import socket
import stat
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
_NO_ADDRESS = bytes(16)  # a sockaddr of the family AF_UNSPEC
_LEFT = select.POLLRDHUP | select.POLLHUP | select.POLLERR

Address = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]


class Peer:
    """A client's connection. It is the server's to use; this is a second handle, to be closed."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._poll = select.poll()
        self._poll.register(connection.fileno(), _LEFT)

    @classmethod
    def of(cls, client: str) -> Peer | None:
        """The connection of `address:port`; None once it's closed."""
        wanted = _address(*client.rpartition(":")[::2])
        for entry in _DESCRIPTORS.iterdir():
            found = _connection(int(entry.name))
            if found is not None:
                if _peer_address(found) == wanted:
                    return cls(found)
                found.close()
        return None

    @property
    def left(self) -> bool:
        """Whether the client has closed its end."""
        return bool(self._poll.poll(0))

    def reset(self) -> None:
        """Break the connection, so that the client knows that it hasn't got all (RFC 9112, section 8).

        A connection's plain end would do for chunks, not for HTTP/1.0, where it's how a whole answer ends.
        Connecting it to no address makes Linux send a reset at once.
        """
        ctypes.CDLL(None).connect(self._connection.fileno(), _NO_ADDRESS, len(_NO_ADDRESS))

    def close(self) -> None:
        self._connection.close()


def _connection(number: int) -> socket.socket | None:
    """A handle of our own on that descriptor; None where it isn't a socket, or is no more."""
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return None
        return socket.socket(fileno=os.dup(number))
    except OSError:
        return None


def _peer_address(connection: socket.socket) -> Address | None:
    try:
        name = connection.getpeername()
    except OSError:
        return None  # it listens, or its client is gone
    return _address(name[0], str(name[1])) if isinstance(name, tuple) else None


def _address(host: str, port: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]), int(port)
    except ValueError:
        return None
