"""What a posterior expects of every row of a table, known or new, as a distribution: the ground of every check here.

The one thing to know: rows are judged on the scale on which their block has its scatter (``SCALES``: ln layers, logit
utilization, log10 FLOP), each with its own covariates (date, size, hardware, setting, its error), and the scatter of a
new row is in the prediction. ``tests/evaluation/test_predictive.py`` holds them to the model's own likelihood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import expit, logsumexp

from forecast.observations import Observations
from forecast.runs import parameters_of, read_provenance

Array = npt.NDArray[np.float64]
LN2, LN10 = float(np.log(2.0)), float(np.log(10.0))


class Scale(NamedTuple):
    """Scale of a table's likelihood: its unit, the column it transforms, and the way back to that column's unit."""

    units: str
    column: str
    back: Any


SCALES: dict[str, Scale] = {
    "architectures": Scale("ln layers", "layers", np.exp),
    "training_utilization": Scale("logit", "training_utilization", expit),
    "deployment_utilization": Scale("logit", "deployment_utilization", expit),
    "chinchilla_losses": Scale("ln loss", "loss", np.exp),
    "tokens_per_param": Scale("ln tokens/param", "tokens_per_param", np.exp),
    "algorithmic_progress": Scale("ln months", "doubling_months", np.exp),
    "training_runs": Scale("log10 FLOP", "training_flop", lambda x: 10.0**x),
    "world_compute": Scale("log10 FLOP/s", "added_flop_per_second", lambda x: 10.0**x),
    "fleet_compute": Scale("log10 FLOP/s", "fleet_flop_per_second", lambda x: 10.0**x),
    "run_durations": Scale("ln days", "training_days", np.exp),
    "hardware": Scale("log10 FLOP/s/USD", "flop_per_second", lambda x: 10.0**x),
    "inference_speed": Scale("ln tokens/s", "tokens_per_second", np.exp),
    "time_horizons": Scale("log2 min", "horizon_minutes", np.exp2),
    "research_staff": Scale("ln/yr", "growth of a lab's staff", np.asarray),
    "research_returns": Scale("ln", "returns", np.exp),
}
NAMES = ("model", "run", "chip", "study", "quarter", "lab", "field")  # columns that name a row for a reader


class Predictions(NamedTuple):
    """Predictive distributions of some rows of one table: a mixture over draws of t or normal distributions.

    Attributes
    ----------
    table : str
    rows : (row,) positions in the table
    mean, spread : (draw, row), on the scale of the likelihood
    observed : (row,), on that scale
    nu : degrees of freedom of the scatter; None for a normal one
    axes : whether the rows are axes of a table, not rows of it
    """

    table: str
    rows: npt.NDArray[np.int_]
    mean: Array
    spread: Array
    observed: Array
    nu: float | None
    axes: bool = False


def predictions(
    run: xr.DataTree, observations: Observations, group: str = "posterior", *, as_fitted: bool = False
) -> dict[str, Predictions]:
    """Predictive distribution of every row of the tables, under the draws of a run that may not have seen them.

    Parameters
    ----------
    run : xarray.DataTree
        From `forecast.fit`, `forecast.load_run` or `forecast.sample_prior`.
    observations : Observations
        Rows to predict; censored task horizons are left out, for they have no value to score.
    group : str
        ``posterior``, or ``prior`` for the draws before any table.
    as_fitted : bool
        Rows as the likelihood has them, for checks of the tables that the run has seen: its task horizons share a random
        walk, so they enter along the axes on which they are independent (`row_labels` calls them axes).

    Returns
    -------
    dict
        By table, tables without rows left out; ``research_staff`` has one row per lab with at least three figures.

    A family of models that the run has not seen gets a depth of its own from the scatter between families.
    """
    p = parameters_of(run, group)
    numbers = {str(name): value.values[()] for name, value in run["constant_data"].to_dataset().data_vars.items()}
    numbers["horizon_years"] = observations["time_horizons"]["year"].values.astype(float)
    families = [str(name) for name in run[group].coords["family"].values] if "family" in run[group].coords else []
    seed = int(read_provenance(run)["settings"]["random_seed"])
    p = p | {"depth_family_variate": family_variates(p["depth_family_variate"], families, observations, seed)}
    return predicted(p, observations, numbers, as_fitted=as_fitted)


def predicted(
    p: Mapping[str, Any], observations: Observations, numbers: Mapping[str, Any], *, as_fitted: bool = False
) -> dict[str, Predictions]:
    """`predictions` from parameters (draw, ...) and constants by name."""
    from forecast.model.on_draws import expected_rows

    found = {}
    with np.errstate(invalid="ignore"):  # a world that shrinks
        rows = expected_rows(p, observations, numbers, as_fitted=as_fitted)
    for row in rows:
        if row.name in SCALES:
            index = np.arange(row.observed.size)
            if row.name == "time_horizons":
                index = np.flatnonzero(observations["time_horizons"]["censored"].values == 0)
            axes = as_fitted and row.name == "time_horizons"
            mean = where_none_is_added(row.mean) if row.name == "world_compute" else row.mean
            found[row.name] = Predictions(row.name, index, mean, row.spread, row.observed, row.nu, axes)
    return found


def where_none_is_added(mean: Array) -> Array:
    """Expected log10 of the world's additions, a draw whose world shrinks being three OOM below the least of the others.

    It adds nothing, which has no logarithm: left out, the draw would be dropped; at -inf, no score could be taken.
    """
    least = np.nanmin(np.where(np.isnan(mean), np.inf, mean), axis=0)
    return np.where(np.isnan(mean), least - 3.0, mean)


def family_variates(fitted: Array, families: list[str], observations: Observations, seed: int) -> Array:
    """Standard variate of every family in the table, (draw, family): the fitted one, or a new draw."""
    wanted = sorted(set(observations["architectures"]["family"].values.tolist()))
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x66616D,)))
    new = rng.standard_normal((fitted.shape[0], len(wanted)))
    return np.stack(
        [fitted[:, families.index(name)] if name in families else new[:, i] for i, name in enumerate(wanted)] or [new],
        axis=1,
    ).reshape(fitted.shape[0], len(wanted))


def some(found: Predictions, keep: npt.NDArray[np.bool_] | npt.NDArray[np.int_]) -> Predictions:
    """The predictions of some rows, by position or mask."""
    return found._replace(
        rows=found.rows[keep], mean=found.mean[:, keep], spread=found.spread[:, keep], observed=found.observed[keep]
    )


def standard(found: Predictions) -> Any:
    """Distribution of a row's distance from its mean in units of its spread."""
    from scipy import stats

    return stats.norm if found.nu is None else stats.t(found.nu)


