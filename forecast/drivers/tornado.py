"""Each input from its 10th to its 90th percentile, through the model.

The input is set to the one and to the other in every draw. What the data tie to it follows along the regression of the
posterior (``forecast.views``); moved alone, it would leave what the data have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.drivers.outputs import Output
from forecast.equations import trends
from forecast.equations.trends import Parameters
from forecast.quantiles import quantile
from forecast.research.compare import side_by_side
from forecast.runs import parameters_of, read_provenance, sample_shape
from forecast.side_draws import recorded_prior, thinned
from forecast.statements import Prior, fixed
from forecast.views import conditioner, sampled

Array = npt.NDArray[np.float64]
Values = Callable[[Parameters, int], dict[str, Array]]
LEVELS = (0.1, 0.9)
DRAWS = 400  # of all chains together; all runs share them, so that their noise cancels in a difference
COLUMNS = ("output", "input", "input_low", "input_high", "low", "high", "base")


def tornado(
    run: xr.DataTree,
    outputs: Sequence[Output],
    values: Values,
    names: Sequence[str],
    alone: bool = False,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Medians of the outputs with each input at its 10th and at its 90th percentile.

    Parameters
    ----------
    run
        A fitted run or one of the prior.
    outputs, values
        What `parsed_outputs` returns, and the `evaluator` of them.
    names
        Inputs with one number per draw.
    alone
        Nothing else moves with the input.
    draws
        How many draws to use, evenly taken.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, a row per output and input: its percentiles, the medians of the output there (probabilities of
        events), and the median of the same draws as they are. +inf: not within the window in half of the draws or more.
    """
    if not names:
        return pd.DataFrame(columns=list(COLUMNS))
    few, whole = thinned(run, draws), run["posterior"].to_dataset()
    p, (chains, each) = parameters_of(few), sample_shape(few)
    ends = {name: np.quantile(whole[name].values, LEVELS) for name in names}
    follow = followed(few, p)
    moved = [moved_to(p, name, value, None if alone else follow) for name in names for value in ends[name].tolist()]
    years, size = few["constant_data"]["horizon_years"].values, chains * each
    parts = [q | {"effective_flop_centre": trends.effective_flop_centre(years, q)} for q in (p, *moved)]
    found = values(side_by_side(parts, size), size * len(parts))
    rows = []
    for output in outputs:
        base, *centres = (centre(output, part) for part in found[output.name].reshape(-1, size))
        for name, low, high in zip(names, centres[::2], centres[1::2], strict=True):
            rows.append((output.name, name, *ends[name].tolist(), low, high, base))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def followed(run: xr.DataTree, p: dict[str, Any]) -> Callable[[Mapping[str, Prior]], dict[str, np.ndarray]]:
    """How the other parameters of a run follow changes of some."""
    record = read_provenance(run)
    priors = {name: recorded_prior(record, name) for name in sampled(p) if name in record["priors"]}
    return conditioner(p, priors, float(p["as_of_year"]))


def moved_to(
    p: dict[str, Any], name: str, value: float, follow: Callable[[Mapping[str, Prior]], dict[str, np.ndarray]] | None
) -> dict[str, Any]:
    """The parameters with one input at one value in every draw, alone or with those that follow it."""
    if follow is None:
        return p | {name: np.full(np.shape(p[name]), value)}
    return p | follow({name: fixed(value)})


def centre(output: Output, values: Array) -> float:
    """Median of a quantity, probability of an event."""
    if output.is_event:
        return float(values.mean())
    return float(quantile(xr.DataArray(values, dims="draw"), [0.5]).values[0])
