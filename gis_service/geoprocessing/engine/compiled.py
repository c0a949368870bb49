"""Functions that numba compiles: without bounds checks or the interpreter's lock, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T", bound=np.generic)


def compiled(function: F) -> F:
    """The function in machine code, compiled for the types of its first call; inner ones are inlined."""
    made = numba.njit(cache=True, nogil=True, error_model="numpy", boundscheck=False)(function)
    return cast(F, made)


@compiled
def room(array: npt.NDArray[T], needed: int) -> npt.NDArray[T]:
    """The array, or a longer copy."""
    if needed <= len(array):
        return array
    longer = np.empty((max(2 * len(array), needed), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
