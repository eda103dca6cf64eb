"""The take-off of AI 2027: research speed rises exponentially in progress between stages that people have spaced.

A stage takes G human-only years of progress x. Within it speed goes from v_0 to v_1 times people's,

    dx/dt = v_0 (v_1 / v_0)^(x / G),   so   T = G (1 - v_0 / v_1) / (v_0 ln(v_1 / v_0)),

and with L = ln(v_1 / v_0) progress is x(t) = -(G / L) ln(1 - v_0 L t / G). There are no diminishing returns beyond what
the human-only years hold, and no limit. Source: MODEL section 5, rival forms. Times are in years.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from forecast.equations._smooth import expm1_ratio, log1p_ratio

Array = Any  # NumPy array over draws
TINY = 1e-12  # a gap of nothing takes no time
DAYS_PER_YEAR = 365.0  # the form's own year


def stage_years(gap_years: Array, speed_before: Array, speed_after: Array) -> Array:
    """T = G (1 - v_0/v_1) / (v_0 ln(v_1/v_0)): calendar years of one stage; G/v_0 where speed stays the same.

    >>> round(float(DAYS_PER_YEAR * stage_years(19.71, 25.0, 250.0)), 3)
    112.478
    """
    return gap_years / speed_before * expm1_ratio(1.0, -np.log(speed_after / speed_before))


def stage_progress(years: Array, gap_years: Array, speed_before: Array, speed_after: Array) -> Array:
    """x(t): human-only years of progress `years` after a stage began, at least 0 and at most the stage's gap.

    >>> round(float(stage_progress(stage_years(4.0, 5.0, 25.0), 4.0, 5.0, 25.0)), 6)
    4.0
    """
    gap = np.maximum(gap_years, TINY)
    steepness = np.log(speed_after / speed_before)
    done = log1p_ratio(speed_before * np.maximum(years, 0.0), -steepness / gap)
    return np.minimum(done, gap_years)


def progress(years: Array, gaps: Sequence[Array], speeds: Sequence[Array]) -> Array:
    """Human-only years of progress `years` after the first stage began; the form ends with its last stage.

    `speeds` has one more entry than `gaps`: the speed at which each stage starts, and the last one's end.

    >>> round(float(progress(1.0, (4.0, 20.0, 80.0), (5.0, 25.0, 250.0, 2000.0))), 6)  # all within 304 days
    104.0
    """
    done = 0.0 * years
    for gap, before, after in zip(gaps, speeds[:-1], speeds[1:], strict=True):
        done = done + stage_progress(years, gap, before, after)
        years = years - stage_years(gap, before, after)
    return done


def largest_gain(within_years: float, gaps: Sequence[Array], speeds: Sequence[Array]) -> Array:
    """Most human-only years of progress in any `within_years`: the last ones, because speed only rises.

    `speeds` must not fall from stage to stage.
    """
    total = sum(stage_years(*stage) for stage in zip(gaps, speeds[:-1], speeds[1:], strict=True))
    return progress(total, gaps, speeds) - progress(total - within_years, gaps, speeds)
