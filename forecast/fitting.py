"""Sampling the joint model, the prior on its own, and the gate that says whether to believe the result.

A parameter that no likelihood reads is not in the graph: its posterior is its prior, and it is drawn from there.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr

from forecast.assembling import completed, fixed_and_derived, prior_draws, with_derived
from forecast.compiling import compiled_model, digests_of
from forecast.constants import refuse_empty
from forecast.convergence import gate_record
from forecast.errors import ForecastError, InputError
from forecast.observations import Observations, load_settings
from forecast.priors import Priors
from forecast.progress import Progress
from forecast.results import checked_seed
from forecast.runs import (
    provenance,
    with_provenance,
)
from forecast.schema import BLOCKS, PARAMETERS, SAMPLE_DIMS, STATED, Variable

READ_FROM_TRACE: dict[str, Any] = {"HalfNormal_parameter": np.abs, "LogUniform_parameter": np.exp}
SAMPLING = "sampling"
PROGRESS_MILLISECONDS = 250
TARGET_ACCEPT = 0.95  # at 0.85 every second seed has a divergence, at 0.9 some; here none of three, at twice the steps
VARIABLES: dict[str, Variable] = {name: variable for block in PARAMETERS.values() for name, variable in block.items()}


def fit(
    priors: Priors,
    observations: Observations,
    *,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    random_seed: int | None = None,
    progressbar: bool | Progress = False,
) -> xr.DataTree:
    """Sample the joint posterior.

    Parameters
    ----------
    priors, observations
        What the model is made of.
    draws, tune, chains, random_seed : int, optional
        Sampler settings; the shipped ``settings.toml`` where not given.
    progressbar : bool or callable
        True draws the sampler's own bar, on a terminal or in a notebook. A callable is told instead what is under way,
        steps done and steps wanted: ``("compiling the model", 0, 0)``, then ``("sampling", draws, all draws)``, tuning
        included and from a thread of the sampler's.

    Returns
    -------
    xarray.DataTree
        A run: groups prior, posterior, sample_stats, log_likelihood, log_prior, observed_data, constant_data.

    Raises
    ------
    InputError
        If the settings are not positive, or a prior or table is missing.

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.fit(fc.load_priors(), fc.load_observations(), draws=500)  # doctest: +SKIP
    >>> fc.check(run).raise_if_failed()  # doctest: +SKIP
    """
    refuse_empty(observations)
    settings = sampler_settings(draws=draws, tune=tune, chains=chains, random_seed=random_seed)
    return posterior_run(priors, observations, settings, progressbar)


def posterior_run(
    priors: Priors,
    observations: Observations,
    settings: dict[str, int],
    progressbar: bool | Progress = False,
    blocks: Sequence[str] = BLOCKS,
) -> xr.DataTree:
    """`fit` of some blocks, wherever their tables stop: what no row is read for keeps its prior, as in a back-test."""
    from forecast.model import build_model  # pymc takes a second to import; a reused posterior does not need it

    model = build_model(priors, observations, blocks)
    sampled = sample(model, settings, progressbar, digests_of(priors, observations, blocks))
    tree = assemble(sampled, model, priors, observations, settings)
    return with_provenance(tree, provenance(priors, observations, settings, "posterior") | {"gate": gate_record(tree)})


def sampler_settings(**given: int | None) -> dict[str, int]:
    """The shipped settings with those given replaced."""
    shipped = load_settings()
    settings = {name: getattr(shipped, name) if value is None else int(value) for name, value in given.items()}
    for name in ("draws", "tune", "chains"):
        if settings[name] < 1:
            raise InputError(f"{name} = {settings[name]}: give a positive number")
    checked_seed(settings["random_seed"])
    return settings


def sample(
    model: Any, settings: dict[str, int], progressbar: bool | Progress, digests: Sequence[str] | None = None
) -> xr.DataTree:
    """Compile and draw; an interrupt stops either and is passed on."""
    if callable(progressbar):
        progressbar("compiling the model", 0, 0)
    with interrupts_kept() as interrupted:
        compiled = compiled_model(model, digests)
        interrupted()
        result = drawn(compiled, settings, progressbar)
        interrupted()
    return result


def drawn(compiled: Any, settings: dict[str, int], progressbar: bool | Progress = False) -> xr.DataTree:
    """Draws of a compiled model, as nutpie returns them."""
    import nutpie

    running = nutpie.sample(
        compiled,
        draws=settings["draws"],
        tune=settings["tune"],
        chains=settings["chains"],
        seed=settings["random_seed"],
        adaptation="low_rank",
        target_accept=TARGET_ACCEPT,
        save_warmup=False,
        progress_bar=progressbar is True,
        progress_callback=told_of_draws(progressbar) if callable(progressbar) else None,
        progress_rate=PROGRESS_MILLISECONDS,
        blocking=False,
    )
    try:
        result: xr.DataTree = running.wait()
    except BaseException:  # Ctrl-C above all: no partial trace may pass for a result
        running.cancel()
        raise
    if callable(progressbar):
        whole = settings["chains"] * (settings["tune"] + settings["draws"])
        progressbar(SAMPLING, whole, whole)
    return result


def told_of_draws(progress: Progress) -> Callable[[Sequence[Any]], None]:
    """What nutpie calls, as it samples, with what every chain has done."""

    def tell(chains: Sequence[Any]) -> None:
        done, wanted = (sum(getattr(chain, name) for chain in chains) for name in ("finished_draws", "total_draws"))
        if done < wanted:  # the end is told once all is there
            progress(SAMPLING, done, wanted)

    return tell


def sample_prior(
    priors: Priors,
    observations: Observations,
    *,
    draws: int | None = None,
    chains: int | None = None,
    random_seed: int | None = None,
) -> xr.DataTree:
    """A run whose draws come from the prior alone: the same pipeline without having seen the tables.

    Parameters
    ----------
    priors : Priors
        Distribution of every parameter.
    observations : Observations
        Tables, for their date and what the constants are taken from.
    draws, chains, random_seed : int, optional
        The shipped ``settings.toml`` where not given.

    Returns
    -------
    xarray.DataTree
        A run with groups prior, posterior (the same draws) and constant_data; its kind is "prior".

    Examples
    --------
    >>> import forecast as fc
    >>> run = fc.sample_prior(fc.load_priors(), fc.load_observations(), draws=20, chains=2)
    >>> fc.takeoff(run, "baseline").sizes["draw"]
    20
    """
    refuse_empty(observations)
    settings = sampler_settings(draws=draws, tune=1, chains=chains, random_seed=random_seed)
    drawn = with_derived(prior_draws(priors, observations, settings), priors, observations)
    constant = fixed_and_derived(priors, observations)
    tree = xr.DataTree.from_dict({"prior": drawn, "posterior": drawn, "constant_data": constant})
    return with_provenance(tree, provenance(priors, observations, settings, "prior") | {"gate": None})


@contextmanager
def interrupts_kept() -> Iterator[Callable[[], None]]:
    """Remember a Ctrl-C that lands in a compiler's callback, where Python drops the exception; the call raises it."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    def interrupted() -> None:
        if seen:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def assemble(
    sampled: xr.DataTree, model: Any, priors: Priors, observations: Observations, settings: dict[str, int]
) -> xr.DataTree:
    """The groups of a run from what the sampler returned."""
    posterior = taken_apart(sampled["posterior"].to_dataset())
    lost = sorted({name for name in STATED if name not in posterior and name in priors} & parameters_in(model))
    if lost:
        raise ForecastError(f"the sampler returned no draws of {', '.join(lost)}: report this as a bug")
    told = sampled["sample_stats"].to_dataset()[["diverging", "n_steps", "energy", "logp", "depth"]]
    return completed(posterior, told, observed_rows(model), priors, observations, settings)


