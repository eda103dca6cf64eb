"""The integrator's loop as machine code: every group of draws from its first node to its end, without Python between.

The steps are those of `integrator.advance`; ``tests/dynamics/test_compiled.py`` holds every read-out of both equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from forecast.dynamics.compiled import LANES
from forecast.dynamics.integrator import ARC_YEARS, FROZEN

COLUMNS = ("time", "z", "time_slope", "z_slope", "signal", "log_speedup", "practice", "target", "rate")
TIME, Z, TIME_SLOPE, Z_SLOPE, SIGNAL = range(5)
STAGE_LENGTH = (0.5, 0.5, 1.0, 0.0)
STAGE_WEIGHT = (1.0, 2.0, 2.0, 1.0)


@njit(nogil=True, error_model="numpy")
def march(
    kernel: Any,
    tables: Any,
    order: Any,
    groups: Any,
    nodes: Any,
    steps: Any,
    used: Any,
    end: Any,
    stop_signal: Any,
    step: float,
) -> None:
    """Fill `nodes` (column, node, draw) and `steps` (interval, draw) of some groups from their first nodes.

    Parameters
    ----------
    kernel : compiled rates of one group
    tables : (group, constant x lane), what they need of each draw
    order : (draw,), the draw in each lane, groups one after the other
    groups : (any,), which groups to fill
    used : (group,), the number of nodes that each came to
    end, stop_signal : (draw,), where a draw stops; a group goes on until all of its draws have
    """
    state, total = np.empty((9, LANES)), np.empty((2, LANES))
    moment, out = np.empty((2, LANES)), np.empty((6, LANES))
    for group in groups:
        first = group * LANES
        lanes = order[first : first + LANES]
        table = tables[group : group + 1]
        for k in range(9):
            for i in range(lanes.size):
                state[k, i] = nodes[k, 0, lanes[i]]
        node = 0
        while node + 1 < nodes.shape[1]:
            going = node == 0  # a path has at least one interval, even if all stand at their end
            for i in range(lanes.size):
                going |= (state[TIME, i] < end[lanes[i]]) & (state[SIGNAL, i] < stop_signal[lanes[i]])
            if not going:
                break
            advance(kernel, table, state, total, moment, out, lanes.size, step)
            node += 1
            for k in range(9):
                for i in range(lanes.size):
                    nodes[k, node, lanes[i]] = state[k, i]
            for i in range(lanes.size):
                steps[node - 1, lanes[i]] = step
        used[group] = node + 1


@njit(nogil=True, error_model="numpy")
def advance(kernel: Any, table: Any, state: Any, total: Any, moment: Any, out: Any, size: int, step: float) -> None:
    """One RK4 step of a group in place: three more stages from the slopes at hand, then the rates at the new node."""
    time, z, w, slope = moment[0, :size], moment[1, :size], state[TIME_SLOPE], state[Z_SLOPE]
    before = state[TIME, :size].copy()
    for i in range(size):
        total[0, i] = 0.0
        total[1, i] = 0.0
    for stage in range(4):
        length, weight = STAGE_LENGTH[stage] * step, STAGE_WEIGHT[stage]
        for i in range(size):
            total[0, i] += weight * w[i]
            total[1, i] += weight * slope[i]
            if stage < 3:
                time[i] = before[i] + length * w[i]
                z[i] = min(state[Z, i] + length * slope[i], FROZEN)
            else:
                time[i] = before[i] + step / 6.0 * total[0, i]
                z[i] = min(state[Z, i] + step / 6.0 * total[1, i], FROZEN)
        kernel(
            table, time, z, state[6, :size], state[7, :size], state[8, :size], before,
            out[0, :size], out[1, :size], out[2, :size], out[3, :size], out[4, :size], out[5, :size],
        )  # fmt: skip
        for i in range(size):
            moving = max(out[0, i], 0.0) if z[i] < FROZEN else 0.0
            w[i] = 1.0 / (1.0 + moving / ARC_YEARS)
            slope[i] = moving * w[i]
    for i in range(size):
        state[TIME, i], state[Z, i] = time[i], z[i]
        state[SIGNAL, i], state[5, i] = out[4, i], out[5, i]
        state[6, i], state[7, i], state[8, i] = out[1, i], out[2, i], out[3, i]


@njit(nogil=True, error_model="numpy")
def repeat_last(order: Any, groups: Any, nodes: Any, steps: Any, used: Any) -> None:
    """Groups that ended early repeat their last node, with steps of no length, up to the longest."""
    longest = used.max()
    for group in groups:
        for draw in order[group * LANES : group * LANES + LANES]:
            for node in range(used[group], longest):
                steps[node - 1, draw] = 0.0
                for k in range(9):
                    nodes[k, node, draw] = nodes[k, used[group] - 1, draw]
