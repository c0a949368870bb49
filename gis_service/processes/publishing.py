"""Bulk files made beforehand: one for each policy class, format and state of a layer's rows."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from gis_service.access import keystore
from gis_service.access.policy import view
from gis_service.access.principal import Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import ViewedLayer
from gis_service.db import published
from gis_service.db.published import PublishedFile, State
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, NotFound
from gis_service.features.formats import Format

ATTEMPTS = 3  # at a layer that is written to meanwhile
_FOLDER = "published"
_UNFINISHED = "unfinished-"
_READ_BYTES = 1 << 20

Encode = Callable[[ViewedLayer, Format, Path], None]


class BeingWritten(Conflict):
    """{layer} was written to whenever a file was made of it; try again when nobody loads or edits it."""

    code = "being-written"


class AlreadyPublishing(Conflict):
    """Files are being made already; wait for that to end."""

    code = "already-publishing"


def folder(data_dir: Path) -> Path:
    """Where the files are, each by a name that nobody can guess."""
    return data_dir / _FOLDER


def publish(
    database: SyncDatabase, layer: Layer, principals: Iterable[Principal], formats: Sequence[Format],
    place: Path, encode: Encode,
) -> Iterator[tuple[str, PublishedFile]]:  # fmt: skip
    """Make the layer's files for each principal's class, if it may see it; each is offered at once."""
    place.mkdir(parents=True, exist_ok=True)
    if not database.run(published.LOCK)[0][0]:
        raise AlreadyPublishing
    for principal in principals:
        for form in formats:
            try:
                yield principal.policy_class, _published(database, layer, principal, form, place, encode)
            except NotFound:
                break  # this class may not know of the layer
    clean(database, place)


def clean(database: SyncDatabase, place: Path) -> int:
    """Remove the files that are offered no more; whoever reads one now keeps it to its end."""
    database.run(published.FORGET)
    kept = {stored for (stored,) in database.run(published.STORED)}
    gone = [path for path in place.iterdir() if path.name not in kept]
    for path in gone:
        path.unlink()
    return len(gone)


def _published(
    database: SyncDatabase, layer: Layer, principal: Principal, form: Format, place: Path, encode: Encode
) -> PublishedFile:
    for _ in range(ATTEMPTS):
        seen = view(principal, layer, _epoch(database))
        before, release = _state(database, seen)
        made = _encoded(seen, release, form, place, encode)
        if _state(database, seen)[0] == before and before.epoch == seen.epoch:
            database.run(published.replace(seen, before, made))
            return made
        (place / made.stored).unlink()
    raise BeingWritten(layer=layer.id)


def _epoch(database: SyncDatabase) -> int:
    return int(database.run(keystore.EPOCH)[0][0])


def _state(database: SyncDatabase, seen: ViewedLayer) -> tuple[State, int]:
    """What must stay while a file is made; and the latest release that the class knows."""
    stamp, epoch, release = database.run(published.state(seen))[0]
    return State(stamp, epoch), int(release)


def _encoded(seen: ViewedLayer, release: int, form: Format, place: Path, encode: Encode) -> PublishedFile:
    stored = f"{secrets.token_hex(16)}.{form.extension}"
    unfinished = place / (_UNFINISHED + stored)
    try:
        encode(seen, form, unfinished)
        length, sha256 = _measured(unfinished)
        unfinished.rename(place / stored)
    finally:
        unfinished.unlink(missing_ok=True)
    name = f"{seen.id}-r{release}.{form.extension}"
    return PublishedFile(stored, seen.id, form.name, name, length, sha256, release, None)


def _measured(path: Path) -> tuple[int, bytes]:
    digest, length = hashlib.sha256(), 0
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
            length += len(part)
    return length, digest.digest()
