"""Which data matter: the answers from the prior alone to the posterior, one block of observations after the other.

The model is compiled once, with a switch for each block's likelihood, and refitted with blocks added in the order of
``forecast.schema.BLOCKS`` and with each left out. Blocks that share no parameter, not even through a third, are
independent: their draws are taken from one fit wherever the same blocks stand together, and those of parameters that no
active block reads from their priors. So what a block cannot touch does not differ by noise, and a third of the fits is
saved. ``tests/drivers/test_evidence.py`` pins the tables, ``tests/model/test_switched_model.py`` the switches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from forecast.convergence import gate_record
from forecast.drivers.evidence_tables import (
    EVERYTHING,
    NOTHING,
    Blocks,
    Evidence,
    State,
    comparisons,
    fit_row,
    information_table,
    set_words,
    steps_table,
)
from forecast.drivers.information import FEWEST
from forecast.drivers.outputs import evaluator, parsed_outputs
from forecast.equations.trends import Parameters
from forecast.errors import InputError
from forecast.executors import completed, executor_from, once
from forecast.observations import Observations, load_observations
from forecast.priors import Priors
from forecast.progress import Progress, silent
from forecast.results import checked_years, require_finite
from forecast.runs import parameters_of, read_provenance, sample_shape
from forecast.schema import BLOCKS, SIDE_PARAMETERS, STATED
from forecast.side_draws import recorded_prior

DRAWS = 1000  # of each chain: a second more than 400, whose R-hat is above the gate's 1.01 by noise alone
TUNE = 500  # with 300, some fits have an R-hat above 1.01; the few divergences that 500 leaves, 1000 leaves too
Fit = tuple[xr.Dataset, dict[str, Any]]  # draws of what the active blocks read, and the gate's record


def evidence(
    run: xr.DataTree,
    priors: Priors | None = None,
    observations: Observations | None = None,
    outputs: Sequence[str] | None = None,
    scenario: str = "baseline",
    years: Iterable[int] | None = None,
    draws: int = DRAWS,
    tune: int = TUNE,
    random_seed: int | None = None,
    progress: Progress = silent,
    executor: str | Executor | None = None,
) -> Evidence:
    """How the answers move as blocks of observations are added one at a time, and as each is left out.

    Twelve refits of one compiled model: two to three minutes on two cores.

    Parameters
    ----------
    run : xarray.DataTree
        A fitted run: its draws are the posterior.
    priors, observations
        What it was made from: those that its record states and the shipped tables if None.
    outputs
        Names as for ``drivers.outputs``; the two headlines if None.
    scenario, years
        As for `takeoff`.
    draws, tune : int
        Of each chain of a refit.
    random_seed : int, optional
        The run's own if None.
    progress : callable
        Told what is under way, the fits done and those wanted.
    executor : str or concurrent.futures.Executor, optional
        Where the refits are done, as `forecast.executors.executor_from` has it; the numbers are the same. Every process
        compiles the model once.

    Returns
    -------
    Evidence
        Tables of steps, information and fits.

    Raises
    ------
    InputError
        If the run is of the prior alone, seen through a view, or made from other priors or tables than those at hand;
        for an output, scenario or years that cannot be used.

    Examples
    --------
    >>> from forecast import load_run
    >>> found = evidence(load_run("forecast-out/run.nc"))  # doctest: +SKIP
    """
    from forecast.fitting import sampler_settings

    wanted, window = parsed_outputs(outputs), None if years is None else list(years)
    priors, observations = made_from(run, priors, observations)
    evaluate = evaluator(wanted, observations.as_of_year, scenario, window)
    seed = read_provenance(run)["settings"]["random_seed"] if random_seed is None else random_seed
    settings = sampler_settings(draws=draws, tune=tune, chains=None, random_seed=seed)
    check_draws(sample_shape(run), (settings["chains"], settings["draws"]))
    with executor_from(executor) as pool:
        states, fits = all_states(run, priors, observations, settings, progress, pool)
    progress("carrying all draws through the take-off", 0, 0)
    values = {blocks: outputs_of(state.run, evaluate) for blocks, state in states.items()}
    return Evidence(
        steps=steps_table(wanted, values, {blocks: state.converged for blocks, state in states.items()}),
        information=information_table(states, priors, observations.as_of_year),
        fits=pd.DataFrame([fit_row(blocks, record) for blocks, record in fits.items()]),
        outputs=tuple(output.name for output in wanted),
        scenario=scenario,
        last_year=checked_years(window, observations.as_of_year)[-1],
    )


def check_draws(of_run: tuple[int, int], of_refit: tuple[int, int]) -> None:
    """Refuse fewer draws than information can be told from."""
    for whose, (chains, draws) in (("the run", of_run), ("a refit", of_refit)):
        if chains * draws < FEWEST:
            few = f"{chains} chains x {draws} draws of {whose}"
            raise InputError(f"{few} are too few to say what data tell: give at least {-(-FEWEST // chains)} draws")


def outputs_of(run: xr.DataTree, evaluate: Callable[[Parameters, int], dict[str, Any]]) -> dict[str, Any]:
    """Values of the outputs under a state's draws, (chain, draw)."""
    p, shape = parameters_of(run), sample_shape(run)
    require_finite(p)
    return {name: values.reshape(shape) for name, values in evaluate(p, shape[0] * shape[1]).items()}


