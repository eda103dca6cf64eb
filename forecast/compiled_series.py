"""Quantities of every draw and year as machine code: the same equations, traced, and nothing computed that nobody asked for.

What depends on the draw alone is computed once per draw, what depends on the year too once per draw and year. Every
operation is rounded as it stands, so that two ways to one quantity end at one number.
``tests/test_compiled_series.py`` holds it against NumPy, within 1e-12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from forecast.dynamics import tracing
from forecast.dynamics.compiled import LANES, Parameters, entries, expression
from forecast.dynamics.tracing import Graph

Array = Any  # NumPy array over draws
Equations = Callable[..., Mapping[str, Any]]  # (year, parameters, *settings) -> quantities by name
YEAR = "year"


class Kernel(NamedTuple):
    """Compiled loop, the inputs that it reads of every draw, and the quantities that it fills in."""

    run: Callable[..., None]
    inputs: tuple[str, ...]
    names: tuple[str, ...]


def series(
    equations: Equations,
    p: Mapping[str, Any],
    years: Sequence[float],
    settings: tuple[Any, ...] = (),
    names: Sequence[str] | None = None,
) -> dict[str, Array]:
    """What `equations` give for every draw and year, each (draw, year).

    Parameters
    ----------
    equations : callable
        A function of a module: (year, parameters, *settings) -> quantities by name.
    p : parameters, each (draw,), (draw, entry) or a scalar
    years : decimal years
    settings : what else the equations take; hashable
    names : the quantities that are wanted; all if None

    Examples
    --------
    >>> from forecast.equations import trends
    >>> p = {"training_days": np.array([50.0, 100.0]), "training_days_trend": 0.1, "slowdown_year": 2030.0}
    >>> def days(year, p):
    ...     return {"days": np.exp(trends.log_training_days(year, p))}
    >>> series(days, p, [2023.0, 2033.0])["days"].round(2).tolist()
    [[50.0, 100.69], [100.0, 201.38]]
    """
    kernel = kernel_of(equations, settings, entries(p), None if names is None else tuple(names))
    size = max((int(np.shape(value)[0]) for value in p.values() if np.ndim(value)), default=1)
    table = np.empty((len(kernel.inputs), size))
    for filled, name in zip(table, kernel.inputs, strict=True):
        filled[:] = column(p, name)
    out = np.empty((len(kernel.names), len(years), size))
    kernel.run(table, np.asarray(years, dtype=float), out)
    return {name: values.T for name, values in zip(kernel.names, out, strict=True)}


def column(p: Mapping[str, Any], name: str) -> Any:
    """A parameter, or one of its entries: ``loss_shares[1]``."""
    if name in p:
        return p[name]
    whole, _, entry = name.removesuffix("]").partition("[")
    return p[whole][..., int(entry)]


def parameters_read(
    equations: Equations, known: Iterable[str], settings: tuple[Any, ...] = (), names: Sequence[str] | None = None
) -> set[str]:
    """The parameters, of those `known`, that some quantities are computed from.

    >>> from forecast.equations import trends
    >>> sorted(parameters_read(lambda year, p: {"world": trends.log10_world(year, p)}, ["world_compute_growth", "returns",
    ...     "log10_world_flop_per_second_2025", "price_performance_growth", "budget_growth", "slowdown_year"]))[-2:]
    ['slowdown_year', 'world_compute_growth']
    """
    graph, found = traced(equations, settings, tuple((name, int(name in SEVERAL)) for name in known))
    wanted = [graph.operand(found[name]) for name in (found if names is None else names)]
    return {name.partition("[")[0] for name in tracing.input_names(graph, tracing.needed(graph, wanted), YEAR)}


SEVERAL = frozenset({"loss_shares"})  # parameters with several entries per draw that a forecast reads


def traced(
    equations: Equations, settings: tuple[Any, ...], names: tuple[tuple[str, int], ...]
) -> tuple[Graph, Mapping[str, Any]]:
    """The equations as a graph, and the symbol of each quantity."""
    graph = Graph()
    p: Any = Parameters(graph, dict(names))
    return graph, equations(graph.symbol(YEAR), p, *settings)


@cache
def kernel_of(
    equations: Equations,
    settings: tuple[Any, ...],
    parameters: tuple[tuple[str, int], ...],
    names: tuple[str, ...] | None,
) -> Kernel:
    """The compiled loop of some quantities; seconds the first time."""
    graph, found = traced(equations, settings, parameters)
    chosen = tuple(found) if names is None else names
    source, inputs = kernel_source(graph, [graph.operand(found[name]) for name in chosen])
    return Kernel(compiled(source), inputs, chosen)


def kernel_source(graph: Graph, wanted: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """The loop as Python source, and the inputs in the order of its table.

    `held` keeps what the years of a group of draws share, `shown` a group's results until they are copied out: stores into
    two arrays at constant places are what the compiler turns into vector instructions.
    """
    moving = tracing.dependent(graph, [YEAR])
    by_year = [number for number in tracing.needed(graph, wanted) if number in moving]
    shared = {number for number in wanted if number not in moving}
    shared |= {part for number in by_year for part in tracing.operands(graph.nodes[number]) if part not in moving}
    place = {number: k for k, number in enumerate(sorted(shared)) if graph.nodes[number][0] != "constant"}
    by_draw = tracing.needed(graph, place)
    inputs = tuple(tracing.input_names(graph, by_draw, YEAR))

    def spoken(number: int) -> str:
        kind, *rest = graph.nodes[number]
        return f"({rest[0]!r})" if kind == "constant" else YEAR if rest == [YEAR] else f"v{number}"

    def kept(number: int) -> str:
        return f"held[{place[number] * LANES} + i]" if number in place else spoken(number)

    def lines(numbers: Sequence[int], operand: Callable[[int], str]) -> list[str]:
        found = []
        for number in numbers:
            kind, *rest = graph.nodes[number]
            if kind not in ("constant", "input"):
                found.append(f"v{number} = {expression(graph, kind, rest, [operand(part) for part in rest])}")
        return found

    read = [f"v{graph.known[('input', name)]} = table[{k}, first + i]" for k, name in enumerate(inputs)]
    once = [*read, *lines(by_draw, spoken), *(f"held[{k * LANES} + i] = v{number}" for number, k in place.items())]
    often = [*lines(by_year, kept), *(f"shown[{k * LANES} + i] = {kept(number)}" for k, number in enumerate(wanted))]
    return loop(once, often, len(shared), len(wanted)), inputs


def loop(once: Sequence[str], often: Sequence[str], held: int, shown: int) -> str:
    """Source of the loop over groups of draws: lines for every draw, then lines for every year and draw."""
    by_draw, by_year = "\n            ".join(once), "\n                ".join(often)
    return f"""
