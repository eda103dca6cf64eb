"""Sampling the joint model, the prior on its own, and the gate that says whether to believe the result.

A parameter that no likelihood reads is not in the graph: its posterior is its prior, and it is drawn from there.
"""

from __future__ import annotations

import signal
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from forecast.constants import constants, coords, refuse_empty
from forecast.convergence import gate_record
from forecast.equations import trends
from forecast.equations.research import production
from forecast.errors import ForecastError, InputError
from forecast.observations import Observations, load_settings
from forecast.priors import Priors
from forecast.progress import Progress
from forecast.runs import (
    parameters_of,
    provenance,
    sample_shape,
    with_provenance,
)
from forecast.schema import BLOCKS, DERIVED, PARAMETERS, PRODUCTION, SAMPLE_DIMS, STATED, Variable

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
    sampled = sample(model, settings, progressbar)
    tree = assemble(sampled, model, priors, observations, settings)
    return with_provenance(tree, provenance(priors, observations, settings, "posterior") | {"gate": gate_record(tree)})


def sampler_settings(**given: int | None) -> dict[str, int]:
    """The shipped settings with those given replaced."""
    shipped = load_settings()
    settings = {name: getattr(shipped, name) if value is None else int(value) for name, value in given.items()}
    for name in ("draws", "tune", "chains"):
        if settings[name] < 1:
            raise InputError(f"{name} = {settings[name]}: give a positive number")
    if not 0 <= settings["random_seed"] < 2**63:
        raise InputError(f"random_seed = {settings['random_seed']}: give a whole number from 0 to 2**63 - 1")
    return settings


def sample(model: Any, settings: dict[str, int], progressbar: bool | Progress) -> xr.DataTree:
    """Compile and draw; an interrupt stops either and is passed on."""
    if callable(progressbar):
        progressbar("compiling the model", 0, 0)
    with interrupts_kept() as interrupted:
        compiled = compiled_model(model)
        interrupted()
        result = drawn(compiled, settings, progressbar)
        interrupted()
    return result


def compiled_model(model: Any) -> Any:
    """The model for nutpie's numba backend, named explicitly."""
    import nutpie
    import pytensor

    # fastmath lets rounding depend on whether a kernel came from the cache: same seed, other numbers
    with pytensor.config.change_flags(numba__fastmath=False):
        return nutpie.compile_pymc_model(model, backend="numba")


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


def prior_draws(
    priors: Priors, observations: Observations, settings: dict[str, int], names: Iterable[str] | None = None
) -> xr.Dataset:
    """Independent draws of the named parameters (all by default) from their priors, dims (chain, draw, ...).

    Each parameter has a seed of its own, so that changing one prior leaves the draws of the others as they were.
    """
    shape = (settings["chains"], settings["draws"])
    labels = coords(observations)
    variables = {}
    for name in STATED if names is None else names:
        if name not in priors:  # stated another way
            continue
        prior = priors[name]
        if prior.distribution == "fixed":
            continue
        variable = STATED[name]
        extra = tuple(len(labels[dim]) for dim in variable.dims)
        rng = np.random.default_rng(
            np.random.SeedSequence(settings["random_seed"], spawn_key=(zlib.crc32(name.encode()),))
        )
        size = shape if prior.distribution == "Dirichlet" else shape + extra
        values = np.asarray(prior.sample(rng, int(np.prod(size)), observations.as_of_year)).reshape(shape + extra)
        variables[name] = (SAMPLE_DIMS + variable.dims, values, attributes(variable))
    sample = {dim: np.arange(n) for dim, n in zip(SAMPLE_DIMS, shape, strict=True)}
    used = {dim: labels[dim] for _, (dims, _, _) in variables.items() for dim in dims if dim in labels}
    return xr.Dataset(variables, coords=sample | used)


def attributes(variable: Variable) -> dict[str, str]:
    """Unit and definition as netCDF attributes."""
    return {"units": variable.units, "definition": variable.definition}


