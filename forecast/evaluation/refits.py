"""A model of some blocks, compiled once, whose data are then replaced by simulated ones.

The rows of the graph and of the arrays come from the same block functions in the same order; `as_data` refuses any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.errors import ForecastError
from forecast.observations import Observations
from forecast.priors import Prior, Priors
from forecast.schema import BLOCKS, PARAMETERS, STATED
from forecast.views import support, unconstrained

Array = npt.NDArray[np.float64]

JOINT = "joint"
TARGET_ACCEPT = 0.85  # that of a fit takes twice the steps to have no divergence at all; here they are counted
LEVELS = np.arange(1, 400) / 400.0  # quantile levels from which the spread of a prior is taken


class Entry(NamedTuple):
    """One number that is ranked: a parameter, or an element of one."""

    label: str
    parameter: str
    element: int | None


class Refit(NamedTuple):
    """A model of some blocks, compiled once.

    Attributes
    ----------
    rows : labels of the rows that ``scattered`` and ``held`` observe
    entries : what is ranked
    ends, spreads : range of each entry, and standard deviation of its prior on the whole line
    """

    name: str
    blocks: tuple[str, ...]
    priors: Priors
    observations: Observations
    compiled: Any
    rows: dict[str, tuple[str, ...]]
    entries: tuple[Entry, ...]
    ends: tuple[tuple[float, float], ...]
    spreads: Array


def refit(priors: Priors, observations: Observations, blocks: Sequence[str]) -> Refit:
    """The model of some blocks, compiled once."""
    from forecast.compiling import compiled_model, digests_of
    from forecast.fitting import interrupts_kept, parameters_in
    from forecast.model import build_model

    model = build_model(priors, observations, tuple(blocks))
    with interrupts_kept() as interrupted:
        compiled = compiled_model(model, digests_of(priors, observations, blocks))
        interrupted()
    rows = {name: tuple(model.coords[f"{name}_row"]) for name in ("scattered", "held") if f"{name}_row" in model.coords}
    read = parameters_in(model)
    entries = tuple(entry for name in STATED if name in read for entry in entries_of(name, model.coords))
    by_name = {name: ends_of(priors[name], observations.as_of_year) for name in read}
    ends = tuple(by_name[entry.parameter] for entry in entries)
    year = observations.as_of_year
    spreads = [
        prior_spread(entry, priors[entry.parameter], pair, year) for entry, pair in zip(entries, ends, strict=True)
    ]
    return Refit(name_of(blocks), tuple(blocks), priors, observations, compiled, rows, entries, ends, np.array(spreads))


def name_of(blocks: Sequence[str]) -> str:
    """What a model of these blocks is called."""
    return JOINT if set(blocks) == set(BLOCKS) else "+".join(blocks)


def entries_of(name: str, labels: Mapping[str, Any]) -> list[Entry]:
    """The numbers of a parameter: one, or one per label of its dim."""
    if not STATED[name].dims:
        return [Entry(name, name, None)]
    (dim,) = STATED[name].dims
    return [Entry(f"{name}[{label}]", name, i) for i, label in enumerate(labels[dim])]


def of_own_blocks(model: Refit) -> Refit:
    """The model with only the parameters of its own blocks ranked, not those that it reads of others."""
    own = {name for block in model.blocks for name in PARAMETERS[block]}
    kept = [i for i, entry in enumerate(model.entries) if entry.parameter in own]
    return model._replace(
        entries=tuple(model.entries[i] for i in kept),
        ends=tuple(model.ends[i] for i in kept),
        spreads=model.spreads[kept],
    )


def column(values: Array, entry: Entry) -> Array:
    """The numbers of one entry, (draw,), from its parameter's (draw, ...)."""
    return values if entry.element is None else values[:, entry.element]


def ends_of(prior: Prior, as_of: float) -> tuple[float, float]:
    """Range of a parameter; a share of a whole lies between 0 and 1."""
    return (0.0, 1.0) if prior.distribution == "Dirichlet" else support(prior, as_of)


def prior_spread(entry: Entry, prior: Prior, ends: tuple[float, float], as_of: float) -> float:
    """Standard deviation of an entry's prior on the whole line."""
    values = np.asarray(prior.quantile(LEVELS, as_of))
    if prior.distribution == "Dirichlet":
        values = column(values, entry)
    return float(unconstrained(values, ends).std())


def as_data(model: Refit, rows: Sequence[Any], values: Sequence[Array]) -> dict[str, Array]:
    """Simulated tables as the vectors that the compiled model reads.

    Raises
    ------
    ForecastError
        If graph and arrays have their rows in another order.
    """
    data = {}
    for name, labels in model.rows.items():
        own = [i for i, row in enumerate(rows) if (row.nu is None) == (name == "held")]
        order = tuple(f"{rows[i].name}:{j}" for i in own for j in range(values[i].size))
        if order != labels:
            raise ForecastError(f"the {name} rows of the graph are not those of the arrays: report this as a bug")
        data[f"{name}_observed"] = np.concatenate([values[i] for i in own])
    return data


def chain(compiled: Any, draws: int, tune: int, seed: int) -> xr.DataTree:
    """One chain of a compiled model with its data in place, as nutpie returns it."""
    import nutpie

    result: xr.DataTree = nutpie.sample(
        compiled,
        draws=draws,
        tune=tune,
        chains=1,
        seed=seed,
        adaptation="low_rank",
        target_accept=TARGET_ACCEPT,
        save_warmup=False,
        progress_bar=False,
    )
    return result
