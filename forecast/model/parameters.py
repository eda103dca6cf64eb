"""Parameters that enter the graph when an equation first asks for them.

An equation reads ``p["depth_exponent"]``; the first reading registers the prior in the open ``pm.Model``. A block on its
own therefore brings exactly the priors that it uses, and the joint model shares one variable per name.
``tests/model/test_build_model.py::test_a_block_brings_only_what_it_uses`` pins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from forecast.errors import InputError
from forecast.observations import Observations
from forecast.priors import Prior, Priors
from forecast.schema import PARAMETERS

DIMS = {name: variable.dims for block in PARAMETERS.values() for name, variable in block.items()}


class Condition(NamedTuple):
    """One row of the table `conditions`: what the joint model is held to besides the tables."""

    centre: float
    sd: float


def condition(data: Observations, name: str) -> Condition | None:
    """The condition of that name, or None where `as_of` lies before it."""
    table = data["conditions"]
    rows = np.flatnonzero(table["condition"].values == name)
    if rows.size == 0:
        return None
    return Condition(float(table["centre"].values[rows[0]]), float(table["sd"].values[rows[0]]))


class ModelParameters(dict[str, Any]):
    """Mapping from a parameter's name to its variable in the open model; missing ones are registered."""

    def __init__(self, priors: Priors, constants: dict[str, Any]) -> None:
        super().__init__(constants)
        self.priors = priors

    def __missing__(self, name: str) -> Any:
        if name not in self.priors:
            raise InputError(f"no prior named {name!r}: add [priors.{name}] to the prior set")
        self[name] = register(self.priors[name], DIMS.get(name, ()), float(self["as_of_year"]))
        return self[name]


def register(prior: Prior, dims: Sequence[str], as_of_year: float) -> Any:
    """Add one prior to the open model under its own name and return the variable."""
    arguments = {key: as_of_year if value == "as_of" else value for key, value in prior.params.items()}
    shape: dict[str, Any] = {"dims": tuple(dims)} if dims else {}
    if prior.distribution == "fixed":
        return np.float64(arguments["value"])
    if prior.distribution == "LogUniform":
        log_value = pm.Uniform(f"log_{prior.name}", np.log(arguments["lower"]), np.log(arguments["upper"]), **shape)
        return pm.Deterministic(prior.name, pt.exp(log_value), **shape)
    family = getattr(pm, prior.distribution)
    if prior.bounds is None:
        return family(prior.name, **arguments, **shape)
    lower, upper = prior.bounds
    return pm.Truncated(prior.name, family.dist(**arguments), lower=lower, upper=upper, **shape)
