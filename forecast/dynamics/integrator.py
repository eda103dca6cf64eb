"""One draw's software path, many draws at once: RK4 in arc length, so that an explosion is a straight line.

The state is t (decimal years) and z = ln(S/(S_max - S)); ln S = ln S_max - softplus(-z). Along the arc s,
dt/ds = w = 1/(1 + z'/4) and dz/ds = z' w, z' being the growth of ln S without its ceiling factor: a blow-up takes as
many steps as any other stretch, and t converges to the blow-up time (MODEL section 5, numerics).
A flow may carry a memory (practice y) that it relaxes exactly from the start of the step.
``tests/dynamics/test_integrator.py`` holds this against closed forms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

Array = Any  # NumPy array over draws
ARC_YEARS = 4.0  # w = 1/(1 + z'/ARC_YEARS): steps shorten in time once z' exceeds this
FROZEN = 36.0  # beyond it S equals its ceiling to double precision
DEFAULT_STEP = 0.25
REGROUP_BELOW = 0.8  # finished draws are dropped in groups: picking the others out costs as much as a step


class Memory(NamedTuple):
    """Practice and what moves it at one moment: y, its target x, the rate of approach, the time."""

    practice: Array
    target: Array
    rate: Array
    time: Array


class Rates(NamedTuple):
    """What a flow returns: z' per year, the memory at this moment, a signal that events watch, ln speed-up."""

    z_rate: Array
    memory: Memory
    signal: Array
    log_speedup: Array


Flow = Callable[[Array, Array, Memory | None, Array], Rates]


@dataclass(frozen=True)
class Path:
    """Nodes of every draw's path; arrays are (node, draw), those of the memory too, `step` (interval, draw) in arc length."""

    time: Array
    z: Array
    time_slope: Array
    z_slope: Array
    step: Array
    signal: Array
    log_speedup: Array
    memory: Memory


def log_software(z: Array, log_ceiling: Array) -> Array:
    """ln S from z: ln S_max - softplus(-z)."""
    return log_ceiling - np.logaddexp(0.0, -z)


def z_of(log_s: Array, log_ceiling: Array) -> Array:
    """z from ln S; +inf at or above the ceiling."""
    gap = np.maximum(log_ceiling - log_s, 0.0)
    with np.errstate(divide="ignore"):
        return -np.log(np.expm1(gap))


def relax(before: Memory | None, target: Array, rate: Array, time: Array) -> Array:
    """Practice at `time`, following exactly a target that moves linearly from `before` at the mean rate."""
    if before is None:
        return target
    years = time - before.time
    mean = 0.5 * (rate + before.rate)
    passed = mean * years
    gone = -np.expm1(-passed)
    lag = np.where(passed > 1e-8, gone / np.maximum(passed, 1e-300), 1.0)
    return target - (target - before.target) * lag + (before.practice - before.target) * (1.0 - gone)


def integrate(
    flow: Flow, time: Array, z: Array, memory: Memory | None, end: Array, stop_signal: Array, step: float = DEFAULT_STEP
) -> AnyPath:
    """Integrate every draw until it passes `end` or its signal passes `stop_signal`.

    Parameters
    ----------
    flow : callable
        (time, z, memory at the step's start, index of the draws) -> Rates.
    time, z : (draw,)
        Start of each draw, decimal years and ln(S/(S_max - S)).
    memory : Memory or None
        Practice at the start; None lets the flow start in balance.
    end, stop_signal : (draw,)
        Where a draw stops; +inf for never.
    step : float
        Arc length of a step.

    Returns
    -------
    Path or what the flow makes of one
        A stopped draw goes on for a while or repeats its last node.
    """
    going = np.arange(time.size)
    rates = flow(time, z, memory, going)
    nodes = [snapshot(time, z, rates, step)]
    limit = (
        int(np.ceil((np.max(end - time, initial=0.0) + (FROZEN - np.min(z, initial=FROZEN)) / ARC_YEARS) / step)) + 2
    )
    if isinstance(flow, Marcher):
        return flow.path(nodes[0], end, stop_signal, step, limit)
    for _ in range(limit):
        last = nodes[-1]
        unfinished = np.flatnonzero((last.time < end) & (last.signal < stop_signal))
        if unfinished.size == 0 and len(nodes) > 1:  # a path has at least one interval, even if all stand at their end
            break
        if 0 < unfinished.size < REGROUP_BELOW * going.size:
            going = unfinished
        nodes.append(advance(flow, last, going, step))
    return assemble(nodes)


