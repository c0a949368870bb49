"""Student's t distribution, for intervals around estimates."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_CLOSE: Final = 1e-12


def quantile(confidence: float, df: float) -> float:
    """The t that a t-distributed number stays within ± with this probability; `df` needn't be whole."""
    if not 0 < confidence < 1 or not df >= 1:
        raise ValueError("a confidence lies between 0 and 1, and degrees of freedom are at least 1")
    low, high = 0.0, 1.0
    while within(high, df) < confidence:
        low, high = high, 2 * high
    while high - low > _CLOSE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, df) < confidence else (low, middle)
    return (low + high) / 2


def within(t: float, df: float) -> float:
    """P(|T| < t): with t = √df tan θ the density is as cos^(df - 1) θ, smooth on all its way."""
    end = math.atan(t / math.sqrt(df))
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    heights = np.cos(end * (_NODES + 1) / 2) ** (df - 1)
    return float(scale * end * (_WEIGHTS @ heights))
