"""Rules for ranges of species."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from gis_service.checks.candidate import FAULT, NOTE, WARNING
from gis_service.checks.row import Row, folded
from gis_service.checks.rule import CODES, OURS, Hit, Rule
from gis_service.checks.scene import Scene, name_key

_CODES: Final = ("presence", "origin", "seasonal")


def codes_missing(row: Row, _: Scene) -> Iterator[Hit]:
    """A code of presence, origin or season is missing; statistics then count the range as extant."""
    for column in _CODES:
        if not row.given(column):
            yield Hit(column)


def retired(row: Row, _: Scene) -> Iterator[Hit]:
    """Presence 2 (probably extant) is retired."""
    if row.figure("presence") == 2:
        yield Hit("presence")


def extinct(row: Row, _: Scene) -> Iterator[Hit]:
    """The species is extinct by its category, and extant by its presence."""
    said = row.text("category")
    if said in ("EX", "EW") and row.figure("presence") in (1, 2):
        yield Hit("presence", {"category": said})


def compiled(row: Row, scene: Scene) -> Iterator[Hit]:
    """The year of compilation is in the future or before `first_compiled`."""
    said, now, first = row.figure("yrcompiled"), scene.context.today.year, scene.limits.first_compiled
    if said is not None and not first <= said <= now:
        yield Hit("yrcompiled", {"value": row.text("yrcompiled"), "first": first, "now": now})


def same_again(row: Row, scene: Scene) -> Iterator[Hit]:
    """Another range of the same taxon and codes covers nearly the same ground (`same_shape_share`)."""
    for other in scene.alike(row, "range", _coded):
        found = scene.shared(row, other)
        if found and found.share_of_both >= scene.limits.same_shape_share:
            yield Hit(values={"other": other.label, "percent": 100 * found.share_of_both}, place=found.place)
            return


def _coded(row: Row) -> Hashable | None:
    name = row.text("sci_name")
    codes = tuple(row.figure(column) for column in _CODES)
    return (name_key(name), folded(row.text("subspecies")), codes) if name else None


RULES: Final = (
    Rule("range-codes", NOTE, CODES, codes_missing),
    Rule("range-presence-retired", NOTE, CODES, retired),
    Rule("range-extinct", WARNING, CODES, extinct),
    Rule("range-compiled", FAULT, OURS, compiled),
    Rule("range-same-again", WARNING, OURS, same_again),
)
