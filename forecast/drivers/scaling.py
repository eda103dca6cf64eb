"""Power-scaling: how far an output moves when one prior, or the likelihood of one table, counts a little more or less.

Kallioinen et al. 2024 (Statistics and Computing 34, 57), by ArviZ: no refit, importance weights of draws that are scaled
by 1%. From 0.05 on an output leans on what was scaled.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from forecast.drivers.outputs import Output, analysed
from forecast.errors import InputError
from forecast.runs import read_provenance, sample_shape
from forecast.schema import SAMPLE_DIMS

Array = npt.NDArray[np.float64]
LEANS = 0.05
FLAT = 1e-9  # spread of a log density below which it is constant
GROUPS = {"prior": "log_prior", "likelihood": "log_likelihood"}
ALL = "all"
COLUMNS = ("output", "kind", "scaled", "sensitivity", "verdict")
VERDICTS = {
    "potential prior-data conflict": "priors and data both move it: look whether they disagree",
    "potential strong prior / weak likelihood": "rests on the priors; the data say little of it",
    "✓": "priors as a whole hardly move it",
}


def power_scaling(run: xr.DataTree, outputs: Sequence[Output], values: Mapping[str, Array]) -> pd.DataFrame:
    """Sensitivity of the outputs to each prior and to the likelihood of each table.

    Parameters
    ----------
    run
        A fitted run, whole (`load_run`): it needs the groups log_prior and log_likelihood.
    outputs, values
        What `parsed_outputs` returns, and their values, (draw,) over all chains.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, per output the strongest first within all priors together, all tables together (both named
        ``all``), each prior and each table.

    Raises
    ------
    InputError
        If the run has no likelihood: it was drawn from the prior, or read without it.
    """
    import arviz as az  # a second to import

    for group in GROUPS.values():
        if group not in run.children or not run[group].data_vars:
            kind = read_provenance(run).get("kind")
            raise InputError(
                f"power-scaling needs the group {group} of a fitted run (this one is of kind {kind!r}): "
                "fit it with forecast fit, and read it with load_run"
            )
    data = xr.DataTree.from_dict(
        {"posterior": labelled(outputs, values, sample_shape(run))}
        | {group: run[group].to_dataset() for group in GROUPS.values()}
    )
    with quietly():
        whole = az.psense_summary(data, round_to=6)
    rows = [
        (
            output.name,
            kind,
            ALL,
            float(whole.loc[column_name(i), kind]),
            VERDICTS[whole.loc[column_name(i), "diagnosis"]],
        )
        for i, output in enumerate(outputs)
        for kind in GROUPS
    ]
    for kind, group in GROUPS.items():
        with quietly():
            found = {str(name): sensitivities(data, kind, array) for name, array in run[group].data_vars.items()}
        for i, output in enumerate(outputs):
            each = {name: one[i] for name, one in found.items()}
            for name in sorted(each, key=each.__getitem__, reverse=True):
                rows.append((output.name, kind, name, each[name], verdict(each[name], kind)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def column_name(index: int) -> str:
    """A name that ArviZ accepts for any output."""
    return f"output_{index}"


def labelled(outputs: Sequence[Output], values: Mapping[str, Array], shape: tuple[int, int]) -> xr.Dataset:
    """The outputs as variables of a posterior, censored ones by rank."""
    return xr.Dataset(
        {
            column_name(i): (SAMPLE_DIMS, analysed(output, values[output.name])[0].reshape(shape))
            for i, output in enumerate(outputs)
        }
    )


def sensitivities(data: xr.DataTree, kind: str, log_density: xr.DataArray) -> list[float]:
    """Sensitivity of every output to one prior or table; to a uniform prior, which no scaling changes, it is 0."""
    import arviz as az

    if float(log_density.std()) < FLAT:
        return [0.0] * len(data["posterior"].data_vars)
    found = az.psense(data, group=kind, group_var_names=[log_density.name])
    return [float(value) for value in found.data_vars.values()]


def verdict(sensitivity: float, kind: str) -> str:
    """Whether an output leans on one prior or table, in words."""
    return f"leans on this {kind}" if sensitivity >= LEANS else "hardly moves"


@contextmanager
def quietly() -> Iterator[None]:
    """Without ArviZ's pointer to its handbook, which the verdict replaces, and its note that few weights stand out."""
    logger = logging.getLogger("arviz_stats.psense")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Number of tail draws")
            yield
    finally:
        logger.setLevel(before)
