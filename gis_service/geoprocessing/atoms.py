"""What of a flat layer counts, and as what: atoms by the values of the areas that cover them.

Atoms with the same set of values are one profile, of which a country has a few hundred however many areas it
has. Whatever is asked by value is a sum over profiles, so nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from gis_service.geoprocessing.engine.flatten import Flat
from gis_service.geoprocessing.engine.grid import Floats, Integers
from gis_service.geoprocessing.engine.layer import Bools, Labels

NOTHING = -1


@dataclass(frozen=True)
class Profiles:
    """of_atom: the profile of each atom, or -1 where nothing that counts covers it.

    holds[p, v]: whether value v is in profile p. several[p]: whether more than one site covers it.
    """

    values: tuple[Hashable, ...]
    of_atom: Labels
    holds: Bools
    several: Bools

    def any_of(self, found: Floats) -> Floats:
        """m² covered at all: the last axis of `found` are the profiles."""
        return np.asarray(found.sum(axis=-1))

    def inclusive(self, found: Floats) -> Floats:
        """m² that each value covers, whatever else does too; these overlap."""
        return np.asarray(found @ self.holds.astype(np.float64))

    def first(self, found: Floats, rank: Sequence[int]) -> Floats:
        """m² of each value where no other of a lower rank covers too: every place once."""
        order = np.asarray(rank)
        best = np.where(self.holds, order, len(order) + order.max(initial=0)).argmin(axis=1)
        return np.asarray(found @ (np.arange(len(self.values)) == best[:, None]).astype(np.float64))

    def several_of(self, found: Floats) -> Floats:
        """m² that more than one site covers."""
        return np.asarray(found @ self.several.astype(np.float64))


def profiles(flat: Flat, of_label: Labels, values: Sequence[Hashable], site_of_label: Labels) -> Profiles:
    """The profiles of the areas that count: `of_label` is the value of each label, or -1 of what doesn't."""
    atoms = flat.atoms
    atom = np.repeat(np.arange(len(atoms.names)), np.diff(atoms.start))
    value, site = of_label[atoms.members], site_of_label[atoms.members]
    counts = value >= 0
    atom, value, site = atom[counts].astype(np.int64), value[counts].astype(np.int64), site[counts]
    sites = np.bincount(np.unique((atom << 32) | site) >> 32, minlength=len(atoms.names))
    pairs = np.unique((atom << 32) | value)
    named, found, number = _ordered(*_sets_of(pairs, sites > 1))
    of_atom = np.full(len(atoms.names), NOTHING, np.int32)
    of_atom[named] = number
    holds = np.zeros((len(found), len(values)), bool)
    several = np.zeros(len(found), bool)
    for place, (members, many) in enumerate(found):
        holds[place, list(members)] = True
        several[place] = many
    return Profiles(tuple(values), of_atom, holds, several)


_Found = list[tuple[tuple[int, ...], bool]]


def _ordered(named: Integers, found: _Found, number: Labels) -> tuple[Integers, _Found, Labels]:
    """The sets in the order of their values, not of their atoms: so sums have one order for ever."""
    order = sorted(range(len(found)), key=found.__getitem__)
    place = np.empty(len(found), np.int32)
    place[order] = np.arange(len(found), dtype=np.int32)
    return named, [found[at] for at in order], place[number]


def _sets_of(pairs: Integers, many: Bools) -> tuple[Integers, _Found, Labels]:
    """The atoms that have values, the distinct sets of values with `many`, and the set of each atom."""
    atom, value = (pairs >> 32).astype(np.int64), (pairs & 0xFFFFFFFF).astype(np.int64)
    named, first = np.unique(atom, return_index=True)
    known: dict[tuple[tuple[int, ...], bool], int] = {}
    number = np.empty(len(named), np.int32)
    for place, members in enumerate(np.split(value, first[1:]) if len(named) else []):
        key = tuple(members.tolist()), bool(many[named[place]])
        number[place] = known.setdefault(key, len(known))
    return named, list(known), number
