"""The numbers of the README: computed here, printed there, compared by ``test_readme.py``."""

from __future__ import annotations

import numpy as np
import xarray as xr

import forecast as fc
from forecast.summaries import number

QUANTILES = (0.05, 0.5, 0.95)


def interval(values: xr.DataArray, form: str) -> str:
    flat = values.values[~np.isnan(values.values)]
    low, middle, high = np.quantile(flat, QUANTILES, method="inverted_cdf")
    show = {"count": lambda x: number(10.0**x), "years": lambda x: f"{x:.1f}", "date": lambda x: f"{x:.0f}"}[form]
    return f"{show(middle)} | {show(low)} to {show(high)}"


def numbers(run: xr.DataTree) -> dict[str, str]:
    found = fc.takeoff(run, "baseline").sel(scenario="baseline")

    def percent(name: str) -> str:
        return f"{100.0 * float(found[name].mean()):.1f}%"

    return {
        "streams": interval(found.log10_streams_at_automation, "count"),
        "human": interval(found.log10_human_equivalents_at_automation, "count"),
        "length": interval(found.takeoff_years, "years"),
        "year": interval(found.year_100, "date"),
        "p_not": percent("not_automated"),
        "p_1": percent("takeoff_within_1_year"),
        "p_3": percent("takeoff_within_3_years"),
        "p_20": percent("already_20"),
        "p_acc": percent("acceleration"),
    }
