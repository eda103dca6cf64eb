"""The take-off's flow as machine code: the same equations, traced and compiled, eight draws to an instruction.

`flow.rates` is traced once (`tracing`); what depends on the draw alone is computed once per draw by NumPy, and the rest
becomes one loop of plain arithmetic that numba compiles. There is no second copy of an equation.
``tests/dynamics/test_compiled.py`` holds it against the NumPy flow, rates and read-outs, within 1e-12.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from forecast.dynamics import tracing
from forecast.dynamics.flow import Draws, Present, rates, research_flow
from forecast.dynamics.integrator import Array, Flow, Memory, Node, Path, Rates
from forecast.dynamics.tracing import Graph, Symbol
from forecast.equations.takeoff import Milestones

LANES = 64  # draws in lock-step: their share of the constants stays in the nearest cache
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
MOVING = ("time", "z", "practice", "target", "rate", "before")  # what changes from step to step
FIXED = ("now", "full", "twenty", "fleet", "labour")  # `Present`, per draw
INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "less": "<", "less_equal": "<=", "greater": ">"}
INFIX |= {"greater_equal": ">=", "equal": "=="}


class Kernel(NamedTuple):
    """Compiled loop, and how its per-draw constants follow from the parameters."""

    run: Callable[..., None]
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


@dataclass(frozen=True, eq=False)
class CompiledFlow:
    """A flow whose whole paths are machine code; called at single moments it is `flow.research_flow`."""

    kernel: Kernel
    table: Array
    moment: Flow

    def __call__(self, time: Array, z: Array, before: Memory | None, draws: Array) -> Rates:
        """Rates of some draws at one moment each."""
        if before is None:  # the first node of a path
            return self.moment(time, z, before, draws)
        out = np.empty((6, time.size))
        moving = (np.ascontiguousarray(x) for x in (time, z, *before))
        self.kernel.run(in_lanes(self.table[:, draws]), *moving, *out)
        return Rates(out[0], Memory(out[1], out[2], out[3], time), out[4], out[5])

    def path(self, first: Node, end: Array, stop_signal: Array, step: float, limit: int) -> Path:
        """The path from its first node on: what `integrate` does without Python between the steps.

        Draws with a like way to go share a group, and groups share the cores.
        """
        from forecast.dynamics.marching import COLUMNS, march, repeat_last

        size = first.time.size
        way = np.where(np.isfinite(stop_signal), stop_signal - first.signal, end - first.time)
        order = np.argsort(-way, kind="stable")
        tables = in_lanes(self.table[:, order])
        nodes, steps = np.empty((len(COLUMNS), limit + 1, size)), np.empty((limit, size))
        for column, name in zip(nodes, COLUMNS, strict=True):
            column[0] = getattr(first if hasattr(first, name) else first.memory, name)
        used = np.zeros(len(tables), dtype=np.intp)
        shares = [np.arange(len(tables))[k::CORES] for k in range(min(CORES, len(tables)))]
        shared(
            lambda mine: march(self.kernel.run, tables, order, mine, nodes, steps, used, end, stop_signal, step), shares
        )
        shared(lambda mine: repeat_last(order, mine, nodes, steps, used), shares)
        longest = int(used.max())
        found = {name: column[:longest] for name, column in zip(COLUMNS, nodes, strict=True)}
        memory = Memory(found.pop("practice"), found.pop("target"), found.pop("rate"), found["time"])
        return Path(**found, step=steps[: longest - 1], memory=memory)


def shared(work: Callable[[Array], None], shares: list[Array]) -> None:
    """Each share in a thread of its own: compiled loops leave Python's lock free."""
    if len(shares) == 1:
        work(shares[0])
        return
    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(work, shares))


def compiled_flow(p: Draws, present: Present, turn: Mapping[str, Array]) -> CompiledFlow:
    """`flow.research_flow`, compiled: the same arguments, the same rates within rounding."""
    size = present.log10_fleet.size
    names = tuple((name, int(np.ndim(value) > 1)) for name, value in p.items())
    kernel = kernel_for(names, tuple(turn))
    values = tracing.evaluated(kernel.graph, kernel.constants, inputs(p, present, turn))
    table = np.stack([np.broadcast_to(values[number], (size,)) for number in kernel.constants])
    return CompiledFlow(kernel, table, research_flow(p, present, turn))


