"""Inputs of the forecast: the parameters that vary between draws, one column each, with the block they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.errors import InputError
from forecast.families import suggestion
from forecast.runs import parameters_of, sample_shape
from forecast.schema import PARAMETERS, PRODUCTION
from forecast.views import sampled

Array = npt.NDArray[np.float64]
BLOCK_OF = {name: block for block, members in PARAMETERS.items() for name in members} | dict.fromkeys(
    PRODUCTION, "research"
)
SEGMENT = 25  # neighbouring draws of a chain that stay together in folds and in the bootstrap: they are not independent


@dataclass(frozen=True)
class Inputs:
    """Columns (draw, input) with the parameter of each column, and the segment of a chain each draw lies in.

    A parameter with several entries (shares of the loss surface) has a column for each but the last.
    """

    columns: Array
    names: tuple[str, ...]
    segment: npt.NDArray[np.intp]

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters, each once."""
        return list(dict.fromkeys(self.names))

    def groups(self, by: Mapping[str, str] | None = None) -> dict[str, list[int]]:
        """Indices of the columns of each parameter, or of each group that `by` sends parameters to."""
        found: dict[str, list[int]] = {}
        for index, name in enumerate(self.names):
            found.setdefault(name if by is None else by[name], []).append(index)
        return found


def inputs_of(run: xr.DataTree, only: Sequence[str] | None = None) -> Inputs:
    """The inputs of a run; those of unobserved detail that no forecast reads (single model families) are left out.

    Raises
    ------
    InputError
        For a name in `only` that is no parameter or does not vary in this run.
    """
    p, shape = parameters_of(run), sample_shape(run)
    varying = [*sampled(p), "loss_shares"]
    unknown = [name for name in only or () if name not in varying]
    if unknown:
        fixed = " (it does not vary in this run)" if unknown[0] in BLOCK_OF else suggestion(unknown[0], varying)
        raise InputError(f"no input named {unknown[0]!r}{fixed}")
    chosen = [name for name in varying if only is None or name in only]
    parts = [columns_of(p[name]) for name in chosen]
    names = [name for name, part in zip(chosen, parts, strict=True) for _ in range(part.shape[1])]
    return Inputs(np.concatenate(parts, axis=1), tuple(names), segments(*shape))


def columns_of(values: Any) -> Array:
    """A parameter as columns; shares add up to 1, so the last says nothing new."""
    array = np.asarray(values, dtype=float)
    return array[:, None] if array.ndim == 1 else array[:, :-1]


def segments(chains: int, draws: int) -> npt.NDArray[np.intp]:
    """Number of the stretch of neighbouring draws that each draw belongs to, chains after one another.

    >>> segments(2, 50).tolist()[::25]
    [0, 1, 2, 3]
    """
    per_chain = -(-draws // SEGMENT)
    within = np.arange(draws) // SEGMENT
    return (np.arange(chains)[:, None] * per_chain + within).ravel()


def block_names(inputs: Inputs) -> dict[str, str]:
    """Block of every parameter."""
    return {name: BLOCK_OF[name] for name in inputs.parameters}
