"""Kwa's eight-parameter take-off (2026): Cobb-Douglas research, people working only on what is not automated.

    S' = k (L/(1-f))^alpha C^zeta S^(1-beta),   f = logistic(v (ln(C S) - ln E)),   ln E = -logit(f_0)/v,

with S = C = L = 1 at 2026.0 and k the growth of ln S per year that people alone would make there. L and C are exogenous.
AIs never do everything: f stays below 1, and people bottleneck the rest. Source: MODEL section 5, rival forms.
``p`` maps the names ``kwa_*`` of ``forecast.schema`` to values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from forecast.equations._smooth import log1p_ratio

Array = Any  # NumPy array over draws
Draws = dict[str, Any]
START = 2026.0  # where S = C = L = 1
STEPS_PER_YEAR = 12  # halving it moves no draw's best year by 0.001 OOM, no crossing by 0.001 years
LOW_SHARE, HIGH_SHARE = 0.2, 0.99  # the take-off is from one to the other


class Production(NamedTuple):
    """Research production: k (ln S per year), alpha, zeta, beta, v (logit per ln C S) and logit f_0."""

    people_rate: Array
    labour_exponent: Array
    compute_exponent: Array
    difficulty_exponent: Array
    slope: Array
    logit_start: Array


class Course(NamedTuple):
    """Nodes of every draw from 2026.0 on: year (node,), ln S and logit f (node, draw)."""

    year: Array
    log_software: Array
    logit_share: Array


def log_labour(year: Array, p: Draws) -> Array:
    """ln L: people on research, relative to 2026.0; one growth until the slowdown, another after it.

    >>> p = {"kwa_slowdown_year": 2029.0, "kwa_labour_growth": 2.0, "kwa_labour_growth_after": 1.1}
    >>> [round(float(np.exp(log_labour(year, p))), 6) for year in (2027.0, 2029.0, 2030.0)]
    [2.0, 8.0, 8.8]
    """
    bend = p["kwa_slowdown_year"]
    before, after = np.minimum(year, bend) - START, np.maximum(year - bend, 0.0)
    return np.log(p["kwa_labour_growth"]) * before + np.log(p["kwa_labour_growth_after"]) * after


def log_compute(year: Array, p: Draws) -> Array:
    """ln C: research compute relative to 2026.0.

    It grows by one factor a year to the slowdown, then by a second, which from the year of the fall on falls linearly
    to a third, where it stays.
    """
    bend, fall, floor = p["kwa_slowdown_year"], p["kwa_compute_fall_year"], p["kwa_compute_floor_year"]
    high, low = p["kwa_compute_growth_after"], p["kwa_compute_growth_floor"]
    early = np.log(p["kwa_compute_growth"]) * (np.minimum(year, bend) - START)
    steady = np.log(high) * np.clip(year - bend, 0.0, fall - bend)
    passed = np.clip(year - fall, 0.0, floor - fall)
    late = np.log(low) * np.maximum(year - floor, 0.0)
    return early + steady + falling_growth(passed, high, (low - high) / (floor - fall)) + late


def falling_growth(years: Array, factor: Array, slope: Array) -> Array:
    """Integral of ln(a + b t) over t from 0 to `years`: ln of growth by a yearly factor that changes linearly.

    With x = b t / a it is t (ln a + ((1 + x) ln(1 + x) - x)/x), and t ln a where b = 0.

    >>> round(float(falling_growth(1.0, 2.0, 0.0) / np.log(2.0)), 6)
    1.0
    """
    x = slope * years / factor
    far = np.where(np.abs(x) > 1e-6, x, 1.0)
    mean = np.where(np.abs(x) > 1e-6, ((1.0 + far) * np.log1p(far) - far) / far, 0.5 * x)
    return years * (np.log(factor) + mean)


def logit(share: Array) -> Array:
    """ln(f / (1 - f)).

    >>> float(logit(0.5))
    0.0
    """
    return np.log(share) - np.log1p(-share)


class Inputs(NamedTuple):
    """Exogenous ln L and ln C at one moment."""

    log_labour: Array
    log_compute: Array


def inputs_at(year: Array, p: Draws) -> Inputs:
    """`log_labour` and `log_compute`."""
    return Inputs(log_labour(year, p), log_compute(year, p))


def logit_share(log_software: Array, at: Inputs, production: Production) -> Array:
    """Logit of f: v (ln C + ln S) + logit f_0."""
    return production.logit_start + production.slope * (at.log_compute + log_software)


def log_output(logit_f: Array, at: Inputs, production: Production, share_ceiling: Array) -> Array:
    """ln (L/(1-f))^alpha C^zeta, with 1/(1-f) = 1 + e^(logit f) and f no more than its ceiling.

    >>> print(round(float(log_output(0.0, Inputs(0.0, 0.0), Production(1.0, 0.5, 0.5, 1.0, 1.0, 0.0), 0.9)), 6))
    0.346574
    """
    log_help = np.minimum(np.logaddexp(0.0, logit_f), -np.log1p(-share_ceiling))
    labour = production.labour_exponent * (at.log_labour + log_help)
    return labour + production.compute_exponent * at.log_compute


def course(production: Production, p: Draws, end: float, steps_per_year: int = STEPS_PER_YEAR) -> Course:
    """ln S from 2026.0 to the first whole year at or after `end`.

    The state is y = (S^beta - 1)/beta, with y' = k (L/(1-f))^alpha C^zeta: under constant output it is a straight line,
    whatever beta, and as its rate never falls in y, RK4 cannot go unstable. The ceiling on f bounds the rate, so that a
    draw which explodes passes through within a step and stays finite. Nodes lie on whole years, where L and C bend.

    Parameters
    ----------
    production : fields (draw,) or scalars; beta at least 0
    end : decimal year
    """
    h = 1.0 / steps_per_year
    year = START + h * np.arange(int(np.ceil(max(end - START, 1.0))) * steps_per_year + 1)
    beta = production.difficulty_exponent

    def rate(y: Array, at: Inputs) -> Array:
        logit_f = logit_share(log1p_ratio(y, beta), at, production)
        return production.people_rate * np.exp(log_output(logit_f, at, production, p["kwa_share_ceiling"]))

    y = np.zeros(np.broadcast_shapes(*(np.shape(field) for field in production), (1,)))
    after = inputs_at(START, p)
    nodes = [y]
    for t in year[:-1]:
        before, middle, after = after, inputs_at(t + 0.5 * h, p), inputs_at(t + h, p)
        k1 = rate(y, before)
        k2 = rate(y + 0.5 * h * k1, middle)
        k3 = rate(y + 0.5 * h * k2, middle)
        y = y + h / 6.0 * (k1 + 2.0 * (k2 + k3) + rate(y + h * k3, after))
        nodes.append(y)
    log_software = log1p_ratio(np.stack(nodes), beta)
    return Course(year, log_software, logit_share(log_software, inputs_at(year[:, None], p), production))


def software_at(path: Course, year: Array) -> Array:
    """ln S at some years (n,), linear between nodes: (n, draw)."""
    place = np.clip((np.asarray(year) - path.year[0]) / (path.year[1] - path.year[0]), 0.0, path.year.size - 1.0)
    left = np.minimum(place.astype(int), path.year.size - 2)
    weight = (place - left)[:, None]
    return (1.0 - weight) * path.log_software[left] + weight * path.log_software[left + 1]


def largest_gain(path: Course, since: float, window_end: float) -> Array:
    """Largest gain of ln S in 12 months that begin from `since` (at the earliest 2026.0) to `window_end`, (draw,)."""
    first = max(since, START)
    starts = np.append(path.year[(path.year >= first) & (path.year <= min(window_end, path.year[-1] - 1.0))], first)
    result: Array = (software_at(path, starts + 1.0) - software_at(path, starts)).max(axis=0)
    return result


def year_of_share(share: float, path: Course, production: Production, p: Draws) -> Array:
    """Decimal year in which `share` of AI R&D is automated, (draw,); +inf if not within the path.

    Where 2026.0 has more already, the crossing lies before it at the growth of people alone, without feedback:
    d ln(C S)/dt = ln C growth + k.
    """
    gap = logit(share) - path.logit_share
    passed = gap <= 0.0
    index = np.maximum(passed.argmax(axis=0), 1)
    before, after = (np.take_along_axis(gap, (index - k)[None], axis=0)[0] for k in (1, 0))
    fraction = before / np.where(before > after, before - after, 1.0)
    crossing = np.where(passed.any(axis=0), path.year[index - 1] + fraction * (path.year[1] - path.year[0]), np.inf)
    early = gap[0] / (production.slope * (np.log(p["kwa_compute_growth"]) + production.people_rate))
    return np.where(passed[0], START + early, crossing)
