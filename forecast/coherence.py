"""Do the draws contradict themselves? Probabilities of what cannot be, from the by-year series with feedback.

Each must stay under `LIMIT`; source: MODEL section 7. A probability is over draws, an event in any year counts, and of
several scenarios the worst is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from forecast.equations import takeoff, trends
from forecast.equations.trends import LN10
from forecast.results import moments
from forecast.schema import CENSORED, CONDITIONAL, YEARLY

LIMIT = 0.01
ROUNDING = 1e-9  # OOM; a quantity held at its cap may pass it by the last bit
EVENTS = {
    "cluster_above_fleet": "training cluster > fleet",
    "fleet_above_world": "fleet > world",
    "text_above_stock": "tokens seen > stock of text",
    "automated_today": "fully automated today",
    "non_finite": "not a finite number",
}


def coherence(yearly: xr.Dataset, readouts: xr.Dataset, p: Mapping[str, Any]) -> dict[str, float]:
    """Probability of each impossible event, by the names of `EVENTS`.

    Parameters
    ----------
    yearly, readouts
        What `takeoff_with_years` returns: series with feedback, and read-outs.
    p
        Parameters and constants of the run, as `runs.parameters_of` returns them.
    """
    series = {name: _by_draw(yearly[name]) for name in YEARLY}
    fleet, world = series["log10_fleet_flop_per_second"], series["log10_world_flop_per_second"]
    events = {
        "cluster_above_fleet": log10_cluster(series, yearly["year"].values, p) > fleet + ROUNDING,
        "fleet_above_world": fleet > world + ROUNDING,
        "text_above_stock": log10_text_seen(series, p) > log10_text_stock(p) + ROUNDING,
        "automated_today": _by_draw(readouts["year_100"]) <= np.asarray(p["as_of_year"]),
        "non_finite": not_finite(yearly, readouts),
    }
    return {name: float(_any_year(event).mean(axis=-1).max()) for name, event in events.items()}


def log10_cluster(series: Mapping[str, Any], years: Any, p: Mapping[str, Any]) -> Any:
    """log10 FLOP/s at peak of the cluster that trains the largest run, C / (u N)."""
    columns = {name: _column(value) for name, value in p.items() if name != "loss_shares"}
    seconds = trends.log_training_seconds(np.array(moments(years, p["as_of_year"])), columns) / LN10
    return series["log10_training_flop"] - np.log10(series["training_utilization"]) - seconds


def log10_text_seen(series: Mapping[str, Any], p: Mapping[str, Any]) -> Any:
    """log10 data points m p that the model in use was trained on, C / (6 p H) for the compute it was trained with."""
    now = trends.effective_flop_on_trend(p["as_of_year"], p)
    at = takeoff.Milestones(*(_column(mark) for mark in takeoff.milestones(now, p)))
    flop = series["log10_effective_flop"]
    tokens_per_datapoint = _column(p["log10_tokens_per_datapoint"]) * takeoff.progress(flop, at)
    trained = series["log10_training_flop"] - np.maximum(flop - at.full, 0.0)
    return trained - np.log10(6.0) - series["log10_params"] - tokens_per_datapoint


def log10_text_stock(p: Mapping[str, Any]) -> Any:
    """log10 tokens: the stock of text times the passes over it that are useful."""
    return _column(np.log10(p["text_stock_tokens"] * p["text_epochs"]))


def not_finite(yearly: xr.Dataset, readouts: xr.Dataset) -> Any:
    """Draws with a number that went wrong: +inf is "never" where it may be, NaN "does not apply" where not automated."""
    never = np.isposinf(_by_draw(readouts["year_100"]))
    bad = np.zeros(never.shape, dtype=bool)
    for values in yearly.data_vars.values():
        bad |= ~np.isfinite(_by_draw(values)).all(axis=-1)
    for name, values in readouts.data_vars.items():
        draws = _by_draw(values.astype(float))
        wrong = ~np.isfinite(draws)
        if name in CENSORED:
            wrong &= ~np.isposinf(draws)
        if name in CONDITIONAL:
            wrong &= ~(never & np.isnan(draws))
        bad |= wrong
    return bad


def _by_draw(data: xr.DataArray) -> Any:
    """Values as (scenario, draw) or (scenario, draw, year)."""
    one = data if "scenario" in data.dims else data.expand_dims("scenario")
    tail = [dim for dim in ("year",) if dim in one.dims]
    ordered = one.transpose("scenario", "chain", "draw", *tail).values
    return ordered.reshape(ordered.shape[0], -1, *ordered.shape[3:])


def _any_year(event: Any) -> Any:
    return event.any(axis=-1) if np.ndim(event) == 3 else event


def _column(values: Any) -> Any:
    """(draw,) as (draw, 1), so that it goes with every year."""
    array = np.asarray(values)
    return array[:, None] if array.ndim else array
