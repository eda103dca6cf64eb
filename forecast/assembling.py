"""The groups of a run that follow from its draws, the tables and the priors; needs no sampler.

One thing to know: a parameter that no likelihood reads is drawn from its prior with a seed of its own, so it is never
stored: the same seed gives it back.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from forecast.constants import constants, coords
from forecast.equations import trends
from forecast.equations.research import production
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.runs import parameters_of, sample_shape
from forecast.schema import DERIVED, PRODUCTION, SAMPLE_DIMS, STATED, Variable


def completed(
    sampled: xr.Dataset,
    sample_stats: xr.Dataset,
    observed_data: xr.Dataset,
    priors: Priors,
    observations: Observations,
    settings: dict[str, int],
) -> xr.DataTree:
    """The groups of a run from what was sampled, by the names of ``forecast.schema``."""
    posterior = whole_posterior(sampled, priors, observations, settings)
    tree = xr.DataTree.from_dict(
        {
            "prior": with_derived(prior_draws(priors, observations, settings), priors, observations),
            "posterior": posterior,
            "sample_stats": sample_stats,
            "observed_data": observed_data,
            "constant_data": fixed_and_derived(priors, observations),
        }
    )
    tree["log_likelihood"] = xr.DataTree(pointwise_log_likelihood(tree, observations))
    tree["log_prior"] = xr.DataTree(log_prior(posterior, priors, observations))
    return tree


def whole_posterior(
    sampled: xr.Dataset, priors: Priors, observations: Observations, settings: dict[str, int]
) -> xr.Dataset:
    """What was sampled, with the parameters that no likelihood reads and what follows from both."""
    missing = [name for name in STATED if name not in sampled and name in priors]
    untouched = prior_draws(priors, observations, settings, missing)
    posterior = with_derived(sampled.merge(untouched), priors, observations)
    for name in posterior.data_vars:
        posterior[name].attrs = attributes((STATED | DERIVED)[str(name)])
    return posterior


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


def with_derived(drawn: xr.Dataset, priors: Priors, observations: Observations) -> xr.Dataset:
    """The draws with what follows from them: research production, and the centre of the task-horizon regression."""
    p = {str(name): array.values for name, array in drawn.data_vars.items()}
    p |= {str(name): array.values[()] for name, array in fixed_and_derived(priors, observations).data_vars.items()}
    years = p.pop("horizon_years")
    found = production(p) if any(name in priors for name in PRODUCTION) else {}
    with np.errstate(all="ignore"):  # what an extreme draw makes infinite is refused where it is read
        found["effective_flop_centre"] = trends.effective_flop_centre(years, p)
    known, shape = STATED | DERIVED, tuple(drawn.sizes[dim] for dim in SAMPLE_DIMS)
    whole = {name: (SAMPLE_DIMS, np.broadcast_to(x, shape), attributes(known[name])) for name, x in found.items()}
    return drawn.assign(whole)


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
