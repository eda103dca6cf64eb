"""Realised share of a chip's peak, on the logit scale. Source: MODEL section 3, utilization."""

from __future__ import annotations

import numpy as np

from forecast.equations._smooth import Array, Namespace

REFERENCE_YEAR = 2023.0  # `utilization_2023` in the schema


def logit(share: Array, *, xp: Namespace = np) -> Array:
    """Log odds of a share between 0 and 1, ln u - ln(1 - u).

    >>> float(logit(0.5))
    0.0
    """
    return xp.log(share) - xp.log1p(-share)


def realised_utilization(
    year: Array, utilization_2023: Array, trend: Array, logit_offset: Array = 0.0, *, xp: Namespace = np
) -> Array:
    """Realised share of peak in `year`: logit u = logit u_2023 + trend (year - 2023) + offset.

    Parameters
    ----------
    year : decimal year
    utilization_2023 : share of peak at 2023.0, between 0 and 1
    trend : logit per year
    logit_offset : logit by which this run or deployment departs from the trend

    >>> round(float(realised_utilization(2033.0, 0.4, 0.05)), 4)
    0.5236
    """
    log_odds = logit(utilization_2023, xp=xp) + trend * (year - REFERENCE_YEAR) + logit_offset
    return 1.0 / (1.0 + xp.exp(-log_odds))
