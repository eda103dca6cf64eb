"""How much one set of draws says beyond another: Kullback-Leibler divergence in bits, from draws alone.

No density is estimated: the distance from each draw to its k-th nearest neighbour among the draws of either
distribution says how dense that one is there. ``tests/drivers/test_information.py`` holds it to closed forms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from forecast.errors import InputError

Array = npt.NDArray[np.float64]
NEIGHBOURS = 15  # fewer scatter more, more smear a narrow distribution out
PARTS = 10  # stretches of the draws that are left out in turn to say the error
FEWEST = PARTS * (NEIGHBOURS + 2)  # draws of either distribution that this takes
TINY = 1e-300
LN2 = float(np.log(2.0))


class Information(NamedTuple):
    """Divergence in bits: never below 0; the `raw` estimate, which scatters about 0 where nothing was learned; its error."""

    bits: float
    raw: float
    error: float


def kl_bits(x: Array, y: Array) -> Information:
    """KL(p || q) in bits from draws x ~ p and y ~ q of one quantity.

    D = mean log2(nu_k(x) / rho_k(x)) + log2(m / (n - 1)), where nu_k is the distance from a draw of x to its k-th nearest
    among the m of y, rho_k among the other n - 1 of x, k = `NEIGHBOURS` (Wang, Kulkarni and Verdu 2009, Divergence
    estimation for multidimensional densities via k-nearest-neighbor distances, IEEE Trans. Inf. Theory 55).

    Parameters
    ----------
    x, y : (draw,)
        On a scale on which both are smooth: the divergence is the same on any, the error is not. Neighbouring draws may
        depend on each other, but not so much that k of them lie close because of it: thin first.

    Returns
    -------
    Information
        The standard error is the jackknife's over `PARTS` stretches of the draws, so that those of a chain may depend on
        their neighbours. Where p lies beyond all draws of q, the divergence is larger than what is found: densities
        below k / m cannot be told apart.

    Raises
    ------
    InputError
        If there are too few draws, or some are not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = kl_bits(rng.normal(1.0, 1.0, 4000), rng.normal(0.0, 1.0, 4000))  # 1/2 nat
    >>> round(found.bits, 1), round(0.5 / LN2, 1), found.error < 0.05
    (0.7, 0.7, True)
    """
    first, second = np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    if min(first.size, second.size) < FEWEST:
        raise InputError(f"{min(first.size, second.size)} draws: give at least {FEWEST} of each distribution")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError("draws that are not finite have no density: leave the parameter out or look at its prior")
    if np.array_equal(first, second):
        return Information(0.0, 0.0, 0.0)
    raw = divergence(first, second)
    groups = [np.arange(draws.size) * PARTS // draws.size for draws in (first, second)]
    less = [divergence(first[groups[0] != i], second[groups[1] != i]) for i in range(PARTS)]
    return Information(max(raw, 0.0), raw, float(np.std(less) * np.sqrt(PARTS - 1.0)))


def divergence(x: Array, y: Array) -> float:
    """The estimate of `kl_bits`, unclipped."""
    own, other = np.sort(x), np.sort(y)
    here = kth_distance(own, own, NEIGHBOURS + 1)  # a draw is its own nearest
    there = kth_distance(own, other, NEIGHBOURS)
    ratio = np.log(np.maximum(there, TINY)) - np.log(np.maximum(here, TINY))
    return float((ratio.mean() + np.log(other.size / (own.size - 1.0))) / LN2)


def kth_distance(points: Array, draws: Array, k: int) -> Array:
    """Distance from each point to the k-th nearest of some sorted draws.

    The k nearest are neighbours of each other too, so the nearest stretch of k is found by bisection.

    >>> kth_distance(np.array([0.0, 5.0]), np.array([-1.0, 0.5, 2.0, 9.0]), 2).tolist()
    [1.0, 4.0]
    """
    place = np.searchsorted(draws, points)
    low, high = np.clip(place - k, 0, draws.size - k), np.clip(place, 0, draws.size - k)
    while (low < high).any():
        middle = (low + high) // 2
        after = (low < high) & (points - draws[middle] > draws[np.minimum(middle + k, draws.size - 1)] - points)
        low, high = np.where(after, middle + 1, low), np.where(after, high, middle)
    return np.maximum(points - draws[low], draws[low + k - 1] - points)
