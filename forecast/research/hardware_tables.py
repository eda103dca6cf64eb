"""What `leap` found, as a table for people and as sentences."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from forecast.headlines import Estimate, estimate
from forecast.research.hardware import BINDING
from forecast.words import number, odds, percent, span

BOUND_WORDS = {"factor": "the wanted multiple", "finance": "finance", "chips": "chips and building time"}


def leap_table(found: xr.Dataset, prob: float = 0.9) -> pd.DataFrame:
    """A row per month: the fleet with and without the leap, what it buys, and what software alone gains meanwhile."""
    rows = []
    for month in found.coords["month"].values:
        one = found.sel(month=month)
        rows.append(
            {
                "Months after the start": int(month),
                "Fleet, times that at the start": said(estimate(one["log10_fleet_multiple"], prob, power=10.0)),
                "Without a leap": said(estimate(one["log10_trend_multiple"], prob, power=10.0)),
                "Hardware alone, OOM": said(estimate(one["hardware_gain"], prob)),
                "Task horizon, times": said(estimate(one["log10_horizon_multiple"], prob, power=10.0)),
                "Software alone, OOM": said(estimate(one["software_gain"], prob)),
            }
        )
    return pd.DataFrame(rows)


def leap_sentences(found: xr.Dataset, prob: float = 0.9) -> tuple[str, ...]:
    """The answers in words: how far a year gets, what holds it back, what it costs, and software beside it."""
    factor = number(found.attrs["factor"])
    year = found.sel(month=12) if 12 in found.coords["month"].values else found.isel(month=-1)
    begin = found.attrs["start"]
    when = "at full automation" if begin == "full automation" else f"in {begin:.1f}"
    within = float(found["factor_within_a_year"].mean())
    reached = float((found["log10_system_cost_usd"].notnull()).mean())
    world, beats = (
        float(found[name].mean()) / (reached or 1.0) for name in ("world_below_factor", "hardware_beats_software")
    )
    bounds = {name: float(found[f"bound_by_{name}"].mean()) / (reached or 1.0) for name in BINDING}
    first = max(bounds, key=lambda name: bounds[name])
    led = f"{BOUND_WORDS[first]}, in {percent(bounds[first])} of the draws in which it begins"
    cost, run = (estimate(found[f"log10_{what}_cost_usd"], prob, power=10.0) for what in ("system", "run"))
    months, fleet = int(year.coords["month"]), said(estimate(year["log10_fleet_multiple"], prob, 10.0))
    return (
        f"A developer that wants {factor} times its hardware {when} has {fleet} "
        f"times as much {months} months on. P({factor} times within a year) = {percent(within)} ({odds(within)}); "
        f"what holds it back is mostly {led}. In {percent(world)} of those the whole world has less than {factor} times "
        "its fleet at the start.",
        f"Without any new idea that buys {said(estimate(year['hardware_gain'], prob))} OOM of effective compute and a task "
        f"horizon {said(estimate(year['log10_horizon_multiple'], prob, 10.0))} times as long; software alone, hardware "
        f"standing still, gains {said(estimate(year['software_gain'], prob))} OOM in the same months. Hardware gains more in "
        f"{percent(beats)} of the draws in which the leap begins.",
        f"The largest system that can be financed up to that multiple costs {said(cost)} dollars, one run on it {said(run)}."
        + (
            f" The leap never begins in the {percent(1.0 - reached)} of draws without full automation."
            if reached < 1.0
            else ""
        ),
    )


def said(value: Estimate) -> str:
    """Median and interval in words."""
    return f"{number(value.median)} ({span(number(value.low), number(value.high))})"