class Node(NamedTuple):
    """One node of all draws, with the arc length of the interval that led to it."""

    time: Array
    z: Array
    time_slope: Array
    z_slope: Array
    step: Array
    signal: Array
    log_speedup: Array
    memory: Memory


@runtime_checkable
class Marcher(Protocol):
    """A flow that integrates whole paths by itself, as `integrate` would."""

    def path(self, first: Node, end: Array, stop_signal: Array, step: float, limit: int) -> AnyPath:
        """The path from its first node on; at most `limit` intervals."""


@runtime_checkable
class Walked(Protocol):
    """A path that answers by itself what `events`, `paths` and `readouts` ask of one: read from where it was made.

    It has the columns of a `Path` too, put together when asked for.
    """

    def z_at_time(self, time: Array) -> Array:
        """`events.z_at_time`."""

    def time_of_level(self, level: Array) -> Array:
        """`events.time_of_level`."""

    def meeting(self, level: Array) -> tuple[Array, Array, Array, Memory]:
        """Whether, when, and in what state (z, practice) effective compute reaches a level, (draw,) each."""

    def best_years(
        self, after: Any, draws: Array, full: Array, ceiling: Array, window_end: float
    ) -> tuple[Array, Array]:
        """Largest gain of ln S in 12 months and largest ln speed-up, `draws` going on along `after` (or None)."""


AnyPath = Any  # a `Path` or one that is `Walked`


def snapshot(time: Array, z: Array, rates: Rates, step: Any) -> Node:
    """A node from the state and its rates."""
    slope, w = slopes(z, rates.z_rate)
    return Node(time, z, w, slope, np.broadcast_to(step, time.shape), rates.signal, rates.log_speedup, rates.memory)


def slopes(z: Array, z_rate: Array) -> tuple[Array, Array]:
    """dz/ds and dt/ds; a frozen draw only moves in time."""
    moving = np.where(z < FROZEN, np.maximum(z_rate, 0.0), 0.0)
    w = 1.0 / (1.0 + moving / ARC_YEARS)
    return moving * w, w


def advance(flow: Flow, last: Node, going: Array, step: float) -> Node:
    """One RK4 step of the draws that still go; the others repeat their node with a step of no length."""
    time, z = last.time[going], last.z[going]
    memory = Memory(*(field[going] for field in last.memory))
    slope, w = last.z_slope[going], last.time_slope[going]
    total_z, total_t = slope, w
    for length, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
        stage_time, stage_z = time + length * step * w, np.minimum(z + length * step * slope, FROZEN)
        slope, w = slopes(stage_z, flow(stage_time, stage_z, memory, going).z_rate)
        total_z, total_t = total_z + weight * slope, total_t + weight * w
    new_time = time + step / 6.0 * total_t
    new_z = np.minimum(z + step / 6.0 * total_z, FROZEN)
    fresh = snapshot(new_time, new_z, flow(new_time, new_z, memory, going), step)
    return merge(last, fresh, going)


def merge(last: Node, fresh: Node, going: Array) -> Node:
    """The last node with the going draws replaced."""
    if going.size == last.time.size:
        return fresh
    still = last._replace(step=np.zeros_like(last.step))
    memory = Memory(*(replaced(old, new, going) for old, new in zip(last.memory, fresh.memory, strict=True)))
    columns = {name: replaced(getattr(still, name), getattr(fresh, name), going) for name in Node._fields[:-1]}
    return Node(**columns, memory=memory)


def replaced(old: Array, new: Array, where: Array) -> Array:
    """A copy of `old` with the values at `where` replaced."""
    copy = np.array(old)
    copy[where] = new
    return copy


def assemble(nodes: list[Node]) -> Path:
    """Stack the nodes; the first node's step length does not belong to an interval."""
    columns = {name: np.stack([getattr(node, name) for node in nodes]) for name in Node._fields[:-1]}
    columns["step"] = columns["step"][1:]
    return Path(**columns, memory=Memory(*(np.stack(field) for field in zip(*(n.memory for n in nodes), strict=True))))
