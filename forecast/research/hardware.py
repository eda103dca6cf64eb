"""A hardware leap beside the software-only take-off: what a developer gains by scaling up at once, without new ideas.

Source: MODEL section 6. The leap itself is ``equations.hardware_leap``; the scenario ``hardware_leap`` sends it through the
take-off, while here software stands still so that the two causes can be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from forecast.dynamics import simulate
from forecast.dynamics.events import z_at_time
from forecast.dynamics.integrator import log_software
from forecast.dynamics.paths import Legs
from forecast.equations import hardware_leap, takeoff, trends
from forecast.equations.trends import LN10
from forecast.equations.yearly import log10_task_horizon
from forecast.errors import InputError
from forecast.results import checked_form, checked_years, in_blocks, require_finite
from forecast.runs import sample_shape
from forecast.scenarios import load_scenario
from forecast.schema import SAMPLE_DIMS, Variable
from forecast.side_draws import parameters_with

MONTHS = (3, 6, 12, 24)
BINDING = ("factor", "finance", "chips")
LEAP: dict[str, Variable] = {
    "log10_fleet_multiple": Variable(
        "log10", "fleet of the leaping developer over its fleet when the leap begins", ("month",)
    ),
    "log10_trend_multiple": Variable("log10", "the same without a leap, on its trend", ("month",)),
    "hardware_gain": Variable("OOM", "effective compute gained by the leap with software standing still", ("month",)),
    "log10_horizon_multiple": Variable(
        "log10", "task horizon over that when the leap begins, software standing still", ("month",)
    ),
    "software_gain": Variable("OOM", "software gained in the same months by the software-only take-off", ("month",)),
    "months_until_factor": Variable("months", "months until the fleet is the wanted multiple of what it was"),
    "log10_system_cost_usd": Variable("log10 USD", "cost of the system that the leap ends with, finance allowing"),
    "log10_run_cost_usd": Variable("log10 USD", "cost of the time of that system that one training run takes"),
}
LEAP_EVENTS: dict[str, Variable] = {
    "factor_within_a_year": Variable("1", "the wanted multiple is reached within a year"),
    "hardware_beats_software": Variable("1", "a year into the leap hardware gained more OOM than software alone"),
    "world_below_factor": Variable("1", "all the world's compute at the start is less than the wanted multiple"),
    **{f"bound_by_{name}": Variable("1", f"a year into the leap {name} bounds it") for name in BINDING},
}


def leap(
    run: xr.DataTree,
    factor: float | None = None,
    start: float | None = None,
    months: Sequence[int] = MONTHS,
    horizon_form: str = "exponential",
) -> xr.Dataset:
    """What a sudden leap in one developer's hardware buys, beside what software alone gains in the same months.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run or one of the prior.
    factor : float, optional
        Wanted multiple of the fleet, at least 1; that of the scenario ``hardware_leap`` (100) if None.
    start : float, optional
        Decimal year at which the leap begins, `as_of` or later; each draw's full automation if None.
    months : sequence of int
        Months after the start to read.
    horizon_form : {"exponential", "superexponential"}
        Form of the task horizon in effective compute.

    Returns
    -------
    xarray.Dataset
        dims (chain, draw[, month]); variables `LEAP` and events `LEAP_EVENTS`. NaN in draws that never reach full
        automation within the shipped window, where the leap starts there; +inf months where the multiple is never reached.

    Raises
    ------
    InputError
        For a factor below 1, a start before `as_of`, or months that are not positive and rising.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> fc.leap(run, factor=10, start=2030.0).sizes["month"]
    4
    """
    p = parameters_with(run, "hardware_leap")
    require_finite(p)
    wanted = load_scenario("hardware_leap").leap_factor if factor is None else factor
    end = checked_years(None, float(p["as_of_year"]))[-1] + 1.0
    check(wanted, start, months, float(p["as_of_year"]), end)
    p |= {"leap_factor": float(wanted)}
    shape, form = sample_shape(run), checked_form(horizon_form)
    values = in_blocks(p, shape[0] * shape[1], lambda part: gains(part, start, months, end, form))
    return labelled(values, months, shape).assign_attrs(
        factor=float(wanted), start="full automation" if start is None else start
    )


def check(factor: float, start: float | None, months: Sequence[int], as_of_year: float, end: float) -> None:
    """Refuse a leap that makes no sense."""
    if not (np.isfinite(factor) and factor >= 1.0):
        raise InputError(f"leap factor {factor:g} is not a multiple of 1 or more: give such as 100")
    if start is not None and not as_of_year <= start <= end:
        raise InputError(
            f"leap start {start:g} is not between as_of ({as_of_year:.2f}) and {end:g}: give a year such as 2028.5"
        )
    if not months or list(months) != sorted(set(months)) or months[0] <= 0:
        raise InputError(f"months {list(months)}: give positive months in rising order, such as 3 6 12 24")


def gains(p: dict[str, Any], start: float | None, months: Sequence[int], end: float, form: str) -> dict[str, Any]:
    """All of `LEAP` and `LEAP_EVENTS` for one block of draws."""
    legs = simulate(p, end + months[-1] / 12.0, "frozen", form)  # the months go on past the window
    automated = np.where(legs.year_100 <= end, legs.year_100, np.inf)
    begun = automated if start is None else np.full(legs.reached.size, float(start))
    known = np.isfinite(begun)
    safe = np.where(known, begun, float(p["as_of_year"]))
    columns = [after(p, legs, safe, safe + month / 12.0, form) for month in months]
    values = {name: np.stack([column[name] for column in columns], axis=-1) for name in columns[0]}
    values |= totals(p, safe) | bounds_after_a_year(p, legs, safe, form)
    return {
        name: np.where(known if value.ndim == 1 else known[:, None], value, np.nan) for name, value in values.items()
    } | {name: value & known for name, value in values.items() if value.dtype == bool}


def after(p: dict[str, Any], legs: Legs, start: Any, year: Any, form: str) -> dict[str, Any]:
    """What a leap and what software alone gained from `start` to `year`."""
    fleet = trends.log10_fleet(start, p)
    log_s = software_on(legs, p, start)
    now = takeoff.effective_flop(log_s, takeoff.surroundings(year, p, leap_year=start))
    at_once = takeoff.effective_flop(log_s, takeoff.surroundings(start, p))
    horizons = [log10_task_horizon(flop, legs.present.milestones, p, form) for flop in (at_once, now)]
    endless = np.isinf(horizons[0])  # superexponential: it cannot become longer
    gain = np.where(endless, 0.0, horizons[1] - np.where(endless, 0.0, horizons[0]))
    return {
        "log10_fleet_multiple": hardware_leap.log10_fleet(year, start, p) - fleet,
        "log10_trend_multiple": trends.log10_fleet(year, p) - fleet,
        "hardware_gain": now - at_once,
        "log10_horizon_multiple": gain,
        "software_gain": (software_on(legs, p, year) - log_s) / LN10,
    }


def software_on(legs: Legs, p: dict[str, Any], year: Any) -> Any:
    """ln S of the software-only take-off at one decimal year per draw."""
    z = z_at_time(legs.before, year)
    draws = np.flatnonzero(legs.reached)
    if legs.after is not None:
        z[draws] = np.where(year[draws] > legs.year_100[draws], z_at_time(legs.after, year[draws]), z[draws])
    return log_software(z, LN10 * p["log10_software_ceiling"])


def totals(p: dict[str, Any], start: Any) -> dict[str, Any]:
    """How long the wanted multiple takes, and what the largest affordable system and its run cost."""
    years = hardware_leap.years_until(p["leap_factor"], start, p)
    cost = np.minimum(p["leap_factor"] * p["leap_present_system_usd"], p["leap_finance_usd"])
    world = trends.log10_world(start, p) - trends.log10_fleet(start, p)
    return {
        "months_until_factor": 12.0 * years,
        "log10_system_cost_usd": np.log10(cost),
        "log10_run_cost_usd": np.log10(hardware_leap.run_cost(cost, p["leap_system_cost_ratio"])),
        "factor_within_a_year": years <= 1.0,
        "world_below_factor": world < np.log10(p["leap_factor"]),
    }


def bounds_after_a_year(p: dict[str, Any], legs: Legs, start: Any, form: str) -> dict[str, Any]:
    """Which of the three bounds holds the leap back a year on, and whether it still beats software alone."""
    finance, chips = p["leap_finance_usd"] / p["leap_present_system_usd"], hardware_leap.supply(start + 1.0, start, p)
    lowest = np.minimum(np.minimum(p["leap_factor"], finance), chips)
    year_on = after(p, legs, start, start + 1.0, form)
    bound = {"bound_by_chips": chips <= lowest, "bound_by_finance": (finance <= lowest) & (chips > lowest)}
    return {
        "hardware_beats_software": year_on["hardware_gain"] > year_on["software_gain"],
        "bound_by_factor": ~(bound["bound_by_chips"] | bound["bound_by_finance"]),
        **bound,
    }


def labelled(values: dict[str, Any], months: Sequence[int], shape: tuple[int, int]) -> xr.Dataset:
    """Label the arrays of `gains`."""
    data = {}
    for name, variable in (LEAP | LEAP_EVENTS).items():
        tail = (len(months),) if variable.dims else ()
        attrs = {"units": variable.units, "definition": variable.definition}
        data[name] = ((*SAMPLE_DIMS, *variable.dims), values[name].reshape(shape + tail), attrs)
    coords = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1]), "month": list(months)}
    return xr.Dataset(data, coords=coords)
