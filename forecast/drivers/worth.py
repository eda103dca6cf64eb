"""What knowing one input exactly would be worth: expected value of perfect partial information, and rank correlations.

For a quantity it is the expected fall of its variance (Saltelli's first-order index times the variance); for an event the
expected fall of the Brier score, which is the variance of an indicator, and the mutual information in bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import rankdata

from forecast.drivers.regression import FOLDS, folds_of
from forecast.drivers.shapley import PROB, RESAMPLES, Shares, sums

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
NEWTON_STEPS = 25
TINY_RIDGE = 1e-3  # keeps a curve finite where an input tells the event apart perfectly
LN2 = float(np.log(2.0))


def information_bits(curves: Sequence[Array], event: Array, segment: Indices, random_seed: int = 1) -> Shares:
    """Mutual information of an event with each input, in bits, out of sample.

    Parameters
    ----------
    curves
        Columns (draw, column) of each input, as ``splines.splines`` makes them.
    event : (draw,)
        0 or 1.
    segment : (draw,)
        The stretch of neighbouring draws that each lies in.

    Returns
    -------
    Shares
        H(event) - E H(event | input) by a logistic regression that has not seen the draw it is judged on, with an
        interval over draws; a useless input comes out slightly below 0.

    Examples
    --------
    >>> coin = np.arange(400) % 2.0
    >>> found = information_bits([(coin[:, None] - 0.5) * 2.0], coin, np.arange(400) // 10)
    >>> bool(0.97 < found.share[0] <= 1.0)
    True
    """
    fold = folds_of(segment)
    base, scores = np.empty(len(event)), np.empty((len(event), len(curves)))
    for k in range(FOLDS):
        seen, held = fold != k, fold == k
        rate = (event[seen].sum() + 0.5) / (seen.sum() + 1.0)
        base[held] = log_score(event[held], np.full(held.sum(), np.log(rate / (1.0 - rate))))
        for index, columns in enumerate(curves):
            fitted = logistic(columns[seen], event[seen])
            scores[held, index] = log_score(event[held], fitted[0] + columns[held] @ fitted[1:])
    return means((scores - base[:, None]) / LN2, segment, random_seed)


def logistic(columns: Array, event: Array) -> Array:
    """Coefficients of a logistic regression, intercept first, by Newton's method with a tiny ridge."""
    design = np.column_stack([np.ones(len(event)), columns])
    penalty = TINY_RIDGE * len(event) * np.r_[0.0, np.ones(columns.shape[1])]
    rate = (event.sum() + 0.5) / (len(event) + 1.0)
    found: Array = np.r_[np.log(rate / (1.0 - rate)), np.zeros(columns.shape[1])]
    for _ in range(NEWTON_STEPS):
        chance = expit(design @ found)
        slope = design.T @ (event - chance) - penalty * found
        curvature = (design * (chance * (1.0 - chance))[:, None]).T @ design
        curvature.flat[:: len(found) + 1] += penalty + 1e-9
        step = np.linalg.solve(curvature, slope)
        found = found + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-6:
            break
    return found


def log_score(event: Array, log_odds: Array) -> Array:
    """Natural log of the probability given to what happened."""
    result: Array = -np.logaddexp(0.0, np.where(event > 0.5, -log_odds, log_odds))
    return result


def means(values: Array, segment: Indices, random_seed: int) -> Shares:
    """Means of the columns with intervals over draws, whole segments resampled."""
    parts = sums(np.column_stack([np.ones(len(values)), values]), segment)
    rng = np.random.default_rng(np.random.SeedSequence(random_seed, spawn_key=(len(parts),)))
    drawn = rng.multinomial(len(parts), np.full(len(parts), 1.0 / len(parts)), size=RESAMPLES) @ parts
    tail = (1.0 - PROB) / 2.0
    low, high = np.quantile(drawn[:, 1:] / drawn[:, :1], [tail, 1.0 - tail], axis=0)
    return Shares(values.mean(axis=0), low, high)


def rank_correlations(columns: Array, output: Array) -> Array:
    """Spearman's rank correlation of each column with the output; censored draws share the last rank."""
    x, y = rankdata(columns, axis=0), rankdata(output)
    x, y = x - x.mean(axis=0), y - y.mean()
    result: Array = x.T @ y / np.sqrt((x**2).sum(axis=0) * (y**2).sum())
    return result