def kernel(table, years, out):
    held, shown = empty({max(held, 1) * LANES}), empty({shown * LANES})
    size = table.shape[1]
    for first in range(0, size, {LANES}):
        lanes = min({LANES}, size - first)
        for i in range(lanes):
            {by_draw}
        for k in range(years.size):
            year = years[k]
            for i in range(lanes):
                {by_year}
            for j in range({shown}):
                for i in range(lanes):
                    out[j, k, first + i] = shown[j * {LANES} + i]
"""


@cache
def compiled(source: str) -> Callable[..., None]:
    """The loop as machine code that leaves Python's lock free, no operation reordered or fused.

    Its functions are compiled once each and put in place by LLVM: numba's own inlining takes three times as long and as
    much memory, for the same code.
    """
    from numba import njit

    from forecast.dynamics import elementary

    once = njit(nogil=True, error_model="numpy")
    namespace: dict[str, Any] = {
        name: once(item.py_func) if hasattr(item, "py_func") else item for name, item in vars(elementary).items()
    }
    namespace |= {"sqrt": np.sqrt, "sign": np.sign, "empty": np.empty, "bitwise_or": once(lambda a, b: a | b)}
    namespace |= {"inf": np.inf, "nan": np.nan}
    exec(compile(source, "<traced series>", "exec"), namespace)  # made above from our own equations
    result: Callable[..., None] = once(namespace["kernel"])
    return result
