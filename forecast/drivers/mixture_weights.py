"""Draws of two posteriors, weighted so that they stand for a third: importance sampling from the mixture of both.

The draws of A and of B are pooled; the density they come from is the mixture of both (the balance heuristic of Veach and
Guibas 1995), which needs the ratio of the two normalising constants. Bridge sampling finds it from the same draws (Meng
and Wong 1996), as the constant of a logistic regression of whose draw it is (Geyer 1994). The mixture covers both ends, so
weights towards either are bounded. ``tests/drivers/test_movement.py`` holds this to normals in closed form.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

Array = npt.NDArray[np.float64]
FARTHEST = 50.0  # in logs: beyond it two posteriors share no draw


def log_constants_ratio(gain: Array, from_b: npt.NDArray[np.bool_]) -> float:
    """ln Z_B / Z_A, the ratio of the normalising constants, by optimal bridge sampling.

    Parameters
    ----------
    gain : (draw,)
        ln of B's unnormalised density over A's at every draw; -inf or +inf where one of them is 0.
    from_b : (draw,)
        Whose draw it is.

    Returns
    -------
    float
        The c at which as many draws are expected of B as there are: sum expit(gain - c + ln n_B/n_A) = n_B.
    """
    count_b = int(from_b.sum())
    odds = np.log(count_b / (from_b.size - count_b))
    finite = gain[np.isfinite(gain)]
    ends = (finite.min() - FARTHEST, finite.max() + FARTHEST) if finite.size else (-FARTHEST, FARTHEST)

    def surplus(constant: float) -> float:
        return float(expit(gain - constant + odds).sum() - count_b)

    if surplus(ends[0]) <= 0.0 or surplus(ends[1]) >= 0.0:
        return 0.0  # no draw of one is possible in the other: nothing to bridge
    return float(brentq(surplus, *ends, xtol=1e-10))


def mixture_log_density(log_a: Array, log_b: Array, from_b: npt.NDArray[np.bool_]) -> Array:
    """Log density of the pool, up to a constant: n_A/n p_A + n_B/n p_B with both normalised alike."""
    share = float(from_b.mean())
    constant = log_constants_ratio(difference(log_b, log_a), from_b)
    result: Array = np.logaddexp(np.log1p(-share) + log_a, np.log(share) + log_b - constant)
    return result


def difference(log_one: Array, log_other: Array) -> Array:
    """ln of a ratio of densities; 0 where both are 0."""
    with np.errstate(invalid="ignore"):
        found = log_one - log_other
    return np.where(np.isnan(found), 0.0, found)


def pareto_k(log_weights: Array) -> float:
    """Pareto k-hat of the weights above 0 (Vehtari et al. 2024): above 0.7 their mean cannot be trusted."""
    from arviz_stats.base import array_stats  # a second to import

    finite = log_weights[np.isfinite(log_weights)]
    if finite.size < 25 or np.ptp(finite) < 1e-9:
        return -np.inf if finite.size >= 25 else np.inf
    return float(array_stats.psislw(-finite)[1])  # it takes a log-likelihood: minus the log weights


def weighted_medians(values: Array, weight: Array) -> Array:
    """Median of `values`, (draw,), under every column of `weight`, (draw, column); the mean of two where it lies between.

    >>> weighted_medians(np.array([1.0, 2.0, 3.0, np.inf]), np.ones((4, 1))).tolist()
    [2.5]
    """
    order = np.argsort(values, kind="stable")
    ordered, below = values[order], np.cumsum(weight[order], axis=0)
    half, slack = 0.5 * below[-1], 1e-9 * below[-1]
    last = values.size - 1
    low = ordered[np.minimum((below < half - slack).sum(axis=0), last)]
    high = ordered[np.minimum((below <= half + slack).sum(axis=0), last)]
    result: Array = np.where(low == high, low, 0.5 * (low + np.where(np.isinf(low), low, high)))
    return result
