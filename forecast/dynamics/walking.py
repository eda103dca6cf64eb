"""Read-outs along the nodes of compiled paths: levels, moments, the best twelve months, the largest speed-up.

Plain functions over arrays that `machine` compiles; nothing calls them as they stand here. They are the numerics of
`events` and `readouts`, draw by draw, while a draw's nodes are in the cache; ``tests/dynamics/test_compiled.py`` holds
both equal. A draw's ``position`` is group x `LANES` + lane; ``kept`` holds the nodes of all positions, one column after
the other, from the ``starts`` of each group, which has ``used`` nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.dynamics.compiled import LANES
from forecast.dynamics.elementary import exp, log1p
from forecast.dynamics.events import CLOSE, NEWTON_STEPS
from forecast.dynamics.integrator import FROZEN

__all__ = ["CLOSE", "FROZEN", "LANES", "NEWTON_STEPS"]
TIME, Z, TIME_SLOPE, Z_SLOPE, SPEED, SIGNAL = range(6)  # columns of a node; SPEED is ln speed-up
COLUMNS = 9


def begins(starts: Any, used: Any, position: int, column: int) -> int:
    """Where one column of a draw's nodes begins."""
    group, lane = position // LANES, position % LANES
    place: int = starts[group] + (lane * COLUMNS + column) * used[group]
    return place


def cubic(left: float, right: float, left_slope: float, right_slope: float, step: float, u: float) -> float:
    """`events.hermite` of one draw."""
    return (
        left * (1.0 + 2.0 * u) * (1.0 - u) ** 2
        + right * u**2 * (3.0 - 2.0 * u)
        + step * (left_slope * u * (1.0 - u) ** 2 + right_slope * u**2 * (u - 1.0))
    )


def solved(left: float, right: float, first: float, last: float, level: float) -> float:
    """`events.solve` of one draw: fraction at which the cubic equals `level`; `first` and `last` are slopes x step."""
    gap = right - left
    rise = min(max(level - left, 0.0), gap)
    square, cube = 3.0 * gap - 2.0 * first - last, first + last - 2.0 * gap
    low, high, guess = 0.0, 1.0, rise / gap if gap > 0.0 else 0.0
    for _ in range(NEWTON_STEPS):
        miss = ((cube * guess + square) * guess + first) * guess - rise
        if miss < 0.0:
            low = guess
        else:
            high = guess
        newton = guess - miss / ((3.0 * cube * guess + 2.0 * square) * guess + first)
        better = newton if low <= newton <= high else 0.5 * (low + high)
        moved, guess = abs(better - guess), better
        if moved <= CLOSE:
            break
    return guess


