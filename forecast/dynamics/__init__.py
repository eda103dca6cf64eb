"""Posterior draws -> take-off: how fast software improves once AIs do the research."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from forecast.dynamics.events import z_at_time
from forecast.dynamics.flow import AnyEngine, Draws, Engine, blocks_for, engine_for, turning
from forecast.dynamics.forms import FORMS, rival_form
from forecast.dynamics.integrator import DEFAULT_STEP, Array, log_software
from forecast.dynamics.paths import Legs, beyond_automation, to_automation
from forecast.dynamics.readouts import (
    after_automation,
    at_automation,
    best_years,
)
from forecast.equations import trends
from forecast.equations.trends import LN10
from forecast.equations.yearly import quantities
from forecast.results import checked_form, checked_years, dataset, in_blocks, moments, require_finite, require_possible
from forecast.runs import sample_shape
from forecast.scenarios import Course, Scenario, load_scenarios
from forecast.schema import EVENTS, READOUTS, YEARLY
from forecast.side_draws import parameters_with


def takeoff(
    run: xr.DataTree,
    scenario: str | Sequence[str] = ("baseline", "software_only"),
    years: Iterable[int] | None = None,
    horizon_form: str = "exponential",
    form: str = "section5",
    step: float = DEFAULT_STEP,
    engine: AnyEngine = "auto",
) -> xr.Dataset:
    """How fast the take-off goes: read-outs and events of every draw.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    scenario : str or sequence of str
        Names of shipped scenarios.
    years : iterable of int, optional
        The window: events count up to the end of its last year; shipped range if None.
    horizon_form : {"exponential", "superexponential"}
        Form of the task horizon in effective compute.
    form : {"section5", "davidson_houlden2025", "ai2027", "kwa2026"}
        Equations of the take-off. A rival form shares the posterior where parameters coincide, knows no scenario, and
        returns what it defines (``dynamics.forms.rival_form``).
    step : float
        Arc length of an integration step.
    engine : {"auto", "numpy", "compiled", "jax"}
        What integrates the paths: the same equations, compiled where there are enough draws to pay for it; by JAX on
        its device with the extra ``gpu``.

    Returns
    -------
    xarray.Dataset
        dims (scenario, chain, draw); variables of ``schema.READOUTS`` (+inf = never within the window, NaN = only exists
        where full automation is reached) and ``schema.EVENTS``.

    Raises
    ------
    InputError
        For an unknown scenario, form or engine, or years that cannot be used.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> fc.takeoff(run).year_100.median(("chain", "draw"))  # doctest: +SKIP
    """
    if form != FORMS[0]:
        return rival_form(run, form, years=years)
    scenarios = load_scenarios(scenario)
    p, shape = parameters_for(run, scenarios), sample_shape(run)
    chosen, name = checked_years(years, float(p["as_of_year"])), checked_form(horizon_form)
    size = shape[0] * shape[1]
    how = engine_for(engine, size * len(scenarios))
    found = in_blocks(
        p, size, lambda part: all_scenarios(part, scenarios, chosen, name, step, False, how), **blocks_for(how)
    )
    wanted = by_scenario(found, scenarios)
    require_possible(wanted, READOUTS, p)
    return dataset(wanted, READOUTS | EVENTS, shape)


def takeoff_with_years(
    run: xr.DataTree,
    scenario: str | Sequence[str] = ("baseline", "software_only"),
    years: Iterable[int] | None = None,
    horizon_form: str = "exponential",
    step: float = DEFAULT_STEP,
    engine: AnyEngine = "auto",
) -> tuple[xr.Dataset, xr.Dataset]:
    """Both `takeoff`'s read-outs and the by-year series with feedback (dims scenario, chain, draw, year)."""
    scenarios = load_scenarios(scenario)
    p, shape = parameters_for(run, scenarios), sample_shape(run)
    chosen, form = checked_years(years, float(p["as_of_year"])), checked_form(horizon_form)
    size = shape[0] * shape[1]
    how = engine_for(engine, size * len(scenarios))
    joined = in_blocks(
        p, size, lambda part: all_scenarios(part, scenarios, chosen, form, step, True, how), **blocks_for(how)
    )
    found = by_scenario(joined, scenarios)
    require_possible(found, (*READOUTS, *YEARLY), p, chosen)
    return dataset(found, READOUTS | EVENTS, shape), dataset(found, YEARLY, shape, chosen)


def parameters_for(run: xr.DataTree, scenarios: Sequence[Scenario]) -> Draws:
    """What some scenarios need of a run, checked to be finite."""
    leaps = any(item.course == "leap" for item in scenarios)
    p = parameters_with(run, *(["hardware_leap"] if leaps else []))
    require_finite(p)
    return p


def by_scenario(joined: dict[tuple[str, str], Array], scenarios: Sequence[Scenario]) -> dict[str, dict[str, Array]]:
    """What `all_scenarios` returns, a dict per scenario."""
    return {item.name: {key[1]: value for key, value in joined.items() if key[0] == item.name} for item in scenarios}


