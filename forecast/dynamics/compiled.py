"""The take-off's equations as source of a loop over draws: traced, and what depends on the draw alone taken out.

`flow.rates` is traced once (`tracing`); what depends on the draw alone is computed once per draw by NumPy, and the rest
becomes one loop of plain arithmetic, eight draws to an instruction, that `machine` compiles together with the integrator
(`marching`). There is no second copy of an equation.
``tests/dynamics/test_compiled.py`` holds it against the NumPy flow, rates and read-outs, within 1e-12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from forecast.dynamics import tracing
from forecast.dynamics.flow import Draws, Present, rates
from forecast.dynamics.integrator import Array, Memory, Rates
from forecast.dynamics.tracing import Graph, Symbol
from forecast.equations.takeoff import Milestones

LANES = 64  # draws in lock-step: enough for a loop of vector instructions, and their nodes stay in the cache
MOVING = {  # what changes from step to step, and where the integrator (`marching`) has it
    "time": "moving[i]",
    "z": f"moving[{LANES} + i]",
    "practice": f"before[{6 * LANES} + i]",
    "target": f"before[{7 * LANES} + i]",
    "rate": f"before[{8 * LANES} + i]",
    "before": "before[i]",
}
FIXED = ("now", "full", "twenty", "fleet", "labour")  # `Present`, per draw
INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "less": "<", "less_equal": "<=", "greater": ">"}
INFIX |= {"greater_equal": ">=", "equal": "=="}
BOUNDED = {"minimum": "capped", "maximum": "floored"}  # by what is no NaN


class Kernel(NamedTuple):
    """Compiled integrator of the traced equations, and how its per-draw constants follow from the parameters."""

    code: ModuleType
    graph: Graph
    constants: tuple[int, ...]


class Parameters(Mapping[str, Any]):
    """Parameters that become symbols when an equation asks for them; which there are is known beforehand."""

    def __init__(self, graph: Graph, names: Mapping[str, int]):
        self.graph, self.names = graph, names

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        return Columns(self.graph, name) if self.names[name] else self.graph.symbol(name)

    def __iter__(self) -> Any:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Columns(NamedTuple):
    """A parameter with several entries per draw, of which an equation asks for one: ``shares[..., 1]``."""

    graph: Graph
    name: str

    def __getitem__(self, key: Any) -> Symbol:  # type: ignore[override]
        return self.graph.symbol(f"{self.name}[{key[-1]}]")


def entries(p: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Names of the parameters, each with 1 where it has several entries per draw."""
    return tuple((name, int(np.ndim(value) > 1)) for name, value in p.items())


def inputs(p: Draws, present: Present, turn: Mapping[str, Array]) -> dict[str, Any]:
    """Values of the symbols that stay as they are along a path."""
    values: dict[str, Any] = {name: value for name, value in p.items() if np.ndim(value) < 2}
    for name, value in p.items():
        if np.ndim(value) > 1:
            values |= {f"{name}[{k}]": value[..., k] for k in range(value.shape[-1])}
    then = (*present.milestones, present.log10_fleet, present.log_labour)
    return values | {f"then.{name}": value for name, value in zip(FIXED, then, strict=True)} | dict(turn)


@cache
def kernel_for(names: tuple[tuple[str, int], ...], turned: tuple[str, ...]) -> Kernel:
    """The kernel for draws with these parameters (1: several entries) and a compute course that turns."""
    from forecast.dynamics.machine import machine_code

    graph, found = traced(dict(names), turned)
    source, constants = integrator_source(graph, found)
    return Kernel(machine_code(source), graph, constants)


def integrator_source(graph: Graph, found: Rates) -> tuple[str, tuple[int, ...]]:
    """The compiled integrator of some traced rates as source, and the nodes that are constant along a path."""
    from forecast.dynamics import elementary, marching, walking
    from forecast.dynamics.machine import source_of

    columns: dict[int, int] = {}
    outputs = (found.z_rate, *found.memory[:3], found.log_speedup, found.signal)
    rates_loop = kernel_source(graph, "kernel", [symbol.number for symbol in outputs], columns)
    signal_loop = kernel_source(graph, "signal", [found.signal.number], columns)
    written = (
        source_of(elementary),
        source_of(walking, "plain"),
        source_of(marching, "plain"),
        rates_loop,
        signal_loop,
    )
    return "\n\n".join(written), tuple(columns)


def traced(names: Mapping[str, int], turned: tuple[str, ...]) -> tuple[Graph, Rates]:
    """`flow.rates` as a graph."""
    graph = Graph()
    moving = [graph.symbol(f"moving.{name}") for name in MOVING]
    now, full, twenty, fleet, labour = (graph.symbol(f"then.{name}") for name in FIXED)
    then = Present(Milestones(now, full, twenty), fleet, labour)
    turn = {name: graph.symbol(name) for name in turned}
    p: Any = Parameters(graph, names)
    return graph, rates(moving[0], moving[1], Memory(*moving[2:]), p, then, turn)


def kernel_source(graph: Graph, name: str, wanted: Sequence[int], columns: dict[int, int]) -> str:
    """A loop over a group of draws as source: `marching.kernel` or `marching.signal`.

    `columns` are the nodes that are constant along a path, and their rows in the table of constants; new ones are added.
    """
    moving = tracing.dependent(graph, [f"moving.{name}" for name in MOVING])
    body = [number for number in tracing.needed(graph, wanted) if number in moving]
    lines = []

    def spoken(number: int) -> str:
        kind, *rest = graph.nodes[number]
        if kind == "constant":
            return f"({rest[0]!r})"
        return f"v{number}" if number in moving else f"fixed[{columns.setdefault(number, len(columns)) * LANES} + i]"

    for number in body:
        kind, *rest = graph.nodes[number]
        if kind == "input":
            lines.append(f"v{number} = {MOVING[rest[0].removeprefix('moving.')]}")
            continue
        if kind == "divide" and rest[1] not in moving:  # a division costs ten multiplications
            kind, rest = "multiply", [rest[0], reciprocal(graph, rest[1])]
        if kind in BOUNDED and not moving.issuperset(rest):
            kind, rest = BOUNDED[kind], sorted(rest, key=lambda operand: operand not in moving)
        lines.append(f"v{number} = {expression(graph, kind, rest, [spoken(operand) for operand in rest])}")
    lines += [f"out[{k * LANES} + i] = {spoken(number)}" for k, number in enumerate(wanted)]
    arguments = "fixed, moving, before, out" if name == "kernel" else "fixed, moving, out"
    inner = "\n        ".join(lines)
    return f"@fused\ndef {name}({arguments}):\n    for i in range({LANES}):\n        {inner}\n"


def reciprocal(graph: Graph, number: int) -> int:
    """Number of the node that is one over another; of a plain number it is one too."""
    kind, *value = graph.nodes[number]
    if kind == "constant":
        return graph.operand(1.0 / value[0])
    return graph.apply("divide", 1.0, Symbol(graph, number)).number


def expression(graph: Graph, name: str, numbers: list[int], spoken: list[str]) -> str:
    """One operation as source."""
    if name in INFIX:
        return f" {INFIX[name]} ".join(spoken)
    if name == "where":
        return f"{spoken[1]} if {spoken[0]} else {spoken[2]}"
    if name == "negative":
        return f"-{spoken[0]}"
    if name == "power" and graph.nodes[numbers[1]] == ("constant", 2.0):
        return f"{spoken[0]} * {spoken[0]}"
    return f"{'abs' if name == 'absolute' else name}({', '.join(spoken)})"
