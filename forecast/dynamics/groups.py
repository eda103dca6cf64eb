"""The compiled engine: paths of groups of draws in lock-step, kept as the integrator left them, and what is read off them.

A `CompiledFlow` integrates whole paths (`marching`), a `GroupedPath` answers what `events`, `paths` and `readouts` ask of
any path (`walking`), so that nodes are written once and read while they are near.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import NamedTuple

import numpy as np

from forecast.dynamics import tracing
from forecast.dynamics.compiled import LANES, Kernel, entries, inputs, kernel_for
from forecast.dynamics.flow import Draws, Present, research_flow
from forecast.dynamics.integrator import Array, Flow, Memory, Node, Rates

COLUMNS = ("time", "z", "time_slope", "z_slope", "log_speedup", "signal", "practice", "target", "rate")
TIME, Z = 0, 1


@dataclass(frozen=True, eq=False)
class CompiledFlow:
    """A flow whose whole paths are machine code; at a first moment, without a memory, it is `flow.research_flow`."""

    kernel: Kernel
    table: Array
    moment: Flow

    def __call__(self, time: Array, z: Array, before: Memory | None, draws: Array) -> Rates:
        """Rates of some draws at one moment each."""
        if before is None:
            return self.moment(time, z, before, draws)
        node = np.stack([getattr(before, name) if name in Memory._fields else time for name in COLUMNS])
        place = lanes_of(draws.size)
        out = np.empty((place.size // LANES, 6 * LANES))
        self.kernel.code.rates_at(
            self.table, draws[place], in_groups(np.stack([time, z]), place), in_groups(node, place), out
        )
        laid = out.reshape(-1, 6, LANES).swapaxes(0, 1).reshape(6, -1)
        rate, practice, target, speed, log_speedup, signal = laid[:, : time.size]
        return Rates(rate, Memory(practice, target, speed, time), signal, log_speedup)

    def path(self, first: Node, end: Array, stop_signal: Array, step: float, limit: int) -> GroupedPath:
        """The path from its first node on: what `integrate` does, draws with a like way to go sharing a group."""
        way = np.where(np.isfinite(stop_signal), stop_signal - first.signal, end - first.time)
        order = np.argsort(-way, kind="stable")
        place = order[lanes_of(order.size)]
        start = np.stack([getattr(first if hasattr(first, name) else first.memory, name) for name in COLUMNS])
        groups, width = place.size // LANES, len(COLUMNS) * LANES
        kept, used = np.empty(groups * (limit + 1) * width), np.empty(groups, dtype=np.intp)
        limits = (np.ascontiguousarray(np.broadcast_to(x, order.shape), dtype=float) for x in (end, stop_signal))
        room = np.empty((limit + 1, width))
        self.kernel.code.march(self.table, place, in_groups(start, place), *limits, step, room, kept, used)
        starts, position = np.cumsum(used * width) - used * width, np.empty(order.size, dtype=np.intp)
        position[order] = np.arange(order.size)
        return GroupedPath(self, Nodes(kept, starts, used, position), place, step)


class Nodes(NamedTuple):
    """Nodes of every draw's path as `walking` reads them: ``position`` is the lane of each draw, group after group."""

    kept: Array
    starts: Array
    used: Array
    position: Array

    def at(self, column: int, node: Array) -> Array:
        """One column of each draw, at a node (draw,) or (node, draw); its last one where it has fewer."""
        group, lane = np.divmod(self.position, LANES)
        used = self.used[group]
        place = self.starts[group] + (lane * len(COLUMNS) + column) * used + np.minimum(node, used - 1)
        result: Array = self.kept[place]
        return result


@dataclass(frozen=True, eq=False)
class GroupedPath:
    """The path of every draw of a flow; ``place`` is the draw in each lane, `step` the arc length of every interval."""

    flow: CompiledFlow
    nodes: Nodes
    place: Array
    step: float

    def z_at_time(self, time: Array) -> Array:
        """`events.z_at_time`: z at decimal years (draw,) or (query, draw)."""
        return self.crossed(TIME, time, Z)

    def time_of_level(self, level: Array) -> Array:
        """`events.time_of_level`: decimal year at which z reaches `level`; +inf where it never does."""
        return self.crossed(Z, level, TIME)

    def crossed(self, of: int, level: Array, wanted: int) -> Array:
        """One column where another reaches a level, (draw,) or (query, draw)."""
        size = self.nodes.position.size
        shape = np.broadcast_shapes(np.shape(level), (size,))
        levels = np.array(np.broadcast_to(level, shape), dtype=float).reshape(-1, size)
        out = np.empty(levels.shape)
        walks().cross(*self.nodes, of, levels, wanted, self.step, out)
        return out.reshape(shape)

    def meeting(self, level: Array) -> tuple[Array, Array, Array, Memory]:
        """Where effective compute reaches `level` (draw,): whether, when, z there, and practice at the node before."""
        kept, starts, used, position = self.nodes
        reached, out = np.empty(position.size, dtype=bool), np.empty((6, position.size))
        goal = np.array(level, dtype=float)
        self.flow.kernel.code.meet(self.flow.table, self.place, kept, starts, used, goal, self.step, reached, out)
        return reached, out[0], out[1], Memory(*out[2:])

    def best_years(
        self, after: GroupedPath | None, draws: Array, full: Array, ceiling: Array, window_end: float
    ) -> tuple[Array, Array]:
        """Largest gain of ln S in 12 months and largest ln speed-up; some `draws` go on along a path `after` this one."""
        size = self.nodes.position.size
        later, gain, peak = np.full(size, -1, dtype=np.intp), np.empty(size), np.empty(size)
        if after is not None:
            later[draws] = after.nodes.position
        second = (self if after is None else after).nodes._replace(position=later)
        columns = (np.array(np.broadcast_to(x, size), dtype=float) for x in (full, ceiling))
        walks().best_years(*self.nodes, *second, *columns, window_end, gain, peak)
        return gain, peak

    def __getattr__(self, name: str) -> Array:
        """A column of all nodes as other paths have it, (node, draw)."""
        if name not in COLUMNS:
            raise AttributeError(name)
        return self.nodes.at(COLUMNS.index(name), np.arange(self.nodes.used.max())[:, None])


def compiled_flow(p: Draws, present: Present, turn: Mapping[str, Array]) -> CompiledFlow:
    """`flow.research_flow`, compiled: the same arguments, the same rates within rounding."""
    size = present.log10_fleet.size
    names = entries(p)
    kernel = kernel_for(names, tuple(turn))
    values = tracing.evaluated(kernel.graph, kernel.constants, inputs(p, present, turn))
    table = np.empty((len(kernel.constants), size))
    for row, number in zip(table, kernel.constants, strict=True):
        row[:] = values[number]
    return CompiledFlow(kernel, table, research_flow(p, present, turn))


def lanes_of(size: int) -> Array:
    """Indices of so many draws, the last one repeated until its group is full."""
    return np.minimum(np.arange(-(-size // LANES) * LANES), size - 1)


def in_groups(rows: Array, place: Array) -> Array:
    """Values of all draws (row, draw) as (group, row x lane), the draws as they are placed."""
    laid = rows[:, place].reshape(len(rows), -1, LANES).swapaxes(0, 1)
    return np.ascontiguousarray(laid).reshape(-1, len(rows) * LANES)


@cache
def walks() -> ModuleType:
    """The compiled read-outs of `walking`."""
    from forecast.dynamics import elementary, walking
    from forecast.dynamics.machine import machine_code, source_of

    return machine_code(source_of(elementary) + "\n\n" + source_of(walking, "plain"))
