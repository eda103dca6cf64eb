"""The take-off's paths on JAX: the integrator's own step, traced and compiled for the device, many draws in lock-step.

`integrator.advance` over `flow.rates` is traced once (`tracing`), so there is no second copy of an equation, nor of the
Runge-Kutta step. What depends on the draw alone is computed once per stretch of nodes; draws that are done stand still.
Read-outs stay NumPy's: the paths come back to the host as the NumPy engine's.
``tests/dynamics/test_on_jax.py`` holds it against the NumPy flow on JAX's CPU backend, rates within 1e-9 and read-outs
within 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np

from forecast.dynamics import tracing
from forecast.dynamics.compiled import FIXED, Parameters, entries, inputs
from forecast.dynamics.flow import Draws, Present, rates, research_flow
from forecast.dynamics.integrator import Array, Flow, Memory, Node, Path, Rates, advance
from forecast.dynamics.jax_graph import double_precision, evaluated, library, on_device, room_for
from forecast.dynamics.tracing import Graph
from forecast.equations.takeoff import Milestones

COLUMNS = ("time", "z", "time_slope", "z_slope", "signal", "log_speedup", "practice", "target", "rate")
TIME, SIGNAL = COLUMNS.index("time"), COLUMNS.index("signal")
STRETCH = 32  # nodes that are marched before the host looks again: what is compiled knows no length of a path
ONE = np.zeros(1, dtype=np.intp)  # "all of the draws", of which a symbol stands for one


class Step(NamedTuple):
    """One step of the integrator as a graph, and the nodes that are the new state, in the order of `COLUMNS`."""

    graph: Graph
    wanted: tuple[int, ...]
    fixed: tuple[int, ...]  # nodes that stay as they are along a path
    body: tuple[int, ...]  # nodes that move
    inputs: tuple[str, ...]  # what it needs of each draw


@dataclass(frozen=True, eq=False)
class JaxFlow:
    """A flow whose whole paths are marched by JAX; called at single moments it is `flow.research_flow`."""

    march: Callable[..., Any]
    table: Array
    moment: Flow

    def __call__(self, time: Array, z: Array, before: Memory | None, draws: Array) -> Rates:
        """Rates of some draws at one moment each, by NumPy."""
        return self.moment(time, z, before, draws)

    def path(self, first: Node, end: Array, stop_signal: Array, step: float, limit: int) -> Path:
        """The path from its first node on: what `integrate` does, a group of draws with a like way to go at a time."""
        size = first.time.size
        nodes, steps = np.empty((len(COLUMNS), limit + 1, size)), np.zeros((limit, size))
        nodes[:, 0] = [getattr(first if hasattr(first, name) else first.memory, name) for name in COLUMNS]
        way = np.where(np.isfinite(stop_signal), stop_signal - first.signal, end - first.time)
        order, room = np.argsort(-way, kind="stable"), room_for(size, library().default_backend())
        groups = [order[start : start + room] for start in range(0, size, room)]
        stops = np.stack([end, stop_signal])
        used = [self.fill(nodes, steps, stops, draws, room, step) for draws in groups]
        for draws, last in zip(groups, used, strict=True):
            nodes[:, last + 1 : max(used) + 1, draws] = nodes[:, last : last + 1, draws]
        found = {name: column[: max(used) + 1] for name, column in zip(COLUMNS, nodes, strict=True)}
        memory = Memory(found.pop("practice"), found.pop("target"), found.pop("rate"), found["time"])
        return Path(**found, step=steps[: max(used)], memory=memory)

    def fill(self, nodes: Array, steps: Array, stops: Array, draws: Array, room: int, step: float) -> int:
        """Fill in the path of some draws after its first node, stretch by stretch; the number of its intervals."""
        done, going, limit, size = 0, True, len(steps), draws.size
        with double_precision():
            table, state, ends = (on_device(rows[:, draws], size, room) for rows in (self.table, nodes[:, 0], stops))
            while going and done < limit:
                state, fresh, lengths, made, going = self.march(table, state, ends, step, done, limit)
                rows = slice(done, done + int(made))
                steps[rows, draws] = np.asarray(lengths)[: int(made), :size]
                for column, values in zip(nodes[:, 1:], fresh, strict=True):
                    column[rows, draws] = np.asarray(values)[: int(made), :size]
                done = rows.stop
        return done


def jax_flow(p: Draws, present: Present, turn: Mapping[str, Array]) -> JaxFlow:
    """`flow.research_flow` on JAX: the same arguments, the same paths within rounding.

    Raises
    ------
    InputError
        If JAX is not installed.
    """
    library()
    names, turned = entries(p), tuple(turn)
    values, shape = inputs(p, present, turn), present.log10_fleet.shape
    table = np.stack([np.broadcast_to(values[name], shape) for name in step_for(names, turned).inputs])
    return JaxFlow(march_for(names, turned), table, research_flow(p, present, turn))


@cache
def step_for(names: tuple[tuple[str, int], ...], turned: tuple[str, ...]) -> Step:
    """`integrator.advance` over `flow.rates` as a graph, for draws with these parameters (1: several entries)."""
    graph = Graph()
    now, full, twenty, fleet, labour = (graph.symbol(f"then.{name}") for name in FIXED)
    then, p = Present(Milestones(now, full, twenty), fleet, labour), cast(Draws, Parameters(graph, dict(names)))
    turn = {name: graph.symbol(name) for name in turned}
    state: dict[str, Any] = {name: graph.symbol(f"moving.{name}") for name in COLUMNS}
    practice, target, rate = (state.pop(name) for name in ("practice", "target", "rate"))
    memory = Memory(practice, target, rate, state["time"])
    length: Any = graph.symbol("step")

    def flow(time: Array, z: Array, before: Memory | None, draws: Array) -> Rates:
        return rates(time, z, before, p, then, turn)

    fresh = advance(flow, Node(**state, step=length, memory=memory), ONE, length)
    wanted = [getattr(fresh if hasattr(fresh, name) else fresh.memory, name).number for name in COLUMNS]
    moving, order = tracing.dependent(graph, [f"moving.{name}" for name in COLUMNS]), tracing.needed(graph, wanted)
    fixed, body = (tuple(number for number in order if (number in moving) == which) for which in (False, True))
    names_needed = tuple(tracing.input_names(graph, fixed, "step"))
    return Step(graph, tuple(wanted), fixed, body, names_needed)


@cache
def march_for(names: tuple[tuple[str, int], ...], turned: tuple[str, ...]) -> Callable[..., Any]:
    """`STRETCH` steps of all draws, or fewer where none needs more; compiled once for each number of draws (`room_for`).

    It takes what stays along a path (input, draw), the state (`COLUMNS`, draw), where draws stop (end and signal, draw),
    the step's length, how many steps were made before and how many there may be; it returns the new state, the nodes, the
    length of their steps, how many they are, and whether any draw goes on.
    """
    jax, traced = library(), step_for(names, turned)
    xp = jax.numpy

    def march(table: Any, state: Any, stops: Any, step: Any, done: Any, limit: Any) -> Any:
        constants = dict(zip(traced.inputs, table, strict=True)) | {"step": step}
        known = evaluated(traced.graph, traced.fixed, {}, constants)

        def unfinished(columns: Any, made: Any) -> Any:
            first = done + made == 0  # a path has at least one interval, even if all stand at their end
            return first | ((columns[TIME] < stops[0]) & (columns[SIGNAL] < stops[1]))

        def more(carried: Any) -> Any:
            made, columns, *_ = carried
            return (made < STRETCH) & (done + made < limit) & xp.any(unfinished(columns, made))

        def advanced(carried: Any) -> Any:
            made, columns, nodes, steps = carried
            going = unfinished(columns, made)
            moving = {f"moving.{name}": column for name, column in zip(COLUMNS, columns, strict=True)}
            fresh = evaluated(traced.graph, traced.body, known, moving)
            new = tuple(xp.where(going, fresh[which], old) for which, old in zip(traced.wanted, columns, strict=True))
            nodes = tuple(row.at[made].set(column) for row, column in zip(nodes, new, strict=True))
            return made + 1, new, nodes, steps.at[made].set(xp.where(going, step, 0.0))

        empty = xp.zeros((STRETCH, table.shape[1]))
        start = (0, tuple(state), (empty,) * len(COLUMNS), empty)
        made, last, nodes, steps = jax.lax.while_loop(more, advanced, start)
        return xp.stack(last), nodes, steps, made, xp.any(unfinished(last, made))

    compiled: Callable[..., Any] = jax.jit(march)
    return compiled