def cross(
    kept: Any, starts: Any, used: Any, position: Any, of: int, level: Any, wanted: int, step: float, out: Any
) -> None:
    """Column `wanted` (time or z) where column `of`, the other, reaches `level` (query, draw) on each draw's path.

    A level below the first node is met there. One never reached is +inf for a time, and for z what it is in the end.
    """
    for d in range(position.size):
        count = used[position[d] // LANES]
        x, y = begins(starts, used, position[d], of), begins(starts, used, position[d], wanted)
        x_slope, y_slope = x + 2 * count, y + 2 * count
        for query in range(level.shape[0]):
            goal = level[query, d]
            if not goal <= kept[x + count - 1]:
                out[query, d] = np.inf if wanted == TIME else kept[y + count - 1]
                continue
            k, above = 0, count - 1  # the last node below the level, by halving
            while above - k > 1:
                middle = (k + above) // 2
                if kept[x + middle] < goal:
                    k = middle
                else:
                    above = middle
            u = 0.0
            if goal > kept[x]:
                u = solved(kept[x + k], kept[x + k + 1], kept[x_slope + k] * step, kept[x_slope + k + 1] * step, goal)
            out[query, d] = cubic(kept[y + k], kept[y + k + 1], kept[y_slope + k], kept[y_slope + k + 1], step, u)


def best_years(
    first: Any, first_starts: Any, first_used: Any, first_position: Any,
    second: Any, second_starts: Any, second_used: Any, second_position: Any,
    full: Any, ceiling: Any, window_end: float, gain: Any, peak: Any,
) -> None:  # fmt: skip
    """Largest 12-month gain of ln S and largest ln speed-up within the window, of each draw.

    Parameters
    ----------
    first, second : the legs; a draw without a second one has position -1 there
    full : (draw,), effective compute at which the first leg ends
    ceiling : (draw,), ln S_max
    gain, peak : (draw,), filled
    """
    size = first_used.max() + second_used.max()
    time, log_s, slope, speed = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for d in range(gain.size):
        position, count = first_position[d], 0
        flop = begins(first_starts, first_used, position, SIGNAL)
        for k in range(flop, flop + first_used[position // LANES]):
            count += first[k] < full[d]
        count = max(count, 1)
        read(first, first_starts, first_used, position, 0, count, ceiling[d], time, log_s, slope, speed)
        peak[d] = largest(time, speed, 0, count, window_end)
        position = second_position[d]
        if position >= 0:
            while count > 0 and time[count - 1] >= second[begins(second_starts, second_used, position, TIME)]:
                count -= 1
            whole = count + second_used[position // LANES]
            read(second, second_starts, second_used, position, count, whole, ceiling[d], time, log_s, slope, speed)
            peak[d] = max(peak[d], largest(time, speed, count, whole, window_end))
            count = whole
        gain[d] = best_year(time, log_s, slope, count - 1, window_end)


def read(
    kept: Any, starts: Any, used: Any, position: int, begin: int, end: int, ceiling: float,
    time: Any, log_s: Any, slope: Any, speed: Any,
) -> None:  # fmt: skip
    """Time, ln S, its slope and ln speed-up at the first nodes of a draw's path, put at the places from `begin` on."""
    count = used[position // LANES]
    base, size = begins(starts, used, position, TIME), end - begin
    times, zs = kept[base : base + count], kept[base + Z * count : base + (Z + 1) * count]  # slices, whose places
    ws = kept[base + TIME_SLOPE * count : base + (TIME_SLOPE + 1) * count]  # the compiler knows not to be negative
    slopes = kept[base + Z_SLOPE * count : base + (Z_SLOPE + 1) * count]
    speeds = kept[base + SPEED * count : base + (SPEED + 1) * count]
    new_time, new_log_s, new_slope, new_speed = time[begin:end], log_s[begin:end], slope[begin:end], speed[begin:end]
    for k in range(size):
        new_time[k], new_speed[k] = times[k], speeds[k]
    for k in range(size):
        new_log_s[k] = ceiling - (max(-zs[k], 0.0) + log1p(exp(-abs(zs[k]))))
    for k in range(size):
        new_slope[k] = slopes[k] / ws[k] * (1.0 / (1.0 + exp(min(zs[k], FROZEN))))


def largest(time: Any, speed: Any, begin: int, end: int, window_end: float) -> float:
    """Largest ln speed-up of some nodes up to the end of the window, linear between them."""
    best = 0.0
    for k in range(begin, end):
        if time[k] > window_end:
            if k > begin:
                share = (window_end - time[k - 1]) / max(time[k] - time[k - 1], 1e-300)
                best = max(best, speed[k - 1] + (speed[k] - speed[k - 1]) * min(max(share, 0.0), 1.0))
            break
        best = max(best, speed[k])
    return best


def best_year(time: Any, log_s: Any, slope: Any, last: int, window_end: float) -> float:
    """Largest ln S(t + 1) - ln S(t) with either end at a node; an end between nodes is looked at where it may be larger."""
    best, later, earlier = 0.0, 0, 0
    for k in range(last + 1):
        ahead, behind = time[k] + 1.0, time[k] - 1.0
        if time[k] <= window_end and ahead <= time[last]:
            while later < last - 1 and time[later + 1] < ahead:
                later += 1
            if log_s[later + 1] - log_s[k] > best:
                best = max(best, between_nodes(time, log_s, slope, later, ahead) - log_s[k])
        if behind >= time[0] and behind <= window_end:
            while earlier < last - 1 and time[earlier + 1] < behind:
                earlier += 1
            if log_s[k] - log_s[earlier] > best:
                best = max(best, log_s[k] - between_nodes(time, log_s, slope, earlier, behind))
    return best


def between_nodes(time: Any, log_s: Any, slope: Any, k: int, when: float) -> float:
    """ln S at a moment after node `k`, held between that node's and the next one's."""
    width = time[k + 1] - time[k]
    u = min(max((when - time[k]) / max(width, 1e-300), 0.0), 1.0)
    value = cubic(log_s[k], log_s[k + 1], slope[k], slope[k + 1], width, u)
    held: float = min(max(value, log_s[k]), log_s[k + 1])
    return held
