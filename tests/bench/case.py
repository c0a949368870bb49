"""A case of the bench: what is asked, and how its questions are drawn."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.asks import Ask, Encoding
from tests.bench.facts import Facts

Draw = Callable[[Facts, np.random.Generator], Iterator[Ask]]


@dataclass(frozen=True)
class Case:
    """One row of the results; `size` counts its different questions, where it can run out of them."""

    name: str
    draw: Draw
    encoding: Encoding = "gzip"
    rule: str = ""
    ours_only: bool = False
    shared: bool = False  # asked of ours alone, by the public and by a province in turn
    kept: bool = False  # asked of our server with its cache, of TiPg, and of nginx for a file
    size: Callable[[Facts], int] | None = None


def fixed(ask: Ask) -> Draw:
    """The same document each time."""
    return lambda _facts, _rng: itertools.repeat(ask)


def shuffled(rng: np.random.Generator, pool: Sequence[Ask]) -> Iterator[Ask]:
    """The pool in a new order each time round."""
    while pool:
        for i in rng.permutation(len(pool)):
            yield pool[i]
