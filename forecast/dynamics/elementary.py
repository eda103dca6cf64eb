"""exp, log and their kin in plain arithmetic, so that a loop over draws becomes vector instructions.

Calls into a maths library keep a compiler from working on eight draws at once; a polynomial does not. Arguments are
reduced by powers of two, the series (Taylor's) end where the next term is below 1e-17 of the result, and infinities and
NaN behave as NumPy's. ``tests/dynamics/test_elementary.py`` holds each function against NumPy's and exact values.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
from numba import njit

E1, E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12 = (1.0 / factorial(k) for k in range(1, 13))  # |r| <= ln 2 / 2
L0, L1, L2, L3, L4, L5, L6, L7, L8, L9 = (2.0 / (2 * k + 1) for k in range(10))  # |s| <= 0.172
LN2_HIGH = 0.693147180369123816490  # 33 bits: its product with an exponent is exact
LN2_LOW = 1.90821492927058770002e-10  # the rest of ln 2
PER_LN2 = float(1.0 / np.log(2.0))
PER_LN10 = float(1.0 / np.log(10.0))
BIAS = 1023  # of a float's exponent
ROUNDER = 1.5 * 2.0**52 + BIAS  # adding it rounds to a whole number, which its last bits then hold above the bias
SQRT_HALF_BITS = int(np.sqrt(0.5).view(np.int64))
HIGHEST, LOWEST = 709.0, -708.0  # e^x is infinite above, and 0 below: short of the range's ends by e^0.8
VANISHED = -40.0  # e^x is lost beside 1 below


inlined = njit(forceinline=True, error_model="numpy", fastmath={"contract"})  # calls vanish; sums fuse with products


@inlined
def minimum(a: float, b: float) -> float:
    """The smaller, NaN if either is."""
    return a if (a < b) | (a != a) else b


@inlined
def maximum(a: float, b: float) -> float:
    """The larger, NaN if either is."""
    return a if (a > b) | (a != a) else b


@inlined
def capped(a: float, cap: float) -> float:
    """The smaller of a number and a cap that is no NaN: one instruction."""
    return cap if cap < a else a


@inlined
def floored(a: float, floor: float) -> float:
    """The larger of a number and a floor that is no NaN: one instruction."""
    return floor if floor > a else a


@inlined
def reduced(x: float) -> tuple[float, float]:
    """2^k of a whole k, and small r, with x = k ln 2 + r."""
    biased = x * PER_LN2 + ROUNDER
    k = biased - ROUNDER
    scale = np.int64(np.float64(biased).view(np.int64) << 52).view(np.float64)
    return scale, (x - k * LN2_HIGH) - k * LN2_LOW


@inlined
def exponential_series(r: float) -> float:
    """expm1(r) for small r, in groups that do not wait for each other."""
    two = r * r
    four = two * two
    first = (E1 + r * E2) + two * (E3 + r * E4)
    second = (E5 + r * E6) + two * (E7 + r * E8)
    third = (E9 + r * E10) + two * (E11 + r * E12)
    return r * (first + four * (second + four * third))


@inlined
def exp(x: float) -> float:
    """e^x."""
    scale, r = reduced(x)
    inside = scale + scale * exponential_series(r)
    return np.inf if x > HIGHEST else (0.0 if x < LOWEST else inside)


@inlined
def expm1(x: float) -> float:
    """e^x - 1."""
    scale, r = reduced(x)
    inside = scale * exponential_series(r) + (scale - 1.0)
    return np.inf if x > HIGHEST else (-1.0 if x < VANISHED else inside)


@inlined
def exponent(x: float) -> Any:
    """Whole k with x = 2^k (1 + f), f between sqrt(1/2) - 1 and sqrt(2) - 1."""
    return (np.float64(x).view(np.int64) - SQRT_HALF_BITS) >> 52


@inlined
def log_of_parts(k: int, f: float) -> float:
    """ln(2^k (1 + f))."""
    s = f / (2.0 + f)
    q = s * s
    two = q * q
    four = two * two
    total = (L0 + q * L1) + two * (L2 + q * L3) + four * ((L4 + q * L5) + two * (L6 + q * L7) + four * (L8 + q * L9))
    return (k * LN2_LOW + s * total) + k * LN2_HIGH


@inlined
def with_ends(x: float, inside: float) -> float:
    """ln x where `inside` is it for a positive and finite x."""
    return (np.inf if x == np.inf else inside) if x > 0.0 else (-np.inf if x == 0.0 else np.nan)


@inlined
def log(x: float) -> float:
    """ln x."""
    k = exponent(x)
    f = np.int64(np.float64(x).view(np.int64) - (k << 52)).view(np.float64) - 1.0
    return with_ends(x, log_of_parts(k, f))


@inlined
def log1p(x: float) -> float:
    """ln(1 + x), what the sum loses to rounding put back."""
    whole = 1.0 + x
    k = exponent(whole)
    f = np.int64(np.float64(whole).view(np.int64) - (k << 52)).view(np.float64) - 1.0
    lost = (x - (whole - 1.0)) * np.int64((BIAS - k) << 52).view(np.float64)
    return with_ends(whole, log_of_parts(k, f + lost))


@inlined
def log10(x: float) -> float:
    """The decimal logarithm."""
    return log(x) * PER_LN10


@inlined
def tanh(x: float) -> float:
    """The hyperbolic tangent."""
    twice = expm1(2.0 * minimum(maximum(x, -20.0), 20.0))
    return twice / (twice + 2.0)


@inlined
def logaddexp(a: float, b: float) -> float:
    """ln(e^a + e^b)."""
    return maximum(a, b) + log1p(exp(-abs(a - b)))


@inlined
def power(a: float, b: float) -> float:
    """a^b of a positive a."""
    return exp(b * log(a))