def made_from(
    run: xr.DataTree, priors: Priors | None = None, observations: Observations | None = None
) -> tuple[Priors, Observations]:
    """The priors and tables of a run: those given, else those of its record and the shipped tables of its date.

    Raises
    ------
    InputError
        If the run was made from others, or if its draws are not those of a fit.
    """
    record = read_provenance(run)
    if record["kind"] != "posterior":
        raise InputError("this run holds draws of the prior, which has seen no data: fit one with forecast fit")
    if record.get("views"):
        raise InputError(
            f"this run is seen through {', '.join(record['views'])}, not fitted to data: "
            "give the run itself, or fit the view with forecast run --view"
        )
    priors = recorded_priors(record) if priors is None else priors
    observations = load_observations(as_of=record["as_of"]) if observations is None else observations
    digests = record["digests"]
    if priors.digest != digests["priors"] or observations.digests != digests["tables"]:
        raise InputError(
            "this run was made from other priors or tables: pass the same ones as priors= and observations= (--tables on "
            "the command line), or fit anew with forecast fit"
        )
    return priors, observations


def recorded_priors(record: Mapping[str, Any]) -> Priors:
    """The prior set that a run's provenance states, views included: all of it but the words."""
    known = STATED | {name: variable for block in SIDE_PARAMETERS.values() for name, variable in block.items()}
    names = [name for name in record["priors"] if name in known]
    stated = {name: replace(recorded_prior(dict(record), name), name=name, units=known[name].units) for name in names}
    return Priors(stated, {})


def components(active: Blocks, reads: Mapping[str, frozenset[str]]) -> list[Blocks]:
    """The active blocks in groups that share parameters, if through a third; different groups are independent.

    >>> reads = {"a": frozenset("xy"), "b": frozenset("z"), "c": frozenset("y")}
    >>> [sorted(group) for group in components(frozenset("abc"), reads)]
    [['a', 'c'], ['b']]
    """
    groups: list[Blocks] = []
    for block in sorted(active):
        near = [group for group in groups if any(reads[block] & reads[other] for other in group)]
        groups = [group for group in groups if group not in near] + [frozenset({block}).union(*near)]
    return sorted(groups, key=sorted)


def planned(sets: Iterable[Blocks], reads: Mapping[str, frozenset[str]]) -> list[Blocks]:
    """Which sets to fit so that each group of blocks of every set is in one: the large ones first, which hold most.

    >>> reads = {"a": frozenset("x"), "b": frozenset("y")}
    >>> [sorted(active) for active in planned([frozenset("a"), frozenset("ab")], reads)]
    [['a', 'b']]
    """
    chosen: list[Blocks] = []
    held: set[Blocks] = set()
    for active in sorted(sets, key=lambda blocks: (-len(blocks), sorted(blocks))):
        groups = components(active, reads)
        if not held.issuperset(groups):
            chosen.append(active)
            held.update(groups)
    return chosen


def all_states(
    run: xr.DataTree,
    priors: Priors,
    observations: Observations,
    settings: dict[str, int],
    progress: Progress,
    pool: Executor | None = None,
) -> tuple[dict[Blocks, State], dict[Blocks, dict[str, Any]]]:
    """The state under every set of blocks that a comparison names, and the gate's record of every refit."""
    from forecast.assembling import fixed_and_derived, prior_draws, with_derived
    from forecast.fitting import parameters_in
    from forecast.model import build_model

    reads = {block: frozenset(parameters_in(build_model(priors, observations, [block]))) for block in BLOCKS}
    sets = {blocks for _, _, *pair in comparisons() for blocks in pair}
    chosen = planned(sets - {NOTHING, EVERYTHING}, reads)
    if pool is None:
        fits = refits(chosen, reads, priors, observations, settings, progress)
    else:
        fits = refits_in(pool, chosen, reads, priors, observations, settings, progress)
    unseen, constant = prior_draws(priors, observations, settings), fixed_and_derived(priors, observations)

    def state(blocks: Blocks) -> State:
        draws, learned, converged = unseen, dict[str, Blocks](), True
        for group in components(blocks, reads):
            found, record = next(fit for active, fit in fits.items() if group in components(active, reads))
            names = sorted(set().union(*(reads[block] for block in group)))
            draws, learned = draws.assign({n: found[n] for n in names}), learned | dict.fromkeys(names, group)
            converged &= record["passed"]
        whole = with_derived(draws, priors, observations)
        return State(xr.DataTree.from_dict({"posterior": whole, "constant_data": constant}), learned, converged)

    states = {blocks: state(blocks) for blocks in sets - {EVERYTHING}}
    posterior = {n: group for group in components(EVERYTHING, reads) for block in group for n in reads[block]}
    states[EVERYTHING] = State(run, posterior, bool((read_provenance(run).get("gate") or {}).get("passed", True)))
    return states, {blocks: record for blocks, (_, record) in fits.items()}


