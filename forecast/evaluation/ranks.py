"""Where the truth lies among the draws of its posterior: is it uniform, and if not, what is wrong with the posterior?

The one thing to know: everything is read from counts of positions in ``BINS`` equal bins, one row per parameter. A
position is the share of the draws below the truth, jittered within a draw's width, so that it is uniform on 0..1 where
the posterior is right, however many draws there are. ``tests/evaluation/test_ranks.py`` pins rates from closed forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from forecast.errors import InputError

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BINS = 40  # the ends of intervals of 90% and 50% lie between bins
FEWEST_PER_BIN = 10  # expected, for the chi-square to follow its distribution
SIMULATIONS = 20_000  # of uniform positions, behind the bands and their p-values
BAND = 0.95
LEVEL = 0.01  # probability of a false alarm over all quantities of a model together: of ten models one in ten has one
SIDED = 0.6  # shift over excess; 0.81 where all truths lie in one outermost bin, 0 where they lie in both
EDGES = np.arange(1, BINS) / BINS
FINE, BIASED_LOW, BIASED_HIGH, NARROW, WIDE, ODD = (
    "fine",
    "too low",
    "too high",
    "too narrow",
    "too wide",
    "not uniform",
)


def positions(truth: Array, draws: Array, sizes: Array, rng: np.random.Generator) -> tuple[Array, Counts]:
    """Position of each truth among its draws, and how many nearly independent draws that used.

    Parameters
    ----------
    truth : (entry,)
    draws : (draw, entry)
    sizes : effective sample size of each entry, (entry,)
    rng : for the place within a draw's width

    Returns
    -------
    positions in 0..1 and numbers of draws kept, (entry,)

    Every entry is thinned by its own effective size, so that ranks are those among independent draws (Talts et al. 2018,
    section 5.1), and rank r of L draws becomes (r + U)/(L + 1): uniform whatever L (Modrák et al. 2023, section 2).

    >>> where, kept = positions(np.array([0.5]), np.arange(10.0)[:, None], np.array([10.0]), np.random.default_rng(1))
    >>> bool(1.0 / 11.0 < where[0] < 2.0 / 11.0), int(kept[0])
    (True, 10)
    """
    length = draws.shape[0]
    steps = np.clip(np.ceil(length / sizes - 0.1), 1, length).astype(int)  # an estimate of 0.95 x length is noise
    found, kept = np.empty(truth.size), np.empty(truth.size, dtype=np.int64)
    for i, step in enumerate(steps):
        some = draws[::step, i]
        below, equal = int((some < truth[i]).sum()), int((some == truth[i]).sum())
        found[i] = (below + rng.random() * (equal + 1)) / (some.size + 1)
        kept[i] = some.size
    return found, kept


def counted(places: Array) -> Counts:
    """Positions (replicate, entry) in equal bins, (entry, BINS).

    >>> counted(np.array([[0.01], [0.99], [0.98]]))[0, [0, -1]].tolist()
    [1, 2]
    """
    if not ((places >= 0.0) & (places <= 1.0)).all():
        raise InputError("a position among draws lies outside 0..1: count the draws below the truth again")
    index = np.minimum((places * BINS).astype(int), BINS - 1)
    return np.stack([np.bincount(column, minlength=BINS) for column in index.T])


def chi_square(counts: Counts) -> Array:
    """p-value of Pearson's chi-square against a uniform distribution, (entry,), on bins of 10 expected or more.

    >>> even, uneven = np.full(BINS, 5), np.repeat([10, 0], BINS // 2)
    >>> chi_square(np.stack([even, uneven])).round(3).tolist()
    [1.0, 0.0]
    """
    merged = counts.reshape(counts.shape[0], bins_for(int(counts[0].sum())), -1).sum(axis=-1)
    return np.asarray(stats.chisquare(merged, axis=1).pvalue)


def bins_for(number: int) -> int:
    """Number of bins for so many positions: the most that divide `BINS` and expect `FEWEST_PER_BIN` each, at least 2.

    >>> [bins_for(n) for n in (40, 100, 200, 1000)]
    [4, 10, 20, 40]
    """
    return max(
        bins for bins in range(2, BINS + 1) if BINS % bins == 0 and (bins == 2 or number / bins >= FEWEST_PER_BIN)
    )


def ecdf_difference(counts: Counts) -> Array:
    """Share of the positions below each bin's edge less the share expected, (entry, BINS - 1)."""
    return np.asarray(counts.cumsum(axis=1)[:, :-1] / counts.sum(axis=1, keepdims=True) - EDGES)


def band(number: int, prob: float = BAND) -> tuple[Array, Array]:
    """Ends of the simultaneous band of the ECDF difference of so many uniform positions, (BINS - 1,) each.

    With probability `prob` the whole curve lies within: the pointwise binomial interval that this takes, by simulation
    (Säilynoja, Bürkner & Vehtari 2022, algorithm 1). ``arviz_stats.ecdf_utils`` has the same at other points.
    """
    tail = 1.0 - float(np.quantile(coverage_simulated(number), prob))
    low, high = (stats.binom(number, EDGES).ppf(q) / number - EDGES for q in (tail / 2.0, 1.0 - tail / 2.0))
    return np.asarray(low), np.asarray(high)


def ecdf_p_value(counts: Counts) -> Array:
    """p-value of the whole curve, (entry,): how often uniform positions leave a tighter band than these do."""
    number = int(counts[0].sum())
    simulated = coverage_simulated(number)
    beyond = simulated.size - np.searchsorted(simulated, coverage_needed(counts, number) - 1e-12)
    return np.asarray((beyond + 1) / (simulated.size + 1))


def coverage_needed(counts: Counts, number: int) -> Array:
    """Coverage of the narrowest pointwise interval that holds the whole curve, (entry,)."""
    below = counts.cumsum(axis=1)[:, :-1]
    return np.asarray(1.0 - 2.0 * tails(number)[below, np.arange(BINS - 1)].min(axis=1))


@cache
def tails(number: int) -> Array:
    """Smaller tail probability, ends included, of each count below each edge, (count, edge)."""
    count = np.arange(number + 1)[:, None]
    return np.asarray(np.minimum(stats.binom.cdf(count, number, EDGES), stats.binom.sf(count - 1, number, EDGES)))


@cache
def coverage_simulated(number: int) -> Array:
    """`coverage_needed` of uniform positions, sorted."""
    rng = np.random.default_rng(np.random.SeedSequence(number, spawn_key=(0x656364,)))
    return np.sort(coverage_needed(rng.multinomial(number, np.full(BINS, 1.0 / BINS), SIMULATIONS), number))


def covered(counts: Counts, prob: float) -> Array:
    """Share of the truths inside the equal-tailed interval of probability 0.9 or 0.5, (entry,).

    >>> float(covered(np.full((1, BINS), 5), 0.9)[0])
    0.9
    """
    outside = round((1.0 - prob) / 2.0 * BINS)
    return np.asarray(counts[:, outside : BINS - outside].sum(axis=1) / counts.sum(axis=1))


def binomial_interval(share: float, number: float, prob: float = 0.9) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a probability whose estimate from `number` cases is `share`.

    >>> [round(x, 3) for x in binomial_interval(0.9, 200)]
    [0.858, 0.933]
    """
    hits, tail = share * number, (1.0 - prob) / 2.0
    low = stats.beta.ppf(tail, hits, number - hits + 1.0) if hits > 0.0 else 0.0
    high = stats.beta.ppf(1.0 - tail, hits + 1.0, number - hits) if hits < number else 1.0
    return float(low), float(high)


def holm(p_values: Array) -> Array:
    """p-values after Holm's correction for their number: below 0.05 is a false alarm in one family of 20.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(p_values.size, 0, -1))
    result = np.empty(p_values.size)
    result[order] = np.minimum(stepped, 1.0)
    return result


class Shape(NamedTuple):
    """Mean and spread of the positions of each entry, in standard errors from those of a uniform distribution."""

    shift: Array
    excess: Array


def shape(counts: Counts) -> Shape:
    """How far positions lie to one side, and how far in the tails, (entry,) each.

    Positive shift: truths lie above their draws, so the posterior is too low. Positive excess: truths lie in the tails of
    their draws, so the posterior is too narrow.
    """
    centres, number = (np.arange(BINS) + 0.5) / BINS - 0.5, counts.sum(axis=1)
    variance = (1.0 - BINS**-2.0) / 12.0  # of a uniform distribution on the centres of the bins
    fourth = float((centres**4).mean())
    shift = (counts @ centres) / number / np.sqrt(variance / number)
    excess = ((counts @ centres**2) / number - variance) / np.sqrt((fourth - variance**2) / number)
    return Shape(shift, excess)


def rank_table(names: Sequence[str], counts: Counts) -> pd.DataFrame:
    """A row per parameter: tests of uniformity, coverage, and a verdict that allows for all of them together.

    Returns
    -------
    pandas.DataFrame
        ``parameter``; p-values ``p_chi_square`` and ``p_ecdf``; ``p_adjusted``, the smaller of the two after Holm's
        correction over both tests of all parameters; ``shift`` and ``excess`` in standard errors (`shape`); shares
        ``covered_50`` and ``covered_90``; ``verdict``: "fine", or what is wrong with the posterior: "too low",
        "too high", "too narrow", "too wide" or, in none of these ways, "not uniform".
    """
    p_values = np.stack([chi_square(counts), ecdf_p_value(counts)])
    adjusted = holm(p_values.ravel()).reshape(p_values.shape).min(axis=0)
    found = shape(counts)
    return pd.DataFrame(
        {
            "parameter": list(names),
            "p_chi_square": p_values[0],
            "p_ecdf": p_values[1],
            "p_adjusted": adjusted,
            "shift": found.shift,
            "excess": found.excess,
            "covered_50": covered(counts, 0.5),
            "covered_90": covered(counts, 0.9),
            "verdict": [
                verdict(*values)
                for values in zip(adjusted.tolist(), found.shift.tolist(), found.excess.tolist(), strict=True)
            ],
        }
    )


def verdict(p_adjusted: float, shift: float, excess: float) -> str:
    """What is wrong with a posterior whose positions have this shape.

    One that is off to one side has its truths in one tail, so a shift counts before the excess that comes with it.

    >>> verdict(0.4, 2.0, 0.0), verdict(0.001, 1.0, 6.0), verdict(0.001, -5.0, 0.3), verdict(0.001, 10.9, 14.1)
    ('fine', 'too narrow', 'too high', 'too low')
    """
    if p_adjusted >= LEVEL:
        return FINE
    if max(abs(shift), abs(excess)) < 2.0:
        return ODD
    if abs(shift) > SIDED * abs(excess):
        return BIASED_LOW if shift > 0.0 else BIASED_HIGH
    return NARROW if excess > 0.0 else WIDE
