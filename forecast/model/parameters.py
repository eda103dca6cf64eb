"""Parameters of the graph: one vector per family of distributions, one entry per parameter that an equation reads.

A model with one ``pm.LogNormal`` per parameter says the same and takes a minute longer to compile: half of the joint
model's graph was priors. So parameters of one family share a vector whose coordinates are their names, and blocks read
``p["depth_exponent"]`` without knowing. ``tests/model/test_build_model.py`` pins that each prior is the one in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions import transforms
from pytensor.compile.builders import OpFromGraph
from pytensor.gradient import DisconnectedType

from forecast.errors import InputError
from forecast.observations import Observations
from forecast.priors import Prior, Priors
from forecast.schema import PARAMETERS

DIMS = {name: variable.dims for block in PARAMETERS.values() for name, variable in block.items()}
TRANSFORMS = {"LogitNormal": {"transform": transforms.logodds}}  # PyMC 6.4 gives it none: steps would leave 0..1
# A half-normal is read as |normal|: on a log scale a scale near 0 has an endless tail, and ESS fell to 393 of 4000
READ_AS: dict[str, Callable[[Any], Any]] = {"HalfNormal": pt.abs, "LogUniform": pt.exp}
VECTOR_FAMILIES = ("Normal", "LogNormal", "LogitNormal", "HalfNormal", "Uniform", "LogUniform")


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


def convention(data: Observations, name: str) -> float:
    """A condition that holds at any date, as a number."""
    held = condition(data, name)
    if held is None:
        raise InputError(f"the table conditions has no row {name!r}: add one")
    return held.centre


class Recorder(dict[str, Any]):
    """A stand-in for the parameters that notes which ones the blocks read."""

    def __init__(self, constants: dict[str, Any]) -> None:
        super().__init__(constants)
        self.read: list[str] = []

    def __missing__(self, name: str) -> Any:
        self.read.append(name)
        self[name] = pt.dvector(name) if DIMS.get(name) else pt.dscalar(name)
        return self[name]


def names_read(
    fill: Callable[[dict[str, Any]], Any], constants: dict[str, Any], coords: dict[str, list[str]]
) -> list[str]:
    """Names of the parameters that `fill` asks for, found by letting it build a throwaway model."""
    recorder = Recorder(constants)
    with pm.Model(coords=coords, check_bounds=False, model=None):
        fill(recorder)
    return recorder.read


def register(names: Iterable[str], priors: Priors, as_of_year: float) -> dict[str, Any]:
    """Add the named priors to the open model and return one variable per name.

    Raises
    ------
    InputError
        If a name has no prior.
    """
    chosen = [prior_named(name, priors) for name in names]
    variables: dict[str, Any] = {}
    for family in VECTOR_FAMILIES:
        members = [prior for prior in chosen if prior.distribution == family and in_vector(prior)]
        if members:
            variables |= vector_of(family, members, as_of_year)
    for prior in chosen:
        if prior.name not in variables:
            variables[prior.name] = on_its_own(prior, as_of_year)
    return variables


def prior_named(name: str, priors: Priors) -> Prior:
    """The prior of that name, which the set must have."""
    if name not in priors:
        raise InputError(f"no prior named {name!r}: add [priors.{name}] to the prior set")
    return priors[name]


def in_vector(prior: Prior) -> bool:
    """Whether a prior can share its family's vector: a scalar without a cut of its own."""
    return prior.bounds is None and not DIMS.get(prior.name)


def vector_of(family: str, members: list[Prior], as_of_year: float) -> dict[str, Any]:
    """One variable for all `members`, labelled with their names, taken apart into scalars."""
    pm.modelcontext(None).add_coord(f"{family}_parameter", [prior.name for prior in members])
    arguments = {key: np.array([value_of(prior, key, as_of_year) for prior in members]) for key in members[0].params}
    vector = READ_AS.get(family, identity)(sampled_vector(family, arguments, f"{family}_parameter"))
    return dict(zip((prior.name for prior in members), unpacked(vector, len(members)), strict=True))


def sampled_vector(family: str, arguments: dict[str, np.ndarray], dim: str) -> Any:
    """The vector that is sampled; `READ_AS` says how a parameter is read from its entry."""
    name = f"{family}_parameters"
    if family == "LogUniform":
        return pm.Uniform(name, **{key: np.log(value) for key, value in arguments.items()}, dims=dim)
    if family == "HalfNormal":
        return pm.Normal(name, 0.0, arguments["sigma"], dims=dim)
    return getattr(pm, family)(name, **arguments, **TRANSFORMS.get(family, {}), dims=dim)


def identity(values: Any) -> Any:
    """The entry itself."""
    return values


def unpacked(vector: Any, size: int) -> list[Any]:
    """The entries of a vector as scalars whose gradient is one stack.

    Plain indexing would make the gradient a sum of `size` vectors of zeros, and splitting an array per entry.
    """
    inside = pt.vector(shape=(size,))
    taken = [inside[i] for i in range(size)]
    entries = OpFromGraph([inside], taken, inline=True, pullback=stacked)(vector)
    return entries if isinstance(entries, list) else [entries]


def stacked(_inputs: list[Any], _outputs: list[Any], cotangents: list[Any]) -> list[Any]:
    """Gradient of `unpacked`; an entry that no likelihood uses, where `as_of` drops its rows, counts 0."""
    return [pt.stack([pt.zeros(()) if isinstance(c.type, DisconnectedType) else c for c in cotangents])]


def value_of(prior: Prior, key: str, as_of_year: float) -> Any:
    """A parameter of the distribution, with "as_of" replaced by its decimal year."""
    value = prior.params[key]
    return as_of_year if value == "as_of" else value


def on_its_own(prior: Prior, as_of_year: float) -> Any:
    """A variable of the prior's own name; a number where it is fixed."""
    if prior.distribution == "fixed":
        return np.float64(prior.params["value"])
    if prior.distribution == "Dirichlet":
        return shares_of(prior)
    arguments = {key: value_of(prior, key, as_of_year) for key in prior.params}
    shape: dict[str, Any] = {"dims": DIMS[prior.name]} if DIMS.get(prior.name) else {}
    family = getattr(pm, prior.distribution)
    if prior.bounds is None:
        return family(prior.name, **arguments, **TRANSFORMS.get(prior.distribution, {}), **shape)
    lower, upper = prior.bounds
    return pm.Truncated(prior.name, family.dist(**arguments), lower=lower, upper=upper, **shape)


def shares_of(prior: Prior) -> Any:
    """Dirichlet shares by breaking a stick: each piece takes a beta-distributed part of what is left.

    The same distribution as ``pm.Dirichlet``, without its simplex transform, whose gradient PyTensor compiles apart.
    """
    weights = np.array(prior.params["a"], dtype=float)
    rest = weights[::-1].cumsum()[::-1][1:]
    parts = pm.Beta(f"{prior.name}_sticks", weights[:-1], rest, shape=rest.size)
    return pt.stack(sticks_to_shares([parts[i] for i in range(rest.size)]))


def sticks_to_shares(parts: list[Any]) -> list[Any]:
    """Shares that sum to 1 from the part that each break takes of what is left."""
    shares, left = [], 1.0
    for part in parts:
        shares.append(left * part)
        left = left * (1.0 - part)
    return [*shares, left]
