"""Simulation-based calibration and recovery: tables are simulated from known truths, and the model refitted to them.

One model is compiled once and refitted through its data (``with_data``), one short chain per replicate. A chain that did
not settle is drawn again, twice as long, as the convergence gate asks of a user; that it did not says nothing of where the
truth lies, so ranks stay uniform. Divergences, chains drawn again and refits that failed are counted, never dropped.
``tests/evaluation/test_calibration.py`` pins that the right model passes and that a broken one does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from typing import NamedTuple

import xarray as xr

from forecast.constants import constants
from forecast.errors import ForecastError, InputError
from forecast.evaluation.refits import Refit, name_of, of_own_blocks, refit
from forecast.evaluation.replicates import (
    FEWEST_DRAWS,
    LIKELIHOOD,
    Job,
    Replicate,
    dataset,
    job_of,
    replicated,
    replicated_chunk,
)
from forecast.evaluation.truths import Truths, rows_of, truths_from_posterior, truths_from_prior
from forecast.executors import completed, executor_from
from forecast.observations import Observations, load_observations
from forecast.places import cores
from forecast.priors import Priors, load_priors
from forecast.progress import Progress
from forecast.runs import read_provenance
from forecast.schema import BLOCKS
from forecast.side_draws import recorded_tables

REPLICATES = 200
DRAWS, TUNE = 300, 200  # of the one chain of a refit; longer tuning left as many chains unsettled
CHUNK = 10  # replicates of a task in other processes: a second or more


class Calibration(NamedTuple):
    """What the refits of one model found.

    Attributes
    ----------
    name : str
        The block, or "joint".
    origin : str
        Where the truths are from: "prior" (calibration) or "posterior" (recovery).
    ranked : xarray.Dataset
        dims (replicate, parameter): ``position`` of the truth among its draws (0..1), ``kept`` draws that were used,
        ``error`` (posterior mean less truth, in posterior standard deviations), ``contraction`` (1 less the variance
        left of the prior's), both on the whole line; dim (replicate): ``divergences``, ``max_rhat``, ``min_ess`` and
        ``attempts``. Replicates that could not be sampled are not in it.
    tried, rejected
        Draws taken to find the truths, and how many were turned down, by reason.
    failed : dict
        Replicate -> why its refit gave no draws.
    settings : dict
    seconds : float
        Wall clock, compiling included.
    """

    name: str
    origin: str
    ranked: xr.Dataset
    tried: int
    rejected: dict[str, int]
    failed: dict[int, str]
    settings: dict[str, int]
    seconds: float


def sbc(
    priors: Priors | None = None,
    observations: Observations | None = None,
    blocks: str | Sequence[str] = BLOCKS,
    *,
    replicates: int = REPLICATES,
    draws: int = DRAWS,
    tune: int = TUNE,
    random_seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
    executor: str | Executor | None = None,
) -> Calibration:
    """Simulation-based calibration: are the posteriors right, on average over what the prior holds possible?

    Truths are drawn from the prior, tables simulated from them at the covariates of the tables given, and the model
    refitted; where truths lie among the draws of their posterior is uniform if prior, model and sampler agree (Talts et
    al. 2018, arXiv:1804.06788; the log likelihood as a further test quantity: Modrák et al. 2023, arXiv:2211.02383).

    Parameters
    ----------
    priors, observations
        The shipped ones if None. Rows and covariates are those of the tables; what they observe is simulated, held
        conditions too.
    blocks : str or sequence of str
        A block's name, or the blocks of one model; all of them make the joint model.
    replicates : int
    draws, tune : int
        Of the one chain of a refit.
    random_seed : int
        Same seed, same numbers, whatever `workers`; more replicates begin with the same ones.
    workers : int, optional
        Refits at a time; as many as there are cores if None.
    progress : callable, optional
        Told what is under way, the replicates done and those wanted: first with none done, before compiling.
    executor : str or concurrent.futures.Executor, optional
        Where the refits are done instead of `workers`, as `forecast.executors.executor_from` has it; the numbers are the
        same. Every process compiles the model once.

    Returns
    -------
    Calibration
        Ranks of the truths, their intervals, and how every refit went.

    Raises
    ------
    InputError
        For an unknown block, settings out of range, censored rows, or a prior that its restrictions all but rule out.

    Examples
    --------
    >>> found = sbc(blocks="depth_scaling", replicates=40)  # doctest: +SKIP
    >>> summary(found).parameters.query("verdict != 'fine'")  # doctest: +SKIP
    """
    priors = load_priors() if priors is None else priors
    observations = load_observations() if observations is None else observations
    chosen, settings = request(blocks, observations, replicates, draws, tune, random_seed)
    started, tell = time.perf_counter(), progress or (lambda *_: None)
    with executor_from(executor) as pool:
        tell(f"{name_of(chosen)}: compiling", 0, replicates)
        truths = truths_from_prior(priors, observations, chosen, replicates, random_seed)
        if pool is not None:
            return calibrated_in(pool, job_of(priors, observations, chosen, False, truths, settings), started, tell)
        return calibrated(refit(priors, observations, chosen), truths, settings, started, workers, tell)


def recovery(
    run: xr.DataTree,
    blocks: str | Sequence[str] = BLOCKS,
    *,
    replicates: int = REPLICATES,
    draws: int = DRAWS,
    tune: int = TUNE,
    random_seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
    executor: str | Executor | None = None,
) -> Calibration:
    """Parameter recovery at realistic sizes: as `sbc`, with truths drawn from a fitted run's posterior.

    Tables are those that the run was fitted to. Of a block its own parameters are ranked: what it reads of other blocks is
    known from their data, which the refit has not seen. Intervals hold the truth at their nominal rate on average over the
    prior; near one posterior they hold it at that rate where the data outweigh the prior, more often where the prior
    agrees with the data and less often where it does not.

    Parameters
    ----------
    run : xarray.DataTree
        From `forecast.fit` or `forecast.load_run`.
    blocks, replicates, draws, tune, random_seed, workers, progress, executor
        As for `sbc`.

    Returns
    -------
    Calibration
        As `sbc`.

    Raises
    ------
    InputError
        For a run of the prior alone or seen through a view, fewer draws than replicates, and as `sbc`.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.load_run("forecast-out/run.nc")  # doctest: +SKIP
    >>> found = fc.recovery(run, "depth_scaling", replicates=40)  # doctest: +SKIP
    """
    from forecast.drivers.evidence import recorded_priors

    record = read_provenance(run)
    if record["kind"] != "posterior" or record.get("views"):
        raise InputError("recovery draws its truths from a fitted posterior: fit a run with forecast fit")
    if "observations" not in record:
        raise InputError("this run file does not hold its tables: make it with forecast fit or forecast run")
    priors, observations = recorded_priors(record), recorded_tables(record)
    chosen, settings = request(blocks, observations, replicates, draws, tune, random_seed)
    started, tell = time.perf_counter(), progress or (lambda *_: None)
    with executor_from(executor) as pool:
        tell(f"{name_of(chosen)}: compiling", 0, replicates)
        truths = truths_from_posterior(run, replicates, random_seed)
        if pool is not None:
            return calibrated_in(pool, job_of(priors, observations, chosen, True, truths, settings), started, tell)
        return calibrated(of_own_blocks(refit(priors, observations, chosen)), truths, settings, started, workers, tell)


def request(
    blocks: str | Sequence[str], observations: Observations, replicates: int, draws: int, tune: int, random_seed: int
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The blocks of the model and the settings of its refits, or InputError before anything is computed."""
    from forecast.fitting import sampler_settings

    chosen = (blocks,) if isinstance(blocks, str) else tuple(blocks)
    unknown = [name for name in chosen if name not in BLOCKS]
    if unknown or not chosen:
        raise InputError(f"unknown block {unknown[0] if unknown else ''!r}: choose from {', '.join(BLOCKS)}")
    if replicates < 1:
        raise InputError(f"replicates = {replicates}: give a positive number")
    if draws < FEWEST_DRAWS:
        raise InputError(f"draws = {draws}: give at least {FEWEST_DRAWS}, among which a truth can be placed")
    if "task_horizon" in chosen and (observations["time_horizons"]["censored"].values > 0).any():
        raise InputError(
            "time_horizons has censored rows, which say at least so much and cannot be simulated: leave them out of the "
            "tables, or choose blocks without task_horizon"
        )
    settings = sampler_settings(draws=draws, tune=tune, chains=1, random_seed=random_seed)
    return chosen, settings | {"replicates": replicates}


def calibrated(
    model: Refit,
    truths: Truths,
    settings: dict[str, int],
    started: float | None = None,
    workers: int | None = None,
    tell: Progress = lambda *_: None,
) -> Calibration:
    """Simulate from every truth, refit, and place the truth among the draws; `started` is when compiling began."""
    started = time.perf_counter() if started is None else started
    rows = rows_of(truths.p, model.priors, model.observations, model.blocks)
    numbers = constants(model.observations)

    def one(replicate: int) -> Replicate | str:
        return replicated(model, truths, rows, numbers, settings, replicate)

    found = in_parallel(
        one, settings["replicates"], workers, lambda done, all_: tell(f"{model.name}: refits", done, all_)
    )
    return collected(model.name, [entry.label for entry in model.entries], found, truths, settings, started)


def calibrated_in(pool: Executor, job: Job, started: float, tell: Progress) -> Calibration:
    """`calibrated` in other processes, each of which compiles the model once."""
    number, name = job.settings["replicates"], name_of(job.blocks)
    chunks = [range(start, min(start + CHUNK, number)) for start in range(0, number, CHUNK)]
    found: dict[int, Replicate | str] = {}
    labels: list[str] = []
    for index, (ranked, part) in completed(replicated_chunk, chunks, pool, common=job):
        labels = ranked
        found |= dict(zip(chunks[index], part, strict=True))
        tell(f"{name}: refits", len(found), number)
    return collected(name, labels, [found[i] for i in range(number)], job.truths, job.settings, started)


def collected(
    name: str,
    labels: Sequence[str],
    found: Sequence[Replicate | str],
    truths: Truths,
    settings: dict[str, int],
    started: float,
) -> Calibration:
    """All replicates of a model."""
    failed = {i: value for i, value in enumerate(found) if isinstance(value, str)}
    good = {i: value for i, value in enumerate(found) if not isinstance(value, str)}
    if not good:
        raise ForecastError(f"no refit of {name} could be sampled: {failed[0]}")
    ranked = dataset(good, [*labels, LIKELIHOOD])
    seconds = round(time.perf_counter() - started, 1)
    return Calibration(name, truths.origin, ranked, truths.tried, truths.rejected, failed, settings, seconds)


def in_parallel[T](
    one: Callable[[int], T], number: int, workers: int | None, tell: Callable[[int, int], None]
) -> list[T]:
    """`one` of 0, 1, ... in threads, in order: nutpie leaves Python while it samples. An interrupt drops what waits."""
    with ThreadPoolExecutor(workers or cores()) as pool:
        futures = [pool.submit(one, i) for i in range(number)]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                tell(done, number)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]
