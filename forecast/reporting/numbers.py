"""The numbers behind the figures, in full and as plain frames: what stands in the CSV beside each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pandas as pd
import xarray as xr

from forecast.headlines import estimate
from forecast.quantiles import SAMPLE_DIMS, quantile
from forecast.summaries import exceedance, length_shares, tail

BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)
COLUMNS = ("q05", "q25", "q50", "q75", "q95")


def scenarios_of(data: xr.DataArray) -> list[tuple[str, xr.DataArray]]:
    """Name and draws of each scenario, in order; the name as commands take it."""
    if "scenario" not in data.dims:
        return [(str(data.coords["scenario"].item()) if "scenario" in data.coords else "", data)]
    return [(str(name), data.isel(scenario=index)) for index, name in enumerate(data.coords["scenario"].values)]


def band_rows(data: xr.DataArray) -> pd.DataFrame:
    """Quantiles of a quantity by scenario and year; a log10 one as counts.

    >>> import numpy as np
    >>> draws = xr.DataArray(np.full((9, 1), 3.0), dims=("draw", "year"), coords={"year": [2027]})
    >>> band_rows(draws.assign_attrs(units="log10 streams"))[["year", "units", "q50"]].values.tolist()
    [[2027, 'streams', 1000.0]]
    """
    units = str(data.attrs.get("units", ""))
    rows = []
    for name, one in scenarios_of(data):
        found = quantile(one, BANDS).transpose("year", "quantile").values
        found = 10.0**found if units.startswith("log10") else found
        for year, values in zip(one.coords["year"].values.tolist(), found.tolist(), strict=True):
            rows.append([name, year, units.removeprefix("log10 "), *values])
    return pd.DataFrame(rows, columns=["scenario", "year", "units", *COLUMNS])


def exceedance_rows(data: xr.DataArray, thresholds: Sequence[float]) -> pd.DataFrame:
    """P(N > x) by year and threshold of a log10 quantity; thresholds are printed as counts."""
    years = data.coords["year"].values.tolist()
    rows = [
        (year, 10.0**threshold, share)
        for threshold in thresholds
        for year, share in zip(years, exceedance(data, threshold).values.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["year", "more_than", "probability"])


def tail_rows(data: xr.DataArray, points: Sequence[float]) -> pd.DataFrame:
    """P(X >= x) at the points by scenario, over all draws."""
    rows = [
        (name, point, share)
        for name, one in scenarios_of(data)
        for point, share in zip(points, tail(one, points), strict=True)
    ]
    return pd.DataFrame(rows, columns=["scenario", "at_least", "probability"]).assign(units=data.attrs.get("units", ""))


def length_rows(lengths: xr.DataArray, end: int) -> pd.DataFrame:
    """Share of draws by length of the take-off."""
    labels, shares = length_shares(lengths, end)
    return pd.DataFrame({"years_from_20_to_100": labels, "share": shares})


def interval_rows(data: xr.DataArray) -> pd.DataFrame:
    """Median and 90% interval at every place along the further dims; a log10 quantity as counts.

    >>> import numpy as np
    >>> draws = xr.DataArray(np.zeros((9, 2)), dims=("draw", "view"), coords={"view": ["a", "b"]}, name="x")
    >>> interval_rows(draws.assign_attrs(units="log10 streams")).values.tolist()
    [['a', 'x', 'streams', 1.0, 1.0, 1.0], ['b', 'x', 'streams', 1.0, 1.0, 1.0]]
    """
    units, name = str(data.attrs.get("units", "")), str(data.name)
    counts = units.startswith("log10") or name.startswith("log10_")
    others = [str(dim) for dim in data.dims if dim not in SAMPLE_DIMS]
    rows = []
    for place in product(*(data.coords[dim].values.tolist() for dim in others)):
        one = estimate(data.sel(dict(zip(others, place, strict=True))), power=10.0 if counts else None)
        rows.append([*place, name.removeprefix("log10_"), units.removeprefix("log10 "), one.low, one.median, one.high])
    return pd.DataFrame(rows, columns=[*others, "quantity", "units", "q05", "q50", "q95"])


def curve_points(curve: xr.DataArray) -> pd.DataFrame:
    """A curve of probabilities, a row per point."""
    return curve.rename("probability").to_dataframe().reset_index()[[*map(str, curve.dims), "probability"]]