def pit(found: Predictions, log_weights: Array | None = None) -> Array:
    """Probability integral transform of every row, (row,): the predictive probability of at most what was observed.

    `log_weights` (draw, row), normalised, replaces equal weights: those of leave-one-out give LOO-PIT.
    """
    below = standard(found).cdf((found.observed - found.mean) / found.spread)
    if log_weights is None:
        return np.asarray(below.mean(axis=0))
    return np.asarray((np.exp(log_weights) * below).sum(axis=0))


def log_score(found: Predictions) -> Array:
    """ln of the predictive density at what was observed, (row,); higher is better."""
    z = (found.observed - found.mean) / found.spread
    density = standard(found).logpdf(z) - np.log(found.spread)
    return np.asarray(logsumexp(density, axis=0) - np.log(density.shape[0]))


def simulated(found: Predictions, seed: int) -> Array:
    """One new value per draw and row, (draw, row), the scatter of a new row in it."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x73696D,)))
    noise = rng.standard_normal(found.mean.shape) if found.nu is None else rng.standard_t(found.nu, found.mean.shape)
    return np.asarray(found.mean + found.spread * noise)


def crps(samples: Array, observed: Array) -> Array:
    """Continuous ranked probability score of every row, (row,), in the unit of the scale; lower is better.

    Parameters
    ----------
    samples : (draw, row)
    observed : (row,)

    From the package scores, the fair estimate, whose expectation does not depend on the number of draws.

    >>> float(crps(np.array([[0.0], [2.0]]), np.array([1.0]))[0])
    0.0
    """
    from scores.probability import crps_for_ensemble

    ensemble = xr.DataArray(samples, dims=("member", "row"))
    values = crps_for_ensemble(
        ensemble, xr.DataArray(observed, dims="row"), "member", method="fair", preserve_dims="row"
    )
    return np.asarray(values.values)


def row_labels(observations: Observations, found: Predictions) -> list[str]:
    """A name for every row, as a reader would call it."""
    if found.axes:
        return [f"axis {i + 1} of the random walk" for i in range(found.rows.size)]
    if found.table == "research_staff":
        lab = observations["research_staff"]["lab"].values
        return [str(name) for name in np.unique(lab) if (lab == name).sum() > 2]
    table = observations[found.table]
    column = next((name for name in NAMES if name in table), None)
    if column is None:
        return [f"row {i + 1}" for i in found.rows]
    return [str(name) for name in table[column].values[found.rows]]


def row_years(observations: Observations, found: Predictions) -> Array:
    """Decimal year from which each row was known, (row,); NaN for the axes of a table."""
    if found.axes:
        return np.full(found.rows.size, np.nan)
    table = observations[found.table]
    if found.table == "research_staff":
        lab = table["lab"].values
        return np.array([table["year"].values[lab == name].max() for name in row_labels(observations, found)])
    column = "end_year" if "end_year" in table else "year"
    return np.asarray(table[column].values[found.rows], dtype=float)
