"""Sampling the joint model, the prior on its own, and the gate that says whether to believe the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from forecast.equations import trends
from forecast.errors import ConvergenceError, InputError
from forecast.model import build_model
from forecast.model.constants import constants
from forecast.observations import Observations, load_settings
from forecast.priors import Priors
from forecast.runs import parameters_of, provenance, with_provenance
from forecast.schema import PARAMETERS, SAMPLE_DIMS

MAX_RHAT = 1.01
MIN_ESS = 400.0
Progress = Callable[[str], None]
VECTORS = {"family": "depth_family_variate", "lab": "log_staff_2025", "setting": "stream_setting_variate"}


def fit(
    priors: Priors,
    observations: Observations,
    *,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    random_seed: int | None = None,
    progressbar: bool = False,
) -> xr.DataTree:
    """Sample the joint posterior.

    Parameters
    ----------
    priors, observations
        What the model is made of.
    draws, tune, chains, random_seed : int, optional
        Sampler settings; the shipped ``settings.toml`` where not given.
    progressbar : bool
        Show progress on a terminal's stderr.

    Returns
    -------
    xarray.DataTree
        A run: groups prior, posterior, sample_stats, log_likelihood, log_prior, observed_data, constant_data.

    Raises
    ------
    InputError
        If the settings are not positive, or a prior or table is missing.
    """
    settings = sampler_settings(draws=draws, tune=tune, chains=chains, random_seed=random_seed)
    model = build_model(priors, observations)
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


def sample(model: Any, settings: dict[str, int], progressbar: bool) -> xr.DataTree:
    """nutpie on its numba backend, named explicitly; an interrupt stops it and is passed on."""
    import nutpie

    compiled = nutpie.compile_pymc_model(model, backend="numba")
    running = nutpie.sample(
        compiled,
        draws=settings["draws"],
        tune=settings["tune"],
        chains=settings["chains"],
        seed=settings["random_seed"],
        adaptation="low_rank",
        save_warmup=False,
        progress_bar=progressbar,
        blocking=False,
    )
    try:
        result: xr.DataTree = running.wait()
    except BaseException:  # Ctrl-C above all: no partial trace may pass for a result
        running.cancel()
        raise
    return result