def inputs(p: Draws, present: Present, turn: Mapping[str, Array]) -> dict[str, Any]:
    """Values of the symbols that stay as they are along a path."""
    values: dict[str, Any] = {name: value for name, value in p.items() if np.ndim(value) < 2}
    for name, value in p.items():
        if np.ndim(value) > 1:
            values |= {f"{name}[{k}]": value[..., k] for k in range(value.shape[-1])}
    then = (*present.milestones, present.log10_fleet, present.log_labour)
    return values | {f"then.{name}": value for name, value in zip(FIXED, then, strict=True)} | dict(turn)


def in_lanes(table: Array) -> Array:
    """Constants (constant, draw) as (group of draws, constant x lane), the last group padded with its last draw."""
    rows, size = table.shape
    groups = -(-size // LANES)
    padded = np.concatenate([table, np.repeat(table[:, -1:], groups * LANES - size, axis=1)], axis=1)
    return np.ascontiguousarray(padded.reshape(rows, groups, LANES).transpose(1, 0, 2)).reshape(groups, rows * LANES)


@cache
def kernel_for(names: tuple[tuple[str, int], ...], turned: tuple[str, ...]) -> Kernel:
    """The kernel for draws with these parameters (1: several entries) and a compute course that turns."""
    graph, found = traced(dict(names), turned)
    wanted = [symbol.number for symbol in (found.z_rate, *found.memory[:3], found.signal, found.log_speedup)]
    source, constants = kernel_source(graph, wanted)
    return Kernel(compiled(source), graph, constants)


def traced(names: Mapping[str, int], turned: tuple[str, ...]) -> tuple[Graph, Rates]:
    """`flow.rates` as a graph."""
    graph = Graph()
    moving = [graph.symbol(f"moving.{name}") for name in MOVING]
    now, full, twenty, fleet, labour = (graph.symbol(f"then.{name}") for name in FIXED)
    then = Present(Milestones(now, full, twenty), fleet, labour)
    turn = {name: graph.symbol(name) for name in turned}
    p: Any = Parameters(graph, names)
    return graph, rates(moving[0], moving[1], Memory(*moving[2:]), p, then, turn)


def kernel_source(graph: Graph, wanted: list[int]) -> tuple[str, tuple[int, ...]]:
    """The loop as Python source, and the nodes that are constant along a path, in the order of its table."""
    moving = tracing.dependent(graph, [f"moving.{name}" for name in MOVING])
    body = [
        number for number in tracing.needed(graph, wanted) if number in moving and graph.nodes[number][0] != "input"
    ]
    lines, columns = [], dict[int, int]()

    def constant(number: int) -> str:
        return f"fixed[{columns.setdefault(number, len(columns)) * LANES} + i]"

    def spoken(number: int) -> str:
        name, *rest = graph.nodes[number]
        if name == "constant":
            return f"({rest[0]!r})"
        return f"v{number}" if number in moving else constant(number)

    for number in body:
        name, *rest = graph.nodes[number]
        if name == "divide" and rest[1] not in moving:  # a division costs ten multiplications
            name, rest = "multiply", [rest[0], reciprocal(graph, rest[1])]
        lines.append(f"v{number} = {expression(graph, name, rest, [spoken(operand) for operand in rest])}")
    inputs = [f"v{graph.known[('input', f'moving.{name}')]} = {name}[first + i]" for name in MOVING]
    outputs = [f"out{k}[first + i] = v{number}" for k, number in enumerate(wanted)]
    inner = "\n            ".join([*inputs, *lines, *outputs])
    arguments = ", ".join(["table", *MOVING, *(f"out{k}" for k in range(len(wanted)))])
    text = f"""
def kernel({arguments}):
    for group in range(table.shape[0]):
        fixed = table[group]
        first = group * {LANES}
        for i in range(min({LANES}, time.size - first)):
            {inner}
"""
    return text, tuple(columns)


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


@cache
def compiled(source: str) -> Callable[..., None]:
    """The loop as machine code that leaves Python's lock free. Sums may fuse with products; nothing else is reordered."""
    from numba import njit

    from forecast.dynamics import elementary

    namespace: dict[str, Any] = {**vars(elementary), "sqrt": np.sqrt}
    exec(compile(source, "<traced take-off>", "exec"), namespace)  # made above from our own equations
    result: Callable[..., None] = njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})(
        namespace["kernel"]
    )
    return result
