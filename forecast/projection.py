"""Posterior draws -> number of AIs by year, without feedback of AIs on software."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from forecast.dynamics.flow import AnyEngine, Engine, engine_for
from forecast.equations import takeoff as dynamics
from forecast.equations import trends
from forecast.equations.trends import LN10, Parameters
from forecast.equations.yearly import quantities
from forecast.errors import InputError
from forecast.results import (
    BLOCK,
    Array,
    checked_form,
    checked_names,
    checked_years,
    dataset,
    in_blocks,
    moments,
    require_finite,
    require_possible,
)
from forecast.runs import parameters_of, sample_shape
from forecast.scenarios import load_scenarios
from forecast.schema import YEARLY

COMPILE_FROM = 50_000_000  # draws x years from which compiling, some seconds, pays
CACHED = 16384  # draws x years of one quantity that stay in cache with those it is computed from
WRITTEN = 2**18  # results of a compiled loop that stay in cache while it writes them
LARGE_BLOCK = 16384  # draws at once of the other engines, which hold no temporaries
FEWEST = 64  # draws at once: fewer, and calling NumPy takes longer than its work


def project(
    run: xr.DataTree,
    scenario: str | Sequence[str] = "baseline",
    years: Iterable[int] | None = None,
    horizon_form: str = "exponential",
    params: float | None = None,
    var_names: Sequence[str] | None = None,
    engine: AnyEngine = "auto",
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
    var_names : sequence of str, optional
        Some of ``schema.YEARLY``; all if None.
    engine : {"auto", "numpy", "compiled", "jax"}
        What computes: the same equations, compiled where there are enough draws and years to pay for it; by JAX on its
        device with the extra ``gpu``.

    Returns
    -------
    xarray.Dataset
        dims (scenario, chain, draw, year); variables of ``schema.YEARLY`` with units.

    Raises
    ------
    InputError
        For an unknown scenario, form, variable or engine, years that cannot be used, or a size that is not positive.

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
    shape, form, names = sample_shape(run), checked_form(horizon_form), checked_names(var_names, YEARLY)
    size = shape[0] * shape[1]
    how = engine_of(engine, size * len(when))
    trend, block = trend_of(how), at_once(len(when), len(names), how)
    by_scenario, done = {}, dict[bool, dict[str, Array]]()
    for item in load_scenarios(scenario):
        q = item.parameters(p)
        if item.slowdown not in done:
            done[item.slowdown] = in_blocks(q, size, lambda part: trend(part, when, form, names), block)
        by_scenario[item.name] = done[item.slowdown]
    require_possible(by_scenario, names, p, chosen)
    return dataset(by_scenario, {name: YEARLY[name] for name in names}, shape, chosen)


def trend_of(engine: Engine) -> Callable[..., dict[str, Array]]:
    """What computes the trend: `on_trend` by NumPy, or the same equations traced for numba or JAX."""
    if engine == "numpy":
        return on_trend
    if engine == "jax":
        from forecast.jax_series import series
    else:
        from forecast.compiled_series import series
    return lambda p, years, form, names=None: series(quantities_on_trend, p, years, (form,), names)


def on_trend(
    p: dict[str, Any], years: Sequence[float], horizon_form: str, names: Sequence[str] | None = None
) -> dict[str, Array]:
    """All of ``schema.YEARLY`` without feedback, or some of it, each (draw, year)."""
    found = quantities_on_trend(np.asarray(years, dtype=float)[:, None], p, horizon_form)
    shape = np.broadcast_shapes((len(years), 1), *map(np.shape, found.values()))
    return {name: np.broadcast_to(found[name], shape).T for name in (found if names is None else names)}


def quantities_on_trend(year: Any, p: Parameters, horizon_form: str) -> dict[str, Any]:
    """All of ``schema.YEARLY`` without feedback at a decimal year: what every engine computes.

    With a column of years, (year, 1), what depends on draw and year is (year, draw), and what depends on the draw alone
    is computed once for all of them.
    """
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    at = dynamics.milestones(now, p, horizon_form)
    trend = trends.software_growth(p) * (year - p["as_of_year"])
    log_software = np.minimum(trend, LN10 * p["log10_software_ceiling"])
    return quantities(year, log_software, at, p, form=horizon_form)


def engine_of(engine: AnyEngine, values: int) -> Engine:
    """`engine_for` so many draws x years of the projection."""
    return engine_for(engine, values, COMPILE_FROM, "engine of the projection")


def at_once(years: int, names: int, engine: Engine) -> int:
    """Draws that are computed at once: so many that NumPy's temporaries, or a compiled loop's results, stay in cache."""
    if engine == "numpy":
        return min(BLOCK, max(CACHED // years, FEWEST))
    return LARGE_BLOCK if engine == "jax" else min(LARGE_BLOCK, max(WRITTEN // (years * names), FEWEST))
