"""Quantities of every draw and year on JAX: the same equations, traced and compiled for the device, all at once.

The twin of `compiled_series`: what does not depend on the year is computed once per draw, and nothing that nobody asked
for. ``tests/dynamics/test_on_jax.py`` holds every variable of ``schema.YEARLY`` within 1e-6 of NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from forecast.compiled_series import YEAR, Array, Equations, column, traced
from forecast.dynamics import tracing
from forecast.dynamics.compiled import entries
from forecast.dynamics.jax_graph import double_precision, evaluated, library, on_device, power_of_two


def series(
    equations: Equations,
    p: Mapping[str, Any],
    years: Sequence[float],
    settings: tuple[Any, ...] = (),
    names: Sequence[str] | None = None,
) -> dict[str, Array]:
    """`compiled_series.series` on JAX: the same arguments, the same values within rounding, each (draw, year).

    Raises
    ------
    InputError
        If JAX is not installed.
    """
    inputs, compute = compiled(equations, settings, entries(p), None if names is None else tuple(names))
    rows = [column(p, name) for name in inputs]
    size = max(np.size(row) for row in rows)
    with double_precision():
        found = compute(on_device(rows, size, power_of_two(size)), np.asarray(years, dtype=float))
        return {name: np.asarray(values)[:size] for name, values in found.items()}


@cache
def compiled(
    equations: Equations,
    settings: tuple[Any, ...],
    parameters: tuple[tuple[str, int], ...],
    names: tuple[str, ...] | None,
) -> tuple[list[str], Callable[..., Any]]:
    """The inputs that some quantities need of each draw, and what computes them: ((input, draw), (year,)) -> (draw, year).

    It is compiled at its first call with each number of draws (powers of two) and of years.
    """
    jax = library()
    graph, found = traced(equations, settings, parameters)
    wanted = {name: graph.operand(found[name]) for name in (found if names is None else names)}
    order = tracing.needed(graph, wanted.values())
    inputs = tracing.input_names(graph, order, YEAR)

    def compute(table: Any, years: Any) -> dict[str, Any]:
        columns = dict(zip(inputs, table[:, :, None], strict=True))
        values = evaluated(graph, order, {}, columns | {YEAR: years})
        shape = (table.shape[1], years.size)
        return {name: jax.numpy.broadcast_to(values[number], shape) for name, number in wanted.items()}

    return inputs, jax.jit(compute)
