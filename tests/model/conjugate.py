"""A posterior in closed form: the doubling time of software where the scale between studies is fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from forecast.observations import Observations
from forecast.priors import Priors


def conjugate(priors: Priors, observations: Observations, scale: float) -> tuple[Any, Any]:
    """Posterior and prior of ln doubling time: precision-weighted mean of the prior and the studies."""
    table = observations["algorithmic_progress"]
    rules = dict(
        zip(observations["conditions"]["condition"].values, observations["conditions"]["centre"].values, strict=True)
    )
    error = np.log(table["high"] / table["low"]).values / (2.0 * stats.norm.ppf(0.5 + table["mass"].values / 2.0))
    error = np.where(np.isfinite(error), error, rules["study_error"])
    error = error * np.where(table["secondary"].values > 0, rules["secondary_error"], 1.0)
    before = priors["software_doubling_months"].params
    precision = np.append(1.0 / (error**2 + scale**2), before["sigma"] ** -2)
    centre = np.append(np.log(table["doubling_months"].values), before["mu"])
    return (
        stats.norm(precision @ centre / precision.sum(), precision.sum() ** -0.5),
        stats.norm(before["mu"], before["sigma"]),
    )
