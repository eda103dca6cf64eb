"""Tables of the report: quantiles and probabilities as a reader says them; ``summary.csv`` has them in full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from forecast import schema
from forecast.headlines import Estimate, estimate
from forecast.plots import by_scenario, first_scenario
from forecast.quantiles import quantile
from forecast.reporting.content import Table
from forecast.reporting.plain import readable
from forecast.schema import CENSORED, CONDITIONAL
from forecast.summaries import (
    THRESHOLDS,
    exceedance_table,
    length_shares,
    tail,
)
from forecast.words import number, odds, percent, span

BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)
BY_YEAR = {
    "Effective compute, FLOP": "log10_effective_flop",
    "Training run, FLOP": "log10_training_flop",
    "Task horizon, min": "log10_task_horizon",
    "Automated share": "automated_share",
    "Fleet, tokens/s": "log10_fleet_tokens_per_second",
    "Training cluster, tokens/s": "log10_training_cluster_tokens_per_second",
    "World, tokens/s": "log10_world_tokens_per_second",
    "World trains and runs its own, tokens/s": "log10_world_bound_tokens_per_second",
    "Serial speed, humans": "serial_speed",
    "Per leader's researcher": "log10_leader_ratio",
    "Per researcher in the world": "log10_world_ratio",
}


def make_tables(yearly: xr.Dataset, readouts: xr.Dataset, prob: float = 0.9) -> tuple[Table, ...]:
    """The report's tables beside those under its figures: counts by year, other series, read-outs, probabilities."""
    end = int(yearly.coords["year"].values.max())
    return (
        _counts(yearly, prob),
        _other_series(yearly, prob),
        _readout_table(readouts, prob, end),
        _event_table(readouts),
    )


def bands_table(data: xr.DataArray, name: str, what: str) -> Table:
    """Median, 50% and 90% intervals of a log10 quantity by year and scenario, as counts."""
    several = "scenario" in data.dims and data.sizes["scenario"] > 1
    rows = []
    for label, one in by_scenario(data):
        for year, values in zip(one.coords["year"].values, _by_year(one, BANDS), strict=True):
            cells = [number(10.0**value) for value in values]
            rows.append(([label] if several else []) + [int(year), *cells])
    columns = (["Scenario"] if several else []) + ["Year", "5%", "25%", "Median", "75%", "95%"]
    return Table(f"{name}-numbers", f"{what} by year", pd.DataFrame(rows, columns=columns))


def exceedance_by_year(data: xr.DataArray, thresholds: Sequence[float] = THRESHOLDS) -> Table:
    """P(N > x) by year in percent, main scenario."""
    shares = exceedance_table(first_scenario(data), thresholds)
    frame = pd.DataFrame({f"> {number(10.0**x)}": [percent(p) for p in shares[x]] for x in shares.columns})
    frame.insert(0, "Year", [int(year) for year in shares.index])
    return Table("exceedance-numbers", "Probability of more parallel AIs than so many, by year", frame)


def takeoff_length_table(readouts: xr.Dataset, end: int) -> Table:
    """Share of draws by length of the take-off."""
    labels, shares = length_shares(readouts["takeoff_years"], end)
    frame = pd.DataFrame({"Years from 20% to 100%": labels, "Share of draws": [percent(p) for p in shares]})
    return Table("takeoff-lengths-numbers", "Length of the take-off, share of draws", frame)


def tail_table(data: xr.DataArray, name: str, points: Sequence[float], what: str) -> Table:
    """P(X >= x) at a few points by scenario, over all draws."""
    frame = pd.DataFrame({f"At least, {what}": [number(point) for point in points]})
    for label, one in by_scenario(data):
        frame[label or "Probability"] = [percent(share) for share in tail(one, points)]
    return Table(f"{name}-numbers", f"Probability of at least so many {what}", frame)