def all_scenarios(
    p: Draws,
    scenarios: Sequence[Scenario],
    years: list[int],
    form: str = "exponential",
    step: float = DEFAULT_STEP,
    series: bool = True,
    engine: Engine = "numpy",
) -> dict[tuple[str, str], Array]:
    """Read-outs, events and, with `series`, by-year series of one block of draws, by (scenario, name).

    Scenarios that slow down alike share the path up to full automation: they differ only in what follows.
    """
    end, when = years[-1] + 1.0, moments(years, p["as_of_year"])
    shared: dict[bool, tuple[Legs, dict[str, Array]]] = {}
    result = {}
    for item in scenarios:
        q = item.parameters(p)
        if item.slowdown not in shared:
            first = to_automation(q, end, form, step, engine)
            shared[item.slowdown] = first, arrival_readouts(first, q)
        first, arrived = shared[item.slowdown]
        legs = beyond_automation(first, q, end, item.course, step, engine)
        values = arrived | later_readouts(legs, q, end) | (by_year(legs, q, when, item.course, form) if series else {})
        result.update({(item.name, name): value for name, value in values.items()})
    return result


def simulate(
    p: Draws,
    window_end: float,
    course: Course = "trend",
    form: str = "exponential",
    step: float = DEFAULT_STEP,
    engine: Engine = "numpy",
) -> Legs:
    """Paths of all draws to full automation and beyond.

    Parameters
    ----------
    p : dict
        Parameters by the names of ``forecast.schema``, each (draw,) or a scalar.
    window_end : float
        Decimal year up to which events count; the paths go on for a year.
    course : {"trend", "frozen", "leap"}
        What compute does from full automation on: as before, nothing at all (`software_only`), or a hardware leap.
    """
    return beyond_automation(to_automation(p, window_end, form, step, engine), p, window_end, course, step, engine)


def readouts(legs: Legs, p: Draws, window_end: float) -> dict[str, Array]:
    """All of ``schema.READOUTS`` and ``schema.EVENTS``, one entry per draw."""
    return arrival_readouts(legs, p) | later_readouts(legs, p, window_end)


def later_readouts(legs: Legs, p: Draws, window_end: float) -> dict[str, Array]:
    """The read-outs and events that take the whole path."""
    growth = np.broadcast_to(trends.software_growth(p), legs.reached.shape)
    after = after_automation(legs, p, window_end)
    best, speedup = best_years(legs, p, window_end)
    first = after.pop("first_year_gain")
    first_known, human = np.nan_to_num(first), best * LN10 / growth
    return {
        **after,
        "first_year_gain": first,
        "first_year_gain_human_years": first * LN10 / growth,
        "best_year_gain": best,
        "best_year_gain_human_years": human,
        "largest_speedup": speedup,
        "first_year_1_oom": first_known >= 1.0,
        "first_year_3_oom": first_known >= 3.0,
        "best_year_3_human_years": human >= 3.0,
        "best_year_10_human_years": human >= 10.0,
        "software_faster_than_compute": growth / LN10 > p["training_compute_growth"],
        "software_faster_than_price_performance": growth / LN10 > p["price_performance_growth"],
    }


def arrival_readouts(legs: Legs, p: Draws) -> dict[str, Array]:
    """The read-outs and events that full automation settles, whatever follows it: the first leg is enough."""
    with np.errstate(invalid="ignore"):
        length = np.where(legs.reached, legs.year_100 - legs.year_20, np.inf)
    return {
        "year_20": legs.year_20,
        "year_100": legs.year_100,
        "takeoff_years": length,
        **at_automation(legs, p),
        "not_automated": ~legs.reached,
        "already_20": legs.year_20 <= p["as_of_year"],
        "takeoff_within_1_year": length <= 1.0,
        "takeoff_within_3_years": length <= 3.0,
    }


def by_year(
    legs: Legs, p: Draws, years: Sequence[float], course: Course = "trend", form: str = "exponential"
) -> dict[str, Any]:
    """All of ``schema.YEARLY`` with feedback, each (draw, year); `years` decimal."""
    size = legs.reached.size
    turned = turning(course, np.where(legs.reached, legs.year_100, np.inf))
    z = software_at(legs, np.asarray(years, dtype=float))
    log_s = log_software(z, LN10 * p["log10_software_ceiling"])
    columns = [
        quantities(year, row, legs.present.milestones, p, form=form, **turned)
        for year, row in zip(years, log_s, strict=True)
    ]
    return {name: np.stack([np.broadcast_to(c[name], (size,)) for c in columns], axis=-1) for name in columns[0]}


def software_at(legs: Legs, years: Array) -> Array:
    """z of every draw at some decimal years, (year, draw)."""
    z = z_at_time(legs.before, np.broadcast_to(years[:, None], (years.size, legs.reached.size)))
    if legs.after is not None:
        draws = np.flatnonzero(legs.reached)
        later = z_at_time(legs.after, np.broadcast_to(years[:, None], (years.size, draws.size)))
        z[:, draws] = np.where(years[:, None] > legs.year_100[draws], later, z[:, draws])
    return z


__all__ = ["arrival_readouts", "by_year", "readouts", "simulate", "takeoff", "takeoff_with_years"]
