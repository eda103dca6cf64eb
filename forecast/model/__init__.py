"""The joint model: every block of the science as one ``pm.Model``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from forecast.constants import constants, coords
from forecast.equations.research import production
from forecast.errors import InputError
from forecast.model import blocks, takeoff_blocks
from forecast.model.blocks import Rows
from forecast.model.parameters import names_read, register
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.schema import BLOCKS, PRODUCTION

BLOCK_FUNCTIONS: dict[str, Callable[..., list[Rows]]] = {
    "depth_scaling": blocks.depth_scaling,
    "utilization": blocks.utilization,
    "sample_efficiency": blocks.sample_efficiency,
    "algorithmic_progress": blocks.algorithmic_progress,
    "compute": blocks.compute,
    "deployment": blocks.deployment,
    "task_horizon": takeoff_blocks.task_horizon,
    "research": takeoff_blocks.research,
    "takeoff": takeoff_blocks.takeoff,
}


RESTRICTIONS: dict[str, tuple[Callable[[dict[str, Any], Observations], None], ...]] = {
    "compute": (blocks.keep_caps_slack,),
    "task_horizon": (takeoff_blocks.account_for_censoring,),
    "takeoff": (takeoff_blocks.not_automated_yet,),
}
SWITCHES = "switches"  # data of the switched model: 1 where a block is seen, 0 where it is not


def build_model(priors: Priors, observations: Observations, blocks: Sequence[str] = BLOCKS) -> pm.Model:
    """The joint model of the named blocks, unsampled.

    Parameters
    ----------
    priors : Priors
        Distribution of every parameter.
    observations : Observations
        Tables, already cut at `as_of`.
    blocks : sequence of str
        Which likelihoods to include; the priors that they use come with them.

    Returns
    -------
    pymc.Model
        Parameters of one family are one vector labelled with the names of ``forecast.schema.PARAMETERS``; the rows
        of all tables are observed as ``scattered`` (Student-t) and ``held`` (normal). What was observed is the data
        ``scattered_observed`` and ``held_observed``, so that a compiled model can be refitted to other figures.

    Raises
    ------
    InputError
        For an unknown block or a missing prior.
    """
    unknown = [name for name in blocks if name not in BLOCK_FUNCTIONS]
    if unknown:
        raise InputError(f"unknown block {unknown[0]!r}: choose from {', '.join(BLOCKS)}")
    numbers, labels = constants(observations), coords(observations)

    elicited = statements_of_production(priors)

    def rows(p: dict[str, Any]) -> list[Rows]:
        if elicited:
            p |= production({name: p[name] for name in elicited}, xp=pt)
        found = [row for name in blocks for row in BLOCK_FUNCTIONS[name](p, observations, xp=pt)]
        for name in blocks:
            for restrict in RESTRICTIONS.get(name, ()):
                restrict(p, observations)
        return [row for row in found if row.observed.size]  # `as_of` may lie before the first row of a table

    with pm.Model(coords=labels, check_bounds=False) as model:  # values stay inside: every prior has its transform
        names = names_read(rows, numbers, labels)
        found = rows(numbers | register(names, priors, observations.as_of_year))
        observe("scattered", [row for row in found if row.nu is not None])
        observe("held", [row for row in found if row.nu is None])
    return model


def build_switched_model(priors: Priors, observations: Observations, blocks: Sequence[str] = BLOCKS) -> pm.Model:
    """The joint model of the named blocks, each of which can be switched off: compiled once, refitted to other data.

    What a block observes counts where its entry of the data vector ``switches`` is 1, in the order of `blocks`, and not
    where it is 0; a parameter that no other block reads then follows its prior. ``tests/model/test_switched_model.py``
    pins that all on is `build_model` and all off the prior.

    Parameters
    ----------
    priors, observations, blocks
        As for `build_model`.

    Returns
    -------
    pymc.Model
        The parameters of `build_model`, with potentials in place of its observed variables.
    """
    numbers, labels = constants(observations), coords(observations)
    elicited = statements_of_production(priors)

    def terms(p: dict[str, Any], switches: Any) -> None:
        if elicited:
            p |= production({name: p[name] for name in elicited}, xp=pt)
        found = [(i, row) for i, name in enumerate(blocks) for row in BLOCK_FUNCTIONS[name](p, observations, xp=pt)]
        weigh("scattered", [(i, row) for i, row in found if row.nu is not None], switches)
        weigh("held", [(i, row) for i, row in found if row.nu is None], switches)
        for i, name in enumerate(blocks):
            restrict_where(switches[i], RESTRICTIONS.get(name, ()), p, observations)

    with pm.Model(coords=labels | {"block": list(blocks)}, check_bounds=False) as model:
        names = names_read(lambda p: terms(p, pt.dvector(SWITCHES)), numbers, labels)
        switches = pm.Data(SWITCHES, np.ones(len(blocks)), dims="block")
        terms(numbers | register(names, priors, observations.as_of_year), switches)
    return model


def weigh(name: str, found: list[tuple[int, Rows]], switches: Any) -> None:
    """`observe` as a potential: the log density of the rows whose block, the number beside them, is switched on.

    The others take what was observed as their mean: where parameters roam the prior it may not exist (a world that
    shrinks adds no compute), and 0 times NaN is not 0.
    """
    if not found:
        return
    rows = [row for _, row in found]
    observed = np.concatenate([row.observed for row in rows])
    on = switches[np.concatenate([np.full(row.observed.size, i) for i, row in found])]
    mean = pt.switch(on, per_row([row.mean for row in rows], rows), observed)
    spread = pt.switch(on, per_row([row.spread for row in rows], rows), 1.0)
    if rows[0].nu is None:
        noise = pm.Normal.dist(mean, spread)
    else:
        nu = np.concatenate([np.full(row.observed.size, row.nu) for row in rows])
        noise = pm.StudentT.dist(nu=nu, mu=mean, sigma=spread)
    pm.Potential(name, (on * pm.logp(noise, observed)).sum())


def restrict_where(
    on: Any,
    restrictions: Sequence[Callable[[dict[str, Any], Observations], None]],
    p: dict[str, Any],
    observations: Observations,
) -> None:
    """The potentials that some restrictions add, where the switch is on."""
    with pm.Model(check_bounds=False, model=None) as apart:
        for restrict in restrictions:
            restrict(p, observations)
    for potential in apart.potentials:
        pm.Potential(potential.name, pt.switch(on, potential, 0.0))


def statements_of_production(priors: Priors) -> list[str]:
    """What the prior set says of research production, where that is not share and asymptote themselves."""
    if not any(name in priors for name in PRODUCTION):
        return []
    return [name for name in (*PRODUCTION, "compute_share", "infinite_labour_multiple") if name in priors]


def observe(name: str, rows: list[Rows]) -> None:
    """One observed variable for the rows of many tables, labelled ``table:number``, and its pointwise log-likelihood."""
    if not rows:
        return
    labels = [f"{row.name}:{i}" for row in rows for i in range(row.observed.size)]
    pm.modelcontext(None).add_coord(f"{name}_row", labels)
    observed = pm.Data(f"{name}_observed", np.concatenate([row.observed for row in rows]), dims=f"{name}_row")
    mean, spread = (per_row([getattr(row, field) for row in rows], rows) for field in ("mean", "spread"))
    if rows[0].nu is None:
        pm.Normal(name, mean, spread, observed=observed, dims=f"{name}_row")
        return
    nu = np.concatenate([np.full(row.observed.size, row.nu) for row in rows])
    pm.StudentT(name, nu=nu, mu=mean, sigma=spread, observed=observed, dims=f"{name}_row")


def per_row(values: list[Any], rows: list[Rows]) -> Any:
    """Scalars and vectors, one per table, as one entry per observed row: joined, then indexed once."""
    pieces, index, start = [], [], 0
    for value, row in zip(values, rows, strict=True):
        piece = pt.atleast_1d(value)
        single = piece.type.shape[0] == 1
        pieces.append(piece)
        index.append(np.full(row.observed.size, start) if single else start + np.arange(row.observed.size))
        start += 1 if single else row.observed.size
    joined = pt.concatenate(pieces)
    positions = np.concatenate(index)
    return joined if np.array_equal(positions, np.arange(start)) else joined[positions]
