"""One replicate of a calibration: tables simulated from a truth, the model refitted, the truth placed among its draws.

A chain that did not settle is drawn again, twice as long; see ``forecast.evaluation.calibration``.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.constants import constants
from forecast.evaluation.chains import effective_sizes, halves_rhat
from forecast.evaluation.ranks import positions
from forecast.evaluation.refits import Refit, as_data, chain, column, of_own_blocks, refit
from forecast.evaluation.truths import Truths, rows_of, simulated
from forecast.executors import once
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.views import unconstrained

Array = npt.NDArray[np.float64]

ATTEMPTS = 3  # each twice as long as the one before
LARGEST_RHAT, FEWEST_DRAWS = 1.1, 25  # of a replicate's worst quantity, between the halves of its chain
LIKELIHOOD = "log likelihood"  # ranked besides the parameters: alone it sees a posterior that ignores the data


class Replicate(NamedTuple):
    """One refit: a row of each variable of `Calibration.ranked`."""

    position: Array
    kept: npt.NDArray[np.int64]
    error: Array
    contraction: Array
    divergences: int
    max_rhat: float
    min_ess: float
    attempts: int


UNITS = {
    "position": ("1", "place of the truth among its draws: 0 below all, 1 above all"),
    "kept": ("draws", "nearly independent draws among which the truth was placed"),
    "error": ("posterior sd", "posterior mean less truth, on the whole line"),
    "contraction": ("1", "share of the prior's variance that the data removed, on the whole line; 0 without a prior"),
    "divergences": ("draws", "divergent transitions after tuning"),
    "max_rhat": ("1", "largest R-hat between the halves of the chain"),
    "min_ess": ("draws", "smallest bulk effective sample size"),
    "attempts": ("1", "chains until one settled, each twice as long as the one before"),
}


class Job(NamedTuple):
    """What other processes need to refit: a model to compile, truths, and whether only the blocks' own parameters count."""

    key: str
    priors: Priors
    observations: Observations
    blocks: tuple[str, ...]
    own: bool
    truths: Truths
    settings: dict[str, int]


def job_of(
    priors: Priors,
    observations: Observations,
    blocks: tuple[str, ...],
    own: bool,
    truths: Truths,
    settings: dict[str, int],
) -> Job:
    """A job with the digest of all that is in it."""
    content = pickle.dumps((priors.digest, observations.digest, blocks, own, truths, settings))
    return Job(hashlib.sha256(content).hexdigest(), priors, observations, blocks, own, truths, settings)


def replicated_chunk(job: Job, chunk: Sequence[int]) -> tuple[list[str], list[Replicate | str]]:
    """What is ranked, and some replicates, in a process that keeps the compiled model."""

    def make() -> tuple[Refit, Sequence[Any], Mapping[str, Any]]:
        model = refit(job.priors, job.observations, job.blocks)
        rows = rows_of(job.truths.p, job.priors, job.observations, job.blocks)
        return (of_own_blocks(model) if job.own else model), rows, constants(job.observations)

    model, rows, numbers = once("refit", job.key, make)
    part = [replicated(model, job.truths, rows, numbers, job.settings, i) for i in chunk]
    return [entry.label for entry in model.entries], part


def replicated(
    model: Refit,
    truths: Truths,
    rows: Sequence[Any],
    numbers: Mapping[str, Any],
    settings: dict[str, int],
    replicate: int,
) -> Replicate | str:
    """One replicate, or why none of its chains gave draws."""
    seed = settings["random_seed"]
    values = simulated(rows, replicate, seed)
    data = model.compiled.with_data(**as_data(model, rows, values))
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x726570, replicate)))
    found: Replicate | str = ""
    for attempt in range(ATTEMPTS):
        draws, tune = (settings[name] * 2**attempt for name in ("draws", "tune"))
        try:
            tree = chain(data, draws, tune, int(rng.integers(2**63)))
            found = placed(model, truths, tree, values, numbers, replicate, rng)
        except (RuntimeError, ValueError) as error:
            found = str(error).splitlines()[0][:120]
        if not isinstance(found, str):
            found = found._replace(attempts=attempt + 1)
            if found.max_rhat <= LARGEST_RHAT and found.min_ess >= FEWEST_DRAWS:
                break
    return found


def placed(
    model: Refit,
    truths: Truths,
    tree: xr.DataTree,
    values: Sequence[Array],
    numbers: Mapping[str, Any],
    replicate: int,
    rng: np.random.Generator,
) -> Replicate | str:
    """Where the truth of a replicate lies among the draws of its refit, every parameter and the log likelihood."""
    from forecast.fitting import taken_apart

    draws = {str(name): one.values[0] for name, one in taken_apart(tree["posterior"].to_dataset()).items()}
    both = {name: np.concatenate([truths.p[name][replicate][None], draws[name]]) for name in draws}
    columns = [column(both[entry.parameter], entry) for entry in model.entries]
    table = np.stack([*columns, log_likelihood(model, both, values, numbers)], axis=1)
    truth, posterior = table[0], table[1:]
    if (np.ptp(posterior, axis=0) == 0.0).any():
        return "the chain stood still"
    sizes = effective_sizes(posterior)
    position, kept = positions(truth, posterior, sizes, rng)
    error, left = on_the_line(model, table)
    return Replicate(
        position=position,
        kept=kept,
        error=error,
        contraction=np.append(1.0 - (left[:-1] / model.spreads) ** 2, 0.0),
        divergences=int(tree["sample_stats"]["diverging"].sum()),
        max_rhat=float(halves_rhat(posterior).max()),
        min_ess=float(sizes.min()),
        attempts=1,
    )


def log_likelihood(model: Refit, p: Mapping[str, Array], values: Sequence[Array], numbers: Mapping[str, Any]) -> Array:
    """Log likelihood of simulated tables under the parameters, (draw,), by the blocks on arrays."""
    from forecast.model.on_draws import log_density

    rows = rows_of(p, model.priors, model.observations, model.blocks, numbers)
    each = [log_density(row._replace(observed=y)).sum(axis=1) for row, y in zip(rows, values, strict=True)]
    return np.asarray(np.sum(each, axis=0))


def on_the_line(model: Refit, table: Array) -> tuple[Array, Array]:
    """Posterior mean less truth in posterior standard deviations, and those, (entry,), on the whole line.

    `table` (1 + draw, entry) has the truth first and the log likelihood last.
    """
    columns = [unconstrained(table[:, i], pair) for i, pair in enumerate([*model.ends, (-np.inf, np.inf)])]
    line = np.stack(columns, axis=1)
    spread = line[1:].std(axis=0)
    return (line[1:].mean(axis=0) - line[0]) / spread, spread


def dataset(found: Mapping[int, Replicate], labels: Sequence[str]) -> xr.Dataset:
    """All replicates that were sampled, as `Calibration.ranked`."""
    columns = {name: np.array([getattr(one, name) for one in found.values()]) for name in Replicate._fields}
    dims = ("replicate", "parameter")
    variables = {
        name: (dims[: values.ndim], values, {"units": UNITS[name][0], "definition": UNITS[name][1]})
        for name, values in columns.items()
    }
    return xr.Dataset(variables, coords={"replicate": list(found), "parameter": list(labels)})
