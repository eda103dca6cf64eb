"""Length of tasks that AIs do at 50% success, in log2 minutes, against effective compute: two rival forms.

Both forms and their inverses take the same arguments, so `TASK_HORIZON` and `EFFECTIVE_FLOP_AT_HORIZON` choose by
name. Source: MODEL section 3, task_horizon; horizons are METR's, version 1.1. Arguments broadcast.

Parameters of all four
----------------------
log10_effective_flop : E, log10 FLOP of the largest run in `as_of` algorithms
log2_horizon_at_centre : log2 minutes at `effective_flop_centre`
doublings_per_oom : b, doublings of the horizon per OOM of effective compute
effective_flop_centre : E at the data's centre (log10 FLOP)
factor : each doubling takes this times the effective compute (in OOM) of the one before; only `superexponential`
effective_flop_now : E from which that holds (log10 FLOP); below it the forms agree
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from forecast.equations._smooth import Array, Namespace, expm1_ratio, log1p_ratio


def walk_covariance(years: npt.NDArray[np.float64], origin: float) -> npt.NDArray[np.float64]:
    """Covariance of a standard random walk in time that is 0 at `origin`, at some decimal years on either side of it.

    Two moments on one side share the steps up to the nearer one; a walk over t years has variance t.

    >>> walk_covariance(np.array([2022.0, 2025.0, 2030.0]), 2026.0).tolist()
    [[4.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 4.0]]
    """
    away = years - origin
    shared = np.minimum.outer(np.abs(away), np.abs(away))
    return np.where(np.sign(away)[:, None] == np.sign(away), shared, 0.0)


def exponential(
    log10_effective_flop: Array,
    log2_horizon_at_centre: Array,
    doublings_per_oom: Array,
    effective_flop_centre: Array,
    factor: Array = 1.0,
    effective_flop_now: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """log2 minutes, h0 + b (E - E_centre): every doubling takes the same effective compute.

    `factor` and `effective_flop_now` have no influence.

    >>> exponential(28.0, 6.0, 2.5, 26.0)
    11.0
    """
    return log2_horizon_at_centre + doublings_per_oom * (log10_effective_flop - effective_flop_centre)


def exponential_inverse(
    log2_horizon: Array,
    log2_horizon_at_centre: Array,
    doublings_per_oom: Array,
    effective_flop_centre: Array,
    factor: Array = 1.0,
    effective_flop_now: Array = 0.0,
    *,
    xp: Namespace = np,
) -> Array:
    """Effective compute (log10 FLOP) at which `exponential` reaches `log2_horizon` (log2 minutes).

    >>> exponential_inverse(11.0, 6.0, 2.5, 26.0)
    28.0
    """
    return effective_flop_centre + (log2_horizon - log2_horizon_at_centre) / doublings_per_oom


def superexponential(
    log10_effective_flop: Array,
    log2_horizon_at_centre: Array,
    doublings_per_oom: Array,
    effective_flop_centre: Array,
    factor: Array,
    effective_flop_now: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """log2 minutes when, from `effective_flop_now` on, each doubling takes `factor` times the OOM of the one before.

    After x OOM beyond now there have been ln(1 + b x ln f) / ln f more doublings: the slope is b at first and grows
    by 1/f per doubling, so the curve leaves the exponential one smoothly and is that curve at f = 1.
    Where f < 1 infinitely many doublings fit into 1 / (b ln(1/f)) OOM: the horizon is +inf from there on.

    >>> float(superexponential(28.0, 6.0, 2.5, 26.0, 1.0, 26.0))
    11.0
    >>> round(float(superexponential(28.0, 6.0, 2.5, 26.0, 0.92, 26.0)), 4)
    12.4692
    >>> float(superexponential(32.0, 6.0, 2.5, 26.0, 0.92, 26.0))
    inf
    """
    past = xp.minimum(log10_effective_flop, effective_flop_now)
    beyond = xp.maximum(log10_effective_flop - effective_flop_now, 0.0)
    until_now = exponential(past, log2_horizon_at_centre, doublings_per_oom, effective_flop_centre, xp=xp)
    return until_now + log1p_ratio(doublings_per_oom * beyond, xp.log(factor), xp=xp)


def superexponential_inverse(
    log2_horizon: Array,
    log2_horizon_at_centre: Array,
    doublings_per_oom: Array,
    effective_flop_centre: Array,
    factor: Array,
    effective_flop_now: Array,
    *,
    xp: Namespace = np,
) -> Array:
    """Effective compute (log10 FLOP) at which `superexponential` reaches `log2_horizon`; finite for every horizon.

    >>> round(float(superexponential_inverse(12.4692, 6.0, 2.5, 26.0, 0.92, 26.0)), 4)
    28.0
    """
    curve = (log2_horizon_at_centre, doublings_per_oom, effective_flop_centre)
    now = exponential(effective_flop_now, *curve, xp=xp)
    past = exponential_inverse(xp.minimum(log2_horizon, now), *curve, xp=xp)
    return past + expm1_ratio(xp.maximum(log2_horizon - now, 0.0), xp.log(factor), xp=xp) / doublings_per_oom


TASK_HORIZON: dict[str, Callable[..., Array]] = {"exponential": exponential, "superexponential": superexponential}
EFFECTIVE_FLOP_AT_HORIZON: dict[str, Callable[..., Array]] = {
    "exponential": exponential_inverse,
    "superexponential": superexponential_inverse,
}
