"""Who works at the command line, as the audit log names them."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

from gis_service.db.audit import Actor, as_actor
from gis_service.db.sync import SyncDatabase


def operator() -> Actor:
    """The operating system's user, by its number where it has no name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # up to Python 3.12 the one, from 3.13 on the other
        name = str(os.getuid())
    return Actor(name, "operator", "cli")


@contextmanager
def acting(dsn: str, timeout_ms: int = 60_000) -> Iterator[SyncDatabase]:
    """The database, where whatever is changed is told as the operator's doing."""
    with SyncDatabase(dsn, timeout_ms) as database:
        database.run(as_actor(operator(), session=True))
        yield database