def parameters_in(model: Any) -> set[str]:
    """Names of the parameters that the model's graph reads."""
    grouped = {name for dim, names in model.coords.items() if dim.endswith("_parameter") for name in names}
    own = {variable.name.removesuffix("_sticks") for variable in model.free_RVs}
    return grouped | (own & set(STATED))


def taken_apart(sampled: xr.Dataset) -> xr.Dataset:
    """One variable per parameter from the vectors that share a family of distributions."""
    variables: dict[str, Any] = {}
    for vector, array in sampled.data_vars.items():
        if str(vector).endswith("_sticks"):
            variables |= shares_from_sticks(str(vector).removesuffix("_sticks"), array)
            continue
        dim = next((str(d) for d in array.dims if str(d).endswith("_parameter")), None)
        if dim is None:
            variables[str(vector)] = array
            continue
        values = READ_FROM_TRACE.get(dim, xr.DataArray.copy)(array)
        variables |= {str(name): values.sel({dim: name}, drop=True) for name in array[dim].values}
    chosen = {name: array for name, array in variables.items() if name in STATED}
    return xr.Dataset(chosen)


def shares_from_sticks(name: str, parts: xr.DataArray) -> dict[str, xr.DataArray]:
    """The shares of a Dirichlet parameter from the breaks that were sampled."""
    from forecast.model.parameters import sticks_to_shares

    shares = sticks_to_shares([parts[..., i].values for i in range(parts.shape[-1])])
    return {name: xr.DataArray(np.stack(shares, axis=-1), dims=(*SAMPLE_DIMS, *VARIABLES[name].dims))}


def observed_rows(model: Any) -> xr.Dataset:
    """What the likelihood saw, one variable per kind of scatter, labelled ``table:number``."""
    data, coords_of = {}, {}
    for variable in model.observed_RVs:
        (dim,) = model.named_vars_to_dims[variable.name]
        data[variable.name] = ((dim,), model.rvs_to_values[variable].get_value())
        coords_of[dim] = list(model.coords[dim])
    return xr.Dataset(data, coords=coords_of)
