"""The compiled integrator: every group of draws from its first node to its end, and where their paths cross a level.

Plain functions over arrays that `machine` compiles together with the traced equations, which take the places of `kernel`
and `signal`; nothing calls them as they stand here. The steps are those of `integrator.advance`, the crossings those of
`paths.crossing`; ``tests/dynamics/test_compiled.py`` holds every read-out of both equal.

A group is `LANES` draws in lock-step; ``place`` holds the draw in each lane, group after group, the last one repeated to
fill its group. While a group marches its nodes are (node, column x lane): what a loop over lanes stores stands at constant
distances in few arrays, or the compiler does not make it vector instructions. Then they are kept as `walking` reads them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.dynamics.compiled import LANES
from forecast.dynamics.integrator import ARC_YEARS, FROZEN
from forecast.dynamics.paths import ROOT_OOM, ROOT_STEPS
from forecast.dynamics.walking import COLUMNS, SIGNAL, SPEED, TIME, TIME_SLOPE, begins, cubic

__all__ = ["ARC_YEARS", "FROZEN", "LANES", "ROOT_OOM", "ROOT_STEPS"]
PRACTICE, MEMORY = 6, 3  # first and number of the columns of practice, its target and rate
OUTPUTS = 6
STAGE_LENGTH = (0.5, 0.5, 1.0, 0.0)
STAGE_WEIGHT = (1.0, 2.0, 2.0, 1.0)


def kernel(fixed: Any, moving: Any, before: Any, out: Any) -> None:
    """Rates of a group: z', practice, its target and rate, effective compute, ln speed-up. Traced from `flow.rates`."""
    raise NotImplementedError


def signal(fixed: Any, moving: Any, out: Any) -> None:
    """Effective compute of a group. Traced from `flow.rates`."""
    raise NotImplementedError


def aligned(size: int) -> Any:
    """An empty array at the beginning of a cache line, which vector loads then never straddle."""
    room = np.empty(size + 7)
    start = (-room.ctypes.data % 64) // 8
    return room[start : start + size]


def gather(table: Any, place: Any, fixed: Any) -> None:
    """What the equations need of each draw of a group, out of all draws' (constant, draw)."""
    for row in range(table.shape[0]):
        for i in range(LANES):
            fixed[row * LANES + i] = table[row, place[i]]


def rates_at(table: Any, place: Any, moving: Any, before: Any, out: Any) -> None:
    """Rates of all groups at one moment each: (group, time and z x lane) and nodes before -> (group, output x lane)."""
    fixed = np.empty(table.shape[0] * LANES)
    for group in range(moving.shape[0]):
        gather(table, place[group * LANES : group * LANES + LANES], fixed)
        kernel(fixed, moving[group], before[group], out[group])


def march(
    table: Any, place: Any, first: Any, end: Any, stop_signal: Any, step: float, nodes: Any, kept: Any, used: Any
) -> None:
    """Integrate all groups from their first nodes on.

    Parameters
    ----------
    table : (constant, draw), what the equations need of each draw
    place : (group x lane,), the draw in each lane
    first : (group, column x lane)
    end, stop_signal : (draw,), where a draw stops; a group goes on until all of its draws have
    nodes : (node, column x lane), room for one group
    kept : (any,), filled with the nodes of all groups as `walking` has them
    used : (group,), filled with the number of nodes that each came to
    """
    fixed, slopes = aligned(table.shape[0] * LANES), aligned(4 * LANES)
    moving, out = aligned(2 * LANES), aligned(OUTPUTS * LANES)
    ends, stops = np.empty(LANES), np.empty(LANES)
    start = 0
    for group in range(first.shape[0]):
        mine = place[group * LANES : group * LANES + LANES]
        gather(table, mine, fixed)
        for i in range(LANES):
            ends[i], stops[i] = end[mine[i]], stop_signal[mine[i]]
        for k in range(COLUMNS * LANES):
            nodes[0, k] = first[group, k]
        count = 1
        while count < nodes.shape[0]:
            last = nodes[count - 1]
            going = count == 1  # a path has at least one interval, even if all stand at their end
            for i in range(LANES):
                going |= (last[TIME * LANES + i] < ends[i]) & (last[SIGNAL * LANES + i] < stops[i])
            if not going:
                break
            advance(fixed, last, nodes[count], slopes, moving, out, step)
            count += 1
        used[group] = count
        for i in range(LANES):
            for column in range(COLUMNS):
                for node in range(count):
                    kept[start + node] = nodes[node, column * LANES + i]
                start += count