def _counts(yearly: xr.Dataset, prob: float) -> Table:
    frame = pd.DataFrame({"Year": [int(year) for year in yearly.coords["year"].values]})
    for what, name in (("Parallel AIs", "log10_parallel_streams"), ("Human-equivalents", "log10_human_equivalents")):
        frame[what], frame[f"{what}, {prob:.0%} interval"] = _median_and_interval(yearly[name], prob)
    return Table("counts", "How many AIs by year: median and interval", frame, "count")


def _other_series(yearly: xr.Dataset, prob: float) -> Table:
    frame = pd.DataFrame({"Year": [int(year) for year in yearly.coords["year"].values]})
    for label, name in BY_YEAR.items():
        median, interval = _median_and_interval(yearly[name], prob)
        frame[label] = [f"{a} ({b})" for a, b in zip(median, interval, strict=True)]
    caption = f"Other series by year: median ({prob:.0%} interval)"
    return Table("series", caption, frame, "count", folded=True)


def _readout_table(readouts: xr.Dataset, prob: float, end: int) -> Table:
    names = [name for name in schema.READOUTS if name in readouts]
    frame = pd.DataFrame({"Read-out": [_meaning(readouts[name]) for name in names]})
    for label, one in _per_scenario(readouts):
        frame[label or "Value"] = [_spoken(name, estimate(one[name], prob), end) for name in names]
        share = [percent(float(np.isfinite(one[name]).mean())) for name in names]
        frame[f"{label}, by {end}" if label else f"By {end}"] = share
    caption = (
        f"Read-outs of the take-off: median ({prob:.0%} interval), and the share of draws with a value by {end}. "
        "† over the draws that reach full automation"
    )
    return Table("readouts", caption, frame, "takeoff")


def _event_table(readouts: xr.Dataset) -> Table:
    names = [name for name in schema.EVENTS if name in readouts]
    frame = pd.DataFrame({"Event": [_meaning(readouts[name]) for name in names]})
    for label, one in _per_scenario(readouts):
        shares = [float(one[name].mean()) for name in names]
        frame[label or "Probability"] = [f"{percent(p)}, {odds(p)}" for p in shares]
    return Table("events", "Probabilities, over all draws", frame, "takeoff")


def _per_scenario(readouts: xr.Dataset) -> list[tuple[str, xr.Dataset]]:
    if "scenario" not in readouts.dims:
        return [("", readouts)]
    labels = [str(value).replace("_", " ") for value in readouts.coords["scenario"].values]
    return [(label, readouts.isel(scenario=index)) for index, label in enumerate(labels)]


def _meaning(data: xr.DataArray) -> str:
    name = str(data.name)
    known = (schema.READOUTS | schema.EVENTS)[name]
    definition = data.attrs.get("definition", known.definition)
    units = data.attrs.get("units", known.units).removeprefix("log10 ")
    unit = "" if units == "1" or name in ("year_20", "year_100") else f", {units}"
    condition = " †" if name in CONDITIONAL else ""
    said = readable(definition)
    return f"{said[:1].upper()}{said[1:]}{unit}{condition}"


def _say(name: str, value: float, end: int) -> str:
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return f"not by {end}" if name in CENSORED else "never"
    if name in ("year_20", "year_100"):
        return str(int(value))
    return number(10.0**value if name.startswith("log10_") else value)


def _spoken(name: str, value: Estimate, end: int) -> str:
    low, median, high = (_say(name, x, end) for x in (value.low, value.median, value.high))
    return median if low == median == high else f"{median} ({low} to {high})"


def _median_and_interval(data: xr.DataArray, prob: float) -> tuple[list[str], list[str]]:
    one = first_scenario(data)
    tail = (1.0 - prob) / 2.0
    values = _by_year(one, (tail, 0.5, 1.0 - tail))
    linear = 10.0**values if str(data.name).startswith("log10_") else values
    median = [number(m) for _, m, _ in linear]
    return median, [span(number(low), number(high)) for low, _, high in linear]


def _by_year(data: xr.DataArray, levels: Sequence[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    table: np.ndarray[tuple[int, int], np.dtype[np.float64]] = (
        quantile(data, levels).transpose("year", "quantile").values
    )
    return table
