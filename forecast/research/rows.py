"""Any result of this room as rows of ``summary.csv``: one row per variable and place along its further dims."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast.quantiles import SAMPLE_DIMS as SAMPLED
from forecast.quantiles import interval_levels, quantile
from forecast.summaries import COLUMNS


def result_rows(data: xr.Dataset, form: str, scenario: str = "baseline", prob: float = 0.9) -> pd.DataFrame:
    """Quantiles of the draws, and probabilities of events, with the columns of ``summary.csv``.

    Parameters
    ----------
    data
        Dims chain and draw, and any others with coordinates; units and definition on every variable. Quantiles are over
        the draws that are not NaN; +inf is "never".
    form
        What made the rows: ``"organisations"``, ``"leap"``.
    scenario
        What the rows are filed under; a dim ``scenario`` of the data comes first.

    Examples
    --------
    >>> draws = xr.DataArray(np.arange(5.0)[None], dims=("chain", "draw"), attrs={"units": "1", "definition": "x"})
    >>> both = xr.concat([draws, draws + 1.0], pd.Index(["a", "b"], name="who"), coords="minimal")
    >>> result_rows(xr.Dataset({"gain": both}), "test")[["variable", "q50"]].values.tolist()
    [['gain (who a)', 2.0], ['gain (who b)', 3.0]]
    """
    rows = [row for name, values in data.data_vars.items() for row in _rows(str(name), values, form, scenario, prob)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"year": "Int64"})


def _rows(name: str, values: xr.DataArray, form: str, scenario: str, prob: float) -> Iterator[dict[str, Any]]:
    others = [str(dim) for dim in values.dims if dim not in SAMPLED]
    for place in itertools.product(*(values.coords[dim].values.tolist() for dim in others)):
        at = dict(zip(others, place, strict=True))
        one = values.sel(at)
        where = ", ".join(f"{dim} {value}" for dim, value in at.items() if dim != "scenario")
        labels = {
            "scenario": at.get("scenario", scenario),
            "form": form,
            "variable": f"{name} ({where})" if where else name,
            "units": values.attrs["units"],
            "definition": values.attrs["definition"],
        }
        yield labels | _numbers(one, prob)


def _numbers(one: xr.DataArray, prob: float) -> dict[str, float]:
    """A probability, quantiles, or of a number that is the same in every draw that number."""
    if one.dtype == bool:
        return {"probability": float(one.mean())}
    if not one.dims:
        return dict.fromkeys(("q05", "q25", "q50", "q75", "q95"), float(one))
    found = quantile(one, interval_levels(prob)).values
    return dict(zip(("q05", "q25", "q50", "q75", "q95"), np.asarray(found, dtype=float).tolist(), strict=True))