def advance(fixed: Any, old: Any, new: Any, slopes: Any, moving: Any, out: Any, step: float) -> None:
    """One RK4 step of a group: three more stages from the slopes at hand, then the rates at the new node.

    ``slopes`` is room for dt/ds and dz/ds and for their weighted sums.
    """
    for i in range(2 * LANES):
        slopes[i] = old[TIME_SLOPE * LANES + i]
        slopes[2 * LANES + i] = 0.0
    for stage in range(4):
        length, weight = STAGE_LENGTH[stage] * step, STAGE_WEIGHT[stage]
        for i in range(2 * LANES):
            slopes[2 * LANES + i] += weight * slopes[i]
            if stage < 3:
                moving[i] = old[i] + length * slopes[i]
            else:
                moving[i] = old[i] + step / 6.0 * slopes[2 * LANES + i]
        for i in range(LANES, 2 * LANES):
            moving[i] = min(moving[i], FROZEN)
        kernel(fixed, moving, old, out)
        for i in range(LANES):
            growing = max(out[i], 0.0) if moving[LANES + i] < FROZEN else 0.0
            slopes[i] = 1.0 / (1.0 + growing / ARC_YEARS)
            slopes[LANES + i] = growing * slopes[i]
    for i in range(2 * LANES):
        new[i], new[2 * LANES + i] = moving[i], slopes[i]
        new[SPEED * LANES + i] = out[4 * LANES + i]  # and effective compute, the next column of both
    for i in range(MEMORY * LANES):
        new[PRACTICE * LANES + i] = out[LANES + i]


def meet(
    table: Any, place: Any, kept: Any, starts: Any, used: Any, level: Any, step: float, reached: Any, out: Any
) -> None:
    """Where effective compute reaches `level` (draw,) on each draw's path: regula falsi, Illinois halving.

    ``reached`` (draw,) says whether it does; ``out`` (column, draw) is time and z there, and the practice, target, rate and
    time of the node before. A level already past is met at the first node.
    """
    fixed, moving, found = aligned(table.shape[0] * LANES), aligned(2 * LANES), aligned(LANES)
    ends, guess, bracket = np.empty((8, LANES)), np.empty(LANES), np.empty((4, LANES))
    for group in range(used.size):
        mine = place[group * LANES : group * LANES + LANES]
        gather(table, mine, fixed)
        for i in range(LANES):
            position, draw = group * LANES + i, mine[i]
            flop, below = begins(starts, used, position, SIGNAL), 0
            for node in range(used[group]):
                below += kept[flop + node] < level[draw]
            reached[draw] = below < used[group]
            k = min(max(below - 1, 0), used[group] - 2)
            for column in range(4):
                at = begins(starts, used, position, column) + k
                ends[column, i], ends[4 + column, i] = kept[at], kept[at + 1]
            for side in range(2):
                bracket[side, i], bracket[2 + side, i] = float(side), kept[flop + k + side] - level[draw]
            for column in range(MEMORY):
                out[2 + column, draw] = kept[begins(starts, used, position, PRACTICE + column) + k]
            out[2 + MEMORY, draw] = ends[TIME, i]
        narrow(fixed, mine, level, step, ends, bracket, guess, moving, found)
        for i in range(LANES):
            out[0, mine[i]], out[1, mine[i]] = moving[i], moving[LANES + i]


def narrow(
    fixed: Any, mine: Any, level: Any, step: float, ends: Any, bracket: Any, guess: Any, moving: Any, found: Any
) -> None:
    """`paths.root` of a group: fill `guess` and time and z there, where the bracket's misses change their sign; else 0."""
    searching, left_over = np.empty(LANES, np.bool_), 0
    for i in range(LANES):
        guess[i] = 0.0
        searching[i] = (bracket[2, i] < 0.0) & (bracket[3, i] >= 0.0)
        left_over += searching[i]
    for _ in range(ROOT_STEPS):
        if left_over == 0:
            break
        for i in range(LANES):
            low, high, left, right = bracket[0, i], bracket[1, i], bracket[2, i], bracket[3, i]
            if searching[i]:
                new = (low * right - high * left) / (right - left)
                guess[i] = new if low <= new <= high else 0.5 * (low + high)
        between(ends, guess, step, moving)
        signal(fixed, moving, found)
        left_over = 0
        for i in range(LANES):
            miss = found[i] - level[mine[i]]
            if searching[i]:
                searching[i] = abs(miss) >= ROOT_OOM
                left_over += searching[i]
                if miss < 0.0:
                    bracket[0, i], bracket[2, i], bracket[3, i] = guess[i], miss, 0.5 * bracket[3, i]
                else:
                    bracket[1, i], bracket[2, i], bracket[3, i] = guess[i], 0.5 * bracket[2, i], miss
    between(ends, guess, step, moving)


def between(ends: Any, fraction: Any, step: float, moving: Any) -> None:
    """Time and z at a fraction of each lane's interval, whose two nodes are `ends`."""
    for k in range(2):
        for i in range(LANES):
            moving[k * LANES + i] = cubic(ends[k, i], ends[4 + k, i], ends[2 + k, i], ends[6 + k, i], step, fraction[i])
