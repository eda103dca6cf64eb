"""The two naive forecasts that a model has to beat: the last value, and a straight line in time.

Each predicts a table's rows on the scale of its likelihood from the rows known before, as a t or normal distribution.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Array = npt.NDArray[np.float64]

FEWEST = 4  # dates or rows: below, the scatter is anyone's guess


class Naive(NamedTuple):
    """A t distribution per row: mean (row,), spread (row,), and `nu` degrees of freedom (infinite for a normal one)."""

    mean: Array
    spread: Array
    nu: float


def last_value(years: Array, values: Array, later: Array) -> Naive | None:
    """The latest row's value stays; the spread is the root mean square of the steps from one date to the next.

    Rows of one date count as one, at their median. None where there are fewer than four dates.

    >>> last_value(np.arange(2020.0, 2024.0), np.array([1.0, 2.0, 3.0, 4.0]), np.array([2025.0]))
    Naive(mean=array([4.]), spread=array([1.]), nu=inf)
    """
    dates = np.unique(years)
    if dates.size < FEWEST:
        return None
    middles = np.array([np.median(values[years == date]) for date in dates])
    step = float(np.sqrt(np.mean(np.diff(middles) ** 2)))
    return Naive(np.full(later.shape, middles[-1]), np.full(later.shape, step), np.inf) if step > 0.0 else None


def straight_line(years: Array, values: Array, later: Array) -> Naive | None:
    """Least squares in time with its prediction interval, t with n - 2 degrees of freedom.

    None where there are fewer than four rows or two dates, or where the line has no scatter.

    >>> line = straight_line(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0, 3.3]), np.array([4.0]))
    >>> round(float(line.mean[0]), 2), round(float(line.spread[0]), 2), line.nu
    (4.3, 0.18, 2.0)
    """
    if values.size < FEWEST or np.unique(years).size < 2:
        return None
    centre, freedom = years.mean(), values.size - 2
    squares = ((years - centre) ** 2).sum()
    slope = ((years - centre) * (values - values.mean())).sum() / squares
    scatter = np.sqrt(((values - values.mean() - slope * (years - centre)) ** 2).sum() / freedom)
    if scatter == 0.0:
        return None
    spread = scatter * np.sqrt(1.0 + 1.0 / values.size + (later - centre) ** 2 / squares)
    return Naive(values.mean() + slope * (later - centre), spread, float(freedom))


def pit(rival: Naive, observed: Array) -> Array:
    """Predictive probability of at most what was observed, (row,)."""
    z = (observed - rival.mean) / rival.spread
    return np.asarray(special.ndtr(z) if np.isinf(rival.nu) else stats.t(rival.nu).cdf(z))


def log_score(rival: Naive, observed: Array) -> Array:
    """ln of the density at what was observed, (row,)."""
    standard = stats.norm if np.isinf(rival.nu) else stats.t(rival.nu)
    return np.asarray(standard.logpdf((observed - rival.mean) / rival.spread) - np.log(rival.spread))


def crps(rival: Naive, observed: Array) -> Array:
    """Continuous ranked probability score in closed form, (row,), of a normal or t distribution.

    Gneiting & Raftery 2007, equation 21, for the normal; Jordan, Krueger & Lerch 2019, appendix A, for t with more than
    one degree of freedom.

    >>> round(float(crps(Naive(np.zeros(1), np.ones(1), np.inf), np.zeros(1))[0]), 6)
    0.233695
    """
    z = (observed - rival.mean) / rival.spread
    if np.isinf(rival.nu):
        unit = z * (2.0 * special.ndtr(z) - 1.0) + 2.0 * stats.norm.pdf(z) - 1.0 / np.sqrt(np.pi)
        return np.asarray(rival.spread * unit)
    nu = rival.nu
    t = stats.t(nu)
    tail = 2.0 * np.sqrt(nu) / (nu - 1.0) * special.beta(0.5, nu - 0.5) / special.beta(0.5, nu / 2.0) ** 2
    unit = z * (2.0 * t.cdf(z) - 1.0) + 2.0 * t.pdf(z) * (nu + z**2) / (nu - 1.0) - tail
    return np.asarray(rival.spread * unit)
