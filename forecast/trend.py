"""What every engine of the projection computes: all quantities of a moment, with software on its people-only trend."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.equations.trends import LN10, Parameters
from forecast.equations.yearly import quantities


def quantities_on_trend(year: Any, p: Parameters, horizon_form: str) -> dict[str, Any]:
    """All of ``schema.YEARLY`` without feedback at a decimal year.

    With a column of years, (year, 1), what depends on draw and year is (year, draw), and what depends on the draw alone
    is computed once for all of them.
    """
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    at = dynamics.milestones(now, p, horizon_form)
    trend = trends.software_growth(p) * (year - p["as_of_year"])
    log_software = np.minimum(trend, LN10 * p["log10_software_ceiling"])
    return quantities(year, log_software, at, p, form=horizon_form)
