"""Posterior draws -> number of AIs by year, without feedback of AIs on software."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.equations.trends import LN10
from forecast.equations.yearly import quantities
from forecast.errors import InputError
from forecast.results import (
    Array,
    checked_form,
    checked_years,
    dataset,
    in_blocks,
    moments,
    require_finite,
)
from forecast.runs import parameters_of, sample_shape
from forecast.scenarios import load_scenarios
from forecast.schema import YEARLY


def project(
    run: xr.DataTree,
    scenario: str | Sequence[str] = "baseline",
    years: Iterable[int] | None = None,
    horizon_form: str = "exponential",
    params: float | None = None,
) -> xr.Dataset:
    """How many AIs can run, by year, with software on its people-only trend.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    scenario : str or sequence of str
        Names of shipped scenarios. Without feedback none freezes or leaps: they differ in the slow-down only.
    years : iterable of int, optional
        Calendar years in rising order, each read at 1 July or at `as_of` where that is later; shipped range if None.
    horizon_form : {"exponential", "superexponential"}
        Form of the task horizon in effective compute.
    params : float, optional
        Size of the model that is trained and run, instead of what training compute and practice give.

    Returns
    -------
    xarray.Dataset
        dims (scenario, chain, draw, year); variables of ``schema.YEARLY`` with units.

    Raises
    ------
    InputError
        For an unknown scenario or form, years that cannot be used, or a size that is not positive.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> fc.project(run, years=[2027, 2030]).log10_parallel_streams.attrs["units"]
    'log10 streams'
    """
    p = parameters_of(run)
    require_finite(p)
    if params is not None:
        if not 1.0 <= params < np.inf:
            raise InputError(f"params = {params:g} is no size of a model: give a number of parameters such as 1e14")
        p["params"] = float(params)
    chosen = checked_years(years, float(p["as_of_year"]))
    when = moments(chosen, float(p["as_of_year"]))
    shape = sample_shape(run)
    form = checked_form(horizon_form)
    by_scenario, done = {}, dict[bool, dict[str, Array]]()
    for item in load_scenarios(scenario):
        q = item.parameters(p)
        if item.slowdown not in done:
            done[item.slowdown] = in_blocks(q, shape[0] * shape[1], lambda part: on_trend(part, when, form))
        by_scenario[item.name] = done[item.slowdown]
    return dataset(by_scenario, YEARLY, shape, chosen)


def on_trend(p: dict[str, Any], years: Sequence[float], horizon_form: str) -> dict[str, Array]:
    """All of ``schema.YEARLY`` without feedback, each (draw, year)."""
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    at = dynamics.milestones(now, p, horizon_form)
    columns = []
    for year in years:
        trend = trends.software_growth(p) * (year - p["as_of_year"])
        log_software = np.minimum(trend, LN10 * p["log10_software_ceiling"])
        columns.append(quantities(year, log_software, at, p, form=horizon_form))
    size = np.size(now)
    return {name: np.stack([np.broadcast_to(c[name], (size,)) for c in columns], axis=-1) for name in columns[0]}
