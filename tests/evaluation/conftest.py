"""A run with everything that a check reads, without a fit: the draws of the prior, told that they are of a posterior."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast.assembling import pointwise_log_likelihood
from forecast.observations import Observations
from forecast.runs import read_provenance, with_provenance

ENERGY_SEED = 7


@pytest.fixture(scope="session")
def seen(prior_run: xr.DataTree, observations: Observations) -> xr.DataTree:
    """Draws of the prior with their log-likelihoods and made-up sample statistics: one divergence.

    The world's compute grows in all of them: where it shrinks, a table of what was added has no likelihood.
    """
    run = prior_run.copy()
    draws = run["posterior"].to_dataset()
    run["posterior"] = xr.DataTree(draws.assign(world_compute_growth=np.abs(draws["world_compute_growth"])))
    shape = tuple(run["posterior"].sizes[dim] for dim in ("chain", "draw"))
    energy = np.random.default_rng(ENERGY_SEED).standard_normal(shape)
    diverging = np.zeros(shape, dtype=bool)
    diverging[0, 3] = True
    dims = ("chain", "draw")
    run["sample_stats"] = xr.DataTree(xr.Dataset({"energy": (dims, energy), "diverging": (dims, diverging)}))
    run["log_likelihood"] = xr.DataTree(pointwise_log_likelihood(run, observations))
    return with_provenance(run, read_provenance(run) | {"kind": "posterior"})
