"""A sudden leap in the hardware of one developer: what finance, the world's chips and building time allow.

Source: MODEL section 6, after Nesov's answer to Dickens 2025. ``p`` maps the names of ``forecast.schema`` to values, the
side block `hardware_leap` and ``leap_factor``, the leap that is wanted, included; ``year`` is a decimal year.

A leap begins at `start` with what can be had at once, a share of the rest of the world's compute; once a new system is
built, the developer can take as much as all chips that the world adds from then on. Nothing falls below the trend.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.equations import trends
from forecast.equations.trends import Parameters

MONTHS = 12.0


def run_cost(system_cost: Any, cost_ratio: Any) -> Any:
    """Dollars of the time that a training run takes of a system; to build it costs `cost_ratio` times the run (S3).

    >>> run_cost(7.5e9, 15.0) / 1e6, run_cost(45e9, 15.0) / 1e9
    (500.0, 3.0)
    """
    return system_cost / cost_ratio


def log10_leap_multiple(year: Any, start: Any, p: Parameters) -> Any:
    """log10 of the fleet over that at `start`, `year` at or after it, before the trend is taken as a floor.

    min(factor, finance / present cost, [F + pool (W - F) + W(year) - W(start + build time)] / F), F and W at `start`.
    """
    limit = np.log10(np.minimum(p["leap_factor"], p["leap_finance_usd"] / p["leap_present_system_usd"]))
    return np.maximum(np.minimum(limit, np.log10(supply(year, start, p))), 0.0)


def supply(year: Any, start: Any, p: Parameters) -> Any:
    """What can be had by `year` over the fleet at `start`: the pool, and the world's additions once a system is built."""
    fleet = trends.log10_fleet(start, p)
    built = start + p["leap_build_months"] / MONTHS
    moments = (start, built, np.maximum(year, built))
    world, then, now = (10.0 ** (trends.log10_world(when, p) - fleet) for when in moments)
    return 1.0 + p["leap_pool"] * (world - 1.0) + np.maximum(now - then, 0.0)


def log10_fleet(year: Any, start: Any, p: Parameters) -> Any:
    """log10 FLOP/s of the fleet of a developer whose leap begins at `start`."""
    begun = np.minimum(start, year)  # +inf where the leap never begins
    usual = trends.log10_fleet(year, p)
    leaped = trends.log10_fleet(begun, p) + log10_leap_multiple(year, begun, p)
    return np.where(year < start, usual, np.maximum(usual, leaped))


def log10_training_flop(year: Any, start: Any, p: Parameters) -> Any:
    """log10 FLOP of the largest run: it leaps by the fleet's multiple, up to the largest share of the fleet."""
    begun = np.minimum(start, year)
    usual = trends.log10_training_flop(year, p)
    fleet = log10_fleet(year, start, p)
    room = trends.log10_training_cap(year, p) - trends.log10_fleet(year, p) + fleet
    scaled = trends.log10_training_flop(begun, p) + log10_leap_multiple(year, begun, p)
    return np.where(year < start, usual, np.maximum(usual, np.minimum(scaled, room)))


def years_until(multiple: Any, start: Any, p: Parameters) -> Any:
    """Years from `start` until the fleet is `multiple` times that at `start`; +inf where factor or finance forbid it.

    The trend is no floor here. W is inverted in closed form: it grows at one rate to the slowdown year, at another after.
    """
    fleet = trends.log10_fleet(start, p)
    built = start + p["leap_build_months"] / MONTHS
    world, then = (10.0 ** (trends.log10_world(when, p) - fleet) for when in (start, built))
    at_once = 1.0 + p["leap_pool"] * (world - 1.0)
    needed = np.log10(np.maximum(multiple - at_once + then, then))
    when = np.maximum(year_of_world(needed + fleet, p), built)
    allowed = multiple <= np.minimum(p["leap_factor"], p["leap_finance_usd"] / p["leap_present_system_usd"])
    return np.where(allowed, np.where(multiple <= at_once, 0.0, when - start), np.inf)


def year_of_world(log10_flop_per_second: Any, p: Parameters) -> Any:
    """Decimal year at which the world's installed compute reaches a level, the inverse of `trends.log10_world`."""
    bend, growth, after = p["slowdown_year"], p["world_compute_growth"], trends.compute_growth_after(p)
    rise = log10_flop_per_second - p["log10_world_flop_per_second_2025"]
    with np.errstate(divide="ignore", invalid="ignore"):
        early = np.where(growth > 0.0, 2025.0 + rise / growth, np.inf)
        late = np.where(after > 0.0, bend + (rise - growth * (bend - 2025.0)) / after, np.inf)
    return np.where(early <= bend, early, late)
