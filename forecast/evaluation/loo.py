"""How well each row is foretold by all the others: Pareto-smoothed importance sampling, leave-one-out (PSIS-LOO).

The one thing to know: no refit is needed, because the draws of a run, weighted by 1/likelihood of a row, are draws of the
fit without that row. Where the weights' tail is too heavy (Pareto k above `good_k`) they are not, and the row is named:
it decides a parameter by itself. ``tests/evaluation/test_loo.py`` holds this to a model whose answer is known in closed
form. Vehtari, Gelman & Gabry 2017 (doi:10.1007/s11222-016-9696-4), Vehtari et al. 2024 (arXiv:1507.02646).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from forecast.errors import InputError
from forecast.evaluation.predictive import Predictions, predictions, row_labels, standard
from forecast.observations import Observations
from forecast.runs import parameters_of, read_provenance

Array = npt.NDArray[np.float64]
CONDITIONS = "conditions"  # the derived quantities that the fit holds to a figure, as one table
ALL = "all tables"
LARGEST_K = 0.7
SAME = 1e-6  # how far log-likelihoods may lie apart and still be of one model
COLUMNS = ("table", "rows", "elpd", "se", "p_loo", "largest_k", "unreliable", "which")


class LeaveOneOut(NamedTuple):
    """Leave-one-out of some rows.

    Attributes
    ----------
    log_weights : (draw, row), normalised: the draws weighted so are of the fit without the row
    pareto_k : (row,)
    elpd : (row,), ln of the density that all the others predict for the row
    p_loo : (row,), by how much seeing the row raises it: effective parameters
    """

    log_weights: Array
    pareto_k: Array
    elpd: Array
    p_loo: Array


def leave_one_out(log_likelihood: Array, relative_efficiency: float = 1.0) -> LeaveOneOut:
    """PSIS-LOO of every row.

    Parameters
    ----------
    log_likelihood : (draw, row)
    relative_efficiency : float
        Effective over actual draws; sets how many of the largest weights are smoothed.

    >>> leave_one_out(np.zeros((100, 1))).elpd.tolist()  # a row that no parameter touches
    [0.0]
    """
    from arviz_stats.base import array_stats

    if not np.ptp(log_likelihood, axis=0).any():  # constant weights have no tail to fit
        weights, k = np.full(log_likelihood.shape, -np.log(len(log_likelihood))), np.zeros(log_likelihood.shape[1])
    else:
        with np.errstate(all="ignore"):  # where one draw has all the weight there is no tail to fit: k is nan
            found, k = array_stats.psislw(log_likelihood, r_eff=relative_efficiency, axis=0)
        weights, k = np.asarray(found).T, np.where(np.isnan(k), np.inf, k)
    elpd = np.asarray(logsumexp(weights + log_likelihood, axis=0))
    seen = logsumexp(log_likelihood, axis=0) - np.log(len(log_likelihood))
    return LeaveOneOut(weights, np.asarray(k), elpd, np.asarray(seen - elpd))


def good_k(draws: int) -> float:
    """Largest Pareto k at which weights of so many draws can be trusted: min(1 - 1/log10(draws), 0.7).

    >>> good_k(4000), round(good_k(300), 2)
    (0.7, 0.6)
    """
    return min(1.0 - 1.0 / float(np.log10(draws)), LARGEST_K)


def relative_efficiency(run: xr.DataTree) -> float:
    """Effective draws of the mean over actual draws, averaged over the parameters, as ArviZ has it."""
    import arviz as az

    posterior = run["posterior"].to_dataset()
    found = az.ess(posterior, method="mean")
    whole = found.to_dataset() if isinstance(found, xr.DataTree) else found
    values = np.concatenate([np.ravel(array.values) for array in whole.data_vars.values()])
    return float(np.nanmean(values)) / (posterior.sizes["chain"] * posterior.sizes["draw"])


def judged_rows(run: xr.DataTree, observations: Observations) -> dict[str, Predictions]:
    """Predictions of the rows that a run has seen, by table, its conditions as a table of their own."""
    held = held_conditions(run, observations)
    return predictions(run, observations, as_fitted=True) | ({} if held is None else {CONDITIONS: held})


def held_conditions(run: xr.DataTree, observations: Observations) -> Predictions | None:
    """Predictions of the derived quantities that the fit holds to a figure; None where it holds none."""
    from forecast.model.on_draws import expected_rows

    numbers = {str(name): value.values[()] for name, value in run["constant_data"].to_dataset().data_vars.items()}
    found = expected_rows(parameters_of(run), observations, numbers, ("research", "takeoff"))
    held = [row for row in found if row.name not in observations.tables]
    if not held:
        return None
    mean, spread = (np.concatenate([getattr(row, part) for row in held], axis=1) for part in ("mean", "spread"))
    observed = np.concatenate([row.observed for row in held])
    return Predictions(CONDITIONS, np.arange(len(held)), mean, spread, observed, None)


def condition_names(run: xr.DataTree, observations: Observations) -> list[str]:
    """Names of the conditions in the order of their rows."""
    return [str(name) for name in run["log_likelihood"].to_dataset().data_vars if name not in observations.tables]


def labels_of(run: xr.DataTree, observations: Observations, found: Predictions) -> list[str]:
    """A name for every row; rows of one name are told apart by a number."""
    named = condition_names(run, observations) if found.table == CONDITIONS else row_labels(observations, found)
    seen = {name: named.count(name) for name in named}
    nth: dict[str, int] = {}
    labels = []
    for name in named:
        nth[name] = nth.get(name, 0) + 1
        labels.append(f"{name} ({nth[name]} of {seen[name]})" if seen[name] > 1 else name)
    return labels


def recorded_log_likelihood(run: xr.DataTree, judged: Mapping[str, Predictions]) -> dict[str, Array]:
    """The log-likelihoods that a run file holds, (draw, row) by table, held against those of its draws.

    Raises
    ------
    InputError
        If the file has none, or they belong to other draws, tables or equations.
    """
    if "log_likelihood" not in run.children:
        raise InputError(
            "this run holds no log-likelihood of its rows (group log_likelihood): it was cut down; "
            "check the whole run file, or remake it with: forecast fit --refit"
        )
    stored = run["log_likelihood"].to_dataset()
    tables = {name: [name] for name in judged if name != CONDITIONS}
    tables |= {CONDITIONS: [str(name) for name in stored.data_vars if name not in tables]}
    found = {}
    for table, one in judged.items():
        parts = [stored[name].values for name in tables[table] if name in stored]
        values = np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts], axis=1) if parts else np.empty(0)
        if values.shape != one.mean.shape or np.abs(values - log_density(one)).max() > SAME:
            raise InputError(
                f"the log-likelihoods of {table} in this run are not those of its draws in this version of the package "
                "(it was fitted by another one, or a view or thinning changed it): remake it with forecast fit --refit"
            )
        found[table] = values
    return found


def log_density(found: Predictions) -> Array:
    """ln of the density of every row under every draw, (draw, row)."""
    z = (found.observed - found.mean) / found.spread
    return np.asarray(standard(found).logpdf(z) - np.log(found.spread))


def loo_by_table(log_likelihoods: Mapping[str, Array], efficiency: float) -> dict[str, LeaveOneOut]:
    """`leave_one_out` of every table."""
    return {table: leave_one_out(values, efficiency) for table, values in log_likelihoods.items()}


def loo_frame(found: Mapping[str, LeaveOneOut], labels: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """A row per table and one for all: elpd with its standard error, effective parameters, rows with too large a Pareto k.

    The difference of two fits' elpd on the same tables says which predicts better.
    """
    rows = [loo_row(table, one, labels[table]) for table, one in found.items()]
    parts = zip(*found.values(), strict=True)
    everything = LeaveOneOut(*(np.concatenate(part, axis=-1) for part in parts))
    names = [f"{name} ({table})" for table in found for name in labels[table]]
    return pd.DataFrame([*rows, loo_row(ALL, everything, names)], columns=list(COLUMNS))


def loo_row(table: str, found: LeaveOneOut, labels: Sequence[str]) -> dict[str, Any]:
    """The row of one table; ``se`` is sqrt(n var(elpd)), missing for a single row."""
    bad = unreliable(found)
    size = found.elpd.size
    return {
        "table": table,
        "rows": size,
        "elpd": float(found.elpd.sum()),
        "se": float(np.sqrt(size * found.elpd.var(ddof=1))) if size > 1 else np.nan,
        "p_loo": float(found.p_loo.sum()),
        "largest_k": float(found.pareto_k.max()),
        "unreliable": int(bad.sum()),
        "which": "; ".join(labels[i] for i in np.flatnonzero(bad).tolist()),
    }


def unreliable(found: LeaveOneOut) -> npt.NDArray[np.bool_]:
    """Rows whose weights cannot be trusted, (row,)."""
    return np.asarray(found.pareto_k > good_k(len(found.log_weights)))


def influential_rows(
    found: Mapping[str, LeaveOneOut], labels: Mapping[str, Sequence[str]], run: xr.DataTree
) -> pd.DataFrame:
    """Each row whose Pareto k is too large, and the parameter that leaving it out moves most.

    ``shift`` is in posterior standard deviations; it is a lower bound, for the weights cannot reach as far as a refit.
    """
    p = {name: value for name, value in parameters_of(run).items() if np.ndim(value) == 1 and np.std(value) > 0.0}
    names, values = list(p), np.stack([(value - value.mean()) / value.std() for value in p.values()])
    rows = []
    for table, one in found.items():
        for i in np.flatnonzero(unreliable(one)).tolist():
            shift = values @ np.exp(one.log_weights[:, i])
            most = int(np.abs(shift).argmax())
            said = {"table": table, "row": labels[table][i], "pareto_k": float(one.pareto_k[i])}
            rows.append(said | {"parameter": names[most], "shift": float(shift[most])})
    return pd.DataFrame(rows, columns=["table", "row", "pareto_k", "parameter", "shift"])


def seed_of(run: xr.DataTree) -> int:
    """The seed that a run records."""
    return int(read_provenance(run)["settings"]["random_seed"])
