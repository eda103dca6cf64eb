"""Each input from its 10th to its 90th percentile, through the model.

The input is set to the one and to the other in every draw. What the data tie to it follows along the regression of the
posterior (``forecast.views``); moved alone, it would leave what the data have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.drivers.outputs import Output
from forecast.equations.trends import Parameters
from forecast.quantiles import quantile
from forecast.research.compare import side_by_side
from forecast.runs import sample_shape
from forecast.side_draws import thinned
from forecast.statements import fixed
from forecast.views import changer

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
    ends = {name: np.quantile(whole[name].values, LEVELS) for name in names}
    parameters, (chains, each) = changer(few), sample_shape(few)
    moved = [parameters({name: fixed(value)}) for name in names for value in ends[name].tolist()]
    size, parts = chains * each, [parameters({}), *moved]
    found = values(side_by_side(parts, size), size * len(parts))
    rows = []
    for output in outputs:
        base, *centres = (centre(output, part) for part in found[output.name].reshape(-1, size))
        for name, low, high in zip(names, centres[::2], centres[1::2], strict=True):
            rows.append((output.name, name, *ends[name].tolist(), low, high, base))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def centre(output: Output, values: Array) -> float:
    """Median of a quantity, probability of an event."""
    if output.is_event:
        return float(values.mean())
    return float(quantile(xr.DataArray(values, dims="draw"), [0.5]).values[0])
