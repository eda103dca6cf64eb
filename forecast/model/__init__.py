"""The joint model: every block of the science as one ``pm.Model``.

>>> import forecast as fc  # doctest: +SKIP
>>> model = fc.build_model(fc.load_priors(), fc.load_observations())  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pymc as pm

from forecast.errors import InputError
from forecast.model import blocks, takeoff_blocks
from forecast.model.constants import constants, coords
from forecast.model.parameters import ModelParameters
from forecast.observations import Observations
from forecast.priors import Priors
from forecast.schema import BLOCKS

BLOCK_FUNCTIONS: dict[str, Callable[[ModelParameters, Observations], None]] = {
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
        Variables named as in ``forecast.schema.PARAMETERS``, observed ones end in ``_observed``.

    Raises
    ------
    InputError
        For an unknown block, a missing prior, or a table left empty by `as_of`.
    """
    unknown = [name for name in blocks if name not in BLOCK_FUNCTIONS]
    if unknown:
        raise InputError(f"unknown block {unknown[0]!r}: choose from {', '.join(BLOCKS)}")
    with pm.Model(coords=coords(observations), check_bounds=False) as model:  # bounds are the priors' own
        p = ModelParameters(priors, constants(observations))
        for name in blocks:
            BLOCK_FUNCTIONS[name](p, observations)
    return model
