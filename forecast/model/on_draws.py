"""The blocks evaluated on draws instead of in the graph: what each row is expected to be, and how likely it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from forecast.constants import constants
from forecast.model import takeoff_blocks
from forecast.model.blocks import Rows
from forecast.observations import Observations
from forecast.schema import BLOCKS

Array = npt.NDArray[np.float64]


def expected_rows(
    p: Mapping[str, Any],
    observations: Observations,
    numbers: Mapping[str, Any],
    blocks: Sequence[str] = BLOCKS,
    *,
    as_fitted: bool = True,
) -> list[Rows]:
    """Mean and spread of every row of the tables under every draw, by the blocks of the graph on arrays.

    Parameters
    ----------
    p : mapping
        Parameters (draw, ...) by the names of ``forecast.schema``, the centre of the task horizons among them.
    observations : Observations
        The rows; not necessarily those that the draws have seen.
    numbers : mapping
        Constants of the fit (`forecast.constants.constants`), with ``horizon_years`` of these rows.
    as_fitted : bool
        Task horizons along the axes on which they are independent, as the likelihood has them; else each by itself.

    Returns
    -------
    list of Rows
        Mean and spread (draw, row), one entry per table and per derived quantity held to a condition.
    """
    from forecast.model import BLOCK_FUNCTIONS

    columns: dict[str, Any] = {name: value[:, None] if np.ndim(value) else value for name, value in p.items()}
    columns["depth_family_variate"] = p["depth_family_variate"]
    columns |= numbers
    functions = BLOCK_FUNCTIONS | ({} if as_fitted else {"task_horizon": takeoff_blocks.horizons_alone})
    found = [row for name in blocks for row in functions[name](columns, observations)]
    return [whole(row) for row in found if row.observed.size]


def whole(row: Rows) -> Rows:
    """Rows with mean and spread as full arrays (draw, row)."""
    mean, spread = np.broadcast_arrays(row.mean, row.spread, row.observed)[:2]
    return row._replace(mean=mean, spread=spread)


def log_likelihood(
    p: Mapping[str, Any], observations: Observations, blocks: Sequence[str] = BLOCKS
) -> dict[str, np.ndarray]:
    """Pointwise log-likelihood of every table, (draw, row), by the same blocks on arrays.

    Parameters
    ----------
    p : mapping
        Parameters (draw, ...) by the names of ``forecast.schema``, and constants.
    """
    own = {name: value for name, value in p.items() if name != "effective_flop_centre"}  # follows from these rows
    return {row.name: log_density(row) for row in expected_rows(own, observations, constants(observations), blocks)}


def log_density(row: Rows) -> Array:
    """Log density of the observed rows of one table, (draw, row)."""
    mean, spread, _ = np.broadcast_arrays(row.mean, row.spread, row.observed)
    result: Array = standard(row).logpdf((row.observed - mean) / spread) - np.log(spread)
    return result


def standard(row: Rows) -> Any:
    """The distribution of a row's distance from its mean in units of its spread."""
    return stats.norm if row.nu is None else stats.t(row.nu)


def log_restrictions(p: Mapping[str, Any], observations: Observations, blocks: Sequence[str] = BLOCKS) -> Array:
    """The potentials of the model, (draw,): its own graph of scalars, vectorised over the draws and run once."""
    import pymc as pm
    import pytensor
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode
    from pytensor.graph.replace import vectorize_graph

    from forecast.model import RESTRICTIONS
    from forecast.model.parameters import Recorder

    graph = Recorder(constants(observations))
    with pm.Model(check_bounds=False, model=None) as apart:
        for block in blocks:
            for restrict in RESTRICTIONS.get(block, ()):
                restrict(graph, observations)
    total = sum((potential.sum() for potential in apart.potentials), start=pt.as_tensor(0.0))
    drawn = {graph[name]: pt.as_tensor(np.asarray(p[name], dtype=float)) for name in graph.read}
    run = pytensor.function([], vectorize_graph(total, drawn), mode=Mode(linker="py", optimizer=None))
    return np.asarray(run(), dtype=float)