def refits(
    sets: Sequence[Blocks],
    reads: Mapping[str, frozenset[str]],
    priors: Priors,
    observations: Observations,
    settings: dict[str, int],
    progress: Progress,
) -> dict[Blocks, Fit]:
    """Draws of what the active blocks read, for some sets of active blocks; one model, compiled once."""
    from forecast.fitting import interrupts_kept

    found = {}
    with interrupts_kept() as interrupted:
        progress("compiling the model with switches, about a minute", 0, 0)
        compiled = compiled_switched(priors, observations)
        for i, active in enumerate(sets):
            interrupted()
            progress(f"fitting {set_words(active)}", i, len(sets))
            tree = switched_draws(compiled, active, settings)
            interrupted()
            found[active] = fit_of(tree, names_read(active, reads))
    progress("fits", len(sets), len(sets))
    return found


def names_read(active: Blocks, reads: Mapping[str, frozenset[str]]) -> list[str]:
    """The parameters that some blocks read."""
    return sorted(set().union(*(reads[block] for block in active)))


class Switched(NamedTuple):
    """What other processes need to refit the model with some blocks on."""

    key: str
    priors: Priors
    observations: Observations
    settings: dict[str, int]


def refits_in(
    pool: Executor,
    sets: Sequence[Blocks],
    reads: Mapping[str, frozenset[str]],
    priors: Priors,
    observations: Observations,
    settings: dict[str, int],
    progress: Progress,
) -> dict[Blocks, Fit]:
    """`refits` in other processes, each of which compiles the model once."""
    key = hashlib.sha256((priors.digest + observations.digest).encode()).hexdigest()
    tasks = [(active, names_read(active, reads)) for active in sets]
    found: dict[int, Fit] = {}
    progress("fitting with blocks left out", 0, len(sets))
    for index, fit in completed(switched_fit, tasks, pool, common=Switched(key, priors, observations, settings)):
        found[index] = fit
        progress("fitting with blocks left out" if len(found) < len(sets) else "fits", len(found), len(sets))
    return {active: found[i] for i, active in enumerate(sets)}


def switched_fit(job: Switched, task: tuple[Blocks, list[str]]) -> Fit:
    """One refit, in a process that keeps the compiled model."""
    active, names = task
    compiled = once("switched", job.key, lambda: compiled_switched(job.priors, job.observations))
    return fit_of(switched_draws(compiled, active, job.settings), names)


def compiled_switched(priors: Priors, observations: Observations) -> Any:
    """The model whose blocks can be switched off, compiled or as an earlier process kept it."""
    from forecast.compiling import compiled_model, digests_of
    from forecast.model import build_switched_model

    return compiled_model(
        build_switched_model(priors, observations), digests_of(priors, observations, ("switched", *BLOCKS))
    )


def switched_draws(
    compiled: Any, active: Blocks, settings: dict[str, int], blocks: Sequence[str] = BLOCKS
) -> xr.DataTree:
    """What nutpie returns with some blocks on and the others off."""
    from forecast.fitting import drawn
    from forecast.model import SWITCHES

    return drawn(compiled.with_data(**{SWITCHES: np.array([float(block in active) for block in blocks])}), settings)


def fit_of(tree: xr.DataTree, names: Sequence[str]) -> Fit:
    """The named parameters of what nutpie returned, and the gate's record of them."""
    from forecast.fitting import taken_apart

    draws = taken_apart(tree["posterior"].to_dataset())[list(names)]
    judged = xr.DataTree.from_dict({"posterior": draws, "sample_stats": tree["sample_stats"].to_dataset()})
    return draws.drop_vars([name for name in draws.coords if name not in draws.dims]), gate_record(judged)