def fixed_and_derived(priors: Priors, observations: Observations) -> xr.Dataset:
    """What a projection needs besides draws: constants of the tables and parameters held at a value."""
    numbers = constants(observations)
    held = {name: prior.params["value"] for name, prior in priors.items() if prior.distribution == "fixed"}
    years = numbers.pop("horizon_years")
    data: dict[str, Any] = {name: ((), float(value)) for name, value in (numbers | held).items()}
    return xr.Dataset(data | {"horizon_years": (("horizon_model",), years)})


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


def with_derived(drawn: xr.Dataset, priors: Priors, observations: Observations) -> xr.Dataset:
    """The draws with what follows from them: research production, and the centre of the task-horizon regression."""
    p = {str(name): array.values for name, array in drawn.data_vars.items()}
    p |= {str(name): array.values[()] for name, array in fixed_and_derived(priors, observations).data_vars.items()}
    years = p.pop("horizon_years")
    found = production(p) if any(name in priors for name in PRODUCTION) else {}
    found["effective_flop_centre"] = trends.effective_flop_centre(years, p)
    known, shape = STATED | DERIVED, tuple(drawn.sizes[dim] for dim in SAMPLE_DIMS)
    whole = {name: (SAMPLE_DIMS, np.broadcast_to(x, shape), attributes(known[name])) for name, x in found.items()}
    return drawn.assign(whole)


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
    missing = [name for name in STATED if name not in posterior and name in priors]
    lost = sorted(set(missing) & parameters_in(model))
    if lost:
        raise ForecastError(f"the sampler returned no draws of {', '.join(lost)}: report this as a bug")
    untouched = prior_draws(priors, observations, settings, missing)
    posterior = with_derived(posterior.merge(untouched), priors, observations)
    for name in posterior.data_vars:
        posterior[name].attrs = attributes((STATED | DERIVED)[str(name)])
    tree = xr.DataTree.from_dict(
        {
            "prior": with_derived(prior_draws(priors, observations, settings), priors, observations),
            "posterior": posterior,
            "sample_stats": sampled["sample_stats"].to_dataset()[["diverging", "n_steps", "energy", "logp", "depth"]],
            "observed_data": observed_rows(model),
            "constant_data": fixed_and_derived(priors, observations),
        }
    )
    tree["log_likelihood"] = xr.DataTree(pointwise_log_likelihood(tree, observations))
    tree["log_prior"] = xr.DataTree(log_prior(posterior, priors, observations))
    return tree


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


def pointwise_log_likelihood(run: xr.DataTree, observations: Observations) -> xr.Dataset:
    """Log-likelihood of every row of every table, dims (chain, draw, <table>_row)."""
    from forecast.model.on_draws import log_likelihood

    chains, draws = sample_shape(run)
    found = log_likelihood(parameters_of(run), observations)
    return xr.Dataset(
        {name: ((*SAMPLE_DIMS, f"{name}_row"), values.reshape(chains, draws, -1)) for name, values in found.items()}
    )


def log_prior(posterior: xr.Dataset, priors: Priors, observations: Observations) -> xr.Dataset:
    """Log density of every parameter's draws under its own prior, for power-scaling."""
    year = observations.as_of_year
    result: dict[str, Any] = {}
    for name, variable in STATED.items():
        prior = priors.get(name)
        if prior is None or prior.distribution == "fixed":
            continue
        values = posterior[name].values
        if prior.distribution == "Dirichlet":
            density = stats.dirichlet(prior.params["a"]).logpdf(normalised(values.reshape(-1, values.shape[-1])).T)
            result[name] = (SAMPLE_DIMS, density.reshape(values.shape[:2]))
        else:
            result[name] = (SAMPLE_DIMS + variable.dims, prior.scipy(year).logpdf(values))
    return xr.Dataset(result)


def normalised(shares: np.ndarray) -> np.ndarray:
    """Shares that sum to 1 to the last bit, as scipy's Dirichlet demands."""
    result: np.ndarray = shares / shares.sum(axis=-1, keepdims=True)
    return result
