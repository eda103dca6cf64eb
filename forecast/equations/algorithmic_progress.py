"""Growth of algorithmic efficiency and its doubling time. Source: MODEL section 3, algorithmic_progress."""

from __future__ import annotations

import numpy as np

from forecast.equations._smooth import Array

LN2_MONTHS = 12.0 * float(np.log(2.0))  # ln 2 x months in a year


def growth_per_year(doubling_months: Array) -> Array:
    """Growth of ln S per year at which S doubles every `doubling_months` months.

    >>> round(growth_per_year(12.0), 6)
    0.693147
    """
    return LN2_MONTHS / doubling_months


def doubling_months(growth_per_year: Array) -> Array:
    """Doubling time in months of something growing by `growth_per_year` (ln per year).

    >>> round(doubling_months(growth_per_year(8.0)), 6)
    8.0
    """
    return LN2_MONTHS / growth_per_year
