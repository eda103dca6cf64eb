"""exp, log and their kin in plain arithmetic, so that a loop over draws becomes vector instructions.

Calls into a maths library keep a compiler from working on eight draws at once; a polynomial does not. Arguments are
reduced by powers of two, the series (Taylor's) end where the next term is below 1e-17 of the result, and infinities and
NaN behave as NumPy's. ``tests/dynamics/test_elementary.py`` holds each function against NumPy's and exact values.
"""

from __future__ import annotations

from math import factorial

import numpy as np
from numba import njit

E1, E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12 = (1.0 / factorial(k) for k in range(1, 13))  # |r| <= ln 2 / 2
L0, L1, L2, L3, L4, L5, L6, L7, L8, L9 = (2.0 / (2 * k + 1) for k in range(10))  # |s| <= 0.172
LN2_HIGH = 0.693147180369123816490  # 33 bits: its product with an exponent is exact
LN2_LOW = 1.90821492927058770002e-10  # the rest of ln 2
PER_LN2 = float(1.0 / np.log(2.0))
PER_LN10 = float(1.0 / np.log(10.0))
ROUNDER = 1.5 * 2.0**52  # adding and subtracting it rounds to a whole number
SQRT_HALF_BITS = int(np.sqrt(0.5).view(np.int64))
HIGHEST, LOWEST = 710.0, -746.0  # e^x is infinite above, and 0 below


@njit(inline="always")
def minimum(a: float, b: float) -> float:
    """The smaller, NaN if either is."""
    return a if (a < b) | (a != a) else b


@njit(inline="always")
def maximum(a: float, b: float) -> float:
    """The larger, NaN if either is."""
    return a if (a > b) | (a != a) else b


@njit(inline="always")
def reduced(x: float) -> tuple[float, float]:
    """Whole k and small r with x = k ln 2 + r."""
    inside = min(max(x, LOWEST), HIGHEST)
    k = (inside * PER_LN2 + ROUNDER) - ROUNDER
    return k, (inside - k * LN2_HIGH) - k * LN2_LOW


@njit(inline="always")
def power_of_two(k: float) -> float:
    """2^k, in two factors so that the ends of the range are reached."""
    half = np.int64(k) >> 1
    rest = np.int64(k) - half
    return np.int64((half + 1023) << 52).view(np.float64) * np.int64((rest + 1023) << 52).view(np.float64)


@njit(inline="always")
def exponential_series(r: float) -> float:
    """expm1(r) for small r, in groups that do not wait for each other."""
    two = r * r
    four = two * two
    first = (E1 + r * E2) + two * (E3 + r * E4)
    second = (E5 + r * E6) + two * (E7 + r * E8)
    third = (E9 + r * E10) + two * (E11 + r * E12)
    return r * (first + four * (second + four * third))


@njit(inline="always")
def exp(x: float) -> float:
    """e^x."""
    k, r = reduced(x)
    return (1.0 + exponential_series(r)) * power_of_two(k) if x == x else x


@njit(inline="always")
def expm1(x: float) -> float:
    """e^x - 1."""
    k, r = reduced(x)
    scale = power_of_two(k)
    return scale * exponential_series(r) + (scale - 1.0) if x == x else x


@njit(inline="always")
def log(x: float) -> float:
    """ln x."""
    bits = np.float64(x).view(np.int64)
    k = (bits - SQRT_HALF_BITS) >> 52
    f = np.int64(bits - (k << 52)).view(np.float64) - 1.0
    s = f / (2.0 + f)
    q = s * s
    two = q * q
    four = two * two
    total = (L0 + q * L1) + two * (L2 + q * L3) + four * ((L4 + q * L5) + two * (L6 + q * L7) + four * (L8 + q * L9))
    y = (k * LN2_LOW + s * total) + k * LN2_HIGH
    return (np.inf if x == np.inf else y) if x > 0.0 else (-np.inf if x == 0.0 else np.nan)


@njit(inline="always")
def log1p(x: float) -> float:
    """ln(1 + x)."""
    whole = 1.0 + x
    lost = (x - (whole - 1.0)) / whole
    return log(whole) + (lost if (x < np.inf) & (whole > 0.0) else 0.0)


@njit(inline="always")
def log10(x: float) -> float:
    """The decimal logarithm."""
    return log(x) * PER_LN10


@njit(inline="always")
def tanh(x: float) -> float:
    """The hyperbolic tangent."""
    twice = expm1(2.0 * minimum(maximum(x, -20.0), 20.0))
    return twice / (twice + 2.0)


@njit(inline="always")
def logaddexp(a: float, b: float) -> float:
    """ln(e^a + e^b)."""
    return maximum(a, b) + log1p(exp(-abs(a - b)))


@njit(inline="always")
def power(a: float, b: float) -> float:
    """a^b of a positive a."""
    return exp(b * log(a))
